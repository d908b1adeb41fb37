"""The LaTeX of a pack compiles in a clean TeX: that of four models of the demo, two of them with a card.

    python benchmarks/pack_in_tex.py

needs `pdflatex`, as Debian's texlive-latex-recommended has it; the demo must be built.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cxr_core.pack.files import pack_files
from cxr_core.tasks.models import models
from cxr_core.tasks.pack_document import pack_document
from cxr_core.tasks.threshold_cards import choose_thresholds, parse_rule


def compiled(folder: Path) -> str:
    """Compile the tables of a pack, twice as longtable wants it, and return the log."""
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    for _ in range(2):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit("LaTeX stopped: " + "\n".join(re.findall(r"^!.*", done.stdout, re.MULTILINE)))
    return done.stdout


def main() -> None:
    """Make a pack of the demo and compile it."""
    if shutil.which("pdflatex") is None:
        sys.exit("There is no pdflatex. Install texlive-latex-recommended.")
    four = [entry.name for entry in models("demo") if entry.predictions][:4]
    cards = [f"in-tex-{place}" for place in (0, 1)]
    for card, model in zip(cards, four, strict=False):
        choose_thresholds("demo", model, parse_rule("sensitivity=0.9"), card=card, replace=True)
    files = pack_files(pack_document("demo", four, "test", cards=cards))
    with tempfile.TemporaryDirectory() as place:
        for name, content in files.items():
            (Path(place) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(place) / name).write_bytes(content)
        (pages,) = re.findall(r"Output written on tables\.pdf \((\d+) pages", compiled(Path(place)))
    print(f"The tables of {len(four)} models compile: {pages} pages.")


if __name__ == "__main__":
    main()
