"""`cxr-lab`, or `python -m dashboard`: serve the dashboard; further options go to `streamlit run`."""

import sys

from cxr_core import __version__
from dashboard.serving import serve


def main() -> None:
    """Serve the dashboard, or say its version."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"CXR Lab {__version__}\n")
    else:
        serve(sys.argv[1:])


if __name__ == "__main__":
    main()
