"""What a body is like: the parameters of one patient, the pose of one image, and the scene being drawn."""

from dataclasses import dataclass, replace

import numpy as np

from cxr_core.sources.phantoms.fields import Field, Point, Raster, rise

#: Smooth things are drawn on a grid of half the resolution, thin ones on the full grid.
HALF_SIZE = 160
FULL_SIZE = 320


@dataclass(frozen=True)
class Body:
    """Shape of one patient, in body coordinates (the image is 2 wide and 2 high)."""

    female: bool
    lung_width: float  #: from the midline to the widest place of a lung
    apex: float  #: y of the lungs' upper end
    floor: float  #: y of the right dome of the diaphragm
    floor_left: float  #: how much lower the left dome is
    heart: float  #: half-width of the heart
    heart_height: float
    heart_shift: float  #: x of the heart's centre, towards the patient's left
    pedicle: float  #: half-width of the upper mediastinum
    knob: float  #: how far the aortic arch stands out
    rib_gap: float
    rib_phase: float
    fat: float  #: 0 (thin) to 1
    kyphosis: float
    vessels: float  #: 1 = usual visibility of lung vessels


@dataclass(frozen=True)
class Pose:
    """How the patient stood, and how the image was taken."""

    shift: Point
    zoom: float
    tilt: float
    breath: float  #: how much lower the diaphragm is than usual
    turn: float  #: rotation about the long axis: one lung looks wider than the other
    ap: bool  #: from front to back: the heart is nearer to the tube and looks larger


@dataclass
class Scene:
    """One image in the making: densities between 0 (air) and about 1 (metal), and where the lungs are.

    `density`, `lungs` (0..1), `rim` (distance to the chest wall inside the lungs) and `floor` (y of the
    diaphragm) are (HALF_SIZE, HALF_SIZE); `thin` is (FULL_SIZE, FULL_SIZE) and added at the end.
    """

    frontal: bool
    body: Body
    grid: Raster
    fine: Raster
    density: Field
    lungs: Field
    rim: Field
    floor: Field
    thin: Field

    def lung(self, side: int) -> Field:
        """Return the mask of one lung (-1: the patient's right); from the side both lungs coincide."""
        return self.lungs * (self.grid.x * side > 0) if self.frontal else self.lungs

    def cavity(self, side: int) -> Field:
        """Return the mask of the pleural space of one side, down to the floor and a little into the walls."""
        inside = rise(self.rim + np.float32(0.03), 0.03) * rise(self.floor + np.float32(0.05) - self.grid.y, 0.04)
        return inside * (self.grid.x * side > 0) if self.frontal else inside

    def place(self, side: int, across: float, depth: float, down: float) -> Point:
        """Return where a spot inside a lung is seen.

        Args:
            side: -1 for the patient's right lung, 1 for the left.
            across: 0 at the midline to 1 at the ribs; decides in the frontal view.
            depth: 0 at the breastbone to 1 at the spine; decides in the lateral view.
            down: 0 at the lung's apex to 1 at the diaphragm.
        """
        body = self.body
        y = body.apex + 0.1 + down * (body.floor - body.apex - 0.1)
        if not self.frontal:
            return -0.42 + 0.85 * depth, y
        inner = body.pedicle + 0.05 + 0.5 * body.heart * down * (side > 0)
        outer = body.lung_width * (0.45 + 0.45 * min(1.0, 1.8 * down))
        return side * (inner + across * max(outer - inner, 0.05)), y


def draw_body(rng: np.random.Generator, female: bool, age: int) -> Body:
    """Draw the shape of a patient; older patients have somewhat larger hearts, wider aortas and rounder backs."""
    size = (0.95 if female else 1.0) + 0.03 * rng.standard_normal()
    old = (age - 55) / 100
    return Body(
        female=female,
        lung_width=0.72 * size + 0.02 * rng.standard_normal(),
        apex=-0.80 + 0.03 * rng.standard_normal(),
        floor=0.42 + 0.04 * rng.standard_normal(),
        floor_left=0.03 + 0.015 * rng.standard_normal(),
        heart=(0.300 + 0.03 * old) * size + 0.014 * rng.standard_normal(),
        heart_height=0.33 + 0.02 * rng.standard_normal(),
        heart_shift=0.10 + 0.015 * rng.standard_normal(),
        pedicle=0.115 + 0.02 * old + 0.008 * rng.standard_normal(),
        knob=max(0.0, 0.045 + 0.04 * old + 0.01 * rng.standard_normal()),
        rib_gap=0.150 + 0.006 * rng.standard_normal(),
        rib_phase=rng.random(),
        fat=rng.random(),
        kyphosis=0.13 + 0.1 * old + 0.03 * rng.standard_normal(),
        vessels=0.8 + 0.4 * rng.random(),
    )


def draw_pose(rng: np.random.Generator, ap: bool) -> Pose:
    """Draw the pose of one image; supine (AP) patients breathe in less and lie less straight."""
    loose = 1.5 if ap else 1.0
    return Pose(
        shift=(0.03 * loose * rng.standard_normal(), 0.03 * rng.standard_normal()),
        zoom=1.0 + 0.03 * rng.standard_normal(),
        tilt=0.02 * loose * rng.standard_normal(),
        breath=(-0.05 if ap else 0.0) + 0.025 * rng.standard_normal(),
        turn=0.03 * loose * rng.standard_normal(),
        ap=ap,
    )


def posed(body: Body, pose: Pose) -> Body:
    """Return the body as it looks in this pose."""
    grown = 1.05 if pose.ap else 1.0
    return replace(body, floor=body.floor + pose.breath, heart=body.heart * grown, pedicle=body.pedicle * grown)
