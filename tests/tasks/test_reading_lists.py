"""Which films are read, what is a sample, who disagrees, and how good a reader is."""

import pandas as pd
import pytest

from cxr_core.errors import UnknownNameError
from cxr_core.schema import KEY_COLUMNS
from cxr_core.tasks.images import GROUPS, ImageQuery, image_group
from cxr_core.tasks.reading import Desk, Given, said, store
from cxr_core.tasks.reading_list import agreement_so_far, is_sample, reading_list, second_look, truth_of
from cxr_core.warehouse.parquet import write_readings

FRONTAL = "densenet_frontal_u0_0__w0_0"
QUERY = ImageQuery("demo", "edema", "uncertain-highest", FRONTAL)
ANN = Desk("demo", "own", "ann", "edema")


def tables(home):
    folder = home / "sources" / "demo"
    labels = pd.read_parquet(folder / "labels_valid.parquet").set_index("path")
    return labels, pd.read_parquet(folder / "truth.parquet").set_index("path")


def read(films, verdicts, desk=ANN):
    for film, verdict in zip(films, verdicts, strict=False):
        store(desk, film, Given(verdict, said(desk).get(film.path)))


def test_a_list_has_the_films_of_its_group_and_says_why_each_is_there(small_demo):
    group = image_group(QUERY)
    listed = {film.path: film for film in group.part()}
    for order in ("listed", "random", "spread"):
        films = reading_list(group, order, 3).part()
        assert {film.path: film for film in films} == listed
    assert [film.path for film in films] != list(listed)


def test_a_sample_is_what_looks_at_nothing_in_a_group_that_the_report_alone_makes():
    def sampled(order, **query):
        return is_sample(ImageQuery("demo", "edema", **query), order)

    groups = [group for group in (None, *GROUPS) if sampled("spread", group=group)]
    assert groups == [None, "uncertain", "blank", "negative", "positive", "uncertain-highest", "uncertain-lowest"]
    assert sampled("random", group="blank")
    assert not sampled("listed", group="blank")
    assert not sampled("random", group="uncertain", judge="truth")


def test_a_second_look_is_at_what_report_truth_others_and_oneself_say_otherwise(own_small_demo):
    labels, truth = tables(own_small_demo)
    films = image_group(ImageQuery("demo", "edema", None, FRONTAL)).part()[:40]
    read(films, ["present", "absent", "unsure", "present"] * 10)
    read(films[:9], ["absent"] * 9, Desk("demo", "own", "bob", "edema"))
    read(films[:20], ["present"] * 20, Desk("demo", "before", "ann", "edema"))
    mine = said(ANN)
    query = ImageQuery("demo", "edema", "blank", FRONTAL)
    looked = {other: second_look(ANN, query, other) for other in ("report", "truth", "readers", "myself")}
    paths = {other: {film.path for film in found.part()} for other, found in looked.items()}
    certain = {path: labels.at[path, "edema"] for path in mine if labels.at[path, "edema"] != 2}
    assert paths["report"] == {p for p, value in certain.items() if mine[p] == ("absent" if value == 3 else "present")}
    assert paths["truth"] == {p for p in mine if mine[p] == ("absent" if truth.at[p, "edema"] else "present")}
    assert paths["readers"] == {film.path for film in films[:9] if mine[film.path] == "present"}
    assert paths["myself"] == {film.path for film in films[:20] if mine[film.path] == "absent"}
    assert looked["readers"].part()[0].why == "absent by bob"
    assert looked["myself"].part()[0].why == "present by you in before"
    assert paths["report"] and paths["truth"]
    lateral = second_look(ANN, ImageQuery("demo", "edema", view="lateral"), "report")
    assert lateral.total == 0
    with pytest.raises(UnknownNameError, match="nobody"):
        second_look(ANN, query, "nobody")


def test_a_reading_of_a_whole_study_is_no_reading_of_a_film(own_small_demo):
    labels, _ = tables(own_small_demo)
    row = labels.reset_index().iloc[[0]][[*KEY_COLUMNS]].assign(image=0, path="a study", reader="ann", edema=3)
    write_readings(ANN.table, row)
    assert said(ANN) == {}


def test_agreement_counts_what_both_call_present_or_absent():
    films = pd.DataFrame({"path": list("abcdefgh"), "patient": [1, 1, 2, 3, 4, 5, 6, 7]})
    mine = dict(zip("abcdef", ["present", "present", "absent", "unsure", "absent", "present"], strict=True))
    truth = dict(zip("abcdeh", ["present", "absent", "absent", "present", "present", "present"], strict=True))
    found = agreement_so_far(mine, truth, films)
    assert (found.n, found.agreed) == (4, 2)
    assert (found.found, found.n_present, found.ruled_out, found.n_absent) == (1, 2, 1, 2)
    assert found.ci is not None and found.ci[0] < 0.5 < found.ci[1]
    none = agreement_so_far({}, truth, films)
    assert (none.n, none.ci) == (0, None)
    assert none.why


def test_the_truth_is_what_the_demo_knows_of_the_label(small_demo):
    _, truth = tables(small_demo)
    assert {path for path, said in truth_of(ANN).items() if said == "present"} == set(truth.index[truth["edema"] == 1])
