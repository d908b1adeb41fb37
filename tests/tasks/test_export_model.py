"""A model that is exported brings its cards along, and they cut elsewhere as they did here."""

import hashlib
import json
import zipfile

import pytest
from small_demo import MODELS, give_weights

from cxr_core.cli import main
from cxr_core.errors import ExistsError, TableError, UnknownNameError, UsageError
from cxr_core.sources.registry import get_source
from cxr_core.tasks.export_model import export_model, model_archive
from cxr_core.tasks.threshold_cards import card_file, choose_thresholds, parse_rule, read_card

MODEL, OTHER = MODELS[:2]


@pytest.fixture
def with_cards(own_small_demo):
    give_weights(MODEL)
    for rule, name in (("sensitivity=0.9", "sharp"), ("youden", "even")):
        choose_thresholds("demo", MODEL, parse_rule(rule), card=name, recalibrate="platt")
    choose_thresholds("demo", OTHER, parse_rule("youden"), card="of-another")


def test_the_archive_has_the_weights_what_they_are_and_the_models_own_cards(with_cards, tmp_path):
    done = export_model("demo", MODEL, str(tmp_path / "model.zip"))
    weights = get_source("demo").model_path(MODEL).read_bytes()
    with zipfile.ZipFile(done.file) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            f"{MODEL}/{MODEL}.h5",
            f"{MODEL}/model.json",
            f"{MODEL}/thresholds/even.json",
            f"{MODEL}/thresholds/sharp.json",
        ]
        assert archive.read(f"{MODEL}/{MODEL}.h5") == weights
        about = json.loads(archive.read(f"{MODEL}/model.json"))
    assert about["sha256"] == done.sha256 == hashlib.sha256(weights).hexdigest()
    assert (about["cards"], done.cards) == (["even", "sharp"], ("even", "sharp"))
    assert about["network"]["architecture"] and about["network"]["view"] == "frontal"


def test_a_card_of_an_archive_cuts_as_it_did_where_the_source_has_it_no_more(with_cards, tmp_path, capsys):
    asked = ["evaluate", MODEL, "--source", "demo", "--dataset", "test", "--json", "--at"]
    assert main([*asked, "sharp"]) == 0
    before = json.loads(capsys.readouterr().out)
    export_model("demo", MODEL, str(tmp_path / "model.zip"))
    card_file("demo", "sharp").unlink()
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path)
    assert main([*asked, str(tmp_path / MODEL / "thresholds" / "sharp.json")]) == 0
    assert json.loads(capsys.readouterr().out) == before


def test_the_same_model_and_cards_make_the_same_bytes(with_cards):
    assert model_archive("demo", MODEL) == model_archive("demo", MODEL)


def test_a_card_whose_name_looks_like_a_file_is_still_the_sources(with_cards):
    choose_thresholds("demo", MODEL, parse_rule("f1"), card="v1.json")
    assert read_card("demo", "v1.json").card == "v1.json"


def test_what_cannot_be_exported_is_told_and_nothing_is_written(with_cards, tmp_path):
    file = tmp_path / "model.zip"
    with pytest.raises(UsageError, match="ends in .zip"):
        export_model("demo", MODEL, str(tmp_path / "model.h5"))
    with pytest.raises(UnknownNameError, match="model with weights"):
        export_model("demo", OTHER, str(file))
    with pytest.raises(UsageError, match="by its name"):
        export_model("demo", "/elsewhere/net.h5", str(file))
    card_file("demo", "even").write_text("{}")
    with pytest.raises(TableError, match="damaged"):
        export_model("demo", MODEL, str(file))
    assert not file.exists()
    card_file("demo", "even").unlink()
    export_model("demo", MODEL, str(file))
    with pytest.raises(ExistsError, match="--replace"):
        export_model("demo", MODEL, str(file))
    assert export_model("demo", MODEL, str(file), replace=True).cards == ("sharp",)


def test_a_card_file_that_is_not_there_or_damaged_is_told(small_demo, tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_card("demo", str(tmp_path / "none.json"))
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(TableError, match="damaged"):
        read_card("demo", str(tmp_path / "bad.json"))
