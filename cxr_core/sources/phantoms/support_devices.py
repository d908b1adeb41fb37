"""What lies in and on a patient who is looked after: pacemaker, tubes, lines and wires."""

import numpy as np

from cxr_core.sources.phantoms.anatomy import Scene
from cxr_core.sources.phantoms.fields import Point, add_path, curve, ellipse
from cxr_core.sources.phantoms.sign import Sign


def devices(scene: Scene, sign: Sign) -> None:
    """Support devices: one to three of pacemaker, breathing tube, central line, feeding tube, wires of a sternotomy."""
    kinds = (_pacemaker, _breathing_tube, _central_line, _feeding_tube, _wires)
    first = int(5 * sign.spots[0])
    for i in range(1 + int(sign.spots[1] * 2.2 * sign.strength + 0.3)):
        kinds[(first + i) % 5](scene, sign)


def _pacemaker(scene: Scene, sign: Sign) -> None:
    x, y = (sign.side * 0.52, -0.42) if scene.frontal else (-0.52, -0.45)
    box = ellipse(scene.fine.x, scene.fine.y, (x, y), (0.11 if scene.frontal else 0.05, 0.10), 0.012)
    scene.thin += np.float32(0.15 + 0.4 * sign.strength) * box
    middle, tip = ((0.02, -0.55), (0.18, 0.28)) if scene.frontal else ((-0.15, -0.6), (-0.35, 0.3))
    _add_wire(scene, [(x, y - 0.08), middle, (middle[0] - 0.1, 0.0), tip], 0.014, sign)


def _breathing_tube(scene: Scene, sign: Sign) -> None:
    top, end = ((0.0, -1.1), (0.005, -0.36)) if scene.frontal else ((0.0, -1.1), (0.08, -0.4))
    _add_wire(scene, [top, ((top[0] + end[0]) / 2 + 0.01, -0.7), end], 0.024, sign)


def _central_line(scene: Scene, sign: Sign) -> None:
    if scene.frontal:
        points = [(sign.side * 0.6, -0.7), (sign.side * 0.2, -0.75), (-0.1, -0.45), (-0.09, 0.0 + 0.15 * sign.spots[2])]
    else:
        points = [(-0.3, -0.75), (-0.15, -0.6), (-0.12, -0.3), (-0.1, 0.05)]
    _add_wire(scene, points, 0.016, sign)


def _feeding_tube(scene: Scene, sign: Sign) -> None:
    points = (
        [(0.02, -1.1), (0.0, -0.2), (0.02, 0.3), (0.3, 0.75)]
        if scene.frontal
        else [(0.1, -1.1), (0.2, -0.2), (0.25, 0.3), (-0.1, 0.8)]
    )
    _add_wire(scene, points, 0.019, sign)


def _wires(scene: Scene, sign: Sign) -> None:
    for i in range(5):
        y = -0.42 + 0.17 * i
        x = 0.0 if scene.frontal else 0.01 - scene.body.lung_width * (0.62 + 0.05 * i)
        wide = 0.045 if scene.frontal else 0.014
        _add_wire(scene, [(x - wide, y), (x, y + 0.045), (x + wide, y)], 0.010, sign)


def _add_wire(scene: Scene, points: list[Point], width: float, sign: Sign) -> None:
    add_path(scene.thin, scene.fine, curve(points), width, 0.12 + 0.38 * sign.strength)
