"""`python -m cxr_core`."""

import sys

from cxr_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
