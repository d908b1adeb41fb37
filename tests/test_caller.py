"""Who acts, and what each role may: asked where the engine acts, whichever face asks."""

import pytest

from cxr_core.caller import ADMIN, RESEARCHER, VIEWER, Caller, acting_for, require
from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.store import RunStore
from cxr_core.tasks.build_demo import start_demo
from cxr_core.tasks.ensemble import build_ensemble
from cxr_core.tasks.import_groups import import_groups
from cxr_core.tasks.import_images import start_image_import
from cxr_core.tasks.import_labels import ImportChoices, import_labels
from cxr_core.tasks.import_predictions import import_predictions
from cxr_core.tasks.import_readings import import_readings
from cxr_core.tasks.import_table import answer_import, start_labels_import
from cxr_core.tasks.journal_table import found_deeds
from cxr_core.tasks.reading import forget_reader, store
from cxr_core.tasks.sources import keep_null_rule
from cxr_core.tasks.split import split_source
from cxr_core.tasks.threshold_cards import choose_thresholds

FILE = [("x.csv", b"path\n")]


@pytest.mark.parametrize("role", [VIEWER, RESEARCHER, ADMIN])
@pytest.mark.parametrize("needed", [VIEWER, RESEARCHER, ADMIN])
def test_each_role_may_what_those_before_it_may(role, needed):
    order = [VIEWER, RESEARCHER, ADMIN]
    with acting_for(Caller("ada", role)):
        if order.index(role) >= order.index(needed):
            require(needed, "do this")
        else:
            with pytest.raises(UsageError, match=f"may do this. ada is a {role} here"):
                require(needed, "do this")


FOR_RESEARCHERS = {
    "train": lambda: service.submit("train", "m", "demo", {}),
    "note": lambda: service.set_notes(submitted("bo"), "x"),
    "tag": lambda: service.set_tags(submitted("bo"), ["x"]),
    "combine": lambda: build_ensemble("demo", ["a", "b"], "max", "image", "c"),
    "read": lambda: store(None, None, None),
    "forget": lambda: forget_reader(None),
    "thresholds": lambda: choose_thresholds("demo", "m", None),
}
FOR_ADMINS = {
    "demo": start_demo,
    "labels": lambda: import_labels("mine", [], None),
    "predictions": lambda: import_predictions("mine", None, "m"),
    "readings": lambda: import_readings("mine", []),
    "groups": lambda: import_groups("mine", None),
    "images": lambda: start_image_import("mine", "."),
    "labels from a page": lambda: start_labels_import("mine", FILE, ImportChoices()),
    "an answer": lambda: answer_import("20260101-000000-00000a", 0),
    "split": lambda: split_source("mine", "patient", [1, 0, 0]),
    "null": lambda: keep_null_rule("mine", "unknown"),
    "cancel": lambda: service.cancel(submitted("bo")),
    "resume": lambda: service.resume(submitted("bo")),
    "delete": lambda: service.delete(submitted("bo")),
    "journal": found_deeds,
}


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)


def submitted(user):
    with acting_for(user):
        return service.submit("train", "m", "demo", {}, resumable=True).run


@pytest.mark.parametrize("deed", FOR_RESEARCHERS.values(), ids=FOR_RESEARCHERS)
def test_a_viewer_only_looks(workspace, deed):
    with acting_for(Caller("ada", VIEWER)), pytest.raises(UsageError, match="Only a researcher may .* ada is a viewer"):
        deed()


@pytest.mark.parametrize("role", [VIEWER, RESEARCHER])
@pytest.mark.parametrize("deed", FOR_ADMINS.values(), ids=FOR_ADMINS)
def test_only_an_admin_imports_and_acts_on_runs_of_others(workspace, deed, role):
    with acting_for(Caller("ada", role)), pytest.raises(UsageError, match=f"Only an admin may .* ada is a {role}"):
        deed()
    assert not (workspace / "sources").exists()


def test_a_researcher_acts_on_his_own_runs(workspace):
    with acting_for(Caller("ada", RESEARCHER)):
        run = service.submit("train", "m", "demo", {}, resumable=True).run
        service.cancel(run)
        assert service.resume(run).status == "queued"
        RunStore(workspace).end(run, "failed", None, service.get(run).supervisor)
        service.delete(run)
    assert service.list_runs() == []


def test_an_admin_acts_on_runs_of_others(workspace):
    run = submitted("bo")
    with acting_for(Caller("ada", ADMIN)):
        service.cancel(run)
    assert service.get(run).status == "cancelled"
