"""The owner's side of the process that computes long questions, so that they take no time from who serves clicks.

The process is started by the first question, stays warm, and ends when nobody asked for long or its owner ends. A crash
is told to whoever waited, and the next question starts it anew. Whoever stops waiting takes his question back.
"""

import contextlib
import itertools
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, TypeVar

from cxr_core.calculator.messages import Answered, Ask, Done, FinalPart, TakeBack
from cxr_core.calculator.turns import Turns
from cxr_core.caller import caller
from cxr_core.errors import RunError
from cxr_core.processes import child_environment
from cxr_core.progress import Progress, hand_over, tell, tell_place

R = TypeVar("R")

#: Seconds without a question after which the process ends and gives its memory back.
IDLE_SECONDS = 300.0
#: Most who may wait for their turn.
MOST_WAITING = 20
#: What is read from the process at once, as far as the system allows: between two pieces the threads that serve clicks
#: take turns, and a table of 100 MB would come in thousands of them.
_PIPE_BYTES = 1 << 20
#: Seconds between two looks at whether anybody still waits.
_LOOK_SECONDS = 0.2
_MODULE = "cxr_core.calculator.process"
#: Processes that ended, for want of work or for what was asked before, just as a question came: it is asked once more.
_MOST_TRIES = 3


class _Process:
    """One process, with what it has said to each question that somebody waits for; None once it has ended."""

    def __init__(self, idle_seconds: float) -> None:
        self._inboxes: dict[int, queue.SimpleQueue[Any]] = {}
        self._lock = threading.Lock()
        self.popen = subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(idle_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=_PIPE_BYTES,
            env=child_environment(),
        )
        assert self.popen.stdin is not None, "it was started with pipes"
        assert self.popen.stdout is not None, "it was started with pipes"
        self._stdin: IO[bytes] = self.popen.stdin
        threading.Thread(target=self._listen, args=(self.popen.stdout,), name="calculator", daemon=True).start()

    def ask(self, question: Ask) -> "queue.SimpleQueue[Any]":
        """Send a question, and return where what is said to it arrives."""
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            self._inboxes[question.number] = inbox
        if not self._send(question):
            inbox.put(None)
        return inbox

    def forget(self, number: int, takes_back: bool) -> None:
        """Hear no more about a question, and say so where it is not answered yet."""
        with self._lock:
            self._inboxes.pop(number, None)
        if takes_back:
            self._send(TakeBack(number))

    def close(self) -> None:
        """End it, by and by."""
        with self._lock, contextlib.suppress(OSError):
            self._stdin.close()

    def _send(self, message: Any) -> bool:
        content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            try:
                self._stdin.write(content)
                self._stdin.flush()
            except (OSError, ValueError):  # it has ended
                return False
        return True

    def _listen(self, said: IO[bytes]) -> None:
        with said, contextlib.suppress(EOFError, pickle.UnpicklingError):
            while True:
                message = pickle.load(said)
                with self._lock:
                    inbox = self._inboxes.get(message.number)
                if inbox is not None:
                    inbox.put(message)
        self.popen.wait()
        self.close()
        with self._lock:
            for inbox in self._inboxes.values():
                inbox.put(None)


class Calculator:
    """One process for all threads of its owner; `idle_seconds` without a question end it."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS, most_waiting: int = MOST_WAITING) -> None:
        self._idle_seconds = idle_seconds
        self._turns = Turns(most_waiting)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._process: _Process | None = None

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        process = self._process
        return process.popen.pid if process is not None and process.popen.poll() is None else None

    def computed(self, task: Callable[..., R], *arguments: Any) -> R:
        """Return what `task` returns for `arguments`, computed there for this thread's caller once it is its turn.

        Whoever waits hears how far it is, and what is final, as if it were computed here.

        Raises:
            UsageError: too many wait.
            RunError: the process crashed.
            Exception: what the task raised there.
        """
        with self._turns.turn():
            for _ in range(_MOST_TRIES):
                process = self._running()
                answer = _heard(process, Ask(next(self._numbers), task, arguments, caller()))
                if answer is not None:
                    if answer.error is not None:
                        raise answer.error.error()
                    value: R = answer.value
                    return value
                if process.popen.wait():
                    break
        raise RunError(_crashed(process.popen.returncode))

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()
            process.popen.wait()

    def _running(self) -> _Process:
        with self._lock:
            if self._process is None or self._process.popen.poll() is not None:
                self._process = _Process(self._idle_seconds)
            return self._process


def _heard(process: _Process, question: Ask) -> Answered | None:
    """Return the answer to a question, None where the process ended without one."""
    inbox, answered, last = process.ask(question), False, None
    try:
        while True:
            message = _next(inbox, last)
            match message:
                case None | Answered():
                    answered = True
                    return message
                case Done():
                    last = message.progress
                    tell(last)
                case FinalPart():
                    hand_over(message.part)
    finally:
        process.forget(question.number, not answered)


def _next(inbox: "queue.SimpleQueue[Any]", last: Progress | None) -> Any:
    """Return what is said next; tell until then how far it was, by which whoever waits no more takes notice."""
    while True:
        try:
            return inbox.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if last is None:
                tell_place(0)
            else:
                tell(last)


def _crashed(status: int) -> str:
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return f"The process that computes long questions {how}. Ask again: it starts anew."


#: That of this process, started by its first question.
CALCULATOR = Calculator()
