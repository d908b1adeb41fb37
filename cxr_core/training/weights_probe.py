"""`python -m cxr_core.training.weights_probe FILE`: says what a model file says of itself, in a process of its own."""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from cxr_core.errors import CxrError
from cxr_core.training.apart import MOST_BYTES, MOST_CPU_SECONDS
from cxr_core.training.weights_file import read_info, tells_its_network


def main(path: Path) -> None:
    """Limit this process, then look at the file and print what it says, or why it says nothing."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    said: dict[str, object] = {}
    try:
        said["tells"] = tells_its_network(path)
        said["info"] = asdict(read_info(path))
    except CxrError as error:
        said["error"] = str(error)
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
