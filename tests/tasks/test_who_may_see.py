"""A source that somebody may not see is not there for him: every task, run, place and line of the journal is walked."""

import importlib
import inspect
import pkgutil
import shutil
from pathlib import Path

import pytest
from small_demo import MODELS

from cxr_core import tasks
from cxr_core.caller import ADMIN, RESEARCHER, Caller, acting_for
from cxr_core.errors import CxrError, SettingsError, UnknownNameError, UsageError
from cxr_core.file_patterns import files_matching
from cxr_core.journal import note_deed
from cxr_core.runs import service
from cxr_core.settings import who_may_see
from cxr_core.sight import may_see
from cxr_core.sources.registry import get_source, sight_of_nothing, source_names
from cxr_core.tasks.allowed_places import check_input, check_output, page_limits, readable_places
from cxr_core.tasks.images import ImageQuery, images
from cxr_core.tasks.import_labels import ImportChoices
from cxr_core.tasks.journal_table import found_deeds
from cxr_core.tasks.reading import Desk, Given, said, store
from cxr_core.tasks.sources import source_reports
from cxr_core.tasks.threshold_rules import Rule
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import uniform_policy

SECRET, NOTHING = "secret", "nowhere"
FRIEND = Caller("bo@lab.example", ADMIN, frozenset({"bo@lab.example", "@lab.example"}))
STRANGER = Caller("eve@else.example", ADMIN, frozenset({"eve@else.example", "@else.example", "group:students"}))


@pytest.fixture
def shared(own_small_demo, monkeypatch):
    """The demo for everybody, and the same source once more for a few."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    sources = own_small_demo / "sources"
    shutil.copytree(sources / "demo", sources / SECRET)
    table = f'[who_may_see]\n{SECRET} = ["Bo@lab.example", "group:Board"]\n{NOTHING} = ["bo@lab.example"]\n'
    Path("cxr.toml").write_text(table)
    return own_small_demo


#: What tasks are asked with, by the names of their parameters.
GIVEN = {
    **{"model": MODELS[0], "a": MODELS[0], "b": MODELS[1], "models": MODELS[:2], "members": MODELS[:2]},
    **{"baseline": MODELS[1], "label": "edema", "dataset": "valid", "view": None, "judge": "report", "unit": "images"},
    **{
        "judges": ("report", "truth"),
        "judged_by": ("report",),
        "text": "estimated:x",
        "value": "positive",
        "set_name": "readers",
    },
    **{"method": "max", "by": "patient", "name": "mix", "specificity": 0.9, "us": [0.5], "ws": [0.5], "repeat": 2},
    **{"options": TrainOptions(architecture="densenet-small", image_size=96), "policy": uniform_policy(0.5, 0.5)},
    **{"files": [], "file": Path("x.csv"), "choices": ImportChoices(), "place": "images", "rule": Rule("youden")},
    **{
        "reader": "Ada",
        "to": "out.png",
        "path": "x.jpg",
        "pixels": 10,
        "jpg": b"",
        "shares": (1, 0, 0),
        "commands": [],
    },
    **{"anew": False, "tell": lambda *told: None, "card": "card", "card_name": "card", "choice": None, "joined": None},
    **{"where": ("valid", None, "report"), "scale": "logit", "on": "valid", "rows": None, "replace": False},
    **{"frame": None, "image": None, "folder": Path("x"), "kept": None, "columns": [], "warehouse": None},
    **{"form": "saved-model"},
}


def each_task():
    for module in pkgutil.iter_modules(tasks.__path__, f"{tasks.__name__}."):
        for name, task in vars(importlib.import_module(module.name)).items():
            parameters = inspect.signature(task).parameters if inspect.isfunction(task) else {}
            own = next((one for one in ("source_name", "source") if one in parameters), None)
            if (
                own
                and task.__module__ == module.name
                and not name.startswith("_")
                and parameters[own].annotation is str
            ):
                yield pytest.param(task, own, id=f"{module.name.rpartition('.')[2]}.{name}")


TASKS = list(each_task())


def outcome(who, task, own, source):
    """What comes of a task in words, the name of the source left out."""
    needed = {
        name: GIVEN[name]
        for name, one in inspect.signature(task).parameters.items()
        if one.default is inspect.Parameter.empty and name != own
    }
    if task.__name__ in ("columns_of_pack", "gaps", "gaps_at", "group_masks"):
        needed["by"] = ["sex"]
    if task.__name__ == "export_model":
        needed["to"] = "out.zip"
    with acting_for(who):
        try:
            found = repr(task(**needed | {own: source}))
        except (CxrError, AttributeError, TypeError) as error:
            found = f"{type(error).__name__}: {error}"
    return found.replace(source, "SOURCE")


#: Tasks that are handed what they work on, or name no source to whoever asks.
SAYS_NOTHING = {
    *("image_record.why_no_record", "pack_groups.columns_of_pack"),
    *(
        "import_labels.write_label_rows",
        "meaning.chosen_set",
        "card_choice.chosen_card",
        "card_choice.judged_on",
        "card_choice.other_sources",
        "gaps.gaps_at",
    ),
    *("image_pictures.listed_film", "import_preview.offered_mapping", "pack_groups.groups_of_pack"),
    *("policy_search.latest_search", "slices.slices_at", "threshold_cards.judged_at", "threshold_cards.rows_for_card"),
    "places.place_reports",
}
NOT_THERE = (
    "UnknownNameError: Unknown source 'SOURCE'. Choose one of: demo.",
    "UsageError: Unknown source 'SOURCE'. A source begins with its labels",
    "UsageError: eve@else.example may not see a source of the name SOURCE. Choose another name.",
)


@pytest.mark.parametrize(("task", "own"), TASKS)
def test_to_a_stranger_a_source_is_as_one_that_is_not_there(shared, task, own, request):
    before = sorted(shared.rglob("*"))
    hidden = outcome(STRANGER, task, own, SECRET)
    assert hidden == outcome(STRANGER, task, own, NOTHING)
    assert sorted(shared.rglob("*")) == before
    assert hidden.startswith(NOT_THERE) or request.node.callspec.id in SAYS_NOTHING


@pytest.mark.parametrize("name", ["judging.joined_predictions", "distribution.distribution", "models.models"])
def test_to_others_it_is_there(shared, name):
    ((task, own),) = (one.values for one in TASKS if one.id == name)
    assert outcome(FRIEND, task, own, SECRET) == outcome(FRIEND, task, own, "demo")


def test_the_walk_meets_the_tasks_that_pages_ask():
    walked = {one.id for one in TASKS}
    assert len(walked) > 80
    assert {"evaluate.evaluate", "image_pictures.thumbnail", "train.start_training", "state.source_state"} <= walked


def test_images_and_readings_are_not_there_either(shared):
    desk = Desk(SECRET, "readers", "Ada", "edema")
    for asked in (lambda: images(ImageQuery(SECRET)), lambda: said(desk), lambda: store(desk, None, Given(None))):
        with acting_for(STRANGER), pytest.raises((UnknownNameError, AttributeError)) as raised:
            asked()
        assert SECRET not in str(raised.value).partition("Choose")[2]
    with acting_for(FRIEND):
        assert images(ImageQuery(SECRET)).listed


def test_lists_name_what_one_may_see(shared):
    with acting_for(STRANGER):
        assert source_names() == ["demo"]
        assert [report.source for report in source_reports()] == ["demo"]
    with acting_for(FRIEND):
        assert source_names() == ["demo", SECRET]
    assert source_names() == ["demo", SECRET], "the user of the system sees what lies there"


def test_a_run_is_seen_by_those_who_see_its_source(shared):
    with acting_for(FRIEND):
        run = service.submit("train", "hidden-model", SECRET, {"secret": 1}).run
        (service.folder_of(run) / "log.txt").write_text("of a patient")
        own = service.submit("predict", "open", "demo", {}).run
    with acting_for(STRANGER):
        assert [one.run for one in service.list_runs()] == [own]
        assert service.list_runs(text="hidden") == [] == service.children(run)
        for ask in (
            service.get,
            *(service.log_tail, service.folder_of, service.read_metrics, service.metric_columns),
            *(service.cancel, service.resume, service.delete, lambda one: service.set_notes(one, "x")),
        ):
            with pytest.raises(UnknownNameError, match=f"Unknown run '{run}'. Choose one of: {own}."):
                ask(run)
        with pytest.raises(UsageError, match="may not see a source of the name secret"):
            service.submit("train", "m", SECRET, {})
        with pytest.raises(UnknownNameError):
            service.submit("train", "m", "demo", {}, parent=run)
    with acting_for(FRIEND):
        assert [one.run for one in service.list_runs()] == [own, run]
        assert service.log_tail(run) == "of a patient"


def test_the_journal_tells_nothing_of_it(shared):
    with acting_for(FRIEND):
        note_deed("labels imported", source=SECRET, rows=3)
        note_deed("labels imported", source="demo", rows=3)
        note_deed("backup written", file="x.tar")
    with acting_for(STRANGER):
        assert [deed.about for deed in found_deeds()] == [{"source": "demo", "rows": 3}, {"file": "x.tar"}]
    with acting_for(FRIEND):
        assert len(found_deeds()) == 3


@pytest.fixture
def places(shared, tmp_path, monkeypatch):
    """Besides, a hidden source with places of its own that lie in a folder which pages may read."""
    monkeypatch.delenv("CXR_INPUT_FOLDERS", raising=False)
    for folder in ("given/far/records", "given/near"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "given/far/records/a.tfrecord").touch()
    (tmp_path / "given/near/a.tfrecord").touch()
    (tmp_path / "given/near/link").symlink_to(tmp_path / "given/far/records")
    (tmp_path / "given/near/linked.tfrecord").symlink_to(tmp_path / "given/far/records/a.tfrecord")
    with acting_for(FRIEND):
        run = service.submit("train", "m", SECRET, {}).run
    (tmp_path / "cxr.toml").write_text(
        f'[settings]\ninput_folders = "{tmp_path}/given:gs://bucket"\n[who_may_see]\n"*" = []\ndemo = ["*"]\n'
        f'{SECRET} = ["bo@lab.example"]\nfar = ["bo@lab.example"]\n[sources.far]\nkind = "local"\n'
        f'records = "{tmp_path}/given/far/records/*"\nmodels = "gs://bucket/far/{{model}}.h5"\n'
    )
    return {
        f"{shared}/sources/{SECRET}/models/m.h5",
        f"{shared}/sources/{SECRET}",
        f"{shared}/sources/{SECRET}/records/{{dataset}}/*",
        f"{shared}/runs/{run}/checkpoints/best.h5",
        f"{tmp_path}/given/far/records/*",
        f"{tmp_path}/given/near/link/a.tfrecord",
        f"{tmp_path}/given/near/linked.tfrecord",
        "gs://bucket/far/m.h5",
    }


def test_its_places_can_be_neither_read_nor_written(places, shared, tmp_path):
    own = {
        str(shared / name) for name in ("login.key", "journal.jsonl", "cache/gs/x", "runs.sqlite", "uploads/a/b.csv")
    }
    for place in sorted(places | own | {str(shared), str(shared / "sources")}):
        with acting_for(STRANGER), pytest.raises(UsageError, match="must lie in one of"):
            check_input("file", place)
    for place in sorted(place for place in places if "*" not in place):
        with acting_for(STRANGER), pytest.raises(UsageError, match="must lie in one of"):
            check_output("folder", place)
    with acting_for(STRANGER):
        assert not any("far" in place or SECRET in place for place in readable_places())
        check_input("file", f"{shared}/sources/demo/records/train/*")
        check_input("file", f"{tmp_path}/given/near/a.tfrecord")
        check_input("file", "gs://bucket/other/m.h5")
    with acting_for(FRIEND):
        for place in places:
            check_input("file", place)


def test_a_pattern_finds_nothing_there(places, shared, tmp_path):
    patterns = [f"{shared}/s*/**/*.parquet", f"{tmp_path}/given/**"]
    with acting_for(STRANGER):
        found = [file for pattern in patterns for file in files_matching(pattern, page_limits())]
    assert found and {Path(file).name for file in found} >= {"labels_valid.parquet", "a.tfrecord"}
    assert not [file for file in found if SECRET in file or "far" in file or "link" in file]
    with acting_for(FRIEND):
        assert any(SECRET in file for file in files_matching(patterns[0], page_limits()))


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        ({"bo@lab.example"}, True),
        ({"eve@lab.example", "@lab.example"}, False),
        ({"eve@else.example", "group:board"}, True),
        ({"board"}, False),
        (set(), False),
    ],
)
def test_a_person_is_known_by_name_domain_or_group(shared, names, seen):
    with acting_for(Caller("x", RESEARCHER, frozenset(names))):
        assert may_see(SECRET) is seen
        assert may_see("demo"), "the table does not name it"


def test_the_line_for_all_others_closes_what_is_not_named():
    Path("cxr.toml").write_text('[who_may_see]\n"*" = ["group:staff"]\ndemo = ["*"]\n')
    with acting_for(STRANGER):
        assert may_see("demo") and not may_see("new")
        with pytest.raises(UnknownNameError):
            get_source("new")
    with acting_for(Caller("x", RESEARCHER, frozenset({"group:staff"}))):
        assert may_see("new")


@pytest.mark.parametrize("said", ['"bo"', "3", "[1]", '[""]', '["a", [2]]'])
def test_a_line_that_is_no_list_of_names_is_refused(said):
    Path("cxr.toml").write_text(f"[who_may_see]\nmine = {said}\n")
    with pytest.raises(SettingsError, match=r"\[who_may_see\] mine must be a list of names"):
        who_may_see()


def test_a_name_of_no_source_is_told_when_the_server_starts(shared):
    assert sight_of_nothing().endswith(f"[who_may_see] names {NOTHING}, and there is no such source.")
