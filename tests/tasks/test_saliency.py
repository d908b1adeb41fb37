"""Where a model looks, asked as a user does: of the demo's models, on the command line."""

import json

import h5py
import numpy as np
import pytest
from PIL import Image
from small_demo import give_weights

from cxr_core.cli import main
from cxr_core.models.activation_maps import ActivationMaps
from cxr_core.models.overlay import overlaid
from cxr_core.sources.registry import get_source
from cxr_core.tasks import saliency

MODEL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture
def path(own_small_demo):
    """The path of an image, beside the weights of one shipped model, which the small demo has not."""
    give_weights(MODEL)
    return get_source("demo").warehouse().labels("valid", "frontal")["path"].iloc[0]


class Unasked:
    def ask(self, _):
        pytest.fail("a map was computed")


def written(path, file, *options):
    assert main(["show", path, "--model", MODEL, "--label", "edema", "--saliency", "--to", str(file), *options]) == 0
    with Image.open(file) as image:
        return image.mode, np.asarray(image)


@pytest.mark.tensorflow
def test_show_draws_the_map_over_the_film_and_computes_it_once_for_all_labels(path, tmp_path, monkeypatch, capsys):
    assert main(["show", path, "--to", str(tmp_path / "film.png")]) == 0
    mode, trained = written(path, tmp_path / "map.png")
    saliency.WORKER.close()
    assert (mode, trained.shape) == ("RGB", (320, 320, 3))
    with Image.open(tmp_path / "film.png") as film:
        assert not np.array_equal(trained, np.asarray(film.convert("RGB")))
    monkeypatch.setattr(saliency, "WORKER", Unasked())
    np.testing.assert_array_equal(written(path, tmp_path / "again.png")[1], trained)
    capsys.readouterr()
    other = ["show", path, "--model", MODEL, "--label", "fracture", "--saliency", "--to", str(tmp_path / "f.png")]
    assert main([*other, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["path"], told["file"]) == (path, str(tmp_path / "f.png"))
    assert set(told["map"]) == {"rows", "columns", "share", "logit"} and told["map"]["rows"] == 3


class Answering:
    """A process that knows one answer, and keeps what it was asked."""

    def __init__(self):
        rng = np.random.default_rng(0)
        maps = rng.random((14, 3, 3)).astype(np.float32)
        self.maps, self.asked = ActivationMaps(maps, maps, maps[:, 0, 0]), []

    def ask(self, question):
        self.asked.append(question)
        return {"maps": self.maps.as_lists()}


def test_the_picture_is_that_of_the_label_and_random_weights_are_another_question(path, tmp_path, monkeypatch):
    worker = Answering()
    monkeypatch.setattr(saliency, "WORKER", worker)
    _, pixels = written(path, tmp_path / "a.png")
    _, again = written(path, tmp_path / "b.png", "--random-weights")
    assert [question["random"] for question in worker.asked] == [False, True]
    assert main(["show", path, "--to", str(tmp_path / "film.png")]) == 0
    with Image.open(tmp_path / "film.png") as film:
        wanted = np.asarray(overlaid(film, worker.maps.of("edema")))
    np.testing.assert_array_equal(pixels, wanted)
    np.testing.assert_array_equal(again, wanted)


def test_a_model_that_was_written_anew_is_asked_anew(path, tmp_path, monkeypatch):
    worker = Answering()
    monkeypatch.setattr(saliency, "WORKER", worker)
    written(path, tmp_path / "a.png")
    weights = get_source("demo").model_path(MODEL)
    weights.write_bytes(weights.read_bytes())
    written(path, tmp_path / "b.png")
    assert len({question["stamp"] for question in worker.asked}) == 2


def refused(capsys, *arguments):
    assert main(["show", *arguments, "--to", "x.png"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--saliency"], "Name both, with --model and --label"),
        (["--saliency", "--model", MODEL], "Name both, with --model and --label"),
        (["--saliency", "--model", MODEL, "--model", "other", "--label", "edema"], "A map is that of one model"),
        (["--model", MODEL, "--label", "edema"], "Add --saliency, or leave them out"),
        (["--random-weights"], "Add --saliency, or leave them out"),
        (["--saliency", "--model", MODEL, "--label", "oedema"], "Unknown label 'oedema'"),
        (["--saliency", "--model", "absent", "--label", "edema"], "Unknown model with weights 'absent'"),
        (["--saliency", "--model", "absent.h5", "--label", "edema"], "does not exist"),
    ],
)
def test_a_map_that_cannot_be_is_one_sentence(path, tmp_path, monkeypatch, capsys, options, said):
    monkeypatch.setattr(saliency, "WORKER", Unasked())
    assert said in refused(capsys, path, *options)
    assert not (tmp_path / "x.png").exists()


def test_a_model_without_weights_one_that_never_learned_the_label_and_a_damaged_one_say_so(path, monkeypatch, capsys):
    monkeypatch.setattr(saliency, "WORKER", Unasked())
    source, options = get_source("demo"), [path, "--saliency", "--label", "edema", "--model"]
    table = source.predictions_path(MODEL)
    source.predictions_path("foreign").write_bytes(table.read_bytes())
    assert "has predictions but no weights here" in refused(capsys, *options, "foreign")
    weights = source.model_path(MODEL)
    with h5py.File(weights, "r+") as file:
        info = json.loads(file.attrs["cxr"])
        file.attrs["cxr"] = json.dumps(info | {"untrained": ["edema"]})
    assert "never learned edema" in refused(capsys, *options, MODEL)
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "damaged" in refused(capsys, *options, MODEL)
