"""Write LICENSES-OF-DEPENDENCIES.md: under which licence each pinned package that the product installs may be used.

What a package says of itself in its metadata is what stands there; a person looks at what changes.

    python docs/make_licences.py
"""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).parents[1]
FILE = ROOT / "LICENSES-OF-DEPENDENCIES.md"
PINS = ("requirements.txt", "requirements-login.txt", "requirements-cloud.txt", "requirements-onnx.txt")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)
_ELSEWHERE = {"sys_platform": "linux", "platform_system": "Linux", "platform_python_implementation": "CPython"}
_PYTHONS = ("3.11", "3.12", "3.13")
_LONGEST = 120
_HEAD = """# Licences of what CXR Lab installs

Written by `python docs/make_licences.py` from what each package says of itself, for Linux and the pins of
`requirements.txt`, `requirements-login.txt`, `requirements-cloud.txt` and `requirements-onnx.txt`.
CXR Lab's own licence is in [LICENSE](LICENSE).

| package | version | licence |
|---|---|---|
"""


def pinned() -> dict[str, list[str]]:
    """Return the versions of each package that is installed on Linux, by any supported Python."""
    found: dict[str, set[str]] = {}
    for file in PINS:
        for name, version, marker in _PIN.findall((ROOT / file).read_text()):
            if not marker or any(_applies(marker, python) for python in _PYTHONS):
                found.setdefault(name, set()).add(version)
    return {name: sorted(found[name]) for name in sorted(found)}


def licence_of(name: str) -> str:
    """Return what an installed package says of its licence.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    said = metadata(name)
    expression = said.get("License-Expression") or ""
    classified = [
        line.rpartition(" :: ")[2] for line in said.get_all("Classifier", []) if line.startswith("License ::")
    ]
    text = (said.get("License") or "").strip().partition("\n")[0]
    words = expression or ", ".join(classified) or text
    return words[:_LONGEST] or "not told"


def _applies(marker: str, python: str) -> bool:
    version = {"python_version": python, "python_full_version": f"{python}.9"}
    return Marker(marker).evaluate({**_ELSEWHERE, **version})


def main() -> None:
    """Write the list; a package that is not installed here ends it with its name."""
    rows = []
    for name, versions in pinned().items():
        try:
            rows.append(f"| {name} | {', '.join(versions)} | {licence_of(name)} |")
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed here: pip install --no-deps -r requirements-….txt") from None
    FILE.write_text(_HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
