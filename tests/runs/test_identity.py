import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from cxr_core.runs import identity as identity_module
from cxr_core.runs import session as session_module
from cxr_core.runs.identity import Standing, identity_of, own_identity, standing_of
from cxr_core.runs.session import kill, left_by, members


def test_this_process_is_alive():
    assert standing_of(own_identity()) is Standing.ALIVE


def test_a_process_that_has_ended_is_gone_even_while_it_is_a_zombie():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identity_of(process.pid)
    process.stdin.close()
    while identity_of(process.pid) is not None:
        time.sleep(0.01)
    assert Path(f"/proc/{process.pid}").exists() or sys.platform != "linux"
    assert standing_of(identity) is Standing.GONE
    process.wait()


def test_a_pid_that_was_used_again_is_another_process():
    assert standing_of(replace(own_identity(), started="1")) is Standing.GONE


def test_another_boot_and_another_container_are_told_apart_from_an_ended_process():
    assert standing_of(replace(own_identity(), boot="other")) is Standing.RESTARTED
    assert standing_of(replace(own_identity(), space="pid:[1]")) is Standing.ELSEWHERE
    assert standing_of(replace(own_identity(), machine="other")) is Standing.ELSEWHERE
    assert standing_of(replace(own_identity(), machine="other", boot="other")) is Standing.ELSEWHERE


def test_a_process_that_takes_a_name_with_parentheses_and_blanks_stays_the_same():
    code = "input(); open('/proc/self/comm', 'w').write('a) Z 1 (b'); print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    before = identity_of(process.pid)
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.stdout.readline()
    assert identity_of(process.pid) == before
    assert standing_of(before) is Standing.ALIVE
    process.communicate()


def test_a_group_is_killed_with_its_workers():
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()']); print(); sys.stdout.flush(); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
    )
    process.stdout.readline()
    session = os.getsid(0)
    assert len(members(session, process.pid)) == 2
    assert {process.pid, os.getpid()} <= set(members(session))
    assert members(1, process.pid) == []
    assert kill(session, process.pid)
    assert members(session, process.pid) == []
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_session_is_known_by_its_leader_which_may_have_gone_and_is_killed_as_a_whole():
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], process_group=0); input()"
    leader = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, start_new_session=True)
    identity = identity_of(leader.pid)
    while len(members(leader.pid)) < 2:
        time.sleep(0.01)
    leader.kill()
    leader.wait()
    assert len(left_by(identity)) == 1
    assert kill(leader.pid)
    assert left_by(identity) == []
    assert left_by(replace(own_identity(), started="1")) == []  # the number is another process's now
    leader.stdin.close()


def test_without_proc_psutil_tells_the_same(monkeypatch):
    monkeypatch.setattr(identity_module, "HAS_PROC", False)
    monkeypatch.setattr(session_module, "HAS_PROC", False)
    assert standing_of(own_identity()) is Standing.ALIVE
    assert standing_of(replace(own_identity(), started="1.0")) is Standing.GONE
    assert os.getpid() in members(os.getsid(0))
