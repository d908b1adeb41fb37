"""Who may ask: access tokens, and the address where a service account exchanges its key for one."""

import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from bigquery_server.refusals import RefusedError


class Tokens:
    """The tokens that the server accepts.

    With `required`, a request without a valid token is refused (401); with `revoked`, keys are no longer exchanged.
    """

    path = "/token"
    #: Where a foreign token is exchanged for one of Google's, and one of Google's for that of a service account.
    exchange, impersonation = "/sts", "/iam/"

    def __init__(self) -> None:
        self.required = False
        self.revoked = False
        self.valid: set[str] = set()
        self.issued = 0
        self._key = None
        self.foreign = "token-of-somebody-else"

    def check(self, authorization: str) -> None:
        if self.required and authorization.removeprefix("Bearer ") not in self.valid:
            raise RefusedError(
                401,
                "required" if not authorization else "authError",
                "Request is missing required authentication credential."
                if not authorization
                else "Request had invalid authentication credentials.",
            )

    def issue(self, content: bytes) -> dict[str, Any]:
        """Exchange a signed assertion for a token."""
        if self.revoked:
            raise _GrantError("Token has been expired or revoked.")
        asked = parse_qs(content.decode())
        if asked["grant_type"] == ["refresh_token"]:
            return self._issued()
        (assertion,) = asked["assertion"]
        if self._key is None:
            raise _GrantError("No key is known.")
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        try:
            jwt.decode(assertion, certs=public)
        except ValueError as error:
            raise _GrantError(str(error)) from error
        return self._issued()

    def exchanged(self, content: bytes) -> dict[str, Any]:
        """Exchange the token of somebody whom Google trusts."""
        if self.revoked or parse_qs(content.decode())["subject_token"] != [self.foreign]:
            raise _GrantError("The foreign token is not known.")
        return self._issued() | {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}

    def impersonated(self, authorization: str) -> dict[str, Any]:
        """Give whoever has a token that of a service account."""
        if authorization.removeprefix("Bearer ") not in self.valid:
            raise RefusedError(401, "authError", "Request had invalid authentication credentials.")
        return {"accessToken": self._issued()["access_token"], "expireTime": "2100-01-01T00:00:00Z"}

    def _issued(self) -> dict[str, Any]:
        self.issued += 1
        token = uuid.uuid4().hex
        self.valid.add(token)
        return {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    def write_key(self, file: Path, endpoint: str, project: str = "paying-project") -> Path:
        """Write the key file of a service account that the server knows, and return its path."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        document = {
            "type": "service_account",
            "project_id": project,
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": f"reader@{project}.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{endpoint}{self.path}",
        }
        file.write_text(json.dumps(document))
        return file


class _GrantError(RefusedError):
    """What Google's token server answers, which is another form than BigQuery's."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "invalid_grant", message)

    def body(self) -> dict[str, Any]:
        return {"error": "invalid_grant", "error_description": str(self)}
