"""Which models there are: weights files and prediction tables, put together by name. Loads no TensorFlow."""

import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cxr_core.errors import ModelFileError, StorageError, UnknownNameError, UsageError
from cxr_core.locations import is_remote
from cxr_core.model_names import parse_model_name
from cxr_core.schema import NAME_PATTERN
from cxr_core.storage import files_by_name, local_copy
from cxr_core.training import apart
from cxr_core.training.weights_file import told_info
from cxr_core.uncertainty import Policy, uniform_policy

_PLACE = "{model}"


class TableDescription(Protocol):
    """What the list of models needs to know of a prediction table."""

    @property
    def model(self) -> str:
        """Name of the model that predicted."""

    @property
    def images(self) -> int:
        """Number of rows."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets in it."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the table says of the model: view, policy, policy_digest, u, w; of an ensemble its recipe."""


@dataclass(frozen=True)
class ModelEntry:
    """One model: what is known of its training, and where its weights and predictions are.

    Attributes:
        view, policy: None where nothing tells.
        u, w: None where nothing tells, and where they are not one number.
        policy_digest: `Policy.digest`; None where nothing tells.
        images: rows of its prediction table; 0 without one.
        weights: location of its weights file, or None. Of one on gs:// only the name tells (view, u, w).
        predictions: data sets in its prediction table.
        is_ensemble: it was combined from other models, each with a policy of its own.
    """

    name: str
    view: str | None = None
    u: float | None = None
    w: float | None = None
    policy: str | None = None
    policy_digest: str | None = None
    images: int = 0
    weights: str | None = None
    predictions: tuple[str, ...] = ()
    is_ensemble: bool = False

    @property
    def is_pretrained(self) -> bool:
        """Whether it is called like the pretrained ones, `densenet_{view}_u{u}__w{w}`; others are the user's own."""
        return None not in parse_model_name(self.name) and not self.is_ensemble

    def policy_words(self) -> str:
        """Return the policy as people read it, as in `hybrid (u 0.5, w 0.25)` or `mine (policy 3f2a91c0)`."""
        if self.is_ensemble:
            return "policies of its members"
        if self.policy is None:
            return "policy not known"
        if self.u is None or self.w is None:
            return f"{self.policy} (policy {self.policy_digest})" if self.policy_digest else self.policy
        return f"{self.policy} (u {self.u:g}, w {self.w:g})"

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the command line prints it."""
        return {
            "name": self.name,
            "view": self.view,
            "u": self.u,
            "w": self.w,
            "policy": self.policy,
            "images": self.images,
            "weights": self.weights,
            "predictions": list(self.predictions),
        }


def list_models(patterns: Sequence[str], tables: Iterable[TableDescription] = ()) -> list[ModelEntry]:
    """Return all models sorted by name, those of weights files and of prediction tables together.

    What the weights file says of itself comes first, then the table's metadata, then the name's own (view, u, w).

    Args:
        patterns: of weights files with {model}, here or on gs://; where two patterns have a name, the first counts.
            A gs:// pattern that cannot be asked is left out: the prediction tables are of use without it.
        tables: descriptions of the prediction tables.
    """
    weights = weights_files(patterns, skip_unreachable=True)
    described = {table.model: table for table in tables}
    apart.look_at([Path(file) for file in weights.values() if not is_remote(file)])
    return [_entry(name, weights.get(name), described.get(name)) for name in sorted(weights.keys() | described.keys())]


def weights_files(patterns: Sequence[str], skip_unreachable: bool = False) -> dict[str, str]:
    """Return name -> location of the weights files that match patterns such as `models/{model}.h5`.

    Raises:
        StorageError, UsageError: a gs:// pattern cannot be asked, unless `skip_unreachable`.
    """
    found: dict[str, str] = {}
    for pattern in patterns:
        if _PLACE not in pattern:
            raise UsageError(f"A pattern of model files must contain {_PLACE}. Received: {pattern!r}.")
        try:
            found = dict(_matches(pattern)) | found
        except (StorageError, UsageError):
            if not skip_unreachable:
                raise
    return found


def find_weights(patterns: Sequence[str], name: str) -> Path:
    """Return the weights file of a model, fetched from gs:// if need be.

    Raises:
        UnknownNameError: no file is of that name; the message has the names there are.
        StorageError, UsageError: the file lies on gs://, which could not answer, or needs credentials.
    """
    here = weights_files([pattern for pattern in patterns if not is_remote(pattern)])
    files = here if name in here else weights_files(patterns)
    if name not in files:
        raise UnknownNameError("model with weights", name, sorted(files))
    return local_copy(files[name])


def _matches(pattern: str) -> Iterable[tuple[str, str]]:
    if is_remote(pattern):
        yield from files_by_name(pattern, _PLACE, NAME_PATTERN.pattern).items()
        return
    before, after = pattern.split(_PLACE, 1)
    # A second {model} in the pattern must stand for the same name.
    same_again = re.escape(after).replace(re.escape(_PLACE), "(?P=name)")
    expression = re.compile(f"{re.escape(before)}(?P<name>[^/]+){same_again}")
    anywhere = glob.escape(pattern.replace(_PLACE, "\0")).replace("\0", "*")
    for path in glob.glob(anywhere):  # noqa: PTH207 (the pattern is a whole path, as the user wrote it)
        match = expression.fullmatch(path)
        if match and NAME_PATTERN.fullmatch(match["name"]) and Path(path).is_file():
            yield match["name"], path


def _entry(name: str, weights: str | None, table: TableDescription | None) -> ModelEntry:
    known = _known_from_name(name)
    if table is not None:
        told = {key: table.metadata.get(key) for key in ("view", "policy", "policy_digest", "u", "w")}
        known |= {key: value for key, value in told.items() if value is not None}
    if weights is not None and not is_remote(weights):
        known |= _known_from_file(Path(weights))
    return ModelEntry(
        name=name,
        images=0 if table is None else table.images,
        weights=weights,
        predictions=() if table is None else tuple(table.datasets),
        is_ensemble=table is not None and "recipe" in table.metadata,
        **known,
    )


def _known_from_name(name: str) -> dict[str, Any]:
    view, u, w = parse_model_name(name)
    policy = None if u is None or w is None else uniform_policy(u, w)
    known = {"view": view, "u": u, "w": w, "policy": None, "policy_digest": None}
    return known if policy is None else known | {"policy": policy.name, "policy_digest": policy.digest}


def _known_from_file(path: Path) -> dict[str, Any]:
    """Return what a weights file says of its model; nothing where it is damaged, which loading it will tell."""
    try:
        info = told_info(path)
    except ModelFileError:
        return {}
    known = {} if info.view is None else {"view": info.view}
    if info.policy is None:
        return known
    policy = Policy.from_dict(info.policy)
    told = {"policy": policy.name, "policy_digest": policy.digest, "u": policy.u_scalar, "w": policy.w_scalar}
    return known | told
