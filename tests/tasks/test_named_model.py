"""A model file is looked at by a process of its own before the one that asks opens it: by its path and by its name."""

from dataclasses import replace

import pytest
from looping_model import write_looping_model
from record_source import NAME, write_source

from cxr_core.errors import ModelFileError
from cxr_core.models.listing import list_models
from cxr_core.sources.registry import get_source
from cxr_core.tasks.policy_search import start_search
from cxr_core.tasks.predict import start_prediction
from cxr_core.tasks.training_plan import plan_training, training_defaults
from cxr_core.training import apart, weights_file
from cxr_core.training.weights_file import ModelInfo, write_layers

WAYS = {
    "predict": lambda model: start_prediction(NAME, model, confined=False),
    "policies": lambda model: start_search(NAME, model, confined=False),
    "start": lambda model: plan_training(NAME, replace(training_defaults(NAME), image_size=32, init_from=model)),
}


@pytest.fixture
def endless(workspace, tmp_path, monkeypatch):
    """A file that HDF5 reads without end, in a process that must not open it, by its path and as a model's name."""
    models = write_source(workspace) / "models"
    models.mkdir()
    write_layers([], models / "good.h5", ModelInfo("densenet-small", 32, "lateral", None))
    for file in (tmp_path / "endless.h5", models / "endless.h5"):
        write_looping_model(file)
    monkeypatch.setattr(apart, "_MOST_SECONDS", 3.0)

    def refused(path):
        raise AssertionError(f"this process opened {path}")

    monkeypatch.setattr(weights_file, "opened", refused)
    return tmp_path / "endless.h5"


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_hdf5_never_finishes_is_refused_in_a_sentence(endless, way):
    for model in (str(endless), "endless"):
        with pytest.raises(ModelFileError, match=r"endless\.h5 could not be looked at safely"):
            WAYS[way](model)


def test_a_list_with_such_a_file_still_says_what_the_others_are(endless):
    entries = {entry.name: entry for entry in list_models(get_source(NAME).models)}
    assert (entries["good"].view, entries["endless"].view) == ("lateral", None)
