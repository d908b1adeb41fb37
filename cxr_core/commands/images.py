"""`images` and `index`: which images stand behind a figure, and the index that finds them."""

import argparse

from cxr_core.commands.output import as_table
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.commands.runs import awaited
from cxr_core.schema import REPORT
from cxr_core.tasks.image_search import named_images
from cxr_core.tasks.images import GROUPS, ImageQuery, Images, images
from cxr_core.tasks.index_records import start_indexing
from cxr_core.words import counted

_HEADERS = ("path", "view", "patient", "value", "score", "why")


def _images_arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("--model", metavar="M", help="a model with predictions; without one, the label tables alone")
    add("--label", metavar="L", help="one of the 14 labels; a model and a group need it")
    add("--find", metavar="TEXT", help="in place of a group: a patient, a study, both, or a path, in any data set")
    add("--group", metavar="GROUP", help=f"one of {', '.join(GROUPS)}; without it, all images")
    add("--beside", metavar="M", help="of models-differ: the other model")
    add("--at", metavar="CARD", help="cut at the threshold of this card, as `thresholds` makes one")
    add("--threshold", type=float, metavar="T", help="cut at this score, on the stored scale")
    add("--limit", type=int, metavar="N", help="list only the first N (default all)")
    add("--dataset", default="valid", help="train, valid or test (default %(default)s)")
    add("--view", help="only images of this view; without it, all that are there")
    add("--judge", default=REPORT, metavar="WHO", help="report, truth, or a set of readings (default %(default)s)")


def _images(given: argparse.Namespace) -> Answer:
    query = ImageQuery(
        source=given.source,
        label=given.label,
        group=given.group,
        model=given.model,
        card=given.at,
        threshold=given.threshold,
        dataset=given.dataset,
        view=given.view,
        judge=given.judge,
        limit=given.limit,
        beside=given.beside,
    )
    found = images(query) if given.find is None else named_images(query, given.find).listed()
    return Answer(found.as_json(), lambda: _text(found))


def _text(found: Images) -> str:
    total = counted(found.total, "image")
    head = total if len(found.listed) == found.total else f"The first {len(found.listed):,} of {total}"
    rows = [(one.path, one.view, str(one.patient), one.value, one.score, one.why) for one in found.listed]
    return f"{head}\n\n{as_table(_HEADERS, rows)}" if rows else head


def _index_arguments(parser: Parser) -> None:
    parser.add_argument("--anew", action="store_true", help="make the indexes that are there once more")


def _index(given: argparse.Namespace) -> Answer:
    return awaited(start_indexing(given.source, given.anew), lambda ended: ended.result)


IMAGES = Command("images", "List the images behind a figure, the most telling first.", _images_arguments, _images)
INDEX = Command("index", "Index the TFRecords, so that each image is shown at once.", _index_arguments, _index)
