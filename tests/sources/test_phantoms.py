"""The drawing of synthetic radiographs."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from cxr_core.schema import LABELS
from cxr_core.sources.phantoms.findings import OVERLAYS, RESHAPERS
from cxr_core.sources.phantoms.picture import Request, draw_picture

FINDINGS = LABELS[1:]
SOUND = Request(seed=7, patient=10000032, study=1, image=1, frontal=True)
LATERAL = replace(SOUND, frontal=False)


def with_finding(request, name, strength):
    return draw_picture(replace(request, strengths={name: strength})).astype(int)


def heart_width(picture):
    """Pixels of the widest bright run around the midline, in the rows between the lungs."""
    rows = picture[170:200].astype(float)
    smooth = rows.mean(axis=0)
    bright = smooth > (smooth[60:260].min() + smooth[60:260].max()) / 2
    right = next(x for x in range(165, 320) if not bright[x])
    left = next(x for x in range(155, 0, -1) if not bright[x])
    return right - left


@pytest.mark.parametrize("request_", [SOUND, LATERAL])
def test_a_picture_is_320_pixels_square_with_one_byte_each(request_):
    picture = draw_picture(request_)
    assert picture.shape == (320, 320)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("request_", [SOUND, LATERAL])
def test_equal_requests_give_equal_pixels(request_):
    assert np.array_equal(draw_picture(request_), draw_picture(replace(request_)))


@pytest.mark.parametrize("change", [{"seed": 8}, {"patient": 10000033}, {"study": 2}, {"image": 2}])
def test_another_seed_patient_study_or_image_gives_another_picture(change):
    changed = draw_picture(replace(SOUND, **change))
    assert not np.array_equal(draw_picture(SOUND), changed)


def test_the_lungs_are_darker_than_the_heart_and_the_air_around_darker_still():
    picture = draw_picture(SOUND)
    lung, heart, air = picture[110:150, 70:110].mean(), picture[170:200, 150:180].mean(), picture[20:30, 2:6].mean()
    assert air < lung - 20
    assert lung < heart - 60


def test_every_finding_but_no_finding_can_be_drawn():
    assert set(OVERLAYS) | set(RESHAPERS) == set(FINDINGS)


@pytest.mark.parametrize("request_", [SOUND, LATERAL])
@pytest.mark.parametrize("name", FINDINGS)
def test_a_plain_finding_changes_the_picture_more_than_a_faint_one(request_, name):
    sound = draw_picture(request_).astype(int)
    faint = np.abs(with_finding(request_, name, 0.15) - sound).mean()
    plain = np.abs(with_finding(request_, name, 1.0) - sound).mean()
    assert plain > 0.2
    assert plain > faint


def test_cardiomegaly_widens_the_heart():
    assert heart_width(with_finding(SOUND, "cardiomegaly", 1.0)) > 1.2 * heart_width(draw_picture(SOUND))


def test_a_pneumothorax_makes_one_lung_darker_near_the_ribs():
    change = with_finding(SOUND, "pneumothorax", 1.0) - draw_picture(SOUND)
    left, right = change[60:160, :160].min(axis=1).mean(), change[60:160, 160:].min(axis=1).mean()
    assert min(left, right) < -25


def test_an_effusion_brightens_the_lowest_part_of_the_lungs_only():
    change = with_finding(SOUND, "pleural_effusion", 0.7) - draw_picture(SOUND)
    assert change[170:240].max(axis=0).mean() > 15
    assert np.abs(change[:90]).mean() < 1


@pytest.mark.parametrize("name", ["airspace_opacity", "consolidation", "edema", "pneumonia"])
def test_opacities_brighten_the_lungs_and_spare_what_lies_outside(name):
    change = with_finding(SOUND, name, 1.0) - draw_picture(SOUND)
    assert change[60:220, 40:280].mean() > 1.0
    assert np.abs(change[290:]).mean() < 1.0


def test_pixels_are_those_that_the_shipped_models_were_trained_on():
    picture = draw_picture(Request(2019, 10000032, 1, 1, True, True, 61, False, {"edema": 0.8, "fracture": 0.6}))
    assert (
        hashlib.sha256(picture.tobytes()).hexdigest()
        == "d92007d8395fa2469986403978eda9cf7efd3531017f2a735005f68c86b139b2"
    )
