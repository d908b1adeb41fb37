"""With the embedded source alone no Google library is loaded, and no socket is opened: every page, and the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

from test_pages import FIRST, SECOND

from dashboard.shared.navigation import PAGES

APP = Path(__file__).parents[2] / "dashboard" / "app.py"

SCRIPT = """
import json, socket, sys

before = {*sys.modules}  # an environment may begin with empty packages of other distributions
asked = []

def refuse(self, address, *rest):
    if self.family != socket.AF_UNIX:
        asked.append(str(address))
        raise OSError(101, "Network is unreachable")

socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = lambda host, *rest, **more: refuse(socket.socket(), host)

app_file, first, second = sys.argv[1:]
from cxr_core.cli import main
from cxr_core.training.probe import Accelerator

commands = (["sources"], ["distribution"], ["models"], ["runs"], ["evaluate", first], ["compare", first, second])
statuses = {command[0]: main([*command, "--json"]) for command in commands}

import dashboard.shared.accelerator_input as accelerators
from dashboard.shared.navigation import PAGES
from streamlit.testing.v1 import AppTest

accelerators.known_accelerators = lambda: [Accelerator("cpu", True, "", ("2 cores",))]
for row in PAGES:
    app = AppTest.from_file(app_file, default_timeout=120).run()
    if row.name != "labels":
        app.switch_page(f"{row.name}/page.py").run()
    assert not app.exception, (row.name, app.exception[0].message)
    statuses[row.name + " page"] = len(app.title) - 1
loaded = [name for name in sys.modules.keys() - before if name.startswith(("google.cloud", "google.auth", "gcsfs", "aiohttp"))]
print("\\n" + json.dumps({"asked": asked, "loaded": loaded, "statuses": statuses}))
"""


def test_with_the_embedded_source_alone_no_google_library_opens_a_socket(small_demo, tmp_path):
    script = tmp_path / "look.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(APP), FIRST, SECOND],
        capture_output=True,
        text=True,
        env=os.environ | {"CXR_HOME": str(small_demo)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["asked"] == []
    assert found["loaded"] == []
    assert set(found["statuses"].values()) == {0}, found["statuses"]
    assert len(found["statuses"]) == 6 + len(PAGES)
