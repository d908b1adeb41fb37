"""Files of readings as people have them: those of CheXpert's test set, of MIMIC-CXR-JPG 2.1, and what becomes of such."""

import numpy as np
import pandas as pd
import pytest
from layouts import SPELLED, mimic

from cxr_core.errors import CxrError, TableError
from cxr_core.schema import LABELS
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_labels import import_labels
from cxr_core.tasks.import_readings import import_readings

STUDIES = [f"CheXpert-v1.0/test/patient{64741 + n}/study1" for n in range(30)]
IMAGES = [f"{study}/view{k}_frontal.jpg" for n, study in enumerate(STUDIES) for k in range(1, 2 + n % 2)]
#: The readers' files have another order of columns than the label files.
ORDER = sorted(SPELLED, key=lambda name: name[::-1])
SAID = pd.DataFrame({name: np.random.default_rng(3).integers(0, 2, 30) for name in ORDER})


@pytest.fixture(params=["images", "studies"])
def own(request, workspace, tmp_path):
    """The test set of CheXpert, by the rows of its images or of its studies."""
    column, names = ("Path", IMAGES) if request.param == "images" else ("Study", STUDIES)
    rows = pd.DataFrame({column: names}).assign(**dict.fromkeys(SPELLED, "1.0"))
    rows.to_csv(tmp_path / "labels.csv", index=False)
    import_labels("own", [tmp_path / "labels.csv"], ImportChoices("auto", "test"))
    return request.param


def written(folder, frame, name="bc4.csv", **how):
    frame.to_csv(folder / name, index=False, **how)
    return folder / name


def kept(name="readers"):
    return get_source("own").warehouse().readings(name).sort_values(["patient", "reader"], ignore_index=True)


def by_study(names, column="Study", said=SAID):
    return pd.DataFrame({column: names}).assign(**said)


@pytest.mark.parametrize(
    "file",
    {
        "as published": by_study(STUDIES),
        "another order": by_study(STUDIES, said=SAID[[*SPELLED]]),
        "no prefix": by_study([name.split("/", 1)[1] for name in STUDIES]),
        "patient and study alone": by_study([name.split("/", 2)[2] for name in STUDIES]),
        "another prefix": by_study([f"/data/{name.replace('v1.0', 'v1.0-small')}" for name in STUDIES]),
        "a slash behind": by_study([f"{name}/" for name in STUDIES]),
        "backslashes": by_study([name.replace("/", "\\") for name in STUDIES]),
        "a column Path": by_study(STUDIES, "Path"),
        "a column study_id": by_study([f"{name}/" for name in STUDIES], "study_id"),
        "columns of patient and study": by_study(["study1"] * 30).assign(
            patient=[f"patient{64741 + n}" for n in range(30)]
        ),
        "numbers of patient and study": by_study([1] * 30).assign(patient=[64741 + n for n in range(30)]),
        "yes and no": by_study(STUDIES, said=SAID.map(("no", "yes").__getitem__)),
        "present and absent": by_study(STUDIES, said=SAID.map(("Absent", "Present").__getitem__)),
        "floats": by_study(STUDIES, said=SAID.astype(float)),
        "truth values": by_study(STUDIES, said=SAID.astype(bool)),
        "Airspace Opacity": by_study(STUDIES).rename(columns={"Lung Opacity": "Airspace Opacity"}),
        "an index": by_study(STUDIES).reset_index(names=""),
        "rows twice": pd.concat([by_study(STUDIES)] * 2),
    }.items(),
    ids=lambda item: item[0],
)
def test_every_spelling_of_a_readers_file_gives_the_same_readings(own, tmp_path, file):
    done = import_readings("own", [written(tmp_path, file[1])], "doctors")
    assert (done.written, done.unmatched, done.readers) == (30, 0, ["bc4"])
    found = kept("doctors")
    assert found["patient"].tolist() == [64741 + n for n in range(30)]
    assert (found["image"] == 0).all()
    for theirs, ours in SPELLED.items():
        assert found[ours].tolist() == [3 if code else 1 for code in SAID[theirs]], ours


def test_unsure_in_numbers_and_words_is_no_vote_and_blank_is_not_read(own, tmp_path):
    cells = ["-1", "unsure", "-1.0", "uncertain", "", "1", "0", "present", "absent", "1.0"] * 3
    import_readings("own", [written(tmp_path, pd.DataFrame({"Study": STUDIES, "Edema": cells}))])
    assert kept()["edema"].tolist() == [2, 2, 2, 2, 0, 3, 1, 3, 1, 3] * 3


def test_several_files_are_several_readers_of_one_set_and_a_column_names_them_too(own, tmp_path):
    files = [written(tmp_path, by_study(STUDIES), f"bc{n}_gt.csv") for n in (1, 2, 3)]
    assert import_readings("own", files, "groundtruth").readers == ["bc1_gt", "bc2_gt", "bc3_gt"]
    long = pd.concat([by_study(STUDIES).assign(Radiologist=name) for name in ("A", "B")])
    assert import_readings("own", [written(tmp_path, long)], "long").readers == ["A", "B"]
    assert len(kept("long")) == 60


def test_readings_of_images_are_kept_by_image_or_count_for_the_study_where_there_are_no_images(own, tmp_path):
    said = np.random.default_rng(5).integers(0, 2, len(IMAGES))
    import_readings("own", [written(tmp_path, pd.DataFrame({"Path": IMAGES, "Edema": said}))])
    found = kept()
    if own == "images":
        assert found.set_index("path")["edema"].to_dict() == dict(zip(IMAGES, np.where(said, 3, 1), strict=True))
    else:
        largest = pd.Series(said).groupby([path.rsplit("/", 1)[0] for path in IMAGES]).max()
        assert found.set_index("path")["edema"].to_dict() == largest.map({1: 3, 0: 1}).to_dict()


def test_a_study_that_is_spelled_in_two_ways_is_one_study(own, tmp_path):
    import_readings("own", [written(tmp_path, by_study(STUDIES))])
    again = written(tmp_path, by_study([name.split("/", 1)[1] + "/" for name in STUDIES]))
    with pytest.raises(CxrError, match="has 30 of these readings already"):
        import_readings("own", [again])
    import_readings("own", [again], replace=True)
    assert len(kept()) == 30


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (by_study([f"elsewhere/{n}" for n in range(30)]), "No row of bc4.csv is in the label table"),
        (pd.concat([by_study(STUDIES), by_study(STUDIES, said=1 - SAID)]), "'bc4' says two different things of"),
        (by_study(STUDIES, said=SAID.astype(str).replace({"0": "", "1": ""})), "bc4.csv holds no verdict"),
        (by_study(STUDIES, said=SAID * 0 - 1), "nobody says present or absent of anything"),
        (by_study(STUDIES)[:0], "a header and no row"),
    ],
    ids=["matches nothing", "contradiction", "blank", "all unsure", "empty"],
)
def test_what_says_nothing_or_two_things_is_one_sentence_and_nothing_is_written(own, tmp_path, file, sentence):
    with pytest.raises(TableError, match=sentence) as refused:
        import_readings("own", [written(tmp_path, file)], "doctors")
    assert "\n" not in str(refused.value)
    assert get_source("own").warehouse().reading_sets() == []


def test_readers_who_contradict_themselves_in_two_files_change_nothing_of_a_set_that_is_there(own, tmp_path):
    import_readings("own", [written(tmp_path, by_study(STUDIES), "ann.csv")], "doctors")
    before = kept("doctors")
    (tmp_path / "later").mkdir()
    pair = [written(tmp_path, by_study(STUDIES)), written(tmp_path / "later", by_study(STUDIES, said=1 - SAID))]
    with pytest.raises(TableError, match="'bc4' says two different things of"):
        import_readings("own", pair, "doctors")
    pd.testing.assert_frame_equal(kept("doctors"), before)


@pytest.fixture
def hand_labels(tmp_path):
    """The four files of MIMIC-CXR-JPG 2.1, and what the fourth says: studies by their number alone."""
    files, labels, images = mimic(tmp_path)
    random = np.random.default_rng(8)
    hand = labels[["study_id"]].sample(15, random_state=1)
    columns = [name if name != "Lung Opacity" else "Airspace Opacity" for name in reversed(SPELLED)]
    hand = hand.assign(**{name: random.choice([np.nan, 0.0, -1.0, 1.0], 15) for name in columns})
    path = written(tmp_path, hand, "mimic-cxr-2.1.0-test-set-labeled.csv")
    return [*files.values()], path, hand.set_index("study_id"), images


@pytest.mark.parametrize("together", [True, False])
def test_the_hand_labels_of_mimic_find_patients_and_images_in_the_label_table(workspace, hand_labels, together):
    files, path, hand, images = hand_labels
    import_labels("own", [*files, path] if together else files, ImportChoices("auto"))
    if not together:
        import_readings("own", [path], "radiologist")
    found = kept("radiologist").set_index("study")
    assert sorted(found.index) == sorted(hand.index)
    patients = images.drop_duplicates("study_id").set_index("study_id")["subject_id"]
    assert found["patient"].to_dict() == patients[hand.index].to_dict()
    assert found["reader"].unique() == ["radiologist" if together else "mimic-cxr-2.1.0-test-set-labeled"]
    codes = {1.0: 3, 0.0: 1, -1.0: 2}
    for label in LABELS:
        theirs = next(name for name, ours in SPELLED.items() if ours == label).replace("Lung Op", "Airspace Op")
        assert found[label].to_dict() == {study: codes.get(cell, 0) for study, cell in hand[theirs].items()}, label


def test_hand_labels_that_contradict_kept_ones_leave_the_labels_alone(workspace, hand_labels):
    files, path, hand, _ = hand_labels
    import_labels("own", [*files, path], ImportChoices("auto"))
    labels = get_source("own").warehouse().labels()
    (-hand.fillna(0) + 0.0).reset_index().to_csv(path, index=False)
    pairs = pd.concat([pd.read_csv(path), pd.read_csv(path).assign(Edema=1.0)])
    pairs.to_csv(path, index=False)
    with pytest.raises(CxrError):
        import_labels("own", [*files, path], ImportChoices("auto"), replace=True)
    pd.testing.assert_frame_equal(get_source("own").warehouse().labels(), labels)
