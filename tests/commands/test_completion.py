import os
import shutil
import subprocess
import sys

import pytest


def completed(line):
    """What the shell is offered when Tab is pressed at the end of the line."""
    environment = os.environ | {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9"}
    command = [sys.executable, "-m", "cxr_core"]
    script = f"{subprocess.list2cmdline(command)} 8>&1 9>/dev/null >/dev/null 2>&1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment, check=False)
    return [word.strip() for word in done.stdout.replace("\v", "\n").split("\n") if word.strip()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("cxr dist", ["distribution"]),
        ("cxr evaluate a --view l", ["lateral"]),
        ("cxr distribution --source de", ["demo"]),
        ("cxr train --init", ["--init-from"]),
        ("cxr ensemble a b --method mean-l", ["mean-logit"]),
        ("cxr images --group doub", ["doubtful"]),
    ],
)
def test_tab_completes_commands_options_and_what_follows_them(line, offered):
    assert completed(line) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_gets_its_own_script(shell, cxr):
    done = cxr("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cxr" in done.stdout
    if shell == "bash" and (bash := shutil.which("bash")):
        assert subprocess.run([bash, "-n"], input=done.stdout, text=True, check=False).returncode == 0


def test_another_shell_is_refused_in_one_line(cxr):
    done = cxr("completion", "cmd")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Unknown shell 'cmd'. Choose one of: bash, zsh, fish, powershell.\n"
