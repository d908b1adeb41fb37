import pytest

from cxr_core import schema
from cxr_core.errors import UnknownNameError, UsageError


def test_codes_and_order_are_those_of_the_notebook():
    assert schema.VALUES == ("not_mentioned", "negative", "uncertain", "positive")
    assert schema.VIEWS == ("frontal", "lateral", "other")
    assert schema.DATASETS == ("train", "valid", "test")
    assert len(schema.LABELS) == 14
    assert (schema.LABELS[0], schema.LABELS[5], schema.LABELS[13]) == ("no_finding", "edema", "support_devices")


def test_paths_follow_the_pattern_of_the_tables():
    assert schema.image_path("train", 10000032, 1, 1, "frontal") == "train/p10000032/s01/view1_frontal.jpg"
    assert schema.study_path("valid", 7, 12) == "valid/p7/s12"


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "..", "a" * 129, "a;b", "é"])
def test_names_that_could_leave_their_folder_or_their_query_are_refused(name):
    with pytest.raises(UsageError, match="must be 1 to 128"):
        schema.check_name("model", name)


def test_unknown_names_are_answered_with_the_choices():
    with pytest.raises(UnknownNameError, match="Unknown view 'top'. Choose one of: frontal, lateral, other."):
        schema.view_code("top")
    with pytest.raises(UnknownNameError, match="Unknown dataset"):
        schema.dataset_code("validate")
    with pytest.raises(UnknownNameError, match="Unknown label"):
        schema.check_label("Edema")
