"""The process that computes long questions: it starts once, keeps what it has read, and ends when nobody asks.

    python -m cxr_core.calculator.process SECONDS

Is asked on standard input and answers on standard output, in the words of `messages`. It ends when its input closes, as
it does when its owner ends however; when for so many SECONDS nothing was asked; and when a question was taken back
whose work does not notice it. Its owner asks again what it had not answered then.
"""

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from typing import IO, Any

from cxr_core.calculator.messages import Answered, Ask, Done, Failure, FinalPart, TakeBack
from cxr_core.caller import Caller, acting_for, found_by
from cxr_core.progress import Progress, receiving, telling

#: Clicks go first where cores are scarce.
_NICENESS = 5
#: Seconds that work which nobody waits for has to notice it.
_NOTICE_SECONDS = 5.0


class _NobodyWaits(BaseException):
    """Raised in the work on a question that was taken back."""


class CalculatorDesk:
    """What was asked and not yet answered, read as it comes from `questions`; the answers go to `answers`."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        self._answers, self._writing = answers, threading.Lock()
        self._waiting: queue.Queue[Ask] = queue.Queue()
        self._taken_back: set[int] = set()
        self._current: int | None = None
        self._who: Caller | None = None
        found_by(lambda: self._who)  # also in the threads that the work starts
        threading.Thread(target=self._read, args=(questions,), daemon=True).start()

    def work(self, idle_seconds: float) -> None:
        """Answered until nothing was asked for so long."""
        while True:
            try:
                asked = self._waiting.get(timeout=idle_seconds)
            except queue.Empty:
                return
            self._current, self._who = asked.number, asked.who
            with contextlib.suppress(_NobodyWaits):
                self._answer(asked)
            self._current = None

    def _answer(self, asked: Ask) -> None:
        answer = self._answered(asked)
        try:
            self._say(answer)
        except (pickle.PicklingError, TypeError, AttributeError) as error:  # it has what cannot be sent
            self._say(Answered(asked.number, error=Failure.of(error)))

    def _answered(self, asked: Ask) -> Answered:
        def tell(progress: Progress) -> None:
            self._check(asked.number)
            self._say(Done(asked.number, progress))

        def receive(part: Any) -> None:
            self._check(asked.number)
            self._say(FinalPart(asked.number, part))

        self._check(asked.number)
        try:
            with acting_for(asked.who), telling(tell), receiving(receive):
                return Answered(asked.number, asked.task(*asked.arguments))
        except Exception as error:
            return Answered(asked.number, error=Failure.of(error))

    def _check(self, number: int) -> None:
        if number in self._taken_back:
            raise _NobodyWaits

    def _say(self, message: Any) -> None:
        content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        with self._writing:
            self._answers.write(content)
            self._answers.flush()

    def _read(self, questions: IO[bytes]) -> None:
        while True:
            try:
                said = pickle.load(questions)
            except EOFError:
                os._exit(0)  # what is computed just now is for nobody
            except Exception:
                traceback.print_exc()
                os._exit(1)
            if isinstance(said, TakeBack):
                self._taken_back.add(said.number)
                threading.Timer(_NOTICE_SECONDS, self._end_if_unnoticed, (said.number,)).start()
            else:
                self._waiting.put(said)

    def _end_if_unnoticed(self, number: int) -> None:
        if self._current == number:
            os._exit(0)


def main() -> None:
    """Answered until the input closes or nobody asks for long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the owner
    os.nice(_NICENESS)
    # What libraries print must not stand among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    CalculatorDesk(sys.stdin.buffer, answers).work(float(sys.argv[1]))
    os._exit(0)


if __name__ == "__main__":
    main()
