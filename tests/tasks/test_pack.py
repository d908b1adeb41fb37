"""The pack of a paper: its figures are those of the commands, its lists are whole, and its document makes it again."""

import contextlib
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from itertools import product

import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source

from cxr_core.cli import main
from cxr_core.errors import ExistsError, UnknownNameError, UsageError
from cxr_core.pack.checklist import ASKED, FILLED, NOT_APPLICABLE, checklists
from cxr_core.pack.figures import lines_of
from cxr_core.pack.files import pack_files
from cxr_core.pack.gap_figure import gap_matrices
from cxr_core.pack.group_tables import SHARES
from cxr_core.tasks import report
from cxr_core.tasks.compare import compare
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.gaps import gaps
from cxr_core.tasks.import_groups import import_groups
from cxr_core.tasks.pack_document import pack_document
from cxr_core.tasks.threshold_cards import choose_thresholds, judged_at, parse_rule, read_card

#: The items of the lists as published: Tejani 2024, Collins 2024 and Sounderajah 2025.
NUMBERS = {
    "CLAIM 2024": [str(number) for number in range(1, 45)],
    "TRIPOD+AI": [
        "1",
        "2",
        "3a",
        "3b",
        "3c",
        "4",
        "5a",
        "5b",
        "6a",
        "6b",
        "6c",
        "7",
        "8a",
        "8b",
        "8c",
        "9a",
        "9b",
        "9c",
        "10",
        "11",
        "12a",
        "12b",
        "12c",
        "12d",
        "12e",
        "12f",
        "12g",
        "13",
        "14",
        "15",
        "16",
        "17",
        "18a",
        "18b",
        "18c",
        "18d",
        "18e",
        "18f",
        "19",
        "20a",
        "20b",
        "20c",
        "21",
        "22",
        "23a",
        "23b",
        "24",
        "25",
        "26",
        "27a",
        "27b",
        "27c",
    ],
    "STARD-AI": [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "10",
        "11",
        "12",
        "13",
        "14",
        "15a",
        "15b",
        "15c",
        "15d",
        "16a",
        "16b",
        "16c",
        "17a",
        "17b",
        "18",
        "19",
        "20",
        "21",
        "22",
        "23",
        "24",
        "25",
        "26a",
        "26b",
        "27",
        "28",
        "29",
        "30",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "38",
        "39",
        "40a",
        "40b",
    ],
}
MODELS = ("net", "other")


def write_models(workspace):
    frontal = of_view(write_source(workspace), "frontal")
    for seed, model in enumerate(MODELS):
        write_predictions(workspace, model, scores_for(frontal, seed, names=("edema", "fracture")))
    choose_thresholds(NAME, "net", parse_rule("sensitivity=0.8"), card="chosen", recalibrate="platt")
    return frontal


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A document of two models, one with a card, its files, and what the commands say of the same."""
    home = tmp_path_factory.mktemp("pack") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_HOME", str(home))
        write_models(home)
        document = pack_document(NAME, MODELS, "test", cards=["chosen"])
        said = {
            "evaluate": {model: evaluate(NAME, model, "test").as_json()["labels"] for model in MODELS},
            "compare": compare(NAME, *MODELS, "test").as_json()["labels"],
            "at": judged_at(read_card(NAME, "chosen"), NAME, "net", "test", None, "report"),
        }
    return document, pack_files(document), said


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def number(text):
    return float(text) if text else None


def test_the_tables_have_the_figures_of_the_commands_with_all_their_digits(made):
    _, files, said = made
    for row in rows(files["tables/discrimination.csv"]):
        one = said["evaluate"][row["Model"]][row["Label"].lower()]
        assert [number(row["AUC"]), number(row["AUC, low"])] == [one["roc_auc"], (one["roc_auc_ci"] or [None])[0]]
        assert number(row["AP"]) == one["average_precision"] and int(row["n"]) == one["n"]
    differences = rows(files["tables/differences.csv"])
    for row in differences:
        one = said["compare"][row["Label"].lower()]
        shown = [number(row[name]) for name in ("A minus B (corrected interval)", "p, corrected", "p")]
        assert shown == [one["difference"], one["p_corrected"], one["p"]]
    cuts = rows(files["tables/thresholds.csv"])
    assert [(row["Model"], row["Label"]) for row in cuts] == [("net", "Edema"), ("net", "Fracture")]
    point = said["at"]["edema"].point
    assert [int(cuts[0][name]) for name in ("TP", "FP", "FN", "TN")] == [point.tp, point.fp, point.fn, point.tn]
    assert {len(differences), len(said["compare"])} == {2}
    recalibrated = rows(files["tables/recalibration.csv"])[0]
    assert number(recalibrated["Slope, after"]) == said["at"]["edema"].recalibrated.after["slope"][0]


def test_every_item_of_the_three_lists_is_filled_asked_or_not_applicable(made):
    document, files, _ = made
    found = {one.name: one for one in checklists(document)}
    assert {name: [item.number for item in one.items] for name, one in found.items()} == NUMBERS
    states = [item.status for one in found.values() for item in one.items]
    assert set(states) == {FILLED, ASKED, NOT_APPLICABLE}
    assert all(bool(item.answer) == (item.status != ASKED) for one in found.values() for item in one.items)
    listed = [(row["list"], row["item"], row["state"]) for row in rows(files["checklists.csv"])]
    assert listed == [(name, item.number, item.status) for name, one in found.items() for item in one.items]
    assert re.findall(r'<td class="(?:filled|asked|not)">([\w ]+)</td>', files["index.html"].decode()) == states


def test_what_only_people_can_say_is_asked_of_them_and_nothing_is_asked_of_made_up_images(made):
    document = made[0]

    def state(document, name, item):
        found = {one.name: {each.number: each for each in one.items} for one in checklists(document)}
        return found[name][item].status

    for name, item in (("STARD-AI", "6"), ("CLAIM 2024", "11"), ("TRIPOD+AI", "17")):
        assert state(document, name, item) == ASKED
        assert state(document | {"synthetic": True}, name, item) == NOT_APPLICABLE
    assert state(document, "STARD-AI", "30") == ASKED, "one of the models has no card"
    assert state(document | {"models": document["models"][:1]}, "STARD-AI", "30") == FILLED


def test_the_figures_are_pictures_without_date_or_script(made):
    files = made[1]
    figures = {name.removesuffix(".svg") for name in files if name.endswith(".svg")}
    names = ("auc", "calibration", "decision", "difference-1", "flow", "precision-recall", "roc", "thresholds")
    assert figures == {f"figures/{name}" for name in names}
    for name in figures:
        root = ET.fromstring(files[f"{name}.svg"])
        assert root.tag.endswith("}svg") and not [one for one in root.iter() if one.tag.endswith("}script")]
        assert b"<dc:date>" not in files[f"{name}.svg"]
        pdf = files[f"{name}.pdf"]
        assert pdf.startswith(b"%PDF-") and b"CreationDate" not in pdf
    page = files["index.html"].decode()
    assert page.count("<img ") == len(figures) and "<script" not in page and "http://" not in page.split("<main>")[0]


def test_models_that_would_share_a_colour_are_told_apart():
    models = [
        {"name": name, "ensemble": False} for name in ("densenet_frontal_u0_0__w0_0", "densenet_lateral_u0_0__w0_0")
    ]
    lines = lines_of({"models": [*models, {"name": "both", "ensemble": True}]})
    assert len({line["color"] for line in lines.values()}) == 3


def test_the_methods_say_n_judge_seed_resamples_versions_and_correction(made):
    document, files, _ = made
    said = files["methods.txt"].decode()
    images = document["models"][0]["flow"][-1]["images"]
    seed, resamples = document["seed"], document["settings"]["resamples"]
    for words in (f"{images} images", "report", f"seed {seed}", f"{resamples:,}", "numpy", "Holm", "sensitivity=0.8"):
        assert words in said, words
    assert "chosen on valid" in said and "judged on test" in said


def test_groups_are_told_of_as_gaps_tells_them_by_sex_and_age_where_nobody_says_otherwise(workspace, undrawn, tmp_path):
    people = write_models(workspace)[["patient"]].drop_duplicates()
    people = people.assign(sex=["F", "M"] * (len(people) // 2) + ["F"] * (len(people) % 2))
    people.to_csv(tmp_path / "people.csv", index=False)
    import_groups(NAME, tmp_path / "people.csv")
    document = pack_document(NAME, ["net"], "test", cards=["chosen"])
    found = gaps(NAME, "net", ["sex"], "chosen", "test")
    assert document["models"][0]["gaps"] == json.loads(json.dumps(found.as_json()))
    files = pack_files(document)
    by_group = {(row["Label"], row["Group"]): row for row in rows(files["tables/gaps.csv"])}
    cell, row = found.matrix.labels["edema"]["F"].as_json(), by_group["Edema", "F"]
    assert number(row["Specificity"]) == cell["specificity"]
    assert number(row["Specificity gap"]) == cell["gap"]["specificity"]
    assert number(row["p, specificity"]) == cell["p_corrected"]["specificity"]
    area = {(row["Label"], row["Group"]): row for row in rows(files["tables/groups.csv"])}["Edema", "F"]
    assert number(area["AUC"]) == found.areas["edema"]["F"].roc_auc
    assert "figures/gaps-1.svg" in files and "by sex" in files["methods.txt"].decode()
    filled = {one.name: {each.number: each.status for each in one.items} for one in checklists(document)}
    assert filled["CLAIM 2024"]["30"] == FILLED
    without = pack_document(NAME, ["net"], "test")
    assert "tables/groups.csv" in (made := pack_files(without)) and "tables/gaps.csv" not in made
    with pytest.raises(UnknownNameError, match="column to split by"):
        pack_document(NAME, ["net"], "test", by=["colour"])


def test_the_matrix_of_gaps_is_drawn_with_a_star_where_the_corrected_p_is_small():
    def cell(value, p):
        return {"gap": dict.fromkeys(SHARES, value), "p_corrected": dict.fromkeys(SHARES, p)}

    row = {"F": cell(-0.212, 0.01), "M": cell(-0.001, 0.9), "?": cell(None, None)}
    figure = gap_matrices({"groups": list(row), "labels": {"edema": row}})
    for axis, share in zip(figure.axes, SHARES, strict=True):
        assert [one.get_text() for one in axis.texts] == ["−0.21*", "+0.00", "–"]
        assert axis.get_title(loc="left").startswith(share.capitalize())


def test_the_document_makes_the_same_pack_again_byte_for_byte(made, tmp_path):
    files = made[1]
    document = tmp_path / "pack.json"
    document.write_bytes(files["pack.json"])
    again = report.rewrite_report(str(document), str(tmp_path / "again"))
    assert {name: (tmp_path / "again" / name).read_bytes() for name in again.files} == files
    assert sorted(
        path.relative_to(tmp_path / "again").as_posix() for path in (tmp_path / "again").rglob("*.*")
    ) == list(files)
    assert again.remark == ""


def test_a_document_of_another_version_is_made_again_with_a_remark(made, undrawn, tmp_path):
    document = tmp_path / "pack.json"
    document.write_text(json.dumps(made[0] | {"made_by": "CXR Lab 0.0"}))
    assert "CXR Lab 0.0" in report.rewrite_report(str(document), str(tmp_path / "other")).remark


@pytest.fixture
def quick(monkeypatch):
    """Packs of two small files: what is looked at is how they come into their folder."""
    files = {"pack.json": b"{}", "figures/a.svg": b"<svg/>"}
    monkeypatch.setattr(report, "pack_document", lambda *given: {})
    monkeypatch.setattr(report, "pack_files", lambda document: files)
    return files


def test_a_pack_is_replaced_when_that_is_asked_for_and_nothing_else_ever_is(quick, tmp_path):
    folder = tmp_path / "pack"
    assert report.write_report(NAME, ["net"], str(folder)).files == tuple(quick)
    with pytest.raises(ExistsError, match="--replace"):
        report.write_report(NAME, ["net"], str(folder))
    quick["pack.json"] = b"[]"
    report.write_report(NAME, ["net"], str(folder), replace=True)
    assert (folder / "pack.json").read_bytes() == b"[]"
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(ExistsError, match=r"thesis\.txt"):
        report.write_report(NAME, ["net"], str(folder), replace=True)
    assert (folder / "thesis.txt").exists()
    with pytest.raises(ExistsError, match="no pack"):
        report.write_report(NAME, ["net"], str(tmp_path), replace=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExistsError, match="is a file"):
        report.write_report(NAME, ["net"], str(tmp_path / "file"), replace=True)
    with pytest.raises(UsageError, match="folder of this machine"):
        report.write_report(NAME, ["net"], "gs://bucket/pack")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pack"], "nothing is left beside them"


def test_a_disk_that_fills_up_leaves_the_former_pack(quick, tmp_path, monkeypatch):
    folder = tmp_path / "pack"
    report.write_report(NAME, ["net"], str(folder))

    def full(self, content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_bytes", full)
        with pytest.raises(Exception, match="disk is full"):
            report.write_report(NAME, ["net"], str(folder), replace=True)
    assert (folder / "pack.json").read_bytes() == b"{}"
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


@pytest.fixture
def undrawn(monkeypatch):
    """Packs whose figures are not drawn."""
    monkeypatch.setattr("cxr_core.pack.files.drawn", lambda make: {"svg": b"<svg/>", "pdf": b"%PDF-"})


def test_a_damaged_document_is_refused_in_a_sentence(made, undrawn):
    whole = made[0]
    for name in whole.keys() - {"pack", "view", "shared_patients", "synthetic", "seed", "specificity"}:
        with pytest.raises(UsageError, match="damaged"):
            pack_files({key: value for key, value in whole.items() if key != name})
    for name, value in product(whole, (None, 7, [1], [{}], {"a": 1}, "x")):
        with contextlib.suppress(UsageError):  # any other error would be a traceback
            pack_files(whole | {name: value})
    for part in whole["models"][0].keys() - {"view", "policy", "digest", "scale", "training", "ensemble"}:
        with pytest.raises(UsageError, match=r"damaged|model"):
            pack_files(whole | {"models": [whole["models"][0] | {part: 7}]})
    for other in (None, [], {}, {"pack": 2}):
        with pytest.raises(UsageError, match='"pack": 1'):
            pack_files(other)


def test_names_in_a_document_are_names_and_texts_are_shown_as_texts(made, undrawn):
    document = json.loads(json.dumps(made[0]))
    document["models"][0]["name"] = "../../etc/passwd"
    with pytest.raises(UsageError):
        pack_files(document)
    hostile = made[0] | {"source": "<script>alert(1)</script>", "commands": ["$(rm) & <b>"], "made_by": r"\input{x}"}
    files = pack_files(hostile)
    page = files["index.html"].decode()
    assert "<script>" not in page and "<b>" not in page
    assert r"\input{x}" not in files["tables.tex"].decode()


def test_the_command_writes_a_pack_and_refuses_in_one_line(workspace, tmp_path, capsys, quick):
    write_models(workspace)
    assert main(["report", "net", "--to", str(tmp_path / "out"), "--source", NAME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(tmp_path / "out"), "files": list(quick)}
    for arguments, words in (
        (["report", "--to", "x"], "Name the models"),
        (["report", "net", "--from", "a.json", "--to", "x"], "Name the models"),
        (["report", "--from", "missing.json", "--to", "x"], "is no file of this machine"),
        (["report", "net", "--to", str(tmp_path / "out")], "--replace"),
    ):
        assert main(arguments) == 2
        told = capsys.readouterr().err
        assert words in told and told.count("\n") == 1
    (tmp_path / "list.json").write_text("[[]]")
    assert main(["report", "--from", str(tmp_path / "list.json"), "--to", "x"]) == 2
    assert "no document of a pack" in capsys.readouterr().err


def test_models_and_cards_must_be_there_and_belong_together(workspace):
    write_models(workspace)
    with pytest.raises(UnknownNameError, match="nobody"):
        pack_document(NAME, ["nobody"])
    for models in ([], ["net", "net"]):
        with pytest.raises(UsageError, match="each model once"):
            pack_document(NAME, models)
    with pytest.raises(UsageError, match="chosen is of net"):
        pack_document(NAME, ["other"], cards=["chosen"])
