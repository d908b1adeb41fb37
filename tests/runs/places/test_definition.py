import pytest

from cxr_core.errors import CxrError, SettingsError, UnknownNameError
from cxr_core.runs.places.check import definition_problems
from cxr_core.runs.places.registry import check_names, definition_of, get_place, place_names

GOOD = {"kind": '"slurm"', "folder": '"shared"'}


def test_here_is_a_place_without_any_file():
    assert place_names() == ["here"]


def test_places_are_listed_by_name_and_their_folder_starts_at_the_file(write_places, tmp_path):
    write_places(tokyo=GOOD, boston=GOOD)
    assert place_names() == ["here", "boston", "tokyo"]
    assert definition_of("tokyo").folder == tmp_path / "shared"
    assert definition_problems("tokyo") == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"folder": '"x"'}, "kind must be one of"),
        ({"kind": '"abacus"', "folder": '"x"'}, "kind must be one of"),
        ({"kind": '["slurm"]', "folder": '"x"'}, "kind must be one of"),
        ({"kind": '"slurm"'}, "folder must be a folder that both"),
        (GOOD | {"folder": '"gs://bucket/x"'}, "folder must be a folder that both"),
        (GOOD | {"folder": "3"}, "folder must be a text"),
        (GOOD | {"foldr": '"x"'}, "unknown key 'foldr'"),
        (GOOD | {"python": '"a\\nb"'}, "python must be a text on one line"),
        (GOOD | {"setup": '"module load cuda"'}, "setup must be a list of texts"),
        (GOOD | {"environment": "{ A = 1 }"}, "environment must be a table of texts"),
        (GOOD | {"environment": '{ "A;B" = "1" }'}, "environment must be a table of texts"),
        (GOOD | {"options": '["-t 3"]'}, "options must be options of sbatch"),
        (GOOD | {"options": '["--job-name=mine"]'}, "options must be options of sbatch"),
    ],
)
def test_what_is_wrong_with_a_definition_is_one_sentence(write_places, keys, sentence):
    write_places(cluster=keys)
    with pytest.raises(SettingsError) as refused:
        get_place("cluster")
    assert sentence in str(refused.value)
    assert "[places.cluster]" in str(refused.value)
    assert definition_problems("cluster") == [str(refused.value)]


def test_a_place_that_is_not_described_is_refused_with_those_that_are(write_places):
    write_places(cluster=GOOD)
    with pytest.raises(UnknownNameError, match="Choose one of: here, cluster"):
        get_place("clutser")


def test_the_name_of_this_machine_cannot_be_described(write_places):
    write_places(here=GOOD)
    with pytest.raises(SettingsError, match="Rename yours"):
        check_names()


def test_a_place_without_its_program_says_what_to_install(write_places, monkeypatch):
    write_places(cluster=GOOD)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CxrError, match="Install Slurm's commands"):
        get_place("cluster").answer("true")
