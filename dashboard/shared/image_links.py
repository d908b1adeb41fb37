"""Addresses of Images: each reproduces the group of images behind a number, wherever the number stands.

An address says all that the page asks for, also what is usual there: whoever chose something else there before would
see other images. A link to it opens in the same tab (`in_the_browser.js`).
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from cxr_core.evaluation.image_groups import UNJUDGED_GROUPS
from cxr_core.schema import REPORT

#: The view that stands for all of them, and the model that stands for none; no model has this name.
ALL_VIEWS, NO_MODEL = "all", "-"
#: How many images stand on a page of the wall.
A_PAGE = 24
#: Where thumbnails are asked for, beside the pages, and the longest side that they have.
THUMBNAIL, THUMBNAIL_PIXELS = "thumbnail", 160


def group_parameters(
    source: str,
    label: str,
    group: str,
    model: str | None = None,
    cut: float | None = None,
    dataset: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
    first: int = 0,
) -> dict[str, str]:
    """Return the parameters of a group's address.

    Args:
        source: the source.
        label: the label.
        group: one of `evaluation.image_groups.GROUPS`.
        model: whose scores order the images, or make the group; None for the label tables alone.
        cut: on the stored scale, for the groups that have a threshold.
        dataset: the data set.
        view: the view, None for all.
        judge: who says what is positive; left out where the report alone does, and the page asks nobody.
        first: how many images of the group stand before the one that the page of the wall is to show.
    """
    cut_at = {} if cut is None else {"cut-by": "number", "cut": repr(float(cut))}
    about = {"source": source, "model": model or NO_MODEL, "label": label, "group": group, "dataset": dataset}
    page = {"wall-page": str(first // A_PAGE + 1)} if first >= A_PAGE else {}
    judged = {"judge": judge} if model and group not in UNJUDGED_GROUPS else {}
    return about | {"view": view or ALL_VIEWS} | judged | cut_at | page


def images_address(parameters: Mapping[str, str]) -> str:
    """Return the address of Images with these parameters, from whichever page it is followed."""
    return f"images?{urlencode(parameters)}"


def thumbnail_address(source: str, path: str, former: Sequence[str] = ()) -> str:
    """Return the address of the thumbnail of an image, from whichever page shows it.

    Args:
        source: the source.
        path: as the tables have it.
        former: other paths that the records may know the image by.
    """
    return f"{THUMBNAIL}?{urlencode([('source', source), ('path', path), *(('former', one) for one in former)])}"


def linked(words: str, parameters: Mapping[str, str]) -> str:
    """Return words of ours, a count say, as a link in Markdown; a count of 0 leads nowhere."""
    return words if words == "0" else f"[{words}]({images_address(parameters)})"
