"""Are there advisories against what is pinned? `pip-audit` asks PyPI, else OSV, of each package that is pinned here.

Where no advisories can be had, without a network or behind a mirror that has none, that is said and nothing is found
wrong: whether they can be had is asked with a package that has some. What is accepted nevertheless stands with its
reason and date in `accepted_advisories.toml` beside this file.

    python tests/advisories.py
"""

import json
import subprocess
import sys
import tempfile
import time
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

PINS = Path(__file__).parents[1] / "requirements-test.txt"
ACCEPTED = Path(__file__).with_name("accepted_advisories.toml")
#: A package of which there are advisories: a source of them that has none for it has none at all.
_KNOWN = "pillow==9.0.0"
_SERVICES = ("pypi", "osv")
_SECONDS = 50.0


def main(*options: str) -> int:
    """Say what was found, and return the exit status: 1 where something was that is not accepted."""
    until = time.monotonic() + _SECONDS
    try:
        accepted = accepted_advisories(tomllib.loads(ACCEPTED.read_text()))
    except ValueError as error:
        return _said(f"{ACCEPTED.name}: {error}", 1)
    service = next((one for one in _SERVICES if _has_advisories(one, options, until)), None)
    if service is None:
        return _said("Advisories: skipped, since neither PyPI's nor OSV's can be had from here.", 0)
    found = _asked(PINS, service, options, until)
    if found is None:
        return _said(f"Advisories: skipped, since {service} did not answer for all packages in {_SECONDS:.0f} s.", 0)
    wrong = not_accepted(found, accepted)
    for line in wrong:
        sys.stdout.write(f"{line}\n")
    unknown = sum("skip_reason" in package for package in found)
    words = f"{len(found) - unknown} packages looked up ({service}), {unknown} unknown there, {len(wrong)} advisories"
    return _said(f"Advisories: {words} that are not accepted.", 1 if wrong else 0)


def accepted_advisories(table: dict[str, Any]) -> frozenset[str]:
    """Return the IDs of what is accepted, each a table with `package`, `reason` and `date`; else raise `ValueError`."""
    for name, entry in table.items():
        reason, day = (entry.get("reason"), entry.get("date")) if isinstance(entry, dict) else (None, None)
        if not (isinstance(reason, str) and reason.strip() and isinstance(day, date) and entry.get("package")):
            raise ValueError(f"[{name}] must say the package, the reason and the date on which it was accepted.")
    return frozenset(table)


def not_accepted(packages: list[dict[str, Any]], accepted: frozenset[str]) -> list[str]:
    """Return a line for each advisory that is not accepted by its ID or one of its other names."""
    return [
        f"{package['name']} {package['version']}: {found['id']} {' '.join(found['aliases'])}; "
        f"mended in {', '.join(found['fix_versions']) or 'no version yet'}: {found['description'][:200]}"
        for package in packages
        for found in package.get("vulns", [])
        if not {found["id"], *found["aliases"]} & accepted
    ]


def _has_advisories(service: str, options: tuple[str, ...], until: float) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.txt"
        known.write_text(f"{_KNOWN}\n")
        found = _asked(known, service, options, until)
    return bool(found) and any(package.get("vulns") for package in found or [])


def _asked(pins: Path, service: str, options: tuple[str, ...], until: float) -> list[dict[str, Any]] | None:
    """Return what pip-audit says of each package; None where it could not ask."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--requirement", str(pins)]
    command += ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    try:
        left = max(1.0, until - time.monotonic())
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=left, check=False)
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return packages


def _said(words: str, status: int) -> int:
    sys.stdout.write(f"{words}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
