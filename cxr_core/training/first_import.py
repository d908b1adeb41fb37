"""Loading TensorFlow in a process that trains or predicts, a third faster than `import tensorflow` alone.

Keras loads scikit-learn, pandas, SciPy and Matplotlib where they are installed, for what never comes here.
Told for a moment that they are not, it does without. Whoever needs them later loads them as usual. Nor is there
garbage to look for among a million new objects that all stay.
"""

import gc
import sys

_OPTIONAL = ("sklearn", "pandas", "scipy", "matplotlib")


def import_tensorflow() -> None:
    """Load TensorFlow and Keras, unless they are loaded already."""
    if "tensorflow" in sys.modules:
        return
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    gc.disable()
    try:
        import tensorflow  # noqa: F401 - to have it loaded
    finally:
        gc.freeze()
        gc.enable()
        for name in hidden:
            sys.modules.pop(name, None)
