"""Numbers as people read them: three digits, thousands, "3 min 20 s", "1.2 GB"."""

import math
import re
from collections.abc import Sequence
from datetime import datetime

from cxr_core import words

NOTHING = "–"

#: What would start a picture, a link, a formula, a directive or an emphasis; a colon or `_` only where it could.
_MARKUP = re.compile(r"[\\`*\[\]<>$~|#&]|:(?=\S)|(?<![^\W_])(?<!_)_+|(?<!_)_+(?![^\W_]|_)")
#: What would make a list or a rule of a text that begins with it.
_FIRST = re.compile(r"^(\d*)([-+.)])(?=\s|[-\s]*$)")
#: Where an address or a picture's name is parted: within `http://`, `:material/` and `:smile:`, before `@` and `www`.
_MADE_OVER = re.compile(
    r"(?<=http)(?=s?\\:)|(?<=www)(?=\.)|(?=@)"
    r"|(?<=material)(?=/)|(?<=\\:\w)(?=[\w+-]*:)|(?<=\\:[+-])(?=\d:)",
    re.IGNORECASE,
)
#: What Streamlit turns into other signs where it stands alone.
_ARROWS = ("--", "->", "<-", "<->", ">=", "<=", "~=")
#: A piece of nothing. Links and icons are made after the escapes are read, so only this keeps them apart.
_PART = ":small[]"


def count(value: float | None) -> str:
    """Return a count with thousands separators: 12345 -> "12,345"."""
    return NOTHING if value is None else f"{int(value):,}"


def three_digits(value: float | None) -> str:
    """Return a figure to three digits: 0.81249 -> "0.812", -0.5 -> "−0.500"."""
    return NOTHING if value is None or math.isnan(value) else words.decimals(value)


def with_interval(value: float | None, interval: Sequence[float | None] | None) -> str:
    """Return a figure with its interval: "0.812 (0.78–0.84)", or without where there is none."""
    if value is None or interval is None or any(bound is None for bound in interval):
        return three_digits(value)
    return f"{three_digits(value)} ({between(*interval)})"


def between(low: float | None, high: float | None) -> str:
    """Return an interval: "0.78–0.84"; where it begins below 0 a dash would read as a minus: "−0.100 to 0.200"."""
    return f"{three_digits(low)}{' to ' if low is not None and low < 0 else '–'}{three_digits(high)}"


def signed(value: float | None) -> str:
    """Return a difference with its sign: 0.0123 -> "+0.012"."""
    return NOTHING if value is None or math.isnan(value) else words.signed(value)


def p_value(value: float | None) -> str:
    """Return a p-value: 0.0004 -> "< 0.001"."""
    if value is None or math.isnan(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def percent(value: float | None) -> str:
    """Return a share: 0.0312 -> "3.1 %"."""
    return NOTHING if value is None or math.isnan(value) else words.percent(value)


def duration(seconds: float | None) -> str:
    """Return a duration: 200 -> "3 min 20 s"."""
    return NOTHING if seconds is None or math.isnan(seconds) else words.duration(seconds)


def clock(seconds: float) -> str:
    """Return a moment (seconds since 1970) as this machine's time of day, with the date when it was not today."""
    moment = datetime.fromtimestamp(seconds)
    return moment.strftime("%H:%M" if moment.date() == datetime.now().date() else "%Y-%m-%d %H:%M")


def size(n_bytes: float | None) -> str:
    """Return an amount of data: 1_200_000_000 -> "1.2 GB"."""
    if n_bytes is None:
        return NOTHING
    value, units = float(n_bytes), ["bytes", "kB", "MB", "GB", "TB"]
    while round(value, 1) >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} bytes" if units[0] == "bytes" else f"{value:.1f} {units[0]}"


def plain(text: object) -> str:
    """Return what people, programs and files say such that Markdown shows it as it is, on one line.

    Streamlit reads nearly every text as Markdown: an error that quotes a cell `![i](http://…)` would make the browser
    fetch from a foreign host. Everything that is shown and is not ours goes through here: errors, names, cells, notes.
    """
    words = [_PART.join(map(_escaped, word)) if word in _ARROWS else _escaped(word) for word in str(text).split()]
    return _FIRST.sub(r"\1\\\2", " ".join(words))


def _escaped(word: str) -> str:
    escaped = _MARKUP.sub(lambda found: "".join(f"\\{sign}" for sign in found[0]), word)
    return _MADE_OVER.sub(_PART, escaped)
