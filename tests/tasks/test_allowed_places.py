"""Where a page may let the product write and read: the workspace, the places of sources, and what the settings name."""

import pytest

from cxr_core.errors import UsageError
from cxr_core.settings import settings
from cxr_core.tasks.allowed_places import check_input, check_output, readable_places
from cxr_core.tasks.named_model import absolute
from cxr_core.tasks.predict import start_prediction
from cxr_core.tasks.training_plan import plan_training
from cxr_core.training.options import TrainOptions


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


@pytest.fixture
def readable(tmp_path, workspace, monkeypatch):
    """A workspace, a source with places of its own, and two places that the settings name."""
    (tmp_path / "cxr.toml").write_text(
        f'[settings]\ninput_folders = "{tmp_path}/given:gs://bucket/given"\n'
        f'output_folders = "{tmp_path}/copies"\n[sources.far]\nkind = "local"\n'
        'records = "theirs/records/{dataset}/{view}*"\nmodels = "gs://mine/models/{model}.h5"\n'
        '[sources.wrong]\nkind = "nonsense"\n'
    )
    monkeypatch.delenv("CXR_INPUT_FOLDERS")
    for folder in ("given", "theirs/records/train", "workspace"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    "place",
    [
        "workspace/x.h5",
        "workspace/**",
        "theirs/records/train/*",
        "theirs/records/{dataset}/{view}*",
        "given",
        "given/[a]*",
    ],
)
def test_the_workspace_the_places_of_sources_and_those_of_the_settings_may_be_read(readable, place):
    check_input("file", f"{readable}/{place}")
    check_input("file", "")


@pytest.mark.parametrize("place", ["gs://bucket/given/{dataset}/*", "gs://mine/models/other.h5"])
def test_so_may_their_buckets(readable, place):
    check_input("file", place)


@pytest.mark.parametrize(
    "place",
    [
        "/etc/hostname", "/**", "/", "/nowhere/at/all", "{tmp}/elsewhere", "{tmp}/given/../elsewhere", "{tmp}/given/*/../..",
        "{tmp}/given-too", "{tmp}/given/link/hostname", "{tmp}/given/loop/x", "{tmp}/given/\0", "{tmp}/given/" + "x" * 300,
        "gs://bucket/other", "gs://bucket/given/../other", "gs://mine/{dataset}", "gs://other/**", "{tmp}*/elsewhere",
    ],
)  # fmt: skip
def test_nothing_else_may_and_whether_it_exists_is_not_told(readable, place):
    (readable / "given" / "link").symlink_to("/etc")
    (readable / "given" / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="The file must lie in one of the places that pages may read: .*input_folders"):
        check_input("file", place.replace("{tmp}", str(readable)))


def test_what_lies_outside_is_not_looked_at(readable, monkeypatch):
    touched = []
    monkeypatch.setattr("pathlib.Path.resolve", lambda path, strict=False: touched.append(path) or path)
    with pytest.raises(UsageError):
        check_input("file", "/etc/hostname")
    assert not touched


@pytest.mark.parametrize(
    "ask",
    [
        lambda place: plan_training("demo", TrainOptions(records=f"{place}/{{view}}*")),
        lambda place: plan_training("demo", TrainOptions(init_from=f"{place}/x.h5")),
        lambda place: plan_training("demo", TrainOptions(save_to=place)),
        lambda place: plan_training("demo", TrainOptions(tensorboard=place)),
        lambda place: start_prediction("demo", f"{place}/x.h5"),
        lambda place: start_prediction("demo", "some", records=f"{place}/*"),
    ],
)
@pytest.mark.parametrize("place", ["{tmp}/private", "{tmp}/nowhere", "gs://somebody/private"])
def test_every_task_that_a_page_starts_refuses_it_before_anything_is_looked_for(readable, ask, place, monkeypatch):
    (readable / "workspace" / "sources" / "demo").mkdir(parents=True)
    (readable / "workspace" / "sources" / "demo" / "source.toml").write_text('kind = "local"\n')
    (readable / "private").mkdir()
    monkeypatch.setattr("cxr_core.storage.files", lambda: pytest.fail("the network was asked"))
    with pytest.raises(UsageError, match="must lie in one of the (places|folders) that pages may"):
        ask(place.replace("{tmp}", str(readable)))


def test_a_home_folder_of_nobody_is_refused_in_a_sentence(readable):
    with pytest.raises(
        UsageError, match="A path that begins with ~ must name a user with a home folder. Received: '~nobody-at-all/x'"
    ):
        absolute("~nobody-at-all/x")


def test_a_folder_that_a_source_names_at_the_root_opens_nothing(readable):
    (readable / "cxr.toml").write_text('[sources.far]\nkind = "local"\nrecords = "/{dataset}/{view}*"\n')
    assert readable_places() == (str(readable / "workspace"),)
