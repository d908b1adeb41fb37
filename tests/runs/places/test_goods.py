import stat

import pytest

from cxr_core.errors import ExistsError
from cxr_core.runs.places.goods import Goods, brought_home, fetch, mirror, ship
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.job_log import bring_log
from cxr_core.runs.places.place import Job

RUN = "20261127-080000-abcdef"


@pytest.fixture
def here(workspace):
    folder = workspace / "runs" / RUN
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "log.txt").write_text("of this machine")
    (folder / "checkpoints" / "step-1.npz").write_text("one")
    return folder


@pytest.fixture
def job(tmp_path):
    return JobFolder(Job(RUN, 2, tmp_path / "shared" / RUN))


def lines(numbers):
    return "".join(f'{{"step": {number}, "time": {number}.5}}\n' for number in numbers)


def test_rows_come_by_what_was_added_and_a_second_look_adds_nothing(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    mirror(there, here)
    assert not here.exists()
    there.write_text(lines(range(100)) + '{"step": 10')
    mirror(there, here)
    mirror(there, here)
    assert here.read_bytes() == there.read_bytes()
    there.write_text(lines(range(300)))
    mirror(there, here)
    assert here.read_text() == lines(range(300))


@pytest.mark.parametrize("after", [[*range(50)], [*range(50), *range(1050, 1200)], []])
def test_a_file_that_was_cut_is_copied_anew_even_if_it_has_grown_beyond(tmp_path, after):
    there, here = tmp_path / "there", tmp_path / "here"
    there.write_text(lines(range(100)))
    mirror(there, here)
    there.write_text(lines(after))
    mirror(there, here)
    assert here.read_text() == lines(after)


def test_a_log_is_brought_once_behind_what_stands_there(here, tmp_path):
    there = tmp_path / "job.log"
    bring_log(there, here, 1)
    there.write_text("a\n")
    bring_log(there, here, 1)
    there.write_text("a\nb\n")
    bring_log(there, here, 1)
    bring_log(there, here, 1)
    there.write_text("c\n")
    bring_log(there, here, 2)
    assert (here / "log.txt").read_text() == "of this machinea\nb\nc\n"


def test_a_run_takes_its_folder_and_its_goods_along_and_leaves_its_log_here(here, job, tmp_path):
    (tmp_path / "model.h5").write_text("weights")
    Goods({"sources/demo/models/a.h5": str(tmp_path / "model.h5")}, {"sources/demo/source.toml": "kind"}).keep(here)
    ship(job, here)
    found = {str(file.relative_to(job.path)): file.read_text() for file in job.path.rglob("*") if file.is_file()}
    assert found == {
        f"runs/{RUN}/config.json": "{}",
        f"runs/{RUN}/checkpoints/step-1.npz": "one",
        "sources/demo/models/a.h5": "weights",
        "sources/demo/source.toml": "kind",
    }


@pytest.mark.parametrize(("group_access", "mode"), [("false", 0o700), ("true", 0o770)])
def test_the_folder_of_a_run_is_closed_to_others(here, job, monkeypatch, group_access, mode):
    monkeypatch.setenv("CXR_GROUP_ACCESS", group_access)
    ship(job, here)
    assert stat.S_IMODE(job.path.stat().st_mode) == mode


@pytest.mark.parametrize(("leg_there", "kept"), [(1, True), (0, False)])
def test_what_the_leg_before_left_there_is_newer_and_what_an_older_one_left_is_not(here, job, leg_there, kept):
    there = job.run_folder(RUN) / "checkpoints"
    there.mkdir(parents=True)
    (there / "step-1.npz").write_text("newer")
    (job.path / "order.json").write_text(f'{{"leg": {leg_there}}}')
    ship(job, here)
    assert (there / "step-1.npz").read_text() == ("newer" if kept else "one")


def test_what_the_work_wrote_comes_home_and_what_came_along_does_not(here, job, workspace, tmp_path):
    (tmp_path / "model.h5").write_text("weights")
    Goods({"sources/demo/models/a.h5": str(tmp_path / "model.h5")}, {"sources/demo/source.toml": "kind"}).keep(here)
    ship(job, here)
    (job.path / "sources/demo/models/new.h5").write_text("new")
    (job.run_folder(RUN) / "checkpoints" / "step-2.npz").write_text("two")
    (job.run_folder(RUN) / "half.tmp").write_text("half")
    fetch(job, here, workspace, "demo")
    assert (workspace / "sources/demo/models/new.h5").read_text() == "new"
    assert [file.name for file in (workspace / "sources/demo").rglob("*") if file.is_file()] == ["new.h5"]
    assert (here / "checkpoints" / "step-2.npz").read_text() == "two"
    assert not (here / "half.tmp").exists()
    fetch(job, here, workspace, "demo")  # as after a crash in between


def test_nothing_that_came_into_being_meanwhile_is_overwritten(here, job, workspace):
    ship(job, here)
    for home, text in ((job.path, "ours"), (workspace, "theirs")):
        (home / "sources/demo/models").mkdir(parents=True)
        (home / "sources/demo/models/new.h5").write_text(text)
    with pytest.raises(ExistsError, match="Move it, then resume the run"):
        fetch(job, here, workspace, "demo")
    assert (workspace / "sources/demo/models/new.h5").read_text() == "theirs"


@pytest.fixture
def shipped_table(here, job, workspace):
    """A prediction table of this workspace that the run took along."""
    table = workspace / "sources/demo/predictions/m.csv"
    table.parent.mkdir(parents=True)
    table.write_text("1\n")
    Goods({"sources/demo/predictions/m.csv": str(table)}).keep(here)
    ship(job, here)
    return table


def test_a_table_that_came_along_comes_back_with_what_was_added_there(here, job, workspace, shipped_table):
    (job.path / "sources/demo/predictions/m.csv").write_text("1\n2\n")
    fetch(job, here, workspace, "demo")
    fetch(job, here, workspace, "demo")
    assert shipped_table.read_text() == "1\n2\n"


def test_rows_that_were_added_here_meanwhile_are_never_written_over(here, job, workspace, shipped_table):
    shipped_table.write_text("1\n3\n")
    fetch(job, here, workspace, "demo")  # nothing was added there: what is here stays
    assert shipped_table.read_text() == "1\n3\n"
    (job.path / "sources/demo/predictions/m.csv").write_text("1\n2\n")
    with pytest.raises(ExistsError, match="made or changed by something else"):
        fetch(job, here, workspace, "demo")
    assert shipped_table.read_text() == "1\n3\n"


def test_nothing_comes_home_but_models_and_predictions_of_its_source(here, job, workspace):
    ship(job, here)
    for place in ("other/models/a.h5", "demo/source.toml", "demo/labels/a.csv"):
        (job.path / "sources" / place).parent.mkdir(parents=True, exist_ok=True)
        (job.path / "sources" / place).write_text("forged")
    fetch(job, here, workspace, "demo")
    assert not (workspace / "sources").exists()


def test_a_folder_that_is_a_link_brings_nothing(here, job, workspace, tmp_path):
    ship(job, here)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.h5").write_text("secret")
    (job.path / "sources/demo").mkdir(parents=True)
    (job.path / "sources/demo/models").symlink_to(tmp_path / "elsewhere")
    fetch(job, here, workspace, "demo")
    assert not (workspace / "sources").exists()
    assert not job.holds(job.path / "sources/demo/models/a.h5")


def test_a_path_in_a_result_leads_only_into_the_workspace(job, workspace):
    there = {"model": f"{job.path}/sources/demo/models/a.h5", "table": f"{job.path}/../../etc/passwd", "n": 3}
    found = brought_home(there, job, workspace)
    assert found == there | {"model": f"{workspace}/sources/demo/models/a.h5"}


def test_signs_of_life_are_given_while_files_are_copied(here, job):
    beats = []
    ship(job, here, lambda: beats.append(1))
    assert len(beats) >= 2


def test_only_figures_and_a_message_are_shown_of_what_lies_at_the_place(job):
    job.path.mkdir(parents=True)
    (job.path / "progress.json").write_text(
        '{"step": 3, "loss": 0.5, "val_loss": NaN, "epoch": [1], "eta_seconds": null, "steps": 1e999,'
        ' "message": "\\ud800 fine", "status": "completed", "step = 9 --": 1, "val_auc": true}'
    )
    assert job.shown() == {"step": 3, "loss": 0.5, "eta_seconds": None, "message": "? fine"}


@pytest.mark.parametrize("text", ["{}", '{"leg": 2}', '{"leg": 2, "status": "0"}', "[]", '{"leg": 1, "status": 0}'])
def test_an_end_that_says_nothing_of_this_leg_is_none(job, text):
    job.path.mkdir(parents=True)
    (job.path / "end.json").write_text(text)
    assert job.ended_with() is None


def test_a_flag_that_cannot_be_written_is_told(job):
    (job.path / "stop").mkdir(parents=True)
    assert not job.ask_to_stop()


def test_a_link_leads_nothing_out_of_the_folder(here, job, workspace, tmp_path):
    ship(job, here)
    (tmp_path / "secret").write_text("secret")
    (job.run_folder(RUN) / "link").symlink_to(tmp_path / "secret")
    fetch(job, here, workspace, "demo")
    assert not (here / "link").exists()


def test_a_leg_has_one_job_which_may_begin_again(job):
    job.path.mkdir(parents=True)
    assert job.claim("7", "a")
    assert not job.claim("8", "b")
    assert job.is_mine("a")
    job.write_end(0)
    assert job.ended_with() == 0
    assert job.claim("7", "c")  # as when its machine was lost and the engine starts it anew
    assert (job.is_mine("a"), job.is_mine("c"), job.ended_with()) == (False, True, None)


def test_a_flag_stops_its_leg_and_those_before_it(job, tmp_path):
    job.path.mkdir(parents=True)
    assert not job.is_asked_to_stop()
    job.ask_to_stop()
    legs = {leg: JobFolder(Job(RUN, leg, job.path)).is_asked_to_stop() for leg in (1, 2, 3)}
    assert legs == {1: True, 2: True, 3: False}
