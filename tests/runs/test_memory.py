import signal

import pytest

from cxr_core.runs import memory
from cxr_core.runs.memory import GPU_MEMORY, HOST_MEMORY, kills_for_memory, memory_reason
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


def test_a_killed_process_ran_out_of_memory_only_if_the_kernel_counts_it():
    assert died(-signal.SIGKILL, ["bad_alloc"], was_memory=True) == HOST_MEMORY
    assert died(-signal.SIGKILL, ["bad_alloc"], was_memory=False).startswith("Its process was killed by signal 9")
    assert died(-signal.SIGABRT, ["x", "std::bad_alloc"], was_memory=False) == HOST_MEMORY
    assert died(-signal.SIGSEGV, ["x", "y"], was_memory=False) == (
        "Its process was ended by signal 11 (SIGSEGV). Last lines of the log: x | y"
    )
    assert died(3, [], was_memory=False) == "Its process ended with status 3. Last lines of the log: none"


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
