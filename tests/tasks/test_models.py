import pytest
from prediction_source import NAME, label_table, of_view, scores_for, write_predictions, write_source

from cxr_core.sources.registry import get_source, problems
from cxr_core.tasks.models import models

NAMES = ("garbage", "keyless", "unlabelled")


@pytest.fixture
def source(workspace):
    """A source with two good prediction tables and one of each kind of broken one."""
    write_source(workspace)
    frontal = of_view(label_table(), "frontal")
    write_predictions(workspace, "good", scores_for(frontal, 1))
    write_predictions(workspace, "fine", scores_for(frontal, 2))
    folder = workspace / "sources" / NAME / "predictions"
    (folder / "garbage_predictions.parquet").write_text("not Parquet")
    scores_for(frontal, 3, names=()).to_parquet(folder / "unlabelled_predictions.parquet")
    scores_for(frontal, 4).drop(columns=["dataset"]).to_parquet(folder / "keyless_predictions.parquet")
    return folder


def test_a_broken_prediction_table_leaves_the_other_models_usable(source):
    found = {entry.name: (entry.images, entry.predictions) for entry in models(NAME)}
    assert found == {
        **dict.fromkeys(("good", "fine"), (120, ("valid",))),
        **dict.fromkeys(NAMES, (0, ())),
    }


def test_the_sources_problems_name_each_broken_prediction_table(source):
    told = [problem for problem in problems(get_source(NAME)) if str(source) in problem]
    assert len(told) == 3
    garbage, keyless, unlabelled = (next(text for text in told if name in text) for name in NAMES)
    assert "must be a readable Parquet file" in garbage
    assert "lacks dataset" in keyless
    assert "at least one label column" in unlabelled
