"""Any text as LaTeX that compiles."""

_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"},
    **{"–": "--", "—": "---", "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "×": r"$\times$", "…": r"\ldots{}"},
    **{"·": r"$\cdot$", "“": "``", "”": "''", "’": "'", "\u00a0": "~", "\u202f": r"\,"},
}
#: Letters that every LaTeX knows.
_LATIN = range(0xC0, 0x100)


def escaped(text: str) -> str:
    """Return a text as LaTeX shows it; a sign that a plain LaTeX does not know is a question mark."""
    return "".join(_one(sign) for sign in " ".join(text.split()))


def _one(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    return sign if (sign.isascii() and sign.isprintable()) or ord(sign) in _LATIN else "?"
