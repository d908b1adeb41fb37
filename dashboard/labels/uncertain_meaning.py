"""What the uncertain are, label by label: counted, with a model's help, and the range where nobody has read."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.shares import PresentShare
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.distribution import LabelOverview
from cxr_core.tasks.meaning import Meaning
from cxr_core.tasks.meaning_by_model import MeaningByModel
from cxr_core.words import percent
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, select_one
from dashboard.shared.downloads import download_table
from dashboard.shared.formatting import NOTHING, count, plain, with_interval
from dashboard.shared.model_input import judged_models
from dashboard.shared.policy_input import policy_in_use

_NONE = "none"


def uncertain_section(overview: LabelOverview, found: Meaning | None, dataset: str | None) -> None:
    """Show each label's share among the uncertain beside the u and w of the Train page, and what a model adds."""
    names = [entry.name for entry in judged_models(engine.models(overview.source))]
    options = Options([_NONE, *names], "meaning-model", _words, what="model")
    default = names[0] if names and found is None else _NONE
    model = select_one("With the help of", options, default, help_texts.MEANING_MODEL)
    by_model = None
    if model != _NONE:
        set_name = found.set if found else None
        by_model = engine.meaning_by_model(overview.source, model, set_name, dataset, overview.view)
    st.table(uncertain_table(found, by_model).map(plain), border="horizontal", alt="Share present among the uncertain")
    st.caption(help_texts.IN_USE if by_model is None else f"{help_texts.IN_USE} {help_texts.WITHOUT_READINGS}")
    if by_model is not None:
        download_table(flat_by_model(by_model), f"{overview.source}-{by_model.model}-uncertain.csv")


def uncertain_table(found: Meaning | None, by_model: MeaningByModel | None) -> pd.DataFrame:
    """Return what is known of the uncertain of each label, in words."""
    policy = policy_in_use("train")
    rows = {}
    for place, label in enumerate(LABELS):
        row = {"Counted": _counted(found.labels[label]["uncertain"])} if found else {}
        row |= _by_model(by_model, label) if by_model else {}
        in_use = f"u {policy.u[place]:g}, w {policy.w[place]:g}" if policy else "learned"
        rows[label_words(label)] = row | {"Now in use": in_use}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Label")


def _words(model: str) -> str:
    return "No model" if model == _NONE else model


def _counted(share: PresentShare) -> str:
    aside = f", {count(share.n_set_aside)} set aside" if share.n_set_aside else ""
    counted = f"{count(share.n_present)} of {count(share.n_read)}{aside}"
    return f"{NOTHING} ({counted})" if share.share is None else f"{with_interval(share.share, share.ci)} ({counted})"


def _by_model(found: MeaningByModel, label: str) -> dict[str, str]:
    alone, helped = found.ranges.get(label), found.helped.get(label, {}).get("uncertain")
    cells = {"With the model's help": NOTHING, "If hedging is by the image": NOTHING, "If by the truth": NOTHING}
    if helped and helped.share and helped.narrower:
        cells["With the model's help"] = with_interval(helped.share.share, helped.share.ci)
    elif helped:
        cells["With the model's help"] = f"{NOTHING} ({helped.why or 'not narrower'})"
    if alone is None:
        return cells | {"If by the truth": f"{NOTHING} (not predicted)"}
    if alone.by_image is None or alone.by_truth is None:
        return cells | {"If by the truth": f"{NOTHING} ({alone.why})"}
    cells["If hedging is by the image"] = with_interval(alone.by_image.share, alone.by_image.ci)
    cells["If by the truth"] = with_interval(alone.by_truth.share, alone.by_truth.ci)
    low, high = alone.range or (0.0, 1.0)
    return cells | {"Honest range": f"{percent(low, 0)} to {percent(high, 0)}"}


def flat_by_model(found: MeaningByModel) -> pd.DataFrame:
    """Return the estimates as numbers, one row for each label and way, an interval in two columns."""
    rows = []
    for label, document in found.as_json()["labels"].items():
        alone = document["without_readings"]
        ways = {
            "helped": document["helped"].get("uncertain"),
            "by_image": alone["by_image"],
            "by_truth": alone["by_truth"],
        }
        for way, one in ways.items():
            low, high = (one or {}).get("share_ci") or (None, None)
            rows.append({"label": label, "way": way, "share": (one or {}).get("share"), "low": low, "high": high})
    return pd.DataFrame(rows)
