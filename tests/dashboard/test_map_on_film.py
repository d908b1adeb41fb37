"""The map of where a model looks, over the film: what is drawn and said, and what it costs."""

import numpy as np
import pytest
from as_read import as_read, wall_of
from small_demo import give_weights

from cxr_core.models.activation_maps import ActivationMaps, LabelMap
from cxr_core.progress import tell_done
from cxr_core.schema import LABELS
from cxr_core.tasks import saliency
from cxr_core.tasks.images import ImageQuery, images
from dashboard.images.map_words import drawn_words

MODEL = "densenet_frontal_u0_0__w0_0"
MAPS = np.zeros((14, 3, 3), np.float32)
MAPS[LABELS.index("edema"), 2, 1] = 2.5


class Answering:
    """A process that knows one answer, tells that it works, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def ask(self, question):
        self.asked.append(question)
        tell_done("Where the model looks", 0, 1, -10.0)
        return {"maps": ActivationMaps(MAPS, MAPS, MAPS[:, 2, 1]).as_lists()}


@pytest.fixture
def worker(own_small_demo, monkeypatch):
    """The worker, beside the weights of one shipped model, which the small demo has not."""
    give_weights(MODEL)
    answering = Answering()
    monkeypatch.setattr(saliency, "WORKER", answering)
    return answering


@pytest.fixture
def path(own_small_demo):
    return images(ImageQuery("demo", "edema", "blank", MODEL, limit=1)).listed[0].path


def told(app):
    return [as_read(one.value) for one in [*app.caption, *app.info]]


def test_the_map_says_what_is_drawn_and_is_computed_once_for_every_label_and_opacity(worker, path, page):
    app = page("images", model=MODEL, label="edema", image=path)
    assert not worker.asked
    app.toggle(key="map").set_value(True).run()
    (said,) = (one for one in told(app) if one.startswith("Orange"))
    assert "speaks for edema" in said
    assert "one of 3 × 3 places" in said
    assert "2.50 of the logit 2.50" in said
    app.slider(key="map-opacity").set_value(20).run()
    app.selectbox(key="map-label").set_value("fracture").run()
    assert any(one.startswith("No place speaks for fracture") for one in told(app))
    assert [question["random"] for question in worker.asked] == [False]
    app.toggle(key="map-random").set_value(True).run()
    assert [question["random"] for question in worker.asked] == [False, True]


def test_another_label_of_the_page_is_that_of_the_map(worker, path, page):
    app = page("images", model=MODEL, label="edema", image=path, map="true")
    app.selectbox(key="label").set_value("fracture").run()
    assert app.selectbox(key="map-label").value == "fracture"


def test_a_link_reproduces_the_map(worker, path, page):
    query = {"map": "true", "map-label": "fracture", "map-random": "true", "map-opacity": "30"}
    app = page("images", model=MODEL, label="edema", image=path, **query)
    assert app.selectbox(key="map-label").value == "fracture"
    assert app.slider(key="map-opacity").value == 30
    assert [question["random"] for question in worker.asked] == [True]


def test_a_model_without_a_file_says_so_and_the_film_and_the_wall_are_there(own_small_demo, path, page, monkeypatch):
    monkeypatch.setattr(saliency, "WORKER", None)
    app = page("images", model=MODEL, label="edema", group="blank", image=path, map="true")
    assert any("has predictions but no weights here" in one for one in told(app))
    assert app.table
    assert wall_of(app)


def test_a_map_below_zero_has_a_minus_of_text():
    looked = LabelMap(np.ones((2, 2), np.float32), (0, 0), -0.5, -1.25)
    assert "−0.50 of the logit −1.25" in drawn_words("m", "Edema", looked, random=True)
    assert "the network of m with random weights" in drawn_words("m", "Edema", looked, random=True)
