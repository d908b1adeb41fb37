"""`python -m cxr_core.training.weights_probe FILE…`: what model files say of themselves, in a process of its own."""

import json
import math
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cxr_core.errors import CxrError
from cxr_core.training.apart import MOST_BYTES, MOST_CPU_SECONDS
from cxr_core.training.weights_file import read_info, tells_its_network


def main(paths: Sequence[Path]) -> None:
    """Limit this process, then look at each file and print in a line what it says, or why it says nothing."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for path in paths:
        used = math.ceil(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + MOST_CPU_SECONDS, resource.RLIM_INFINITY))
        sys.stdout.write(json.dumps(_said(path)) + "\n")
        sys.stdout.flush()  # it stays said where the next file ends the process


def _said(path: Path) -> dict[str, object]:
    said: dict[str, object] = {}
    try:
        said["tells"] = tells_its_network(path)
        said["info"] = asdict(read_info(path))
    except CxrError as error:
        said["error"] = str(error)
    return said


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
