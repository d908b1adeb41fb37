"""The process that computes where models look: it starts once, keeps its networks, and ends when nobody asks.

    python -m cxr_core.models.activation_worker SECONDS

Asked on standard input, one JSON object a line: `{"id", "model", "stamp", "random", "jpg"}`, the image in base64, or
`{"cancel": ID}`, which takes back what has not begun. Answers on standard output, one a line: `{"id", "maps"}` or
`{"id", "error", "kind"}`. Ends when its input closes, as it does when its owner ends however, or when SECONDS after an
answer nothing more was asked.
"""

import base64
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cxr_core.errors import CxrError, RunError
from cxr_core.training.first_import import import_tensorflow
from cxr_core.training.weights_file import ModelInfo, read_info

#: Networks that are kept; DenseNet121 takes some 100 MB with its graph.
_MOST_NETWORKS = 4
#: Of the random weights of the sanity check.
_SEED = 2018


class Networks:
    """The networks that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def get(self, model: Path, stamp: str, random: bool) -> Any:
        """Return what computes the maps of a model, with its weights or with random ones.

        Raises:
            ModelFileError: the file is missing, damaged, or holds another network.
        """
        info = read_info(model)
        network = (info.architecture, info.image_size, info.decode, info.channels, info.pooling)
        key: tuple[Any, ...] = network if random else (str(model), stamp)
        if key not in self._kept:
            self._kept[key] = _loaded(model, info, random)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_NETWORKS:
            self._kept.popitem(last=False)
        return self._kept[key]


def _loaded(model: Path, info: ModelInfo, random: bool) -> Any:
    import_tensorflow()
    import keras

    from cxr_core.models.class_activation import ClassActivation
    from cxr_core.models.model_file import build_described, load_network

    if not random:
        return ClassActivation(*load_network(model))
    keras.utils.set_random_seed(_SEED)
    return ClassActivation(build_described(info), info)


class Questions:
    """What was asked and not yet begun, read from the input as it comes; `at_end` is called when that closes."""

    def __init__(self, lines: Iterable[str], at_end: Callable[[], object]) -> None:
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self._cancelled: set[int] = set()
        self._at_end = at_end
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def next(self, seconds: float | None) -> dict[str, Any] | None:
        """Return the next question that still stands, None when none came for so many seconds."""
        while True:
            try:
                question = self._waiting.get(timeout=seconds)
            except queue.Empty:
                return None
            if question["id"] not in self._cancelled:
                return question

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            asked = json.loads(line)
            if "cancel" in asked:
                self._cancelled.add(asked["cancel"])
            else:
                self._waiting.put(asked)
        self._at_end()


def answer(networks: Networks, question: dict[str, Any]) -> dict[str, Any]:
    """Return the maps, or in one sentence why there are none."""
    try:
        activation = networks.get(Path(question["model"]), question["stamp"], question["random"])
        return {"maps": activation.of_jpeg(base64.b64decode(question["jpg"])).as_lists()}
    except CxrError as error:
        return {"error": str(error), "kind": type(error).__name__}
    except MemoryError:
        return {"error": "The memory of the machine ran out. Try again later.", "kind": RunError.__name__}
    except Exception as error:
        traceback.print_exc()
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        return {"error": f"The map could not be computed: {said}", "kind": RunError.__name__}


def main() -> None:
    """Answer until the input closes or nobody asks for long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the owner
    # What libraries print must not stand among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # When the owner has ended, whatever is computed just now is for nobody.
    networks, questions = Networks(), Questions(sys.stdin, lambda: os._exit(0))
    question = questions.next(None)
    while question is not None:
        print(json.dumps({"id": question["id"]} | answer(networks, question)), file=answers, flush=True)
        question = questions.next(float(sys.argv[1]))


if __name__ == "__main__":
    main()
