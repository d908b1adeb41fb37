"""Folders that take long to make, kept in pytest's cache from session to session until the code that makes them changes.

They are made before the first test starts, so that no test's time limit pays for them, and by one process where several
share the tests: the others wait at a lock.
"""

import ast
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What decides on bytes beside our own code.
LIBRARIES = ("numpy", "pandas", "pillow", "pyarrow")
#: Kinds of files that are opened to be written, be it only to lock them.
COPIED = (".parquet", ".toml", ".lock")
#: Folders of former code that no session has used for so long are removed.
KEPT_SECONDS = 24 * 3600


def kept_folder(config: pytest.Config, name: str, made_by: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` fills, from the cache where the files `made_by` are what they were."""
    cache = _cache(config)
    folder = cache / f"{name}-{_digest(made_by)}"
    with (cache / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, make)
        os.utime(folder)
        _remove_unused(cache, f"{name}-*")
    return folder / "content"


def used_fixtures(session: pytest.Session) -> set[str]:
    """Return the fixtures of the tests that are about to run."""
    items = [] if session.config.option.collectonly else session.items
    return {name for item in items for name in getattr(item, "fixturenames", ())}


def code_of(module: Path, package: str = "cxr_core") -> set[Path]:
    """Return the file of a module and those of everything that it imports of our package, directly or not."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [path for name in _imports(file) if name.startswith(package) for path in _files_of(name)]
    return found


def copy_sources(home: Path, workspace: Path) -> None:
    """Give a workspace the sources of another: what may be written to as copies, the rest as hard links if possible."""
    workspace.mkdir(mode=0o700, parents=True, exist_ok=True)  # as the product makes it
    shutil.copytree(home / "sources", workspace / "sources", copy_function=_link_large)


def _link_large(source: str, target: str) -> None:
    if Path(source).suffix in COPIED:
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _cache(config: pytest.Config) -> Path:
    if getattr(config, "cache", None) is None:
        folder = Path(tempfile.gettempdir()) / f"cxr-kept-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
    return config.cache.mkdir("cxr")


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256(json.dumps([version(name) for name in LIBRARIES]).encode())
    for file in sorted(files):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _make(folder: Path, make: Callable[[Path], None]) -> None:
    content = folder / "content"
    content.mkdir(parents=True)
    make(content)
    (folder / "files.json").write_text(json.dumps(_files(content)))


def _is_whole(folder: Path) -> bool:
    """Say whether everything is as it was made: a test that writes into a hard link changes the kept file too."""
    kept = folder / "files.json"
    return kept.is_file() and json.loads(kept.read_text()) == _files(folder / "content")


def _files(folder: Path) -> dict[str, list[int]]:
    looks = {str(path.relative_to(folder)): path.stat() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: [look.st_size, look.st_mtime_ns] for name, look in looks.items()}


def _remove_unused(cache: Path, pattern: str) -> None:
    for folder in cache.glob(pattern):
        if folder.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _imports(file: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _files_of(module: str) -> list[Path]:
    """Return the file of a module; none for a name within a module."""
    path = ROOT / module.replace(".", "/")
    return [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]
