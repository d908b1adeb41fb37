"""Name the tests that mirror what was changed since a branch, for `make quick`: python tests/changed.py [BRANCH].

A changed module has the tests of its own name, else those of its room; a page has those of the dashboard. The walls are
always looked at.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALWAYS = {"tests/test_walls.py"}
DASHBOARD, DOCUMENTATION = "tests/dashboard", "tests/test_docs.py"


def changed_files(branch: str, folder: Path = ROOT) -> set[str]:
    """Return the files that differ from where this branch left `branch`, those that git does not know yet included."""
    start = _git(folder, "merge-base", "HEAD", branch) or ["HEAD"]
    return set(_git(folder, "diff", "--name-only", start[0])) | set(
        _git(folder, "ls-files", "--others", "--exclude-standard")
    )


def mirrors_of(files: set[str], folder: Path = ROOT) -> list[str]:
    """Return the test files and folders for these files, relative to the project's folder."""
    found = ALWAYS.union(*(_mirrors_of(Path(file), folder) for file in files))
    return sorted(path for path in found if (folder / path).exists() and not _within(path, found - {path}))


def _mirrors_of(file: Path, folder: Path) -> set[str]:
    top, *rooms = file.parts[:-1] or ("",)
    if top == "tests":
        return {str(file)} if file.name.startswith("test_") else {str(file.parent)} - {"tests", "tests/browser"}
    if top == "dashboard":
        return {DASHBOARD}
    if file.suffix == ".md" or top == "docs":
        return {DOCUMENTATION}
    if top != "cxr_core" or file.suffix != ".py":
        return set()
    mirrored = Path("tests", *rooms[:1])
    own = sorted((folder / mirrored).glob(f"test_{file.stem}*.py"))
    return {str(path.relative_to(folder)) for path in own} or ({str(mirrored)} if rooms else {"tests/test_cli.py"})


def _within(path: str, others: set[str]) -> bool:
    return any(str(parent) in others for parent in Path(path).parents)


def _git(folder: Path, *arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


if __name__ == "__main__":
    sys.stdout.write("\n".join(mirrors_of(changed_files(*sys.argv[1:] or ["main"]))) + "\n")
