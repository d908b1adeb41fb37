import os
import signal
import subprocess
import sys

import pytest

from cxr_core.runs import memory
from cxr_core.runs.memory import GPU_MEMORY, HOST_MEMORY, MemoryWatch, kills_for_memory, memory_reason
from cxr_core.runs.reasons import died


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3.2 GiB for an array", HOST_MEMORY),
        ("terminate called after throwing an instance of 'std::bad_alloc'", HOST_MEMORY),
        ("ImportError: libx.so: failed to map segment from shared object: Cannot allocate memory", HOST_MEMORY),
        ("OpenBLAS blas_thread_init: pthread_create failed for thread 1 of 2", HOST_MEMORY),
        ("RuntimeError: can't start new thread", HOST_MEMORY),
        ("ResourceExhaustedError: OOM when allocating tensor with shape[32,64] on /device:CPU:0", HOST_MEMORY),
        ("OOM when allocating tensor with shape[32,64] on /job:localhost/replica:0/task:0/device:GPU:0", GPU_MEMORY),
        ("failed to allocate 2.2GiB from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory", GPU_MEMORY),
        ("ValueError: The room has no windows", None),
    ],
)
def test_last_words_tell_whose_memory_ran_out(words, reason):
    assert memory_reason(words) == reason


def test_a_process_that_died_is_told_by_its_signal_and_its_last_words():
    assert died(-signal.SIGKILL, ["x"]) == "Its process was killed by signal 9 (SIGKILL), sent from outside."
    assert died(-signal.SIGABRT, ["x", "std::bad_alloc"]) == HOST_MEMORY
    assert died(-signal.SIGSEGV, ["x", "y"]) == (
        "Its process was ended by signal 11 (SIGSEGV). Last lines of the log: x | y"
    )
    assert died(3, []) == "Its process ended with status 3. Last lines of the log: none"


def test_a_killed_process_ran_out_of_memory_if_the_kernel_has_counted_it(monkeypatch):
    watch = MemoryWatch(os.getpid())
    assert watch.reason(-signal.SIGKILL) is None
    counts = kills_for_memory()
    monkeypatch.setattr(memory, "kills_for_memory", lambda: (counts[0] + 1, *counts[1:]))
    assert watch.reason(-signal.SIGKILL) == HOST_MEMORY
    assert watch.reason(-signal.SIGSEGV) is None


@pytest.mark.parametrize(("allowed", "is_near"), [(1.1, True), (2.0, False)])
def test_a_crash_close_to_the_limit_of_address_space_is_for_memory(allowed, is_near):
    code = f"""if True:
        import resource, time
        taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (int({allowed} * taken),) * 2)
        print(flush=True); input()"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        watch = MemoryWatch(process.pid)
        assert watch.reason(-signal.SIGSEGV) is None
        watch.look()
    reason = watch.reason(-signal.SIGSEGV)
    assert (reason is not None) == is_near
    assert not is_near or reason.startswith("The memory ran out: 0.0 GB are allowed (RLIMIT_AS). Choose")
    assert watch.reason(1) is None


def test_kills_are_counted_for_the_machine_and_for_either_kind_of_control_group(tmp_path, monkeypatch):
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    for path, text in {
        proc / "vmstat": "pgfault 9\noom_kill 3\n",
        proc / "self" / "cgroup": "5:cpu,memory:/a\n1:name=systemd:/b\n0::/c/d\n",
        groups / "memory" / "a" / "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        groups / "c" / "d" / "memory.events": "low 0\nhigh 0\nmax 7\noom 5\noom_kill 1\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(memory, "PROC", proc)
    monkeypatch.setattr(memory, "_CGROUPS", groups)
    assert kills_for_memory() == (3, 2, 1)


def test_a_system_that_counts_nothing_counts_no_kills(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "PROC", tmp_path)
    assert kills_for_memory() == (0,)
