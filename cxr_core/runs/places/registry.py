"""Which places there are: `here`, and those that the user wrote in `cxr.toml`."""

from importlib import import_module

from cxr_core.errors import SettingsError, UnknownNameError
from cxr_core.runs.places.cloud_folder import CloudJobFolder
from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.place import Job, RunPlace
from cxr_core.runs.run import HERE
from cxr_core.settings import config_path, configured_places

#: Kind of place -> the module and the class of its engine, loaded only when such a place is asked.
_ENGINES: dict[str, tuple[str, str]] = {
    "slurm": ("slurm", "Slurm"),
    "ray": ("ray_jobs", "Ray"),
    "vertex": ("vertex", "Vertex"),
}
KINDS = tuple(_ENGINES)


def place_names() -> list[str]:
    """Return the names of all places, also of those whose definition is wrong: this machine first."""
    return [HERE, *sorted(set(configured_places()) - {HERE})]


def definition_of(name: str) -> PlaceDefinition:
    """Return the definition of a place other than here, checked as far as all kinds are alike.

    Raises:
        UnknownNameError: there is no place of that name.
        SettingsError: its definition is wrong; the sentence names the key.
    """
    tables = configured_places()
    if name not in tables or name == HERE:
        raise UnknownNameError("place", name, place_names())
    definition = PlaceDefinition(name, tables[name], config_path())
    if definition.keys.get("kind") not in KINDS:
        raise definition.error("kind", f"must be one of {', '.join(KINDS)}")
    definition.check_shared()
    return definition


def get_place(name: str) -> RunPlace:
    """Return a place other than here; raises as `definition_of`, and what its engine finds wrong."""
    definition = definition_of(name)
    module, engine = _ENGINES[definition.keys["kind"]]
    place: RunPlace = getattr(import_module(f"cxr_core.runs.places.{module}"), engine)(definition)
    return place


def folder_of(job: Job) -> JobFolder:
    """Return the folder of a job; `PlaceError` when what reads its object store is not installed."""
    return CloudJobFolder(job) if job.location else JobFolder(job)


def check_place(name: str) -> str:
    """Return the name of a place that runs can be handed over to; raises as `get_place`."""
    if name != HERE:
        get_place(name)
    return name


def check_names() -> None:
    """Raise `SettingsError` where `cxr.toml` describes a place under the name of this machine."""
    if HERE in configured_places():
        raise SettingsError(f"{config_path()}: [places.{HERE}] cannot be described: it is this machine. Rename yours.")
