"""Verdicts on films: stored at once, lost by nobody, taken back, exported and deleted."""

import signal
import subprocess
import sys
import threading

import pandas as pd
import pytest
from prediction_source import NAME, SOURCE_TOML, label_table

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.tasks.images import ImageQuery, ListedImage, image_group
from cxr_core.tasks.import_readings import import_readings
from cxr_core.tasks.meaning import meaning
from cxr_core.tasks.reading import Given, desk, forget_reader, own_readings, said, store
from cxr_core.tasks.reading_list import truth_of
from cxr_core.warehouse.parquet import write_table


@pytest.fixture
def labels(workspace):
    """A source of its own, without truth, models or records; patients' numbers are larger than a float keeps."""
    folder = workspace / "sources" / NAME
    frame = label_table(n=40)
    frame["patient"] += 2**60
    write_table(folder / "labels_valid.parquet", frame)
    (folder / "source.toml").write_text(SOURCE_TOML.replace(', "labels_test.parquet"', ""))
    return frame


@pytest.fixture
def films(labels):
    return image_group(ImageQuery(NAME, "edema")).part()


def ann(label="edema", reader="ann"):
    return desk(NAME, "own", reader, label)


def table():
    return pd.read_parquet(ann().table)


def test_a_verdict_stands_in_the_readings_of_the_set_by_the_keys_of_the_film(labels, films):
    store(ann(), films[3], Given("present"))
    store(ann("fracture"), films[3], Given("unsure"))
    store(ann(), films[5], Given("absent"))
    found = table()
    expected = labels.set_index("path").loc[[films[3].path, films[5].path]].reset_index()
    assert (
        found[[*KEY_COLUMNS]].astype("int64", errors="ignore").values.tolist()
        == expected[[*KEY_COLUMNS]].values.tolist()
    )
    assert found["edema"].tolist() == [3, 1]
    assert found["fracture"].fillna(-1).tolist() == [2, -1]
    assert found.drop(columns=[*KEY_COLUMNS, "reader", "set_aside", "edema", "fracture"]).isna().all(axis=None)
    assert said(ann()) == {films[3].path: "present", films[5].path: "absent"}


def test_readers_of_one_set_do_not_see_each_other(films):
    store(ann(), films[0], Given("present"))
    store(ann(reader="bob"), films[0], Given("absent"))
    assert (said(ann()), said(ann(reader="bob"))) == ({films[0].path: "present"}, {films[0].path: "absent"})
    assert meaning(NAME, "own").readers == ("ann", "bob")


def test_undo_leaves_what_was_before_and_a_film_that_nobody_reads_is_gone(films):
    store(ann(), films[0], Given("present"))
    store(ann(), films[0], Given("absent", before="present"))
    store(ann(), films[0], Given("present", before="absent"))
    assert said(ann()) == {films[0].path: "present"}
    store(ann(), films[0], Given(None, before="present"))
    assert said(ann()) == {}
    assert not ann().table.exists()


def test_what_was_read_in_another_window_meanwhile_is_not_overwritten(films):
    store(ann(), films[0], Given("present"))
    with pytest.raises(UsageError, match="ann has called this film present meanwhile"):
        store(ann(), films[0], Given("absent"))
    store(ann(), films[0], Given("present"))  # the same again changes nothing
    assert said(ann()) == {films[0].path: "present"}
    with pytest.raises(UsageError, match="unread meanwhile"):
        store(ann(), films[1], Given("absent", before="present"))


@pytest.mark.parametrize("reader", ["", "  ", "x" * 65, "a\0b"])
def test_a_name_that_nobody_has_is_refused(labels, reader):
    with pytest.raises(UsageError, match="A reader's name must be 1 to 64"):
        desk(NAME, "own", reader, "edema")


def test_a_set_a_label_a_verdict_and_a_study_that_cannot_be_are_refused(films):
    for set_name in ("../own", "truth", ""):
        with pytest.raises(UsageError):
            desk(NAME, set_name, "ann", "edema")
    with pytest.raises(UnknownNameError):
        desk(NAME, "own", "ann", "toes")
    with pytest.raises(UnknownNameError, match="maybe"):
        store(ann(), films[0], Given("maybe"))
    study = ListedImage("valid/p1/s01", "valid", None, 1, 1, 0, None, None, "")
    with pytest.raises(UsageError, match="Only a single film is read"):
        store(ann(), study, Given("present"))


def test_two_windows_of_one_reader_lose_nothing(films):
    failed = []

    def read(own, label):
        try:
            for film in own:
                store(ann(label), film, Given("present"))
        except Exception as error:  # told by the test
            failed.append(error)

    windows = [threading.Thread(target=read, args=(films[part::3], "edema")) for part in range(3)]
    windows += [threading.Thread(target=read, args=(films[:20], "fracture"))]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert not failed
    assert said(ann()) == dict.fromkeys((film.path for film in films), "present")
    assert len(said(ann("fracture"))) == 20


def test_a_process_that_is_killed_right_after_a_verdict_loses_none(films):
    code = (
        "import sys\n"
        "from cxr_core.tasks.images import ImageQuery, image_group\n"
        "from cxr_core.tasks.reading import Given, desk, store\n"
        f"films = image_group(ImageQuery({NAME!r}, 'edema')).part()\n"
        "for film in films:\n"
        f"    store(desk({NAME!r}, 'own', 'ann', 'edema'), film, Given('present'))\n"
        "    print(film.path, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline().strip() for _ in range(7)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()
    assert process.returncode == -signal.SIGKILL or len(told) == len(films)
    assert set(told) <= set(said(ann()))
    store(ann(), films[-1], Given("absent", before=said(ann()).get(films[-1].path)))
    assert {*told, films[-1].path} <= set(said(ann()))


def test_what_was_exported_is_imported_as_it_was(films, tmp_path):
    for place, (film, verdict) in enumerate(zip(films, ["absent", "unsure", "present"] * 4, strict=False)):
        store(ann(), film, Given(verdict, set_aside=place % 2 == 0))
        store(ann("fracture"), film, Given("absent"))
    file = tmp_path / "ann.csv"
    own_readings(ann()).to_csv(file, index=False)
    import_readings(NAME, [file], "again")
    again = desk(NAME, "again", "ann", "edema")
    columns = [*KEY_COLUMNS, "reader", "set_aside", *LABELS]
    assert pd.read_parquet(again.table)[columns].equals(table()[columns])
    assert meaning(NAME, "again").as_json()["labels"] == meaning(NAME, "own").as_json()["labels"]


def test_a_reader_is_deleted_with_all_labels_and_nobody_else(films):
    store(ann(), films[0], Given("present"))
    store(ann("fracture"), films[1], Given("present"))
    store(ann(reader="bob"), films[0], Given("absent"))
    assert forget_reader(ann()) == 2
    assert (said(ann()), said(ann(reader="bob"))) == ({}, {films[0].path: "absent"})
    assert forget_reader(ann(reader="bob")) == 1
    assert not ann().table.exists()
    assert forget_reader(ann()) == 0


def test_what_is_set_aside_is_counted_and_tells_no_share(labels, films):
    """Twelve blanks as a sample, half of them present; five more that were picked, all present."""
    blank = [film for film in films if film.value == "not_mentioned"]
    for place, film in enumerate(blank[:17]):
        verdict = "present" if place >= 12 or place % 2 else "absent"
        store(ann(), film, Given(verdict, set_aside=place >= 12))
    share = meaning(NAME, "own").labels["edema"]["not_mentioned"]
    assert (share.n, share.n_read, share.n_present) == ((labels["edema"] == 0).sum(), 17, 11)
    assert (share.n_set_aside, share.n_present_set_aside, share.share) == (5, 5, 0.5)


def test_a_policy_is_made_of_what_tells_a_share_alone(films):
    doubted = [film for film in films if film.value == "uncertain"]
    store(ann(), doubted[0], Given("present", set_aside=True))
    with pytest.raises(UsageError, match="as a sample"):
        meaning(NAME, "own").policy(0.75, "given")
    store(ann(), doubted[1], Given("absent"))
    assert meaning(NAME, "own").policy(0.75, "given").u == (0.0,) * 14


def test_a_change_of_mind_leaves_a_verdict_aside_or_not_and_undo_makes_it_new(films):
    store(ann(), films[0], Given("present", set_aside=True))
    store(ann(), films[1], Given("present"))
    store(ann(), films[0], Given("absent", "present"))
    store(ann(), films[1], Given("absent", "present", set_aside=True))
    assert table()["set_aside"].tolist() == ["edema", ""]
    store(ann("fracture"), films[0], Given("absent", set_aside=True))
    store(ann(), films[0], Given(None, "absent"))
    store(ann(), films[0], Given("absent"))
    assert table()["set_aside"].tolist() == ["fracture", ""]


def test_a_set_that_was_imported_can_be_read_on(labels, films, tmp_path):
    file = tmp_path / "bob.csv"
    file.write_text(f"path,Edema\n{films[0].path},1\n{films[1].path},0\n")
    import_readings(NAME, [file], "own")
    store(ann(reader="bob"), films[1], Given("present", before="absent"))
    store(ann("fracture"), films[0], Given("present"))
    assert said(ann(reader="bob")) == {films[0].path: "present", films[1].path: "present"}
    import_readings(NAME, [file], "own", replace=True)
    assert said(ann(reader="bob"))[films[1].path] == "absent"
    assert said(ann("fracture")) == {films[0].path: "present"}


def test_nobody_knows_the_truth_of_a_source_of_ones_own(labels):
    with pytest.raises(UsageError, match="Nobody knows the truth of the source small"):
        truth_of(ann())
