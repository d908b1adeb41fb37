"""The owner's side of the process that computes where models look, so that TensorFlow never enters the owner's own.

The process is started by the first question, stays warm, and ends when nobody asked for long or its owner ends. A crash
is told to those who were waiting, and the next question starts it anew. Whoever stops waiting takes his question back:
it is not begun any more, and what the process has loaded for it serves the next one. Loads no TensorFlow.
"""

import contextlib
import itertools
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import IO, Any

from cxr_core import errors
from cxr_core.errors import RunError
from cxr_core.processes import child_environment
from cxr_core.progress import tell_done

#: Seconds without a question after which the process ends and gives its memory back.
IDLE_SECONDS = 900.0
#: Seconds between two looks at whether anybody still waits.
_LOOK_SECONDS = 0.1
_MODULE = "cxr_core.models.activation_worker"
#: Questions on which it ended for want of work, just as they were asked: they are asked once more.
_MOST_TRIES = 3


@dataclass
class _Waiting:
    """A question that was sent; `answer` is None when the process ended before it answered, with `status`."""

    done: threading.Event = field(default_factory=threading.Event)
    answer: dict[str, Any] | None = None
    status: int = 0
    last_words: str = ""


class WarmWorker:
    """One process for all threads of its owner; `idle_seconds` without a question end it."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: dict[int, _Waiting] = {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a question (see `activation_worker`), while it tells whoever waits.

        Raises:
            CxrError: what the process says is wrong with the question.
            RunError: the process crashed.
        """
        for _ in range(_MOST_TRIES):
            number, waiting = self._sent(question)
            try:
                _wait(waiting)
            except BaseException:  # whoever asked waits no more
                self._take_back(number)
                raise
            if waiting.answer is not None:
                return _checked(waiting.answer)
            if waiting.status:
                break
        raise RunError(_crashed(waiting))

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _close(process)
            process.wait()

    def _sent(self, question: dict[str, Any]) -> tuple[int, _Waiting]:
        with self._lock:
            if self._process is None:
                self._process = self._started()
            number, waiting = next(self._numbers), _Waiting()
            self._waiting[number] = waiting
            _write(self._process, question | {"id": number})
        return number, waiting

    def _take_back(self, number: int) -> None:
        with self._lock:
            if self._waiting.pop(number, None) is not None and self._process is not None:
                _write(self._process, {"cancel": number})

    def _started(self) -> "subprocess.Popen[str]":
        # Not to a terminal: TensorFlow says much there that is of no use, unless the process crashes.
        words = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by the thread that reads it
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(self._idle_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            # The CPU is quick enough, and a GPU belongs to the runs.
            env=child_environment() | {"CUDA_VISIBLE_DEVICES": "-1"},
        )
        threading.Thread(target=self._listen, args=(process, words), name="maps", daemon=True).start()
        return process

    def _listen(self, process: "subprocess.Popen[str]", words: IO[str]) -> None:
        """Hand out the answers of a process; when it has ended, let go of all who still wait for one of its."""
        assert process.stdout is not None, "it was started with a pipe"
        with process.stdout, words:
            for line in process.stdout:
                answer = json.loads(line)
                with self._lock:
                    waiting = self._waiting.pop(answer["id"], None)
                if waiting is not None:
                    waiting.answer = answer
                    waiting.done.set()
            status = process.wait()
            with self._lock:
                _close(process)
                if self._process is process:
                    self._process = None
                left, self._waiting = list(self._waiting.values()), {}
            for waiting in left:
                waiting.status, waiting.last_words = status, _last_line(words)
                waiting.done.set()


def _wait(waiting: _Waiting) -> None:
    since = time.monotonic()
    while not waiting.done.wait(_LOOK_SECONDS):
        tell_done("Where the model looks", 0, 1, since)


def _write(process: "subprocess.Popen[str]", message: dict[str, Any]) -> None:
    assert process.stdin is not None, "it was started with a pipe"
    try:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
    except (BrokenPipeError, ValueError):
        pass  # it has ended, which whoever listens to it tells


def _close(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None, "it was started with a pipe"
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        kind: type[Exception] = getattr(errors, answer["kind"], RunError)
        raise kind(answer["error"]) if kind in _SENTENCES else RunError(answer["error"])
    return answer


#: The errors that are made of one sentence.
_SENTENCES = (errors.ModelFileError, errors.RecordError, errors.UsageError, errors.DataError, errors.RunError)


def _crashed(waiting: _Waiting) -> str:
    status = waiting.status
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    said = f" ({waiting.last_words})" if waiting.last_words and status > 0 else ""
    return f"The process that computes where a model looks {how}{said}. Ask again: it starts anew."


def _last_line(words: IO[str]) -> str:
    words.seek(0)
    lines = [line.strip() for line in words.read()[-4000:].splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
