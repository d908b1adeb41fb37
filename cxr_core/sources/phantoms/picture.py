"""One synthetic radiograph: patient, study and image each have their own seed."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_core.sources.phantoms.anatomy import draw_body, draw_pose, posed
from cxr_core.sources.phantoms.findings import add_findings, reshaped
from cxr_core.sources.phantoms.frontal import draw_frontal
from cxr_core.sources.phantoms.lateral import draw_lateral
from cxr_core.sources.phantoms.render import develop
from cxr_core.sources.phantoms.sign import draw_sign


@dataclass(frozen=True)
class Request:
    """Which image to draw.

    Attributes:
        seed: of the whole data set.
        patient: id; decides the body together with `female` and `age`.
        study: number within the patient; decides where findings stand and what form they take.
        image: number within the study; decides pose, exposure and noise.
        frontal: the view, else lateral.
        ap: a frontal image taken from front to back.
        strengths: visibility (0 to 1) of each finding that is present, by label name.
    """

    seed: int
    patient: int
    study: int
    image: int
    frontal: bool
    female: bool = False
    age: int = 55
    ap: bool = False
    strengths: dict[str, float] = field(default_factory=dict)


def draw_picture(request: Request) -> NDArray[np.uint8]:
    """Draw the radiograph, (320, 320), 0 black to 255 white; equal requests give equal pixels."""
    body = draw_body(np.random.default_rng((request.seed, request.patient)), request.female, request.age)
    placing = np.random.default_rng((request.seed, request.patient, request.study))
    signs = {name: draw_sign(placing, strength) for name, strength in sorted(request.strengths.items())}
    rng = np.random.default_rng((request.seed, request.patient, request.study, request.image))
    pose = draw_pose(rng, request.ap)
    draw = draw_frontal if request.frontal else draw_lateral
    scene = draw(posed(reshaped(body, signs), pose), pose, rng)
    add_findings(scene, signs)
    return develop(scene, rng)
