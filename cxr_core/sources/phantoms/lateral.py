"""The lateral view without findings: the breastbone on the image's left, the spine on its right."""

import math

import numpy as np

from cxr_core.sources.phantoms.anatomy import FULL_SIZE, HALF_SIZE, Body, Pose, Scene
from cxr_core.sources.phantoms.fields import Field, Raster, add_line, add_path, bands, bump, curve, ellipse, rise


def draw_lateral(body: Body, pose: Pose, rng: np.random.Generator) -> Scene:
    """Draw a chest from the side."""
    grid = Raster.make(HALF_SIZE, pose.shift, pose.zoom, pose.tilt)
    front, spine = _front(body, grid.y), _spine(body, grid.y)
    back = spine + np.float32(0.17)
    rim = np.minimum(grid.x - front, back - grid.x)
    floor = _diaphragm(body, grid.x)
    lungs = rise(rim, 0.018) * rise(floor - grid.y, 0.016) * rise(grid.y - np.float32(body.apex), 0.05)
    scene = Scene(
        frontal=False,
        body=body,
        grid=grid,
        fine=Raster.make(FULL_SIZE, pose.shift, pose.zoom, pose.tilt),
        density=_trunk(body, grid, front, back, floor) - np.float32(0.34) * lungs,
        lungs=lungs,
        rim=rim,
        floor=floor,
        thin=np.zeros((FULL_SIZE, FULL_SIZE), np.float32),
    )
    _add_heart(scene)
    _add_vessels(scene, rng)
    _add_bones(scene, spine)
    return scene


def _front(body: Body, y: Field) -> Field:
    """Place of the breastbone's back, for each row: it leans forward going down."""
    t = np.clip((y.astype(np.float64) - body.apex) / 1.2, 0.0, 1.0)
    return (0.05 - 0.92 * body.lung_width * t**0.42).astype(np.float32)


def _spine(body: Body, y: Field) -> Field:
    """Place of the spine's middle, for each row."""
    rows = y.astype(np.float64)
    return (0.36 + body.kyphosis * (1 - (rows / 0.85) ** 2)).astype(np.float32)


def _diaphragm(body: Body, x: Field) -> Field:
    """Height of the diaphragm: high in front, falling to the angle behind the spine."""
    away = x + np.float32(0.18)
    return body.floor + np.float32(0.02) + np.float32(0.5) * away * away * rise(away, 0.15)


def _trunk(body: Body, grid: Raster, front: Field, back: Field, floor: Field) -> Field:
    """Soft tissue without lungs: chest wall, raised arms, belly, breasts."""
    skin = np.float32(0.09 + 0.05 * body.fat)
    rows = grid.y.astype(np.float64)
    breast = (0.13 if body.female else 0.03) * np.maximum(1 - ((rows - 0.12) / 0.42) ** 2, 0) ** 1.5
    depth = np.minimum(grid.x - front + skin + breast.astype(np.float32), back + skin + np.float32(0.08) - grid.x)
    inside = rise(depth, 0.02)
    trunk = np.minimum(depth * np.float32(1.5) + np.float32(0.28), np.float32(0.53 + 0.05 * body.fat)) * inside
    trunk += np.float32(0.13) * rise(grid.y - floor, 0.02) * inside
    reach = np.float32(0.42) - np.abs(grid.x - 0.05 + 0.35 * (grid.y + 0.8))
    arms = rise(np.float32(body.apex + 0.16) - grid.y, 0.2) * rise(reach, 0.1)
    trunk = np.maximum(trunk, np.float32(0.58) * arms)
    return trunk - np.float32(0.15) * bump(grid.x, grid.y, (-0.15, body.floor + 0.26), (0.18, 0.12))


def _add_heart(scene: Scene) -> None:
    """Heart on the diaphragm behind the breastbone, aortic arch, and the windpipe."""
    body, x, y = scene.body, scene.grid.x, scene.grid.y
    centre = (-0.50 + 0.98 * body.heart, body.floor - 0.17)
    heart = ellipse(x, y, centre, (0.98 * body.heart, 0.98 * body.heart_height), 0.03, -0.25)
    scene.density += np.float32(0.24) * heart * scene.lungs
    scene.lungs *= 1 - np.float32(0.4) * heart
    upper = bump(x, y, (0.0, -0.45), (2.6 * body.pedicle, 0.5))
    scene.density += np.float32(0.16 + 0.9 * max(body.pedicle - 0.12, 0.0)) * upper * scene.lungs
    arch = curve([(-0.10, -0.15), (-0.08, -0.62), (0.26, -0.62), (0.34, 0.05)], 6)
    add_path(scene.density, scene.grid, arch, 0.045, 0.05 + body.knob * 0.4)
    add_path(scene.density, scene.grid, [(0.02, -1.0), (0.06, -0.6), (0.10, -0.2)], 0.03, -0.09)


def _add_vessels(scene: Scene, rng: np.random.Generator) -> None:
    """Both roots of the lungs overlap in the middle; vessels fan out from there."""
    layer = np.zeros_like(scene.density)
    root = (0.08, -0.12)
    for angle in (np.linspace(0.0, 5.5, 12) + 0.15 * rng.standard_normal(12)).tolist():
        reach = 0.25 + 0.15 * rng.random()
        tip = (root[0] + reach * math.cos(angle), root[1] + 1.3 * reach * math.sin(angle))
        start = (0.7 * root[0] + 0.3 * tip[0], 0.7 * root[1] + 0.3 * tip[1])
        add_line(layer, scene.grid, start, tip, 0.010, 0.045)
    layer += np.float32(0.13) * bump(scene.grid.x, scene.grid.y, root, (0.15, 0.17))
    scene.density += layer * scene.lungs * np.float32(scene.body.vessels)


def _add_bones(scene: Scene, spine: Field) -> None:
    """Vertebrae with gaps between them, breastbone, ribs of both sides, shoulder blades."""
    body, x, y = scene.body, scene.grid.x, scene.grid.y
    blocks = bands((y + np.float32(0.12) * (x - spine)) / np.float32(0.135), 0.74, 0.18)
    column = rise(np.float32(0.085) - np.abs(x - spine), 0.015)
    scene.density += column * (np.float32(0.05) + np.float32(0.13) * blocks)
    fall = y - np.float32(0.55) * x + np.float32(0.35) * x * x
    cage = rise(scene.rim + np.float32(0.04), 0.03) * rise(scene.floor + np.float32(0.2) - y, 0.2)
    for gap, start in ((1.1, 0.0), (1.18, 0.4)):
        ribs = bands(fall / np.float32(gap * body.rib_gap) + np.float32(body.rib_phase + start), 0.34, 0.14)
        scene.density += np.float32(0.04) * ribs * cage
    width = body.lung_width
    plate = [(0.01 - 0.52 * width, body.apex + 0.25), (0.01 - 0.78 * width, 0.0), (0.01 - 0.86 * width, 0.25)]
    add_path(scene.density, scene.grid, plate, 0.022, 0.08)
    for start in (0.42, 0.54):
        add_line(scene.density, scene.grid, (start, -0.75), (start + 0.08, -0.15), 0.02, 0.04)
