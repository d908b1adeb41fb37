"""What the documentation says is what was measured, what is there, and what the code defines."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from cxr_core.cli import COMMANDS, command_named
from cxr_core.commands.option_variables import options
from cxr_core.commands.parsing import Parser
from cxr_core.schema import LABELS, label_words
from dashboard.train.try_texts import RANKS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
WHERE = "cxr_core|dashboard|tests|benchmarks|docs"


@pytest.fixture(scope="module")
def reference():
    """`docs/make_reference.py`."""
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page):
    for place in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        file, _, heading = place.partition("#")
        assert not file.startswith("http"), f"{place}: the documentation stands by itself"
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), place
        if heading:
            assert heading in anchors(target), place


def anchors(page):
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_file_and_target_that_is_named_is_there(page):
    text, makefile = page.read_text(), (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:`|^)make ([a-z]+(?:-[a-z]+)*)", text, re.MULTILINE)):
        assert f"\n{target}:" in makefile, target
    for path in set(re.findall(rf"`((?:{WHERE})/[\w./-]*)`", text)):
        assert (ROOT / path).exists(), path


def test_every_page_is_reached_from_the_readme():
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", (ROOT / "README.md").read_text()))
    assert linked == {page.relative_to(ROOT).as_posix() for page in DOCS.glob("*.md")}


def test_the_tables_of_settings_and_commands_are_those_of_the_code(reference):
    for name, (mark, make) in reference.PARTS.items():
        page = (DOCS / name).read_text()
        assert reference.replaced(page, mark, make()) == page, "run: python docs/make_reference.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name):
    parser = Parser()
    command_named(name).declare(parser)
    section = (DOCS / "command-line.md").read_text().split(f"### `cxr {name}")[1].split("\n### ")[0]
    own = [option.option_strings[0] for option in options(parser) if option.dest not in ("source", "json")]
    assert [option for option in own if f"| `{option}" not in section] == []


def test_the_tables_of_policies_are_those_that_were_measured(monkeypatch):
    page = (DOCS / "measurements.md").read_text()
    result = json.loads((ROOT / "benchmarks/results/policies_against_truth.json").read_text())
    for label in LABELS:
        cells = [policy["labels"][label] for policy in result["policies"].values()]
        row = " | ".join(f"{one['mean']:.3f}" + (f" ± {one['sd']:.3f}" if one["n"] > 1 else "") for one in cells)
        assert f"| {label_words(label)} | {row} |" in page
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from policies_against_truth import page_part

    assert page_part(result) in page


def test_how_frozen_features_rank_policies_is_said_as_it_was_measured():
    result = json.loads((ROOT / "benchmarks/results/landscape_ranks.json").read_text())
    told, bound = result["frozen_features"], result["halves_of_the_seeds"]
    figures = [told["of_the_mean"], *told["of_the_mean_ci"], told["of_a_label"], *told["of_a_label_ci"]]
    said = [f"{figure:.2f}".replace("-", "−") for figure in (*figures, bound["of_the_mean"], bound["of_a_label"])]
    page = (DOCS / "measurements.md").read_text().split("## Do frozen features rank policies")[1].split("\n## ")[0]
    for text in (RANKS, page.replace("\n", " ")):
        assert re.findall(r"−?\d\.\d\d(?!\d)", text)[: len(said)] == said
        assert f"{len(result['policies'])} policies" in text
        assert f"{result['seeds']} whole trainings each" in text


def test_the_figures_of_the_shipped_models_are_those_of_their_tables(demo, cxr):
    kept = json.loads((ROOT / "benchmarks/results/demo_models.json").read_text())["roc_auc_valid"]
    page = (DOCS / "demo.md").read_text()
    for model, figures in kept.items():
        shown = json.loads(cxr("evaluate", model, "--json").stdout)["labels"]
        assert {label: shown[label]["roc_auc"] for label in LABELS} == pytest.approx(figures, abs=1e-4)
    for label in LABELS:
        assert f"| {label_words(label)} | {kept['densenet_frontal_u0_0__w0_0'][label]:.3f} |" in page
