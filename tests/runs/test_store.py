import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from cxr_core.errors import RunError, UnknownNameError
from cxr_core.runs import database
from cxr_core.runs.identity import Standing, own_identity, standing_of
from cxr_core.runs.lanes import Need
from cxr_core.runs.new_run import new_run_id
from cxr_core.runs.reconcile import silence
from cxr_core.runs.run import Run
from cxr_core.runs.store import RunStore


@pytest.fixture
def store(workspace):
    return RunStore(workspace)


def queued(store, device="cpu", devices=None, **values):
    run = Run(
        run=new_run_id(),
        kind=values.pop("kind", "train"),
        name=values.pop("name", "m"),
        source="demo",
        created=values.pop("created", time.time()),
        heartbeat=time.time(),
        user=values.pop("user", "u"),
        host="h",
        config={"u": 0.4},
        supervisor=values.pop("supervisor", own_identity()),
        device=device,
        need=device and Need(devices or (device,), together=device == "multi-gpu"),
        **values,
    )
    store.insert(run)
    return run.run


def on_gpus(store, *devices):
    """Queue a run that may have any of these devices."""
    return queued(store, "gpu", devices)


def requeue(store, run):
    return store.requeue(replace(store.get(run), need=Need(("cpu",))), "h2", own_identity())


def test_reading_an_empty_workspace_creates_nothing(store, workspace):
    assert store.newest_first() == []
    assert not workspace.exists()


def test_an_id_is_date_time_and_six_hexadecimal_digits_and_differs_each_time():
    ids = {new_run_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", one) for one in ids)


def test_a_run_comes_back_as_it_was_stored(store):
    run = store.get(queued(store))
    assert (run.status, run.config, run.supervisor) == ("queued", {"u": 0.4}, own_identity())
    document = json.loads(json.dumps(run.as_json(), allow_nan=False))
    contract = {"run", "kind", "name", "status", "reason", "step", "steps", "epoch", "loss", "val_loss", "val_auc"}
    assert contract | {"source", "device", "created", "started", "ended", "message", "eta_seconds", "config"} <= set(
        document
    )


def test_processes_that_make_the_store_at_once_all_have_it(tmp_path):
    """Of two that turn a new file to the write-ahead log at once SQLite refuses one, without waiting."""
    with ThreadPoolExecutor(4) as pool:
        for number in range(100):
            path, together = tmp_path / f"{number}.sqlite", threading.Barrier(4)

            def opened(_, path=path, together=together):
                together.wait()
                database.connected(path).close()

            assert list(pool.map(opened, range(4))) == [None] * 4


def test_an_unknown_run_is_refused(store):
    with pytest.raises(UnknownNameError, match="Unknown run 'x'"):
        store.get("x")


def test_runs_of_one_device_start_one_after_the_other_in_the_order_of_the_queue(store):
    first, second, third = queued(store), queued(store), queued(store)
    assert not store.start(second)
    assert store.start(first)
    assert not store.start(second)
    store.end(first, "completed", None, own_identity())
    assert not store.start(third)
    assert store.start(second)


def test_runs_of_different_devices_and_light_runs_do_not_wait(store):
    assert store.start(queued(store, "cpu")) == ("cpu",)
    assert store.start(on_gpus(store, "gpu:0")) == ("gpu:0",)
    assert store.start(on_gpus(store, "gpu:1")) == ("gpu:1",)
    assert store.start(queued(store, None)) == ()
    assert store.start(queued(store, None)) == ()


def test_a_run_that_may_choose_takes_a_free_device_and_else_the_first_that_gets_free(store):
    both = ("gpu:0", "gpu:1")
    first, second, third = on_gpus(store, *both), on_gpus(store, *both), on_gpus(store, *both)
    assert (store.start(first), store.start(second), store.start(third)) == (("gpu:0",), ("gpu:1",), None)
    assert (store.get(second).devices, store.get(third).devices) == (("gpu:1",), ())
    store.end(second, "completed", None, own_identity())
    assert store.start(third) == ("gpu:1",)


def test_a_run_on_a_chosen_device_waits_for_that_one_though_another_is_free(store):
    first, second = on_gpus(store, "gpu:1"), on_gpus(store, "gpu:1")
    free = on_gpus(store, "gpu:0", "gpu:1")
    assert (store.start(first), store.start(second), store.start(free)) == (("gpu:1",), None, ("gpu:0",))


def test_all_gpus_are_given_at_once_and_kept_for_the_run_that_waits_for_them(store):
    both = ("gpu:0", "gpu:1")
    single, several, behind = on_gpus(store, "gpu:0"), queued(store, "multi-gpu", both), on_gpus(store, *both)
    assert (store.start(single), store.start(several), store.start(behind)) == (("gpu:0",), None, None)
    turn = store.turn(several)
    assert (turn.queued, turn.running, [run.run for run in turn.watched]) == (0, 1, [single])
    store.end(single, "completed", None, own_identity())
    assert (store.start(behind), store.start(several), store.start(behind)) == (None, both, None)


def test_a_run_looks_after_whoever_holds_each_of_its_devices(store):
    """Behind a run that waits for one device, nobody else looks after the run on the other."""
    on_first, on_second = on_gpus(store, "gpu:0"), on_gpus(store, "gpu:1")
    assert (store.start(on_first), store.start(on_second)) == (("gpu:0",), ("gpu:1",))
    waiting = on_gpus(store, "gpu:0")
    turn = store.turn(on_gpus(store, "gpu:0", "gpu:1"))
    assert [run.run for run in turn.watched] == [waiting, on_second]


def test_machines_that_share_a_workspace_do_not_wait_for_each_other_but_containers_of_one_do(store):
    here = own_identity()
    elsewhere = replace(here, machine="other", boot="other")
    assert store.start(queued(store))
    assert store.start(queued(store, supervisor=elsewhere))
    assert not store.start(queued(store, supervisor=replace(here, space="pid:[1]", machine="image")))
    unbooted = replace(here, machine="third", boot="")  # where there is no boot ID
    assert store.start(queued(store, supervisor=unbooted))
    assert not store.start(queued(store, supervisor=replace(unbooted, pid=1)))


def test_as_many_runs_of_a_device_as_told_run_at_once_and_the_first_come_first(store):
    first, second, third, fourth = (queued(store) for _ in range(4))
    assert not store.start(second, together=2)
    assert store.start(first, together=2)
    assert store.start(second, together=2)
    assert not store.start(third, together=2)
    assert store.turn(third, together=2).watched == (store.get(second), store.get(first))
    assert store.turn(fourth, together=2) == (1, 2, (store.get(third),), None)
    store.end(first, "completed", None, own_identity())
    assert not store.start(fourth, together=2)
    assert store.start(third, together=2)


def test_only_one_of_many_simultaneous_starts_wins(store):
    runs = [queued(store) for _ in range(4)]
    results = []
    threads = [threading.Thread(target=lambda r=run: results.append(store.start(r))) for run in runs for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(None) == 15
    assert results.count(("cpu",)) == 1
    assert [store.get(run).status for run in runs] == ["running", "queued", "queued", "queued"]


def test_a_queued_run_is_cancelled_at_once_and_a_running_one_is_asked(store):
    first, second = queued(store), queued(store)
    store.start(first)
    store.request_cancel(first, "by the user")
    store.request_cancel(second, "by the user")
    assert (store.get(first).status, store.get(first).cancel_requested) == ("running", True)
    assert (store.get(second).status, store.get(second).reason) == ("cancelled", "by the user")
    assert not store.start(second)


def test_only_its_own_supervisor_ends_a_run(store):
    run = queued(store)
    other = replace(own_identity(), pid=1)
    assert not store.end(run, "failed", "no", other)
    assert store.end(run, "failed", "yes", own_identity())
    assert not store.end(run, "completed", None, own_identity())
    assert store.get(run).reason == "yes"


def test_a_resumed_run_goes_to_the_end_of_the_queue_and_forgets_its_reason(store):
    first, second = queued(store), queued(store)
    store.end(first, "failed", "broken", own_identity())
    assert requeue(store, first)
    assert not requeue(store, first)
    assert (store.get(first).reason, store.get(first).host) == (None, "h2")
    assert not store.start(first)
    assert store.start(second)


def test_a_resumed_run_forgets_that_it_was_asked_to_stop(store):
    run = queued(store)
    store.start(run)
    store.request_cancel(run, "by the user")
    store.end(run, "cancelled", "by the user", own_identity())
    assert requeue(store, run)
    assert store.get(run).cancel_requested is False


def test_a_leg_that_never_started_adds_no_time(store):
    run = queued(store)
    store.request_cancel(run, "by the user")
    assert requeue(store, run)
    assert store.get(run).seconds_worked(time.time()) is None


def test_an_active_run_is_not_deleted(store):
    run = queued(store)
    assert not store.delete(run)
    store.end(run, "cancelled", None, own_identity())
    assert store.delete(run)
    assert store.newest_first() == []


def test_the_parts_of_a_deleted_run_become_runs_of_their_own(store):
    parent = queued(store, None)
    part = queued(store, None, parent=parent)
    assert not store.delete(parent)
    assert store.get(part).parent == parent
    store.end(parent, "failed", None, own_identity())
    assert store.delete(parent)
    assert [run.run for run in store.newest_first(parent="")] == [part]


def test_progress_of_an_ended_run_is_dropped(store):
    run = queued(store)
    store.end(run, "failed", None, own_identity())
    store.progress(run, {"step": 5})
    assert store.get(run).step is None


def test_an_ended_run_gives_no_sign_of_life(workspace):
    now = [1000.0]
    store = RunStore(workspace, clock=lambda: now[0])
    run = queued(store)
    store.start(run)
    store.end(run, "completed", None, own_identity())
    before = store.get(run).heartbeat
    now[0] += 60
    store.beat(run)
    assert store.get(run).heartbeat == before


def test_runs_are_found_by_kind_parent_tag_and_words(store):
    sweep, other = queued(store, None), queued(store, None, name="effusion")
    child = queued(store, None, parent=sweep, kind="predict", user="Ada")
    store.set_tags(child, ("first try", "100%"))
    store.set_notes(child, "Lungs: 'fine' -- maybe")

    def found(**asked):
        return {run.run for run in store.newest_first(**asked)}

    assert found() == {sweep, other, child}
    assert found(kind="predict") == found(parent=sweep) == found(tag="first try") == {child}
    assert found(parent="") == {sweep, other}
    assert found(tag="first") == found(text="fine effusion") == found(text="_une") == set()
    assert found(text="ADA 'fine'") == found(text="100% FIRST") == found(text="lungs") == {child}
    assert found(text="effusion") == {other}
    assert found(text="effusion", kind="predict") == set()


def test_a_resumed_run_keeps_its_notes_and_tags(store):
    run = queued(store)
    store.set_notes(run, "mine")
    store.set_tags(run, ("a", "b"))
    store.end(run, "failed", "broken", own_identity())
    requeue(store, run)
    assert (store.get(run).notes, store.get(run).tags) == ("mine", ("a", "b"))


def test_a_clock_that_jumps_back_changes_neither_order_nor_sense(workspace):
    now = [2000.0]
    store = RunStore(workspace, clock=lambda: now[0])
    first, second = queued(store, created=2000.0), queued(store, created=1990.0)
    assert store.start(first)
    now[0] -= 3600
    store.beat(first)
    assert [run.run for run in store.newest_first()] == [second, first]
    assert store.end(first, "completed", None, own_identity())
    assert store.get(first).ended == store.get(first).started == 2000.0
    assert store.start(second)
    assert store.get(second).started == 1990.0
    assert silence(replace(store.get(second), heartbeat=time.time() + 3600)) == 0.0


def test_a_run_never_ends_before_it_was_made_or_began(workspace):
    now = [2000.0]
    store = RunStore(workspace, clock=lambda: now[0])
    working, waiting = queued(store, created=1900.0), queued(store, None, created=2000.0)
    assert store.start(working)
    now[0] = 1950.0
    assert store.get(working).seconds_worked(now[0]) == 0.0
    assert store.end(working, "completed", None, own_identity())
    assert store.end(waiting, "cancelled", None, own_identity())
    assert (store.get(working).ended, store.get(waiting).ended) == (2000.0, 2000.0)
    assert store.get(working).seconds_worked(now[0]) == 0.0


@pytest.fixture
def old_store(workspace):
    """A store as version 0.1.0 wrote it: an ended run, one of this boot, one of this machine before, one elsewhere."""
    workspace.mkdir()
    here = own_identity()
    script = (Path(__file__).parent / "store_version_1.sql").read_text()
    for name, value in {"BOOT": here.boot, "SPACE": here.space, "HOST": socket.gethostname()}.items():
        script = script.replace(name, value)
    with contextlib.closing(sqlite3.connect(workspace / "runs.sqlite")) as connection:
        connection.executescript(script)
    return RunStore(workspace)


def test_a_store_of_the_version_before_keeps_its_runs(old_store):
    runs = {run.name: run for run in old_store.newest_first()}
    assert list(runs) == ["elsewhere", "before", "now", "done"]
    done = runs["done"]
    assert (done.status, done.step, done.val_auc, done.result) == ("completed", 12, 0.75, {"model": "m"})
    assert (done.config, done.device, done.started, done.user) == ({"options": {"u": 0.4}}, "cpu", 1000.5, "ada")
    assert (done.parent, done.notes, done.tags) == (None, "", ())
    assert done.seconds_worked(time.time()) == 1100.0 - 1000.5
    here = own_identity().machine
    assert [run.supervisor.machine for run in runs.values()] == ["", here, here, here]
    assert standing_of(runs["before"].supervisor) is Standing.RESTARTED
    assert standing_of(runs["elsewhere"].supervisor) is Standing.ELSEWHERE
    assert (done.need, done.devices) == (Need(("cpu",)), ())
    assert runs["now"].devices == ("cpu",)
    assert old_store.turn(queued(old_store)) == (0, 1, (runs["now"],), None)
    assert old_store.end(runs["now"].run, "cancelled", None, runs["now"].supervisor)
    later = replace(done, run="later", parent=done.run, notes="x", tags=("y",))
    old_store.insert(later)
    assert old_store.get("later") == later


def test_gpu_runs_of_the_version_before_hold_what_they_took_there(old_store):
    """The first GPU, or all of them."""
    with contextlib.closing(sqlite3.connect(old_store.path)) as connection:
        for device, name in (("gpu", "now"), ("multi-gpu", "done")):
            connection.execute("UPDATE runs SET device = ?, lane = 'gpu' WHERE name = ?", (device, name))
        connection.commit()
    first, second = on_gpus(old_store, "gpu:0"), on_gpus(old_store, "gpu:1")
    runs = {run.name: run for run in old_store.newest_first()}
    assert (runs["now"].devices, runs["done"].devices) == (("gpu:0",), ())
    assert runs["done"].need.together
    assert {"gpu:0", "gpu:1"} <= set(runs["done"].need.devices)
    assert (old_store.start(first), old_store.start(second)) == (None, ("gpu:1",))


def test_many_processes_at_once_bring_an_old_store_up_to_date(old_store):
    with ThreadPoolExecutor(8) as pool:
        assert {len(runs) for runs in pool.map(lambda _: old_store.newest_first(), range(16))} == {4}


def test_a_store_of_a_newer_version_is_refused_and_left_alone(store):
    queued(store)
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RunError, match="newer version of CXR Lab"):
        store.newest_first()


def test_a_store_that_is_no_database_is_told_in_a_sentence(store, workspace):
    workspace.mkdir()
    store.path.write_bytes(os.urandom(4096))
    with pytest.raises(RunError, match=r"runs\.sqlite cannot be used"):
        store.newest_first()


@pytest.fixture
def full_disk(monkeypatch):
    """Let the disk count as full."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))


def test_on_a_full_disk_the_reserve_is_given_up_so_that_the_end_can_be_written(
    store, workspace, full_disk, monkeypatch
):
    run = queued(store)
    reserve = workspace / "runs.reserve"
    assert reserve.stat().st_blocks * 512 >= 2**20
    begin = database._begun

    def begun(path, write):
        if reserve.exists():
            raise sqlite3.OperationalError("disk I/O error")
        return begin(path, write)

    monkeypatch.setattr(database, "_begun", begun)
    assert store.end(run, "failed", "The disk is full", own_identity())
    assert store.get(run).reason == "The disk is full"


def test_a_full_disk_without_a_reserve_is_told_in_a_sentence(store, workspace, full_disk, monkeypatch):
    def refuse(path, write):
        raise sqlite3.OperationalError("disk I/O error")

    run = queued(store)
    (workspace / "runs.reserve").unlink()
    monkeypatch.setattr(database, "_begun", refuse)
    with pytest.raises(RunError, match="The disk is full"):
        store.get(run)


def test_what_a_run_has_worked_counts_every_leg(workspace):
    now = [1000.0]
    store = RunStore(workspace, clock=lambda: now[0])
    run = queued(store, created=1000.0)
    assert store.get(run).seconds_worked(now[0]) is None
    for seconds in (30.0, 12.0):
        store.start(run)
        now[0] += seconds
        assert store.end(run, "cancelled", None, own_identity())
        now[0] += 500.0  # nobody worked on it meanwhile
        assert requeue(store, run)
    assert store.get(run).seconds_worked(now[0]) == 42.0
    store.start(run)
    now[0] += 8.0
    assert store.get(run).seconds_worked(now[0]) == 50.0
    store.end(run, "completed", None, own_identity())
    now[0] += 99.0
    assert store.get(run).seconds_worked(now[0]) == 50.0


def test_the_share_that_is_done_goes_from_0_to_1_and_ends_at_1(store):
    run = store.get(queued(store))
    assert run.share_done == 0.0
    assert replace(run, step=3, steps=12).share_done == 0.25
    assert replace(run, step=13, steps=12).share_done == 1.0
    assert replace(run, step=3, steps=12, status="completed").share_done == 1.0


def test_a_run_without_a_device_stays_without_one_when_it_is_resumed(store):
    run = queued(store, None)
    assert store.end(run, "failed", None, own_identity())
    assert store.requeue(store.get(run), "h", own_identity())
    assert store.get(run).need is None
    assert store.start(run) == ()


def test_each_run_has_its_folder_and_readers_never_wait_for_a_writer(store, workspace):
    assert store.run_folder("a") == workspace / "runs" / "a"
    run = queued(store)
    with contextlib.closing(sqlite3.connect(workspace / "runs.sqlite", isolation_level=None)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        assert store.turn(run).queued == 0
