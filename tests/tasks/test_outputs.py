"""Where a page may let a run write: the workspace, and the folders that the settings name."""

import pytest

from cxr_core.errors import UsageError
from cxr_core.settings import settings
from cxr_core.tasks.outputs import check_output


@pytest.fixture
def allowed(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_OUTPUT_FOLDERS", f"{tmp_path}/copies:gs://bucket/models: {tmp_path}/boards")
    (tmp_path / "copies").mkdir()
    return tmp_path


def test_a_list_of_folders_is_read_with_its_remote_places(allowed):
    assert settings().output_folders == (f"{allowed}/copies", "gs://bucket/models", f"{allowed}/boards")


@pytest.mark.parametrize("place", ["workspace/mine", "copies", "copies/deep/down", "boards"])
def test_folders_that_the_settings_name_may_be_written_to(allowed, place):
    check_output("folder", f"{allowed}/{place}")
    check_output("folder", "gs://bucket/models/mine")
    check_output("folder", "")


@pytest.mark.parametrize(
    "place", ["", "/copies-too", "/copies/../elsewhere", "/link", "/link/deeper", "/copies/../../../etc"]
)
def test_other_folders_may_not_even_by_a_link_or_by_dots(allowed, place):
    (allowed / "link").symlink_to("/etc")
    with pytest.raises(UsageError, match="The folder must lie in one of the folders .* output_folders"):
        check_output("folder", f"{allowed}{place}")


@pytest.mark.parametrize(
    "place", ["gs://bucket", "gs://bucket/modelsx", "gs://bucket/models/../x", "gs://other/models"]
)
def test_other_places_on_gs_may_not(allowed, place):
    with pytest.raises(UsageError, match="must lie in one of"):
        check_output("folder", place)


def test_by_default_the_working_directory_may_be_written_to(tmp_path):
    check_output("folder", str(tmp_path / "models"))
    with pytest.raises(UsageError):
        check_output("folder", str(tmp_path.parent))
