"""One server whichever command starts it: `python -m dashboard`, `make run`, `streamlit run dashboard/app.py`.

Streamlit decides on its port and address before any of our code runs, from flags, STREAMLIT_… variables and
`.streamlit/config.toml`; none of them can say "what the setting `port` says". So the settings are handed over as
STREAMLIT_… variables, and a `streamlit run` that was started without them is started once more with them. So is
everything that privacy depends on: a configuration file may be missing, and another one may be found.
"""

import gc
import importlib
import os
import pkgutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

from starlette.middleware import Middleware
from streamlit import cli_util, config
from streamlit.config_option import ConfigOption

import dashboard
from cxr_core.caller import found_by
from cxr_core.errors import CxrError
from cxr_core.served import serving as served
from cxr_core.settings import Settings, settings
from cxr_core.sources.registry import sight_of_nothing
from cxr_core.training.apart import open_files_apart
from cxr_core.workspace import tightened
from dashboard.browser_rules import BrowserRules
from dashboard.counters import Counters
from dashboard.garbage import collected_now_and_then
from dashboard.known_hosts import KnownHosts, known_hosts
from dashboard.persons import session_caller
from dashboard.provider import cookie_key, lacking, own_host
from dashboard.proxy_login import ProxyLogin
from dashboard.reach import refusal
from dashboard.request_log import RequestLog, log_as_json
from dashboard.sign_in import SignIn

SCRIPT = Path(__file__).with_name("app.py")
#: Modules that Streamlit runs; to import them would run them.
SCRIPTS = (".page", ".app", ".__main__")
HANDED_OVER = "CXR_DASHBOARD_STARTED"
#: The server would take the address that a proxy tells for the peer's own, and everybody can tell one.
_FORWARDED = "FORWARDED_ALLOW_IPS"
#: What stays as it is here, whatever files, variables or flags say: nothing leaves the machine unasked, nothing but the
#: dashboard's own pages drives it, and nobody is shown a traceback.
PRIVATE: dict[str, bool | str] = {
    "browser.gatherUsageStats": False,
    "server.showEmailPrompt": False,
    "server.enableAgentApi": False,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableStaticServing": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
}
#: What the user may decide otherwise, by Streamlit's own variables and flags.
USUAL: dict[str, bool | int | str] = {
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 50,
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": True,
    "runner.postScriptGC": False,  # see garbage.py
}


def serve(arguments: list[str]) -> None:
    """Run the dashboard until it is stopped; `arguments` are further options of `streamlit run`."""
    from streamlit.web import cli

    os.environ.update(handed_over())
    cli.main(["run", str(SCRIPT), *arguments], prog_name="streamlit")


def follow_settings() -> None:
    """Start this very command once more with the settings handed over, unless that was done already."""
    if HANDED_OVER not in os.environ:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | handed_over())
    for name, value in PRIVATE.items():
        config.set_option(name, value)
    if said := refusal(config.get_option("server.address") or "") or lacking():
        _end_with(said)
    if settings().auth_provider:
        config.set_option("server.cookieSecret", cookie_key())
    found_by(session_caller)
    open_files_apart()


def handed_over() -> dict[str, str]:
    """Return the variables by which Streamlit follows the settings; what the user set there stays, unless private."""
    try:
        values = settings()
        words = [tightened(), sight_of_nothing()]
    except CxrError as error:
        _end_with(str(error))
    sys.stderr.writelines(f"{word}\n" for word in words if word)
    usual = _variables(USUAL | _listening(values))
    missing = {name: value for name, value in usual.items() if name not in os.environ}
    return missing | _variables(PRIVATE) | {HANDED_OVER: "1", _FORWARDED: ""}


def _end_with(message: str) -> NoReturn:
    """End with a mistake of the user's."""
    sys.stderr.writelines((message, "\n"))
    sys.exit(2)


def _listening(values: Settings) -> dict[str, int | str]:
    address = os.environ.get(ConfigOption("server.address").env_var) or values.address
    hosts = " ".join(known_hosts(address, (*values.hosts, *own_host(values))))
    return {"server.port": values.port, "server.address": address, "server.allowedHosts": hosts}


def _variables(options: Mapping[str, bool | int | str]) -> dict[str, str]:
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in options.items()}
    return {ConfigOption(name).env_var: text for name, text in texts.items()}


def middleware(counters: Counters, pages: Sequence[str]) -> list[Middleware]:
    """Return what every connection passes through before Streamlit sees it."""
    log = Middleware(RequestLog, counters=counters, pages=tuple(pages), writes=settings().json_logs)
    return [log, Middleware(BrowserRules), Middleware(KnownHosts), Middleware(ProxyLogin), Middleware(SignIn)]


def spare_the_modules() -> None:
    """Load what the pages are made of, and keep it out of the collection of garbage.

    Nobody is served while it looks through the hundreds of thousands of objects that modules hold.
    """
    for module in pkgutil.walk_packages(dashboard.__path__, f"{dashboard.__name__}."):
        if not module.name.endswith(SCRIPTS):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def announced(_app: Any) -> AsyncIterator[None]:
    """Say on the terminal where the dashboard is and, on a desktop, open it."""
    spare_the_modules()
    if settings().json_logs:
        log_as_json()
    url = f"http://{config.get_option('server.address')}:{config.get_option('server.port')}"
    sys.stdout.write(f"CXR Lab is at {url} (stop it with Ctrl+C)\n")
    sys.stdout.flush()
    if not config.get_option("server.headless"):
        cli_util.open_browser(url)
    with served(settings().home):
        async with collected_now_and_then():
            yield
