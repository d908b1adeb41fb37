"""Cut off from every network but its own loopback, the commands work on the embedded data set; the browser's tests see
to the pages in the same way.
"""

import os
import shutil
import subprocess
import sys

import pytest

#: Sees that nothing but the loopback is there, which is down in a new namespace.
WORK = """
import socket
from cxr_core.cli import main
assert [name for _, name in socket.if_nameindex()] == ["lo"]
for command in ("sources", "distribution", "models", "runs", "evaluate densenet_frontal_u0_0__w0_0", "images --limit 3"):
    assert main([*command.split(), "--json"]) == 0, command
"""


@pytest.mark.slow
def test_without_a_network_the_commands_work_on_the_embedded_data(small_demo):
    if shutil.which("unshare") is None or subprocess.run(["unshare", "--net", "true"], check=False).returncode:
        pytest.skip("this process may not make a network namespace")
    command = ["unshare", "--net", sys.executable, "-c", WORK]
    environment = os.environ | {"CXR_HOME": str(small_demo), "CXR_RESAMPLES": "100"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
