"""The card of an ONNX model: what it says is read, and what it must not say is told."""

import hashlib

import pytest

from cxr_core.errors import ModelFileError
from cxr_core.models.onnx_card import read_card
from cxr_core.schema import LABELS

CARD = """
size = 224
channels = 1
layout = "channels-first"
range = [-1024, 1024]
scale = "score"
outputs = ["Atelectasis", "Hernia", "Effusion"]

[labels]
pleural_effusion = "Effusion"
atelectasis = "Atelectasis"
"""


def written(folder, text):
    file = folder / "net.toml"
    file.write_text(text)
    return file


def test_outputs_are_ours_by_their_names_whatever_their_order(tmp_path):
    card = read_card(written(tmp_path, CARD))
    assert card.known == ("atelectasis", "pleural_effusion")
    assert card.places == [0, 2]
    assert card.left_out == ("Hernia",)
    assert set(card.missing) == set(LABELS) - {"atelectasis", "pleural_effusion"}
    assert (card.size, card.low, card.high, card.view) == (224, -1024.0, 1024.0, None)
    assert (card.mean, card.std, card.decode) == ((0.0,), (1.0,), "full")
    assert card.digest == hashlib.sha256(CARD.encode()).hexdigest()


def test_what_is_written_of_a_card_is_read_again(tmp_path):
    colours = CARD.replace("channels = 1", 'channels = 3\nmean = [1, 2, 3]\nstd = [0.5, 1, 2]\nview = "lateral"')
    card = read_card(written(tmp_path, colours))
    again = read_card(written(tmp_path, card.as_toml()))
    assert again.as_toml() == card.as_toml()
    assert (again.view, again.mean, again.std) == ("lateral", (1, 2, 3), (0.5, 1, 2))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("size = 224", "", "must say size"),
        ("size = 224", "size = 8", r"size from 16 to 1,024 pixels. Received: 8\."),
        ("size = 224", "size = true", "size from 16"),
        ("size = 224", 'size = 512\ndecode = "reduced"', "decode full above 320 pixels"),
        ("channels = 1", "channels = 2", "channels 1 or 3"),
        ("channels-first", "nchw", "layout one of channels-first, channels-last"),
        ("[-1024, 1024]", "[0]", "range a list of 2 numbers"),
        ("[-1024, 1024]", "[1, 1]", "range two different numbers"),
        ("[-1024, 1024]", "[0, nan]", "range a list of 2 numbers"),
        ("[-1024, 1024]", "[0, inf]", "range a list of 2 numbers"),
        ("[-1024, 1024]", "[0, 1]\nstd = [0]", "std of positive numbers"),
        ("[-1024, 1024]", "[0, 1]\nmean = [0, 0, 0]", "mean a list of 1 number"),
        ('"score"', '"percent"', "scale one of logit, probability, score"),
        ('"score"', '"score"\nview = "other"', "view one of frontal, lateral"),
        ('"Hernia", ', '"Effusion", ', "outputs a list of names, each of them once"),
        ('= "Effusion"', '= "Edema"', "labels.pleural_effusion one of its outputs"),
        ("atelectasis =", "hernia =", "labels of no_finding"),
        ('"Atelectasis"\n', '"Effusion"\n', "labels each of another output"),
        ("size = 224", "size = 224\nsise = 3", "It also has 'sise'"),
        ("size = 224", "size = ", "is no TOML"),
    ],
)
def test_what_a_card_must_not_say_is_told_in_a_sentence(tmp_path, before, after, told):
    assert before in CARD
    with pytest.raises(ModelFileError, match=told):
        read_card(written(tmp_path, CARD.replace(before, after)))


def test_a_card_that_is_not_there_is_told_with_what_to_do(tmp_path):
    with pytest.raises(ModelFileError, match=r"net.toml is not there. docs/other-models.md"):
        read_card(tmp_path / "net.toml")
