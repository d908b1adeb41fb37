"""What goes to an object store and comes back, on a store of this process's memory: by parts, by listings, by claims."""

import os
import sys

import pytest

from cxr_core.errors import PlaceError, StorageError
from cxr_core.runs.places import sending
from cxr_core.runs.places.listing import from_bytes
from cxr_core.runs.places.object_folder import ObjectFolder, is_object_location
from cxr_core.runs.places.receiving import Receiver
from cxr_core.runs.places.sending import Sender


class Counted(ObjectFolder):
    """Counts the bytes that are read and written of parts."""

    read_bytes = written_bytes = 0

    def read(self, name, start=0, end=None):
        content = super().read(name, start, end)
        self.read_bytes += len(content or b"") if name.startswith("parts/") else 0
        return content

    def write(self, name, content):
        super().write(name, content)
        self.written_bytes += len(content) if name.startswith("parts/") else 0


@pytest.fixture
def store():
    store = Counted(f"memory://{os.urandom(6).hex()}/run")
    yield store
    store.remove(store.names())


@pytest.fixture
def there(tmp_path):
    (tmp_path / "there" / "runs" / "r").mkdir(parents=True)
    return tmp_path / "there"


@pytest.fixture
def sender(store, there):
    return Sender(there, store, "work.json")


@pytest.fixture
def received(store, tmp_path):
    """Bring what the listing names, as a process does that was started just now."""

    def receive(wanted=lambda *_: True):
        receiver = Receiver(store, tmp_path / "here", tmp_path / "notes.json")
        listing = from_bytes(store.read("work.json"), "work.json")
        receiver.receive(listing, wanted)
        receiver.drop_others(listing)
        return {p.relative_to(tmp_path / "here").as_posix(): p.read_bytes() for p in files(tmp_path / "here")}

    return receive


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def append(path, text):
    with path.open("a") as file:
        file.write(text)


def test_a_folder_comes_as_it_is_and_nothing_goes_twice(store, there, sender, received):
    (there / "runs/r/metrics.jsonl").write_text("a\n")
    (there / "half.tmp").write_text("half written")
    assert sender.send()
    assert received() == {"runs/r/metrics.jsonl": b"a\n"}
    assert not sender.send()
    assert (store.read_bytes, store.written_bytes) == (2, 2)


def test_of_a_file_that_grows_only_what_was_added_travels(store, there, sender, received):
    metrics = there / "runs/r/metrics.jsonl"
    metrics.write_text("x" * 10_000)
    sender.send(), received()
    for _ in range(5):
        append(metrics, "a row\n")
        sender.send(), received()
    assert received()["runs/r/metrics.jsonl"] == metrics.read_bytes()
    assert (store.read_bytes, store.written_bytes) == (10_030, 10_030)


def test_many_small_parts_become_one_and_nothing_is_read_twice_for_it(store, there, sender, received):
    metrics = there / "runs/r/metrics.jsonl"
    for row in range(40):
        append(metrics, f"row {row}\n")
        sender.send()
        assert received()["runs/r/metrics.jsonl"] == metrics.read_bytes()
    assert store.read_bytes == metrics.stat().st_size
    assert len(from_bytes(store.read("work.json"), "").popitem()[1].parts) <= 33
    assert len([name for name in store.names() if name.startswith("parts/")]) <= 66, "what went out of use is removed"


def test_a_file_that_was_cut_as_by_a_resume_comes_anew(there, sender, received):
    metrics = there / "runs/r/metrics.jsonl"
    metrics.write_text("1 at 10:00\n2 at 10:01\n")
    sender.send(), received()
    os.truncate(metrics, 11)
    append(metrics, "2 at 11:31\n3 at 11:32\n")
    sender.send()
    assert received()["runs/r/metrics.jsonl"] == metrics.read_bytes()


def test_a_large_file_goes_in_parts_and_one_that_is_removed_goes_here_too(store, there, sender, received, monkeypatch):
    monkeypatch.setattr(sending, "PART_BYTES", 1000)
    (there / "runs/r/old.npz").write_bytes(os.urandom(2500))
    sender.send()
    assert received()["runs/r/old.npz"] == (there / "runs/r/old.npz").read_bytes()
    assert len(store.names()) == 4
    (there / "runs/r/old.npz").unlink()
    (there / "runs/r/new.npz").write_bytes(b"new")
    sender.send()
    assert received() == {"runs/r/new.npz": b"new"}
    (there / "runs/r/new.npz").write_bytes(b"newer")
    sender.send()
    assert len(store.names()) == 3, "the parts of what was removed are gone once a listing later"


def test_a_receiver_that_was_killed_as_it_wrote_writes_the_same_again(there, sender, received, tmp_path):
    metrics = there / "runs/r/metrics.jsonl"
    metrics.write_text("first\n")
    sender.send(), received()
    append(metrics, "second\n")
    sender.send()
    append(tmp_path / "here/runs/r/metrics.jsonl", "sec")  # written, and not noted
    assert received()["runs/r/metrics.jsonl"] == b"first\nsecond\n"


def test_a_part_that_is_gone_is_no_half_file(store, there, sender, received, tmp_path):
    (there / "a").write_text("a")
    sender.send()
    store.remove(name for name in store.names() if name.startswith("parts/"))
    with pytest.raises(StorageError, match="is there no more"):
        received()
    assert not files(tmp_path / "here")


def test_goods_that_another_sender_left_are_not_sent_again_and_never_removed(store, there, sender, received):
    (there / "weights.h5").write_bytes(b"w" * 1000)
    sender.send()
    second = Sender(there, store, "second.json")
    second.knows(from_bytes(store.read("work.json"), ""))
    (there / "log").write_text("x")
    second.send()
    assert store.written_bytes == 1001
    (there / "weights.h5").unlink()
    second.send(), append(there / "log", "y"), second.send()
    assert received()["weights.h5"] == b"w" * 1000


def test_an_object_is_made_by_one_of_two(store):
    assert store.create("claim", b"first")
    assert not store.create("claim", b"second")
    assert store.create("claim", b"first"), "whose answer was lost and who asks again"
    assert store.read("claim") == b"first"


def test_the_same_holds_by_googles_client(bucket, there, tmp_path):
    google = ObjectFolder(f"{bucket}/runs/r")
    assert google.create("claim-1", b"first")
    assert not google.create("claim-1", b"second")
    assert google.create("claim-1", b"first")
    assert google.read("claim-1") == b"first"
    assert google.read("claim-2") is None
    (there / "runs/r/metrics.jsonl").write_text("first\n")
    sender, receiver = Sender(there, google, "work.json"), Receiver(google, tmp_path / "here", tmp_path / "notes.json")
    for text in ("second\n", "third\n"):
        sender.send()
        receiver.receive(from_bytes(google.read("work.json"), ""), lambda *_: True)
        append(there / "runs/r/metrics.jsonl", text)
    assert (tmp_path / "here/runs/r/metrics.jsonl").read_text() == "first\nsecond\n"
    google.remove([*google.names(), "nothing"])
    assert google.names() == []


@pytest.mark.parametrize(
    "stored",
    [
        b"no JSON",
        b"[]",
        b'{"files": {"../x": {"content": "a", "parts": []}}}',
        b'{"files": {"/etc/x": {"content": "a", "parts": []}}}',
        b'{"files": {"a\\\\..\\\\b": {"content": "a", "parts": []}}}',
        b'{"files": {"x": {"content": "a", "parts": [["../secret", 3]]}}}',
        b'{"files": {"x": {"content": "a", "parts": [["parts/a", -3]]}}}',
        b'{"files": {"x": {"parts": []}}}',
    ],
)
def test_a_listing_that_leads_out_of_the_folder_or_is_none_is_refused(stored):
    with pytest.raises(StorageError, match=r"work\.json is no listing"):
        from_bytes(stored, "work.json")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *(("gs://bucket/runs", True), ("s3://bucket", True), ("file:///shared/cxr", True)),
        *(("gs://", False), ("gs://UP/x", False), ("http://x/y", False), ("gs://b/x*", False), ("memory://x", False)),
    ],
)
def test_what_a_place_may_name(text, is_one):
    assert is_object_location(text) is is_one


def test_without_its_library_s3_says_in_one_line_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(PlaceError, match=r'^s3:// needs a library\. Install it: pip install "cxr-lab\[s3\]"\.$'):
        ObjectFolder("s3://bucket/runs")


def test_a_store_that_refuses_or_breaks_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="does not answer. Try again later. It says: ") as refused:
        ObjectFolder(f"file://{tmp_path}/file").write("x", b"")
    assert "\n" not in str(refused.value)
