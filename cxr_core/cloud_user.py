"""Whose folder is whose on Cloud Storage, as the 2019 notebook keeps its users apart."""

import os
import re
from pathlib import Path

from cxr_core.locations import join
from cxr_core.settings import settings


def user_location(folder: str) -> str:
    """Return `<folder>/<user's folder>` of a gs:// folder, as the 2019 notebook keeps its users apart."""
    own = user_folder()
    return folder.rstrip("/") if folder.rstrip("/").endswith(f"/{own}") else join(folder, own)


def user_folder() -> str:
    """Return the user's folder: the account with everything but letters, digits and `_` made `_`, at most 128 long.

    The account is the setting `account`, else gcloud's active one (as in the notebook), else the login name.
    """
    account = settings().account or _gcloud_account() or _login_name()
    return re.sub(r"[^\w]", "_", account)[:128]


def _gcloud_account() -> str:
    """Return the account that gcloud works with, from its environment or its files; "" where there is none."""
    if account := os.environ.get("CLOUDSDK_CORE_ACCOUNT"):
        return account
    folder = Path(os.environ.get("CLOUDSDK_CONFIG") or Path.home() / ".config" / "gcloud")
    try:
        active = os.environ.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or (folder / "active_config").read_text().strip()
        text = (folder / "configurations" / f"config_{active}").read_text()
    except OSError:
        return ""
    core = re.search(r"^\[core\]$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    found = re.search(r"^account\s*=\s*(\S+)\s*$", core[1], re.MULTILINE) if core else None
    return found[1] if found else ""


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user number, as in some containers
        return f"user_{os.getuid()}"
