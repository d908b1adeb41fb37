"""How different two colours look: the distance in CIELAB (CIE 1976); from 25 on nobody takes one for the other."""

Lab = tuple[float, float, float]

#: The white of a screen (D65), by which X, Y and Z are divided.
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))


def color_difference(first: str, second: str) -> float:
    """Return the distance of two colours `#RRGGBB`, 0 for one and the same."""
    return float(sum((a - b) ** 2 for a, b in zip(_lab(first), _lab(second), strict=True)) ** 0.5)


def _lab(color: str) -> Lab:
    channels = [_linear(int(color[place : place + 2], 16) / 255) for place in (1, 3, 5)]
    x, y, z = (
        _curved(sum(weight * channel for weight, channel in zip(weights, channels, strict=True)) / white)
        for weights, white in zip(_TO_XYZ, _WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _linear(channel: float) -> float:
    """Return the light of a channel of sRGB."""
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _curved(value: float) -> float:
    return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116
