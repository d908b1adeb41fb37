"""What each finding does to the picture.

A sign with strength 1 is plain, one with strength 0 leaves no trace. Findings that change shapes work on the
body before it is drawn; the others add their shadows to the finished scene. Each function serves both views.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cxr_core.sources.phantoms.anatomy import Body, Scene
from cxr_core.sources.phantoms.fields import Point, add_line, bump, cloud, ellipse, rise
from cxr_core.sources.phantoms.sign import Sign
from cxr_core.sources.phantoms.support_devices import devices


def larger_heart(body: Body, sign: Sign) -> Body:
    """Cardiomegaly: a wider, rounder heart."""
    return replace(
        body,
        heart=body.heart * (1 + (0.34 + 0.2 * sign.spots[0]) * sign.strength),
        heart_height=body.heart_height * (1 + 0.12 * sign.strength),
        heart_shift=body.heart_shift + 0.04 * sign.strength,
    )


def wider_mediastinum(body: Body, sign: Sign) -> Body:
    """Enlarged cardiomediastinum: a wider upper mediastinum and a larger aortic arch."""
    wider = (0.8 + 0.6 * sign.spots[0]) * sign.strength
    return replace(
        body,
        pedicle=body.pedicle * (1 + wider),
        knob=body.knob * (1 + 0.6 * wider),
        heart=body.heart * (1 + 0.06 * wider),
    )


def lost_volume(body: Body, sign: Sign) -> Body:
    """Atelectasis, its indirect sign: the diaphragm stands higher, more so on the affected side."""
    lift = (0.05 + 0.07 * sign.spots[0]) * sign.strength
    return replace(body, floor=body.floor - lift, floor_left=body.floor_left - 0.8 * sign.side * lift)


def opacity_patches(scene: Scene, sign: Sign) -> None:
    """Airspace opacity: a few fluffy patches, often in both lungs."""
    for i in range(2 + int(sign.spots[0] > 0.5)):
        side = sign.side if i < 2 else -sign.side
        a, b, c = sign.spots[3 * i + 1 : 3 * i + 4]
        centre = scene.place(side, 0.2 + 0.6 * a, b, 0.2 + 0.7 * c)
        _add_fluff(scene, centre, 0.17 + 0.12 * b, (0.14 + 0.08 * c) * sign.strength, sign.spots[11])


def nodule(scene: Scene, sign: Sign) -> None:
    """Lung lesion: one or two round, sharply bounded shadows."""
    for i in range(1 + int(sign.spots[0] > 0.6)):
        a, b, c, size = sign.spots[4 * i + 1 : 4 * i + 5]
        centre = scene.place(sign.side * (1 - 2 * i), 0.2 + 0.7 * a, 0.1 + 0.8 * b, 0.15 + 0.7 * c)
        radius = 0.065 + 0.07 * size
        mass = ellipse(scene.grid.x, scene.grid.y, centre, (radius, radius * (0.85 + 0.3 * a)), 0.02)
        scene.density += np.float32((0.2 + 0.12 * size) * (0.3 + 0.7 * sign.strength) * (sign.strength > 0.05)) * mass


def wet_lungs(scene: Scene, sign: Sign) -> None:
    """Edema: haze on both sides, densest around the roots of the lungs, blurred vessels, septal lines."""
    haze = np.float32(0.25) * scene.lungs
    for side in (-1, 1) if scene.frontal else (1,):
        root = scene.place(side, 0.25, 0.55, 0.62)
        haze = haze + bump(scene.grid.x, scene.grid.y, root, (0.42, 0.62))
    mottled = np.float32(1) + np.float32(0.22) * cloud(_texture(sign.spots[11]), 20, 3)
    scene.density += np.float32((0.14 + 0.06 * sign.spots[0]) * sign.strength) * haze * mottled * scene.lungs
    _add_septal_lines(scene, sign)


def _add_septal_lines(scene: Scene, sign: Sign) -> None:
    """Short horizontal lines that reach the pleura near the base (Kerley B)."""
    for i in range(6):
        for side in (-1, 1) if scene.frontal else (1,):
            x, y = scene.place(side, 0.93, 0.12, 0.62 + 0.06 * i)
            end = (x - side * (0.07 + 0.04 * sign.spots[i]), y + 0.01)
            add_line(scene.thin, scene.fine, (x, y), end, 0.006, 0.09 * sign.strength)


def dense_lobe(scene: Scene, sign: Sign) -> None:
    """Consolidation: a lobe, or much of it, is dense up to a sharp fissure."""
    upper = sign.spots[0] > 0.55
    a, b, c = sign.spots[1:4]
    _, fissure = scene.place(sign.side, 0.5, 0.5, 0.45 + 0.12 * a)
    y = scene.grid.y + np.float32(0.15 * (b - 0.5)) * scene.grid.x
    within = rise(fissure - y, 0.02) if upper else rise(y - fissure, 0.02)
    reach = 0.34 + 0.16 * c
    centre = scene.place(sign.side, 0.45, 0.3 + 0.5 * b, 0.30 if upper else 0.72)
    spread = np.minimum(bump(scene.grid.x, scene.grid.y, centre, (reach * 1.35, reach * 1.5)) * np.float32(2.2), 1)
    scene.density += np.float32((0.2 + 0.06 * c) * sign.strength) * within * spread * scene.lung(sign.side)


def patchy_focus(scene: Scene, sign: Sign) -> None:
    """Pneumonia: one patchy focus, mostly low, with air-filled bronchi running through it."""
    a, b, c = sign.spots[1:4]
    centre = scene.place(sign.side, 0.3 + 0.45 * a, 0.25 + 0.6 * b, 0.55 + 0.4 * c)
    _add_fluff(scene, centre, 0.22 + 0.1 * a, (0.2 + 0.06 * b) * sign.strength, sign.spots[11])
    for i in range(3):
        end = (centre[0] + sign.side * 0.12 * (sign.spots[4 + i] + 0.2), centre[1] + 0.2 * (sign.spots[7 + i] - 0.4))
        start = (centre[0] - sign.side * 0.08, centre[1] - 0.06)
        add_line(scene.density, scene.grid, start, end, 0.012, -0.05 * sign.strength)


def plate_lines(scene: Scene, sign: Sign) -> None:
    """Atelectasis, its direct sign: bands of collapsed lung above the diaphragm."""
    for i in range(2 + int(sign.spots[1] > 0.4)):
        a, b, c = sign.spots[2 + i], sign.spots[5 + i], sign.spots[8 + i]
        x, y = scene.place(sign.side, 0.5, 0.35 + 0.35 * a, 0.62 + 0.12 * i + 0.10 * c)
        reach = 0.14 + 0.12 * c
        slope = 0.20 * (b - 0.4) * sign.side
        layer = np.zeros_like(scene.density)
        add_line(layer, scene.grid, (x - reach, y - slope), (x + reach, y + slope), 0.022 + 0.014 * a, 0.24)
        scene.density += np.float32(sign.strength) * layer * scene.lung(sign.side)


def air_rim(scene: Scene, sign: Sign) -> None:
    """Pneumothorax: black air without vessels outside the thin bright edge of a shrunken lung."""
    depth = np.float32(0.07 + 0.21 * sign.strength * (0.5 + 0.5 * sign.spots[0]))
    higher = np.clip(np.float32(0.55) - scene.grid.y, 0, 1.3) * np.float32(1 / 1.3)
    from_wall = np.maximum(scene.rim - depth * (np.float32(0.3) + np.float32(0.9) * higher), 0)
    from_top = np.maximum(scene.grid.y - np.float32(scene.body.apex) - depth, 0)
    inward = from_wall * from_top / (from_wall + from_top + np.float32(1e-4)) - np.float32(0.02)
    lung = scene.lung(sign.side)
    air = rise(-inward, 0.012) * lung
    edge = np.maximum(1 - np.abs(inward) / np.float32(0.016), 0) * lung
    shown = np.float32(sign.strength)
    scene.density -= shown * air * np.maximum(scene.density - np.float32(0.10), 0) * np.float32(0.75)
    scene.density += shown * (np.float32(0.12) * edge + np.float32(0.05) * (lung - air))


def fluid(scene: Scene, sign: Sign) -> None:
    """Pleural effusion: fluid fills the lowest angle and climbs along the chest wall; often on both sides."""
    both = scene.frontal and sign.spots[0] > 0.6
    for side, share in ((sign.side, 1.0), (-sign.side, 0.6))[: 1 + both]:
        height = (0.05 + (0.26 + 0.18 * sign.spots[1]) * sign.strength) * share
        near_wall = np.clip(1 - scene.rim / np.float32(0.30), 0, 1)
        lowest = np.max(np.where(scene.lung(side) > 0.5, scene.grid.y, -1))
        level = lowest - np.float32(height) - np.float32(0.16 * sign.strength) * near_wall * near_wall
        inside = rise(scene.grid.y - level, 0.02) * scene.cavity(side)
        opaque = np.float32(min(1.0, 1.6 * sign.strength))
        scene.density += opaque * inside * np.maximum(np.float32(0.62) - scene.density, 0)


def thick_pleura(scene: Scene, sign: Sign) -> None:
    """Pleural other: thickening along the chest wall, with calcified plaques."""
    a, b = sign.spots[0:2]
    width = np.float32(0.05 + 0.05 * a)
    top = scene.body.apex + 0.1 + 0.25 * b
    along = rise(scene.grid.y - np.float32(top), 0.06) * rise(np.float32(top + 0.75) - scene.grid.y, 0.06)
    scene.density += (
        np.float32((0.18 + 0.08 * b) * sign.strength) * rise(width - scene.rim, 0.02) * along * scene.lung(sign.side)
    )
    for i in range(3):
        x, y = scene.place(
            sign.side, 0.35 + 0.6 * sign.spots[2 + i], 0.1 + 0.8 * sign.spots[5 + i], 0.4 + 0.55 * sign.spots[8 + i]
        )
        plaque = bump(scene.grid.x, scene.grid.y, (x, y), (0.10, 0.035))
        scene.density += np.float32(0.3 * sign.strength) * plaque


def broken_ribs(scene: Scene, sign: Sign) -> None:
    """Fracture: neighbouring ribs with a gap, a displaced end and a bright callus."""
    a, b, c = sign.spots[0:3]
    for i in range(3 + int(c > 0.5)):
        x, y = scene.place(sign.side, 1.0, 0.80 + 0.15 * a, 0.25 + 0.35 * b + 0.13 * i)
        tip = (x + 0.07, y + 0.05 * sign.side)
        scene.density += np.float32(0.26 * sign.strength) * bump(scene.grid.x, scene.grid.y, (x, y), (0.085, 0.065))
        add_line(scene.thin, scene.fine, (x - 0.07, y), (x, y - 0.01), 0.018, 0.10 * sign.strength)
        add_line(scene.thin, scene.fine, (x + 0.012, y + 0.03), tip, 0.018, 0.10 * sign.strength)
        add_line(scene.thin, scene.fine, (x + 0.004, y - 0.03), (x + 0.012, y + 0.04), 0.008, -0.11 * sign.strength)


def _add_fluff(scene: Scene, centre: Point, radius: float, amount: float, texture: float) -> None:
    """Add a patch whose edge and inside are uneven; it does not reach beyond the lungs."""
    hill = bump(scene.grid.x, scene.grid.y, centre, (1.5 * radius, 1.5 * radius))
    uneven = np.float32(1) + np.float32(0.4) * cloud(_texture(texture), 20, 3)
    scene.density += np.float32(amount) * np.clip(hill * 2 * uneven, 0, np.float32(1.3)) * scene.lungs


def _texture(number: float) -> np.random.Generator:
    return np.random.default_rng(int(number * 2**32))


RESHAPERS: dict[str, Callable[[Body, Sign], Body]] = {
    "enlarged_cardiomediastinum": wider_mediastinum,
    "cardiomegaly": larger_heart,
    "atelectasis": lost_volume,
}

OVERLAYS: dict[str, Callable[[Scene, Sign], None]] = {
    "airspace_opacity": opacity_patches,
    "lung_lesion": nodule,
    "edema": wet_lungs,
    "consolidation": dense_lobe,
    "pneumonia": patchy_focus,
    "atelectasis": plate_lines,
    "pneumothorax": air_rim,
    "pleural_effusion": fluid,
    "pleural_other": thick_pleura,
    "fracture": broken_ribs,
    "support_devices": devices,
}


def reshaped(body: Body, signs: dict[str, Sign]) -> Body:
    """Return the body with the findings that change shapes."""
    for name, reshape in RESHAPERS.items():
        if name in signs:
            body = reshape(body, signs[name])
    return body


def add_findings(scene: Scene, signs: dict[str, Sign]) -> None:
    """Add the shadows of the other findings to the scene, in place."""
    for name, overlay in OVERLAYS.items():
        if name in signs:
            overlay(scene, signs[name])
    # Shadows that lie over each other do not simply add up: the film saturates.
    scene.density -= np.float32(0.7) * scene.lungs * np.maximum(scene.density - np.float32(0.60), 0)
