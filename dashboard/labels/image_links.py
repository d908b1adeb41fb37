"""From what Labels counts to the images that are counted: by a link in a table, by a click on a chart."""

from functools import partial

from cxr_core.evaluation.image_groups import OF_VALUE
from cxr_core.tasks.distribution import LabelOverview
from dashboard.charts.frame import Leads
from dashboard.shared.image_links import group_parameters, images_address

#: The group of the images of each label value.
_GROUPS = {value.name: group for group, (value, _) in OF_VALUE.items()} | {"uncertain": "uncertain"}


def images_of(overview: LabelOverview, dataset: str, label: str, value: str) -> dict[str, str]:
    """Return the parameters of the address of the images with a value of a label in a data set, without a model."""
    return group_parameters(overview.source, label, _GROUPS[value], dataset=dataset, view=overview.view)


def leads_of(overview: LabelOverview, dataset: str) -> Leads:
    """Return where the points of a chart of a data set lead."""
    return partial(_address, overview, dataset)


def _address(overview: LabelOverview, dataset: str, label: str, value: str) -> str:
    return images_address(images_of(overview, dataset, label, value))
