"""Credentials from a file: a service account's key, a user's own, workload identity, or impersonation, by its type."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxr_core.errors import UsageError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_SCOPES = ("https://www.googleapis.com/auth/bigquery",)
_AWS_TOKEN = "urn:ietf:params:aws:token-type:aws4_request"
#: What Google's tools write into `type`, and what it is.
TYPES = {
    "service_account": "the key of a service account",
    "authorized_user": "a user's credentials",
    "external_account": "workload identity",
    "external_account_authorized_user": "workforce identity",
    "impersonated_service_account": "impersonation",
}


def credentials_of(file: str) -> "tuple[Credentials, str | None]":
    """Return the credentials that a file holds, and the project that it names; nobody is asked for either.

    Raises:
        UsageError: there is no such file, or it holds no credentials of a known type.
    """
    from google.auth.exceptions import GoogleAuthError

    try:
        document = json.loads(Path(file).read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("type") not in TYPES:
            raise ValueError(f"its type must be one of {', '.join(TYPES)}")
        return _made(document), document.get("project_id") or document.get("quota_project_id")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, GoogleAuthError) as error:
        raise UsageError(
            f"credentials must name a file (JSON) with {', '.join(TYPES.values())}. Received {file}: "
            f"{str(error).splitlines()[0] if str(error) else 'it lacks a part'}"
        ) from error


def renewal_words(file: str | None) -> str:
    """Return what to do once credentials have expired: those of a file, or (None) those of the machine."""
    if file is None:
        return "Run `gcloud auth application-default login` again"
    try:
        kind = json.loads(Path(file).read_text(encoding="utf-8"))["type"]
    except (OSError, ValueError, KeyError, TypeError):
        kind = "service_account"
    if kind == "service_account":
        return f"Make a new key for the service account of {file}"
    return f"Sign in again where {file} comes from ({TYPES.get(kind, kind)}), and write it anew"


def _made(document: dict[str, Any]) -> "Credentials":
    from google.auth import aws, external_account_authorized_user, identity_pool, impersonated_credentials, pluggable
    from google.oauth2 import credentials, service_account

    match document["type"]:
        case "service_account":
            return service_account.Credentials.from_service_account_info(document, scopes=_SCOPES)
        case "authorized_user":  # whoever signed in has said what for
            return credentials.Credentials.from_authorized_user_info(document)
        case "external_account_authorized_user":
            return external_account_authorized_user.Credentials.from_info(document)
        case "impersonated_service_account":
            return impersonated_credentials.Credentials.from_impersonated_service_account_info(document, scopes=_SCOPES)
    if document.get("subject_token_type") == _AWS_TOKEN:
        return aws.Credentials.from_info(document, scopes=_SCOPES)
    source = pluggable if "executable" in document.get("credential_source", {}) else identity_pool
    return source.Credentials.from_info(document, scopes=_SCOPES)
