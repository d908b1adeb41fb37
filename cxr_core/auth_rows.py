"""The settings of a login by OpenID Connect: the table `[auth]` of `cxr.toml`."""

from urllib.parse import urlsplit

from cxr_core.setting import Setting

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_protected(url: str) -> bool:
    """Say whether a URL names a host, and nobody on the way reads what is sent there: https, or this machine itself."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


def is_origin(url: str) -> bool:
    """Say whether a URL is a scheme, a host and a port at most, as browsers write an origin."""
    return is_protected(url) and url == url.lower() and url.count("/") == 2 and not {*"?#@"} & {*url}


AUTH: tuple[Setting, ...] = (
    Setting(
        "auth_provider",
        "",
        "OpenID Connect provider that people log in with, as https://login.example.org: the address in front of its "
        "/.well-known/openid-configuration. Empty: nobody logs in there.",
        lambda value: not value or is_protected(value),
        "the https:// address of a provider",
    ),
    Setting("auth_client_id", "", "Under which name the provider knows this dashboard."),
    Setting(
        "auth_secret_file",
        "",
        "File with the secret that the provider gave for this dashboard; or the secret itself in the variable "
        "CXR_AUTH_CLIENT_SECRET. It has no place in cxr.toml.",
    ),
    Setting(
        "auth_address",
        "",
        "Address under which browsers open this dashboard, as https://cxr.example.org; the provider must send people "
        "back to its /oauth2callback.",
        lambda value: not value or is_origin(value),
        "https://, a host in small letters and its port at most",
    ),
    Setting(
        "auth_name_claim",
        "email",
        "What of the provider's words names a person. An e-mail counts only where the provider says that it verified "
        "it.",
        lambda value: bool(value.strip()),
        "the name of a claim",
    ),
    Setting(
        "auth_groups_claim",
        "",
        "What of the provider's words lists a person's groups or roles; group:NAME in `admins`, `researchers` and "
        "`viewers` means those of it.",
    ),
    Setting("auth_scopes", "openid email profile", "What the provider is asked to tell, separated by blanks."),
    Setting(
        "auth_viewers",
        "",
        "Names, @domains or groups, separated by commas, of those who may look, besides `admins` and `researchers`; "
        "* for everybody whom the provider lets in. Others are refused.",
    ),
    Setting(
        "auth_hours",
        12.0,
        "Hours after which one has to log in again.",
        lambda value: 0 < value <= 720,
        "above 0, and 720 at most",
    ),
    Setting(
        "auth_idle_minutes",
        60.0,
        "Minutes without a click after which one has to log in again.",
        lambda value: 0 < value <= 43_200,
        "above 0, and 43200 at most",
    ),
)
