"""Prediction is tested on the same random records as training."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "training"))
