"""The keys of an image under the names that scripts rely on."""

from dataclasses import dataclass
from typing import Any

from cxr_core.schema import VIEWS, image_path


@dataclass(frozen=True)
class ImageKeys:
    """Which image: a study that stands as a whole has image 0 and no view."""

    path: str
    dataset: str
    view: str | None
    patient: int
    study: int
    image: int

    @property
    def names_in_records(self) -> tuple[str, ...]:
        """The other paths by which records may know the image: what its keys give."""
        keys = (self.dataset, self.patient, self.study, self.image)
        return () if self.view is None else (image_path(*keys, self.view),)


def view_name(code: int) -> str | None:
    """Return the name of a view's code, None for that of no view."""
    return VIEWS[code] if code >= 0 else None


def named_keys(dataset: str, path: Any, view: int, patient: int, study: int, image: int) -> dict[str, Any]:
    """Return the fields of `ImageKeys` for the columns of a row, whose data set is known."""
    numbers = {"patient": int(patient), "study": int(study), "image": int(image)}
    return {"path": str(path), "dataset": dataset, "view": view_name(view), **numbers}
