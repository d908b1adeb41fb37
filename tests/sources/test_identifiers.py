"""Integers for names: the same name always has the same, and no two names ever share one."""

import random

from cxr_core.sources.importing.identifiers import Identifiers, load_identifiers

POOL = ["abc", "zz", "p1", "p2", "P1", "patient00001", "patient00002", "1", "2", "3", "7", "007", "0", "12", "id_12", "x-12",
        "10000032", "4", "5", "6", "ä", "1.0", "2b"]  # fmt: skip


def test_names_in_any_order_and_files_never_share_an_integer(tmp_path):
    """Histories of imports of few names, against the plain rule: a name is a patient, an integer is one name's."""
    for seed in range(100):
        history_of_imports(tmp_path / str(seed), random.Random(seed))


def history_of_imports(folder, rng):
    integer_of: dict[str, int] = {}
    for _ in range(rng.randint(2, 6)):
        names = rng.choices(POOL, k=rng.randint(1, 6))
        identifiers = load_identifiers(folder)
        numbers = identifiers.numbers("patient", names, taken=integer_of.values()).tolist()
        identifiers.save(folder)
        for name, number in zip(names, numbers, strict=True):
            assert integer_of.setdefault(name, number) == number, "a name keeps its integer"
        assert len(set(integer_of.values())) == len(integer_of), "two names share an integer"
        for known in (identifiers, load_identifiers(folder)):
            assert [known.number("patient", name) for name in names] == numbers


def test_an_integer_that_no_other_name_has_stands_for_itself():
    assert Identifiers().numbers("patient", ["10000032", "17"]).tolist() == [10000032, 17]


def test_a_name_never_seen_is_nobody_even_when_it_is_an_integer_that_was_given_away():
    identifiers = Identifiers()
    (given,) = identifiers.numbers("patient", ["abc"])
    assert identifiers.number("patient", str(given)) is None
    assert identifiers.number("patient", "def") is None


def test_the_number_in_a_name_alone_names_the_same_patient_but_no_other():
    known = Identifiers()
    known.numbers("patient", ["patient00012", "patient00013"])
    assert known.number("patient", "12") == 12
    known.numbers("patient", ["anna"])
    given = known.number("patient", "anna")
    assert known.number("patient", str(given)) is None
