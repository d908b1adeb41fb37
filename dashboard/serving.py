"""One server whichever command starts it: `python -m dashboard`, `make run`, `streamlit run dashboard/app.py`.

Streamlit decides on its port and address before any of our code runs, from flags, STREAMLIT_… variables and
`.streamlit/config.toml`; none of them can say "what the setting `port` says". So the settings are handed over as
STREAMLIT_… variables, and a `streamlit run` that was started without them is started once more with them.
"""

import gc
import importlib
import os
import pkgutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streamlit import cli_util, config

import dashboard
from cxr_core.errors import CxrError
from cxr_core.settings import settings

SCRIPT = Path(__file__).with_name("app.py")
#: Modules that Streamlit runs; to import them would run them.
SCRIPTS = (".page", ".app", ".__main__")
HANDED_OVER = "CXR_DASHBOARD_STARTED"


def serve(arguments: list[str]) -> None:
    """Run the dashboard until it is stopped; `arguments` are further options of `streamlit run`."""
    from streamlit.web import cli

    os.environ.update(missing_variables())
    cli.main(["run", str(SCRIPT), *arguments], prog_name="streamlit")


def follow_settings() -> None:
    """Start this very command once more with the port and address of the settings, unless that was done already."""
    if HANDED_OVER not in os.environ:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | missing_variables())


def missing_variables() -> dict[str, str]:
    """Return what the environment lacks for Streamlit to follow the settings; what the user set there stays."""
    try:
        values = settings()
    except CxrError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    wanted = {
        "STREAMLIT_SERVER_PORT": str(values.port),
        "STREAMLIT_SERVER_ADDRESS": values.address,
        HANDED_OVER: "1",
    }
    return {name: value for name, value in wanted.items() if name not in os.environ}


def spare_the_modules() -> None:
    """Load what the pages are made of, and keep it out of the collection of garbage.

    Streamlit collects all garbage after every rerun, while the last of the page still waits to be sent: looking through
    the hundreds of thousands of objects that modules hold took longer than drawing Evaluate anew.
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
    url = f"http://{config.get_option('server.address')}:{config.get_option('server.port')}"
    sys.stdout.write(f"CXR Lab is at {url} (stop it with Ctrl+C)\n")
    sys.stdout.flush()
    if not config.get_option("server.headless"):
        cli_util.open_browser(url)
    yield
