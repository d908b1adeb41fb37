"""Locations on Cloud Storage, against the emulator: listing, copies that follow what is there, sending, errors in words."""

import re
import socket
import sys

import pytest
from cloud_storage import Refusing

from cxr_core import storage
from cxr_core.cloud_storage import forget_listings
from cxr_core.cloud_user import user_folder, user_location
from cxr_core.errors import StorageError, UsageError
from cxr_core.locations import check_location, join
from cxr_core.mirror import mirrored


@pytest.fixture
def sent(bucket, tmp_path):
    """Send texts to locations in the bucket."""

    def send(**texts: str) -> None:
        for name, text in texts.items():
            (tmp_path / "sent").write_text(text)
            storage.send(tmp_path / "sent", f"{bucket}/{name.replace('__', '/')}")
        forget_listings()

    return send


def test_files_are_listed_by_pattern_with_whole_locations(bucket, sent):
    sent(models__b="1", models__a="2", models__deep__c="3", other="4")
    assert storage.matching(f"{bucket}/models/*") == [f"{bucket}/models/a", f"{bucket}/models/b"]
    assert storage.matching(f"{bucket}/none/*") == []


def test_names_are_read_out_of_a_pattern(bucket, tmp_path):
    (tmp_path / "x").write_text("x")
    for name in ("net.h5", "net.h5.bak", "has space.h5", "deep/other.h5"):
        storage.send(tmp_path / "x", f"{bucket}/models/{name}")
    found = storage.files_by_name(f"{bucket}/models/{{model}}.h5", "{model}", "[a-z]+")
    assert found == {"net": f"{bucket}/models/net.h5"}


def test_a_copy_is_fetched_once_and_again_when_the_file_was_replaced(bucket, sent, monkeypatch):
    sent(table="first")
    copy = storage.local_copy(f"{bucket}/table")
    assert copy.read_text() == "first"
    assert storage.local_copy(f"{bucket}/table") == copy
    assert copy.is_relative_to(storage.cache_folder())
    sent(table="second!")
    assert storage.local_copy(f"{bucket}/table").read_text() == "second!"
    assert copy.read_text() == "first", "whoever reads the old one right now still can"
    monkeypatch.setattr(storage, "_OLD_COPY_SECONDS", -1)
    sent(table="the third")
    assert storage.local_copy(f"{bucket}/table").read_text() == "the third"
    assert len(list(storage.cache_folder().iterdir())) == 1


def test_a_file_is_read_from_its_start_in_pieces(bucket, sent):
    sent(long="0123456789" * 100_000)
    with storage.open_binary(f"{bucket}/long") as file:
        file.seek(999_990)
        assert file.read(20) == b"0123456789"
        assert file.read(1) == b""


def test_a_local_path_is_itself(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    assert storage.local_copy(tmp_path / "a.txt") == storage.local_copy(str(tmp_path / "a.txt")) == tmp_path / "a.txt"
    assert storage.matching(f"{tmp_path}/*.txt") == [str(tmp_path / "a.txt")]
    storage.send(tmp_path / "a.txt", str(tmp_path / "new" / "b.txt"))
    assert (tmp_path / "new" / "b.txt").read_text() == "a"
    assert join(str(tmp_path), "x", "y") == str(tmp_path / "x" / "y")
    assert join("gs://bucket/", "x", "y") == "gs://bucket/x/y"


def test_what_is_there_and_what_is_not(bucket, sent):
    sent(here="x")
    assert storage.exists(f"{bucket}/here")
    assert not storage.exists(f"{bucket}/there")
    with pytest.raises(StorageError, match=f"Nothing lies at {bucket}/there"):
        storage.local_copy(f"{bucket}/there")


def test_a_folder_is_tried_before_hours_of_work_and_left_clean(bucket):
    storage.check_writable(f"{bucket}/mine")
    forget_listings()
    assert storage.matching(f"{bucket}/mine/*") == []


def test_a_growing_folder_is_mirrored(bucket, tmp_path):
    folder = tmp_path / "logs"
    (folder / "run").mkdir(parents=True)
    with mirrored(folder, f"{bucket}/logs", seconds=0.05):
        (folder / "run" / "events").write_text("one")
    assert storage.local_copy(f"{bucket}/logs/run/events").read_text() == "one"


def test_a_mirror_that_cannot_be_reached_tells_in_the_end(tmp_path, bucket):
    (tmp_path / "events").write_text("one")
    mirror = mirrored(tmp_path, "gs://no-such-bucket/logs")
    with pytest.raises(StorageError, match="gs://no-such-bucket/logs/events"), mirror:
        pass


def test_a_bucket_that_is_missing_is_named(bucket):
    with pytest.raises(StorageError, match=r"There is no bucket gs://no-such-bucket\. Correct"):
        storage.matching("gs://no-such-bucket/models/*.h5")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_role_to_ask_for(monkeypatch, capfd, status):
    server = Refusing(status, "alice does not have storage.objects.list access")
    monkeypatch.setenv("CXR_GCS_ENDPOINT", server.endpoint)
    with pytest.raises(StorageError, match="Storage Object Viewer.*alice does not have") as raised:
        storage.matching("gs://bucket/*.h5")
    server.stop()
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""


def test_no_connection_is_said_in_words(monkeypatch, capfd):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CXR_GCS_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
    monkeypatch.setattr(storage, "LOOK_UP_SECONDS", 0.3)
    with pytest.raises(StorageError, match=r"cannot be reached at http://127.* Check the network"):
        storage.matching("gs://bucket/*.h5")
    assert capfd.readouterr().err == ""


def test_who_is_out_of_reach_is_waited_for_once_and_asked_again_when_that_is_wanted(bucket, monkeypatch):
    forget_listings()
    monkeypatch.setattr(storage, "LOOK_UP_SECONDS", 1e-6)
    with pytest.raises(StorageError, match="cannot be reached"):
        storage.matching(f"{bucket}/x*")
    monkeypatch.setattr(storage, "LOOK_UP_SECONDS", 20.0)
    with pytest.raises(StorageError, match="cannot be reached"):
        storage.matching(f"{bucket}/y*")
    forget_listings()
    assert storage.matching(f"{bucket}/y*") == []


def test_missing_credentials_are_said_in_words(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    forget_listings()
    forget_listings()
    with pytest.raises(UsageError, match="needs Google credentials.*gcloud auth application-default login"):
        storage.matching("gs://bucket/*.h5")


@pytest.mark.parametrize("location", ["s3://bucket/x", "gs://", "gs://UP/x", "gs://b/x\ny", "gs://b`c/x", "ram://x"])
def test_other_places_are_refused_in_a_sentence(location):
    with pytest.raises(UsageError, match="path of this machine or gs://bucket/folder"):
        check_location(location)


def test_the_users_folder_is_the_notebooks(monkeypatch, tmp_path):
    monkeypatch.setenv("CXR_ACCOUNT", "Ana.Müller+cxr@example.org")
    expected = re.sub(r"[^\w]", "_", "Ana.Müller+cxr@example.org")[:128]
    assert user_location("gs://bucket/models/") == f"gs://bucket/models/{expected}"
    assert user_location(f"gs://bucket/models/{expected}") == f"gs://bucket/models/{expected}"
    monkeypatch.setenv("CXR_ACCOUNT", "a" * 300)
    assert user_folder() == "a" * 128


def test_the_account_is_gclouds_else_the_login_name(monkeypatch, tmp_path):
    monkeypatch.delenv("CLOUDSDK_CORE_ACCOUNT", raising=False)
    monkeypatch.delenv("CLOUDSDK_ACTIVE_CONFIG_NAME", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setattr("getpass.getuser", lambda: "local-login")
    assert user_folder() == "local_login"
    (tmp_path / "configurations").mkdir()
    (tmp_path / "active_config").write_text("work")
    (tmp_path / "configurations" / "config_work").write_text(
        "[compute]\naccount = no\n[core]\nproject = p\naccount = ana@lab.org\n"
    )
    assert user_folder() == "ana_lab_org"
    monkeypatch.setenv("CLOUDSDK_CORE_ACCOUNT", "other@lab.org")
    assert user_folder() == "other_lab_org"


def test_google_is_not_loaded_for_local_paths(tmp_path):
    import subprocess

    code = (
        "import sys; before = {*sys.modules}; from cxr_core import cloud_storage, storage; storage.matching('/tmp/x*'); storage.local_copy('/tmp/x'); "
        "cloud_storage.forget_listings(); print([name for name in sys.modules.keys() - before if name.startswith(('google.', 'gcsfs', 'fsspec'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
