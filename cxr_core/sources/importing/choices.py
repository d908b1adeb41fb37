"""What goes into an import beside the files, and the rows that come out."""

from dataclasses import dataclass, field, replace

import pandas as pd

from cxr_core.errors import UnknownNameError
from cxr_core.schema import dataset_code, view_code
from cxr_core.sources.importing.layouts import LAYOUTS
from cxr_core.sources.importing.mapping import Mapping

#: How many bad images an import bears unless its user says otherwise.
DEFAULT_MOST_SKIPPED = 100


@dataclass(frozen=True)
class ImportChoices:
    """What the user says beyond the files: `dataset` overrides them, `view` serves where they have none.

    `mapping` says the rest; where both speak, the choices do.
    """

    layout: str = "auto"
    dataset: str | None = None
    view: str | None = None
    skip_bad_rows: bool = False
    mapping: Mapping = field(default_factory=Mapping)

    def checked(self) -> "ImportChoices":
        """Return these choices, what only the mapping says taken over, when every name in them exists.

        Raises:
            UnknownNameError: a layout, data set or view does not exist.
        """
        layout = self.mapping.layout or "auto" if self.layout == "auto" else self.layout
        dataset, view = self.dataset or self.mapping.dataset, self.view or self.mapping.view
        if layout not in LAYOUTS:
            raise UnknownNameError("layout", layout, LAYOUTS)
        if dataset is not None:
            dataset_code(dataset)
        if view is not None:
            view_code(view)
        return replace(self, layout=layout, dataset=dataset, view=view, mapping=self.mapping.checked())


@dataclass(frozen=True, eq=False)
class LabelRows:
    """Rows for a label table, patients and studies still by the names that the files give them.

    `frame` has `path`, `patient`, `study` (str), `image` (0 a study row, -1 not numbered yet), `view` (-1: none),
    `dataset`, the 14 labels (Int64; NULL where no file has the label) and `sex`, `age`, `position` where told, then
    findings that we have no label for, with label codes. `read` counts the rows that were looked at, `refused` those
    with a bad cell, `unlabelled` the images whose study has no labels; `notes` are sentences about what was assumed.
    `readings` are rows by readers that came along: a frame of `path` or `study`, `reader` and label codes, or None.
    """

    frame: pd.DataFrame
    layout: str
    read: int
    refused: int
    unlabelled: int = 0
    notes: list[str] = field(default_factory=list)
    readings: pd.DataFrame | None = None
