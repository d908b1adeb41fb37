"""Credentials of each type that Google's tools write, used against a server that answers nobody without a token."""

import json
from dataclasses import replace

import pytest
from google.auth import iam
from google.oauth2 import credentials

from cxr_core.errors import UsageError
from cxr_core.warehouse.google_credentials import TYPES, credentials_of
from cxr_core.warehouse.warehouse import open_warehouse

USER = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}


@pytest.fixture
def documents(bigquery_server, tmp_path, monkeypatch):
    """A file's content for each type; what Google's library sends to Google's own address comes to the server."""
    bigquery_server.tokens.required = True
    endpoint = bigquery_server.endpoint
    monkeypatch.setattr(credentials, "_GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{endpoint}/token")
    monkeypatch.setattr(iam, "_IAM_ENDPOINT", f"{endpoint}/iam/{{}}")
    (tmp_path / "foreign").write_text(bigquery_server.tokens.foreign)
    key = bigquery_server.tokens.write_key(tmp_path / "key.json", endpoint, project="key-project")
    return {
        "service_account": json.loads(key.read_text()),
        "authorized_user": USER | {"quota_project_id": "quota-project"},
        "external_account": {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{endpoint}/sts",
            "credential_source": {"file": str(tmp_path / "foreign")},
        },
        "impersonated_service_account": {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
            "reader@paying-project.iam.gserviceaccount.com:generateAccessToken",
            "source_credentials": USER,
        },
    }


@pytest.mark.parametrize("kind", sorted({*TYPES} - {"external_account_authorized_user"}))
def test_a_source_takes_each_type_of_credentials(documents, bigquery_tables, bigquery_server, tmp_path, kind):
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(documents[kind]))
    warehouse = open_warehouse(replace(bigquery_tables, credentials=str(file)))
    assert len(warehouse.counts()) == 12
    assert bigquery_server.tokens.issued > 0
    project = {"service_account": "key-project", "authorized_user": "quota-project"}.get(kind)
    assert credentials_of(str(file))[1] == project


def test_workforce_identity_is_read(tmp_path):
    file = tmp_path / "workforce.json"
    document = {
        "type": "external_account_authorized_user",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/q",
        "refresh_token": "r",
        "token_url": "https://sts.googleapis.com/v1/oauthtoken",
        "token_info_url": "https://sts.googleapis.com/v1/introspect",
        "client_id": "i",
        "client_secret": "s",
    }
    file.write_text(json.dumps(document))
    assert credentials_of(str(file))[0].requires_scopes is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "Expecting value"),
        ("[]", "its type must be one of service_account, authorized_user, external_account"),
        ('{"type": "robot"}', "its type must be one of"),
        ('{"type": "service_account"}', "credentials must name"),
        ('{"type": "authorized_user"}', "credentials must name"),
        ('{"type": "external_account"}', "credentials must name"),
        ('{"type": "impersonated_service_account"}', "credentials must name"),
        (None, "No such file"),
    ],
)
def test_a_file_without_credentials_is_refused_in_a_sentence(tmp_path, text, words):
    file = tmp_path / "credentials.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        credentials_of(str(file))
    assert str(caught.value).startswith("credentials must name a file (JSON) with the key of a service account")
    assert "\n" not in str(caught.value)


def test_expired_credentials_say_how_this_type_is_renewed(documents, bigquery_tables, bigquery_server, tmp_path):
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(documents["external_account"]))
    bigquery_server.tokens.revoked = True
    with pytest.raises(UsageError, match="Sign in again where .*credentials.json comes from .workload identity."):
        open_warehouse(replace(bigquery_tables, credentials=str(file))).counts()
