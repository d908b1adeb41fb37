"""An OpenID Connect provider on this machine that says what it is told to, lies included."""

import base64
import contextlib
import json
import threading
import time
from dataclasses import dataclass, field

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route


@dataclass
class Provider:
    """Sends everybody back at once with a code; what the token then says is in `claims`, who signs it in `signer`."""

    claims: dict = field(default_factory=dict)
    left_out: tuple = ()
    signer: str = "own"
    metadata: dict = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "a"}))
    stranger: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "a"}))
    url: str = ""
    nonces: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def app(self):
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    async def discovery(self, _request):
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        found = {"issuer": self.url, "id_token_signing_alg_values_supported": ["RS256"]}
        return JSONResponse(found | {name: f"{self.url}/{path}" for name, path in paths.items()} | self.metadata)

    async def authorize(self, request):
        asked = request.query_params
        self.asked.append(dict(asked))
        code = f"code{len(self.asked)}"
        self.nonces[code] = asked["nonce"]
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", 302)

    async def token(self, request):
        form = await request.form()
        nonce = self.nonces.pop(str(form["code"]), None)
        if nonce is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        said = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600}
        return JSONResponse(said if self.signer == "nobody" else said | {"id_token": self.id_token(nonce)})

    async def keys(self, _request):
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def id_token(self, nonce):
        now = int(time.time())
        usual = {"iss": self.url, "aud": "cxr-lab", "sub": "1", "iat": now, "exp": now + 3600, "nonce": nonce}
        person = {"email": "ada@lab.example", "email_verified": True}
        claims = {key: value for key, value in (usual | person | self.claims).items() if key not in self.left_out}
        return self.signed(claims)

    def signed(self, claims):
        if self.signer == "unsigned":
            return ".".join([*map(_part, ({"alg": "none", "kid": "a"}, claims)), ""])
        if self.signer == "public key as a secret":
            return jwt.encode({"alg": "HS256", "kid": "a"}, claims, OctKey.import_key(self.key.as_pem(private=False)))
        token = jwt.encode(
            {"alg": "RS256", "kid": "a"}, claims, self.stranger if self.signer == "stranger" else self.key
        )
        if self.signer == "changed afterwards":
            head, _, signature = token.split(".")
            return ".".join([head, _part(claims | {"email": "root@lab.example"}), signature])
        return token


def _part(values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


@contextlib.contextmanager
def served(provider):
    """Serve a provider on a free port of this machine, in a thread."""
    server = uvicorn.Server(uvicorn.Config(provider.app(), port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    provider.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield provider
    server.should_exit = True
    thread.join(10)
