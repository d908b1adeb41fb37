"""What is made of maps without TensorFlow: the picture over the film, and what is kept on the disk."""

import numpy as np
import pytest
from PIL import Image

from cxr_core.models.activation_maps import ActivationMaps, LabelMap
from cxr_core.models.kept_maps import keep_maps, kept_path, read_maps
from cxr_core.models.overlay import overlaid


def drawn(seed, places=3):
    rng = np.random.default_rng(seed)
    maps = rng.random((14, places, places)).astype(np.float32)
    return ActivationMaps(maps, maps[:, ::-1], rng.random(14).astype(np.float32))


def looked(values, place=(0, 0)):
    return LabelMap(np.array(values, np.float32), place, 1.0, 2.0)


FILM = Image.fromarray(np.random.default_rng(0).integers(0, 255, (320, 320), dtype=np.uint8))


def test_where_nothing_speaks_for_the_label_the_film_stays_as_it_is():
    grey = np.asarray(FILM.convert("RGB"))
    np.testing.assert_array_equal(overlaid(FILM, looked(np.zeros((3, 3))), mark=False), grey)
    np.testing.assert_array_equal(overlaid(FILM, looked(np.ones((3, 3))), opacity=0, mark=False), grey)


def test_the_strongest_place_hides_as_much_as_was_asked_for_and_a_half_as_strong_one_half():
    picture = np.asarray(overlaid(FILM, looked([[4, 2], [0, 0]]), opacity=0.5, mark=False)).astype(float)
    grey = np.asarray(FILM).astype(float)
    orange = np.array([230, 159, 0])
    for (y, x), share in {(0, 0): 0.5, (0, 319): 0.25, (319, 0): 0.0}.items():
        np.testing.assert_allclose(picture[y, x], share * orange + (1 - share) * grey[y, x], atol=1.5)


@pytest.mark.parametrize(("place", "x", "y"), [((0, 0), 40, 40), ((3, 1), 120, 280)])
def test_the_ring_stands_around_the_middle_of_the_marked_place(place, x, y):
    grey = np.asarray(FILM.convert("RGB"))
    picture = np.asarray(overlaid(FILM, looked(np.zeros((4, 4)), place)))
    rows, columns = np.nonzero((picture != grey).any(axis=2))
    assert (rows.min() + rows.max()) / 2 == pytest.approx(y, abs=1)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(x, abs=1)


def test_kept_maps_are_the_same_to_the_bit_and_those_of_one_model_image_and_kind_of_weights_alone(workspace):
    paths = [
        kept_path(workspace / model, stamp, jpg, random)
        for model in ("a.h5", "b.h5")
        for stamp in ((1, 2), (1, 3))
        for jpg in (b"one", b"two")
        for random in (False, True)
    ]
    assert len(set(paths)) == 16
    assert read_maps(paths[0]) is None
    keep_maps(paths[0], drawn(1))
    for ours, kept in zip(vars(drawn(1)).values(), vars(read_maps(paths[0])).values(), strict=True):
        np.testing.assert_array_equal(ours, kept)


def test_the_oldest_maps_go_when_all_together_take_too_much(workspace, monkeypatch):
    paths = [kept_path(workspace / "a.h5", (), bytes([number]), False) for number in range(6)]
    keep_maps(paths[0], drawn(0))
    size = paths[0].stat().st_size
    monkeypatch.setenv("CXR_KEPT_MAPS", str(3 * size))
    for number, path in enumerate(paths[1:], start=1):
        keep_maps(path, drawn(number))
        assert read_maps(paths[0]) is not None, "it was asked for last, before the newest"
    assert [path.exists() for path in paths] == [True, False, False, False, True, True]


@pytest.mark.parametrize("content", [b"", b"no archive", "cut"])
def test_a_damaged_file_of_maps_counts_as_none(workspace, content):
    path = kept_path(workspace / "a.h5", (), b"", False)
    keep_maps(path, drawn(1))
    path.write_bytes(path.read_bytes()[:-30] if content == "cut" else content)
    assert read_maps(path) is None


def test_maps_of_another_shape_are_none():
    with pytest.raises(ValueError, match="shape"):
        ActivationMaps.from_arrays({"maps": np.zeros((3, 2, 2)), "shares": np.zeros((3, 2, 2)), "logits": np.zeros(3)})
