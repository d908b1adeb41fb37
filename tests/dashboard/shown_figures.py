"""The figures that a page shows, and whether some command's JSON has them at the precision that is shown."""

import base64
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from html_tables import html_tables

from cxr_core.schema import LABELS, label_words
from dashboard.shared import detail_help, help_texts

LABEL_OF = {label_words(label): label for label in LABELS}
#: What has digits and is no figure of the data: names, times, the level of intervals, what an input stands at, and what
#: a question took.
NO_FIGURES = (
    # names
    r"\w*densenet\w*|\bu\d_\d+__w\d_\d+|radiologist\d+|\w+\.parquet|:[a-z][\w/:-]*:|2019's",
    # when, how long, how much of the machine: other numbers each time
    r"\b20\d\d-\d\d-\d\d\b|\b\d\d:\d\d(:\d\d)?\b|\b\d+ \w+ 20\d\d\b|\d{8}-\d{6}-\w+",
    r"(\d+\smin\s)?[\d.]+\ss\b|[\d.]+ [GM]B|\d+ cores",
    # the level of intervals and tests, and what a formula says
    r"95 %|5 % have a false mark|± 10 points|\(w = 0\)|t is 1 where|@\w+ = \d+",
    # what an input stands at, and what a training would do with it
    r"u [\d.]+, w [\d.]+|of at least \d+ %|of at most \d+ per 100 images",
    r"at \d+ images a day|\d+ to \d+ of|\d+ steps|\d+ \| N_train / \d+",
)
#: What of a chart is a place on an axis, not a figure: chart, trace, axis.
PLACES = {
    *(("meaning", value, "y") for value in ("Not mentioned", "Negative", "Uncertain", "Positive")),
    *(("calibration", "Images", axis) for axis in "xy"),
    *(("judges-frontal", "Both alike", axis) for axis in "xy"),
}
#: Charts whose traces are the course of a curve or of a density; only their titles have figures.
COURSES = ("-roc", "-pr", "-scores", "-roc-of-models", "-pr-of-models")
_NUMBER = re.compile(r"(?<![\w.,])([+−-]?)(\d[\d,]*(?:\.\d+)?)(?:e([+-]\d+))?( %)?(?![\w])")
_MARKUP = re.compile(r"\]\([^)]*\)|[\\*`\[]|:small\[\]")
_FIXED = sorted(
    {text for module in (help_texts, detail_help) for name, text in inspect.getmembers(module) if isinstance(text, str)},
    key=len,
    reverse=True,
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A number as it is shown: its digits, whether it is a percentage, of which label it is, and where it stands."""

    text: str
    percent: bool
    label: str | None
    where: str
    exact: bool = False


def figures_in(text: str, label: str | None, where: str) -> Iterator[Figure]:
    """The figures of a text, without what the code says of itself."""
    for fixed in _FIXED:
        if fixed in text:
            text = text.replace(fixed, " ")
    text = _MARKUP.sub("", text)
    for pattern in NO_FIGURES:
        text = re.sub(pattern, " ", text)
    for sign, digits, power, percent in _NUMBER.findall(text):
        number = digits.rstrip(",").replace(",", "") + (f"e{power}" if power else "")
        yield Figure(sign.replace("−", "-") + number, bool(percent), label, f"{where}: {text.strip()[:90]}")


def shown_figures(app: Any, label: str | None) -> list[Figure]:
    """All figures on a page; those in a row of a table that begins with a label are of that label."""
    found: list[Figure] = []
    for kind in ("title", "header", "markdown", "caption", "info", "success", "warning"):
        for element in getattr(app, kind):
            for line in str(element.value).splitlines():
                named = next((LABEL_OF[words] for words in LABEL_OF if line.startswith(f"- {words}")), label)
                found += figures_in(line, named, kind)
    for element in app.get("html"):
        for caption in re.findall(r'<span id="tile-\d+">([^<]*)', element.proto.body):
            found += figures_in(caption, label, "tile of the wall")
    for metric in app.metric:
        found += figures_in(f"{metric.value} | {metric.delta}", label, f"metric {metric.label}")
    frames = [element.value for element in (*app.table, *app.dataframe)]
    frames += [frame for element in app.get("html") for frame in html_tables(element.proto.body)]
    for frame in frames:
        for index, row in zip(frame.index, frame.to_numpy().tolist(), strict=True):
            words = str(index) if str(index) in LABEL_OF else str(row[0])
            for column, cell in zip(frame.columns, row, strict=True):
                of_label = LABEL_OF.get(str(column), LABEL_OF.get(words, label))
                found += _cell(cell, of_label, f"table, {words}, {column}")
    for element in app.get("plotly_chart"):
        found += _of_chart(json.loads(element.proto.spec), element.proto.id, label)
    return found


def _cell(cell: Any, label: str | None, where: str) -> Iterator[Figure]:
    if isinstance(cell, float) and np.isfinite(cell):
        yield Figure(repr(cell), False, label, where, exact=True)
    elif isinstance(cell, int) and not isinstance(cell, bool):
        yield Figure(str(cell), False, label, where)
    elif isinstance(cell, str):
        # A cell of the matrix of gaps has two figures without a space: the second has three decimals as the first.
        yield from figures_in(re.sub(r"(\.\d{3})(?=\d)", r"\1 ", cell), label, where)


def _of_chart(spec: dict[str, Any], name: str, label: str | None) -> Iterator[Figure]:
    layout = spec["layout"]
    texts = [layout.get("title", {}).get("text", ""), *(one.get("text", "") for one in layout.get("annotations", []))]
    for text in texts:
        yield from figures_in(str(text), label, f"chart {name}")
    if name.endswith(COURSES):
        return
    for trace in spec["data"]:
        for axis in ("x", "y", "z"):
            if not any(
                name.endswith(f"-{chart}") and (chart, trace.get("name"), axis) in PLACES for chart, *_ in PLACES
            ):
                for value, own in _values(trace, axis):
                    where = f"chart {name}, {trace.get('name')}, {axis}"
                    yield Figure(repr(value), False, own or label, where, exact=True)


def _values(trace: dict[str, Any], axis: str) -> Iterator[tuple[float, str | None]]:
    """The numbers of an axis with the label that stands on the other one."""
    numbers = _array(trace.get(axis))
    if numbers is None:
        return
    across = next((trace[other] for other in ("x", "y") if other != axis and isinstance(trace.get(other), list)), [])
    for place, value in enumerate(np.asarray(numbers, np.float64).ravel()):
        words = str(across[place]) if axis != "z" and place < len(across) else ""
        if np.isfinite(value):
            yield float(value), LABEL_OF.get(words)


def _array(data: Any) -> Any:
    if isinstance(data, dict) and "bdata" in data:
        return np.frombuffer(base64.b64decode(data["bdata"]), np.dtype(data["dtype"]))
    if not isinstance(data, list) or any(isinstance(one, str) for one in data):
        return None
    try:
        return np.array(data, np.float64)
    except (TypeError, ValueError):
        return None


@dataclass
class Pool:
    """The numbers of JSON documents, each with the label that it is of, if any."""

    numbers: list[tuple[str | None, float]] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    kept: dict[Any, set[str]] = field(default_factory=dict)

    def add(self, document: Any, label: str | None = None) -> None:
        """Take in a document: its numbers, how many its lists have, and the numbers in its sentences."""
        if isinstance(document, dict):
            own = document.get("label")
            label = own if own in LABELS else label
            self.numbers.append((label, float(len(document))))
            for key, value in document.items():
                self.add(value, key if key in LABELS else label)
                self.words.update(one.text for one in figures_in(str(key), label, ""))
        elif isinstance(document, list):
            self.numbers.append((label, float(len(document))))
            for value in document:
                self.add(value, label)
        elif isinstance(document, (int, float)) and not isinstance(document, bool):
            self.numbers.append((label, float(document)))
        elif isinstance(document, str):
            self.words.update(one.text for one in figures_in(document, label, ""))

    def has(self, figure: Figure) -> bool:
        """Whether a number of the label, or of none, is this one as far as it is shown."""
        text = figure.text.lstrip("+")
        if figure.text in self.words or text in self.words:
            return True
        if figure.exact or "e" in text:
            return self._exactly(float(text), figure.label)
        decimals = len(text.partition(".")[2])
        return text in self._written(figure.label, decimals, figure.percent)

    def _exactly(self, value: float, label: str | None) -> bool:
        key = (label, "exact")
        if key not in self.kept:
            self.kept[key] = {f"{x:.9g}" for one in self._of(label) for x in (one, 100 * one)}
        return f"{value:.9g}" in self.kept[key]

    def _of(self, label: str | None) -> Iterator[float]:
        return (value for of, value in self.numbers if of is None or label is None or of == label)

    def _written(self, label: str | None, decimals: int, percent: bool) -> set[str]:
        key = (label, decimals, percent)
        if key not in self.kept:
            times = (100, 1) if percent else (1,)
            self.kept[key] = {f"{by * x:.{decimals}f}" for x in self._of(label) for by in times}
            self.kept[key] |= {f"{x:.3g}" for x in self._of(label)}
        return self.kept[key]
