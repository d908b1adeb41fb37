"""Counts, plurals, percentages and time spans as every text writes them: page, command line, report, error."""

#: Plurals that no rule gives.
_PLURALS = {"is": "are", "has": "have", "was": "were", "child": "children", "its": "their"}
_VOWELS = "aeiou"


def plural(noun: str) -> str:
    """Return the plural of the last word of a noun: "image" -> "images", "training query" -> "training queries"."""
    before, space, last = noun.rpartition(" ")
    return before + space + _PLURALS.get(last, _with_s(last))


def agreeing(n: float, one: str, many: str | None = None) -> str:
    """Return `one` for 1, else `many`, or else the plural of `one`: the word that a count asks for, without it."""
    return one if n == 1 else (plural(one) if many is None else many)


def counted(n: float, one: str, many: str | None = None) -> str:
    """Return a count with its noun: "1 patient", "1,200 images", "0 of them "0 runs".

    Args:
        n: a whole number.
        one: what is counted, as said of one, with a verb where the sentence has one: "run is".
        many: as said of several, where the plural of the last word is not it: "runs are".
    """
    return f"{int(n):,} {agreeing(n, one, many)}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage: 0.0312 -> "3.1 %"; with 0 digits "3 %"."""
    return f"{100 * share:.{digits}f} %"


def signed(difference: float) -> str:
    """Return a difference with its sign: 0.0123 -> "+0.012", -0.5 -> "−0.500"."""
    return with_minus(f"{difference:+.3f}")


def decimals(value: float, digits: int = 3) -> str:
    """Return a number that may be below 0: -0.5 -> "−0.500"; with 1 digit "−0.5"."""
    return with_minus(f"{value:.{digits}f}")


def with_minus(number: str) -> str:
    """Return a written number with the sign of a minus for the hyphen in front of it: "-1e-05" -> "−1e-05"."""
    return f"−{number[1:]}" if number.startswith("-") else number


def duration(seconds: float) -> str:
    """Return a time span: 200 -> "3 min 20 s", 4000 -> "1 h 6 min"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _with_s(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
