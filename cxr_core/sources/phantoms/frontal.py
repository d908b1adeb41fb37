"""The frontal view without findings: what lies where when the beam goes along the chest's depth."""

import math

import numpy as np

from cxr_core.sources.phantoms.anatomy import FULL_SIZE, HALF_SIZE, Body, Pose, Scene
from cxr_core.sources.phantoms.fields import Field, Raster, add_line, add_path, bands, bump, curve, ellipse, rise


def draw_frontal(body: Body, pose: Pose, rng: np.random.Generator) -> Scene:
    """Draw a chest from the front; the patient's left is on the image's right."""
    grid = Raster.make(HALF_SIZE, pose.shift, pose.zoom, pose.tilt)
    across = np.abs(grid.x)
    edge = _lung_edge(body, grid.y) * (1 + pose.turn * np.sign(grid.x))
    floor = _diaphragm(body, grid.x)
    lungs = rise(edge - across, 0.018) * rise(floor - grid.y, 0.014)
    scene = Scene(
        frontal=True,
        body=body,
        grid=grid,
        fine=Raster.make(FULL_SIZE, pose.shift, pose.zoom, pose.tilt),
        density=_trunk(body, grid, across, floor) - np.float32(0.33) * lungs,
        lungs=lungs,
        rim=edge - across,
        floor=floor,
        thin=np.zeros((FULL_SIZE, FULL_SIZE), np.float32),
    )
    _add_ribs(scene, across, edge)
    _add_vessels(scene, rng)
    _add_middle(scene, across)
    _add_shoulders(scene)
    return scene


def _lung_edge(body: Body, y: Field) -> Field:
    """Distance from the midline to the ribs, for each row."""
    t = np.clip((y.astype(np.float64) - body.apex) / 1.1, 0.0, 1.0)
    return (body.lung_width * (1 - (1 - t) ** 2.6) ** 0.62).astype(np.float32)


def _diaphragm(body: Body, x: Field) -> Field:
    """Height of the diaphragm: two domes that fall towards the ribs."""
    away = np.abs(x) - np.float32(0.46 * body.lung_width)
    dome = body.floor + np.float32(1.25) * away * away * rise(away, 0.1) + np.float32(0.3) * away * away
    return dome + np.float32(body.floor_left) * rise(x, 0.05)


def _trunk(body: Body, grid: Raster, across: Field, floor: Field) -> Field:
    """Soft tissue without lungs: chest wall, neck, belly with the stomach's air, breasts."""
    y = grid.y.astype(np.float64)
    shoulder = np.clip((y + 1.02) / 0.34, 0.0, 1.0)
    width = 0.26 + (0.68 + 0.08 * body.fat) * (shoulder * shoulder * (3 - 2 * shoulder)) - 0.06 * np.clip(y, 0, 1)
    depth = width.astype(np.float32) - across
    trunk = np.minimum(depth * np.float32(1.6) + np.float32(0.33), np.float32(0.50 + 0.06 * body.fat)) * rise(
        depth, 0.02
    )
    belly = rise(grid.y - floor, 0.02) * rise(depth, 0.02)
    trunk = trunk + np.float32(0.14) * belly
    trunk -= np.float32(0.16) * bump(grid.x, grid.y, (0.36, body.floor + 0.2), (0.2, 0.13))
    size = 0.085 if body.female else 0.025
    for side in (-1, 1):
        trunk += np.float32(size) * bump(grid.x, grid.y, (side * 0.42, 0.26), (0.42, 0.40))
    return trunk


def _add_ribs(scene: Scene, across: Field, edge: Field) -> None:
    """Back ribs fall towards the side, front ribs fall towards the middle and are fainter."""
    body, y = scene.body, scene.grid.y
    cage = rise(edge * np.float32(1.05) - across, 0.03) * rise(scene.floor + np.float32(0.2) - y, 0.2)
    away = across - np.float32(0.22)
    back = bands(
        (y - np.float32(0.95) * away * away) / np.float32(body.rib_gap) + np.float32(body.rib_phase), 0.46, 0.16
    )
    scene.density += np.float32(0.07) * cage * back
    fall = y + np.float32(0.75) * (across - np.float32(0.6)) - np.float32(0.5) * away * away
    front = bands(fall / np.float32(1.25 * body.rib_gap) + np.float32(body.rib_phase), 0.42, 0.16)
    scene.density += np.float32(0.04) * cage * front * rise(across - np.float32(0.3), 0.12)


def _add_vessels(scene: Scene, rng: np.random.Generator) -> None:
    """Vessels fan out from both roots of the lungs and thin out towards the ribs."""
    body = scene.body
    layer = np.zeros_like(scene.density)
    for side in (-1, 1):
        root = (side * (body.pedicle + 0.05), -0.08 + 0.03 * side)
        for angle in (np.linspace(-1.25, 1.35, 8) + 0.12 * rng.standard_normal(8)).tolist():
            reach = 0.34 + 0.12 * rng.random()
            tip = (root[0] + side * reach * math.cos(angle), root[1] + 1.25 * reach * math.sin(angle))
            start = (0.75 * root[0] + 0.25 * tip[0], 0.75 * root[1] + 0.25 * tip[1])
            middle = ((root[0] + tip[0]) / 2, (root[1] + tip[1]) / 2 + 0.04 * rng.standard_normal())
            add_line(layer, scene.grid, start, middle, 0.014, 0.06)
            add_line(layer, scene.grid, middle, tip, 0.009, 0.045)
        layer += np.float32(0.11) * bump(scene.grid.x, scene.grid.y, root, (0.13, 0.2))
    scene.density += layer * scene.lungs * np.float32(body.vessels)


def _add_middle(scene: Scene, across: Field) -> None:
    """Mediastinum, heart, spine and windpipe."""
    body, x, y = scene.body, scene.grid.x, scene.grid.y
    rows = y.astype(np.float64)
    knob = body.knob * np.maximum(1 - ((rows + 0.33) / 0.14) ** 2, 0)
    bulge = max(body.pedicle - 0.13, 0.0) * (np.maximum(1 - ((rows + 0.38) / 0.34) ** 2, 0) - 0.45)
    width = body.pedicle + 0.02 * np.clip(rows + 0.2, 0, 1) + bulge
    edge = (width.astype(np.float32) + knob.astype(np.float32) * (x > 0)) - across
    heart = ellipse(x, y, (body.heart_shift, body.floor - 0.17), (body.heart, body.heart_height), 0.022, 0.22)
    atrium = ellipse(x, y, (-0.02, body.floor - 0.18), (0.62 * body.heart, 0.27), 0.022)
    shade = 1 - (1 - rise(edge, 0.02)) * (1 - heart) * (1 - atrium)
    neck = rise(y + np.float32(0.80), 0.15)
    scene.density += shade * neck * np.maximum(np.float32(0.66) - scene.density, 0)
    scene.lungs *= 1 - np.float32(0.8) * shade
    blocks = np.float32(0.6) + np.float32(0.4) * bands(y / np.float32(0.125), 0.75, 0.2)
    scene.density += np.float32(0.09) * blocks * rise(np.float32(0.075) - across, 0.012)
    pipe = rise(np.float32(0.035) - across, 0.014) * rise(-np.float32(0.22) - y, 0.03)
    scene.density -= np.float32(0.13) * pipe
    for side in (-1, 1):
        add_line(scene.density, scene.grid, (0.0, -0.23), (side * 0.15, -0.12), 0.018, -0.06)


def _add_shoulders(scene: Scene) -> None:
    """Collar bones, shoulder blades and the heads of the arms."""
    top = scene.body.apex
    for side in (-1, 1):
        bone = curve([(side * 0.07, top + 0.26), (side * 0.33, top + 0.2), (side * 0.74, top + 0.02)], 4)
        add_path(scene.density, scene.grid, bone, 0.022, 0.10)
        blade = [(side * 0.80, top + 0.1), (side * 0.66, top + 0.5), (side * 0.74, top + 0.72)]
        add_path(scene.density, scene.grid, blade, 0.02, 0.035)
        scene.density += np.float32(0.14) * ellipse(
            scene.grid.x, scene.grid.y, (side * 0.9, top + 0.1), (0.11, 0.13), 0.03
        )
