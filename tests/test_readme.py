"""What the README says is what was measured, and what is there."""

import json
import re
from pathlib import Path

import pytest

from cxr_core.schema import LABELS, label_words

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_tables_of_policies_are_those_that_were_measured(monkeypatch):
    result = json.loads((ROOT / "benchmarks/results/policies_against_truth.json").read_text())
    for label in LABELS:
        cells = [policy["labels"][label] for policy in result["policies"].values()]
        row = " | ".join(f"{cell['mean']:.3f} ± {cell['sd']:.3f}" for cell in cells)
        assert f"| {label_words(label)} | {row} |" in README
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from policies_against_truth import readme_part

    assert readme_part(result) in README


def test_the_figures_of_the_shipped_models_are_those_of_their_tables(demo, cxr):
    kept = json.loads((ROOT / "benchmarks/results/demo_models.json").read_text())["roc_auc_valid"]
    for model, figures in kept.items():
        shown = json.loads(cxr("evaluate", model, "--json").stdout)["labels"]
        assert {label: shown[label]["roc_auc"] for label in LABELS} == pytest.approx(figures, abs=1e-4)
    for label in LABELS:
        assert f"| {label_words(label)} | {kept['densenet_frontal_u0_0__w0_0'][label]:.3f} |" in README


def test_every_file_and_command_that_the_readme_names_is_there():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z]+)", README)):
        assert f"\n{target}:" in makefile
    for path in set(re.findall(r"`((?:cxr_core|dashboard|tests|benchmarks)/[\w./]*)`", README)):
        assert (ROOT / path).exists(), path
    for image in re.findall(r"\]\((docs/[^)]+)\)", README):
        assert (ROOT / image).exists(), image
