"""The few lines of Python that give the frame and the figure behind a page."""

from collections.abc import Sequence
from dataclasses import fields

import streamlit as st

from cxr_core.tasks.images import ImageQuery
from cxr_core.training.options import TrainOptions

_HELP = "With the package installed, and CXR_HOME set to the workspace that Sources names: see docs/python.md."


def notebook_lines(lines: Sequence[str]) -> None:
    """Offer lines of Python to be copied, once somebody opens them: a browser loads 1.5 MB to show the first code."""
    place = st.expander("Open in a notebook", icon=":material/code:", key="notebook", on_change="rerun")
    if not place.open:
        return
    with place:
        # In one colour: those of Streamlit's Python are too faint on grey.
        st.code("\n".join(["import cxr_core", *lines]), language=None)
        st.caption(_HELP)


def called(function: str, *arguments: object) -> str:
    """Return the call of a function of the public face; each argument as Python writes it."""
    return f"cxr_core.{function}({', '.join(map(repr, arguments))})"


def evaluation_lines(source: str, model: str, label: str, dataset: str, view: str | None, judge: str) -> list[str]:
    """Return what gives the figures of a model, its judged rows, and the ROC curve of one label."""
    where = (dataset, view, judge)
    return [
        "import plotly.express as px",
        "",
        f"found = {called('evaluate', source, model, *where)}",
        f"frame = {called('joined_predictions', source, model, *where)}.frame",
        f"curves = {called('label_curves', source, model, label, *where)}",
        f"print(found.labels[{label!r}].roc_auc, found.labels[{label!r}].roc_auc_ci)",
        "px.line(x=curves.roc.fpr, y=curves.roc.tpr) if curves.roc else curves.why",
    ]


def comparison_lines(source: str, models: Sequence[str], dataset: str, figure: str, judge: str) -> list[str]:
    """Return what gives a figure of each model on each label as a frame."""
    return [
        "import pandas as pd",
        "",
        f"found = {called('model_grid', source, list(models), dataset, None, figure, judge)}",
        "cells = [cell for grid in found.grids.values() for row in grid.cells.values() for cell in row.values()]",
        "frame = pd.DataFrame([(cell.label, cell.model, cell.value, cell.ci) for cell in cells])",
        "frame",
    ]


def distribution_lines(source: str, view: str | None) -> list[str]:
    """Return what gives the distribution of the label values."""
    return [
        "import plotly.express as px",
        "",
        f"frame = {called('distribution', source, view)}",
        'px.bar(frame, x="label", y="images", color="value", facet_row="dataset")',
    ]


def training_lines(source: str, options: TrainOptions) -> list[str]:
    """Return what gives the plan of a training run and what it takes uncertain labels for; starting stays a comment."""
    usual = TrainOptions(options.policy).as_dict()
    chosen = {name: value for name, value in options.as_dict().items() if name == "policy" or value != usual[name]}
    return [
        "import pandas as pd",
        "import plotly.express as px",
        "",
        f"options = {called('TrainOptions.from_dict', chosen)}",
        f"plan = cxr_core.plan_training({source!r}, options)",
        "print(plan.n_train, plan.n_valid, plan.steps, plan.seconds)",
        "frame = pd.DataFrame(options.policy.numbers(), index=cxr_core.LABELS)",
        f"# run = cxr_core.start_training({source!r}, options)  # in the background, as the button does",
        'px.bar(frame, barmode="group")',
    ]


def run_lines(run: str) -> list[str]:
    """Return what gives the metrics of a training run and its loss."""
    return [
        "import pandas as pd",
        "import plotly.express as px",
        "",
        f"frame = pd.DataFrame({called('read_metrics', run)})",
        'px.line(frame, x="step", y="loss")',
    ]


def image_lines(query: ImageQuery, find: str) -> list[str]:
    """Return what gives the images of a group, or those that a text names, and the first picture."""
    given = [f"{one.name}={value!r}" for one in fields(query) if (value := getattr(query, one.name)) != one.default]
    asked = f"cxr_core.ImageQuery({', '.join(given)})"
    found = f"cxr_core.named_images({asked}, {find!r}).listed()" if find else f"cxr_core.images({asked})"
    return [
        "import io",
        "import pandas as pd",
        "from PIL import Image",
        "",
        f"frame = pd.DataFrame({found}.as_json())",
        f"record = cxr_core.image_record({query.source!r}, frame.path[0])",
        "Image.open(io.BytesIO(record.jpg))",
    ]


def source_lines(source: str) -> list[str]:
    """Return what gives a line a source, and the label table of one."""
    return [
        "import pandas as pd",
        "",
        "frame = pd.DataFrame([one.as_json() for one in cxr_core.list_sources()])",
        f"labels = cxr_core.get_source({source!r}).warehouse().labels()  # an image a row",
        "labels.groupby(['dataset', 'view']).size()",
    ]
