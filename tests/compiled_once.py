"""Test modules are compiled once, also where several processes share them: pytest would do it in each.

Its rewriting of assertions takes seconds for the whole suite, and all processes begin with the same file. Here each begins
at another place and leaves out what is there; what pytest finds compiled it only loads.
"""

import sys
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

TESTS = Path(__file__).resolve().parent


def compile_in_turns(config: pytest.Config) -> None:
    """Write the compiled test modules that are missing, those first which no other process begins with.

    Only where all tests are asked for: of a few files there is little to compile.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None or sys.dont_write_bytecode or [Path(asked).resolve() for asked in config.args] != [TESTS]:
        return
    files = sorted(TESTS.rglob("test_*.py"))
    first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for file in files[first:] + files[:first]:
        _compile(file, config)


def _compile(file: Path, config: pytest.Config) -> None:
    folder = rewrite.get_cache_dir(file)
    compiled = folder / (file.stem + rewrite.PYC_TAIL)
    if not compiled.exists() and rewrite.try_makedirs(folder):
        digest, code = rewrite._rewrite_test(file, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, digest, compiled)
