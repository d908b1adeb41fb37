import json

import numpy as np
import pandas as pd
import pytest

from cxr_core.evaluation.shares import helped_share
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.meaning_by_model import meaning_by_model
from cxr_core.warehouse.parquet import write_readings, write_table

N = 900


@pytest.fixture
def source(workspace):
    """900 images of 450 patients; a model that knows the truth, and readers of a hundred chance patients."""
    random, n = np.random.default_rng(6), np.arange(N)
    keys = pd.DataFrame({"path": [f"i{k}" for k in n], "patient": n // 2 + 1, "study": 1, "image": n % 2 + 1})
    keys = keys.assign(view=0, dataset=1)
    truth = {label: random.random(N) < 0.4 for label in LABELS}
    values = {label: np.where(random.random(N) < 0.4, 2, np.where(truth[label], 3, 1)) for label in LABELS}
    folder = workspace / "sources" / "own"
    write_table(folder / "labels.parquet", keys.assign(**values))
    (folder / "source.toml").write_text('kind = "local"\n')
    scores = {label: 3.0 * truth[label] + random.normal(0, 1, N) for label in LABELS[:2]}
    write_table(get_source("own").predictions_path("good"), keys.assign(**scores), "logit")
    read = keys["patient"].isin(random.permutation(450)[:100] + 1)
    said = {label: np.where(truth[label], 3, 1) for label in LABELS}
    rows = keys[[*KEY_COLUMNS]].assign(reader="ann", **said)[read]
    write_readings(get_source("own").readings_path("doctors"), rows)
    return values, truth


def test_a_good_model_narrows_what_readers_counted_and_the_ends_are_near_where_hedging_is_blind(source):
    values, truth = source
    found = meaning_by_model("own", "good", "doctors")
    for label in LABELS[:2]:
        uncertain = values[label] == 2
        helped, alone = found.helped[label]["uncertain"], found.ranges[label]
        assert helped.narrower and helped.n == uncertain.sum()
        assert helped.share.share == pytest.approx(truth[label][uncertain].mean(), abs=0.08)
        assert alone.by_image.share == pytest.approx(truth[label][uncertain].mean(), abs=0.06)
        assert alone.range[0] < truth[label][uncertain].mean() < alone.range[1]
    assert set(found.ranges) == set(LABELS[:2])


def test_without_a_prediction_for_all_there_is_no_help_and_the_reason_is_said(source):
    path = get_source("own").predictions_path("good")
    write_table(path, pd.read_parquet(path)[:500], "logit")
    helped = meaning_by_model("own", "good", "doctors").helped[LABELS[0]]["uncertain"]
    assert helped.share is None and "of these" in helped.why


def test_the_help_is_that_of_the_interval_function_and_useless_without_unread_rows(source):
    assert helped_share([1] * 5 + [0] * 5, np.linspace(0, 1, 10), np.arange(10)) is None


def test_the_command_adds_what_the_model_says_with_and_without_readings(source, cxr):
    done = cxr("meaning", "--source", "own", "--model", "good", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    edge = document["by_model"]["labels"][LABELS[0]]
    assert document["set"] == "doctors" and edge["helped"]["uncertain"]["narrower"]
    assert edge["without_readings"]["by_image"]["assumes"] == "hedging depends on the image alone"
    get_source("own").readings_path("doctors").unlink()
    done = cxr("meaning", "--source", "own", "--model", "good", "--json")
    assert json.loads(done.stdout)["by_model"]["labels"][LABELS[0]]["helped"] == {}
