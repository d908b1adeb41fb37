"""Policies that people wrote: a TOML or JSON file that says of each label what its uncertain images mean.

Each of the 14 labels is one of

    edema = {u = 0.4, w = 0.75}                             # target and weight
    edema = {u = [0.55, 0.85], w = 1.0}                     # a range, drawn from anew for each image and epoch
    edema = {u = 0.4, w = 0.75, blank_u = 0, blank_w = 0.5} # of blanks too
    edema = "three-class"                                   # any policy of a name, `self-trained:MODEL` included

so that any policies are mixed by label.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from cxr_core.config_text import parsed_toml
from cxr_core.errors import UsageError
from cxr_core.policy_kinds import is_kind
from cxr_core.schema import LABELS
from cxr_core.uncertainty import CUSTOM, SMOOTHED, Policy, is_free, kind_policy, label_policy, named_policy


class LabelRow(NamedTuple):
    """What a policy says of one label."""

    u: float
    w: float
    blank_u: float = 0.0
    blank_w: float = 1.0
    u_to: float | None = None
    kind: str = ""


def policy_of_name(text: str) -> Policy:
    """Return the policy that a name tells by itself, `self-trained:MODEL` included."""
    return kind_policy(text) if ":" in text and is_kind(text) else named_policy(text)


def policy_from_file(path: Path, named: Callable[[str], Policy] = policy_of_name) -> Policy:
    """Read a policy from a TOML or JSON file; `named` makes the policies that it names.

    Raises:
        UsageError: the file cannot be read, a label is missing or unknown, or a number is not in [0, 1].
        UnknownNameError: there is no policy of a name.
    """
    entries = _file_entries(path)
    missing = [label for label in LABELS if label not in entries]
    unknown = [label for label in entries if label not in LABELS]
    if missing or unknown:
        wrong = f"lacks {', '.join(missing)}" if missing else f"has the unknown {', '.join(unknown)}"
        raise UsageError(f"The policy file {path} must give u and w for each of the 14 labels; it {wrong}.")
    names = {entry for entry in entries.values() if isinstance(entry, str)}
    policies = {name: named(name) for name in sorted(names)}
    try:
        rows = [_row(entries[label], policies, label) for label in LABELS]
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UsageError(
            f"Each label in {path} needs two numbers, as in {{u = 0.4, w = 0.75}}, or the name of a policy."
        ) from error
    return policy_of_rows(rows, path.stem)


def row_of(policy: Policy, label: str) -> LabelRow:
    """Return what a policy says of a label.

    Raises:
        UsageError: training moves it, which it does for all labels or for none.
    """
    if policy.is_learned:
        raise UsageError("A learned policy is learned for all labels. Choose it for all, or leave it out of the mix.")
    place = LABELS.index(label)
    u, w, blank_u, blank_w = (row[place] for row in policy.numbers().values())
    upper, kind = policy.upper[place], policy.kinds[place] if policy.kinds else ""
    return LabelRow(u, w, blank_u, blank_w, upper if upper > u else None, kind)


def policy_of_rows(rows: list[LabelRow], name: str) -> Policy:
    """Return the policy of 14 rows in schema order; it bears the name of a known policy when it is one."""
    u, w = tuple(row.u for row in rows), tuple(row.w for row in rows)
    blank_u, blank_w = tuple(row.blank_u for row in rows), tuple(row.blank_w for row in rows)
    upper = tuple(row.u if row.u_to is None else row.u_to for row in rows)
    kinds = tuple(row.kind for row in rows)
    if upper == u and not any(kinds):
        return label_policy(u, w, name, blank_u, blank_w)
    ranges, kinds = upper if upper != u else (), kinds if any(kinds) else ()
    own = Policy(name if is_free(name) else CUSTOM, u, w, blank_u, blank_w, ranges, kinds)
    known = [policy_of_name(one) for one in (SMOOTHED, *kinds[:1]) if one]
    return next((one for one in known if replace(one, name=own.name) == own), own)


def _row(entry: Any, policies: dict[str, Policy], label: str) -> LabelRow:
    if isinstance(entry, str):
        return row_of(policies[entry], label)
    u = entry["u"]
    low, high = (u[0], u[1]) if isinstance(u, list) and len(u) == 2 else (u, u)
    row = LabelRow(float(low), float(entry["w"]), float(entry.get("blank_u", 0.0)), float(entry.get("blank_w", 1.0)))
    return row if high == low else row._replace(u_to=float(high))


def _file_entries(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
        entries = json.loads(text) if path.suffix == ".json" else parsed_toml(text)
    except OSError as error:
        raise UsageError(f"The policy file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"The policy file {path} is neither TOML nor JSON: {error}.") from error
    if not isinstance(entries, dict):
        raise UsageError(f"The policy file {path} must map each label to u and w.")
    return entries
