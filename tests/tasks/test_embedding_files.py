"""Policies are tried on embeddings out of files, in each form in which people have them."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from tried_policies import SIZE, Searching, made_up_embeddings

from cxr_core.cli import main
from cxr_core.errors import DataError, UsageError
from cxr_core.records.example import _Example
from cxr_core.records.tfrecord import write_records
from cxr_core.tasks.embedding_files import are_embeddings, embedded_rows, read_embeddings
from cxr_core.tasks.policy_search import start_search


@pytest.fixture
def embedded(own_small_demo, monkeypatch):
    """The ids of the demo's images, without their endings, and an embedding of each that tells some labels."""
    Searching(monkeypatch, own_small_demo)
    return made_up_embeddings(own_small_demo)


def as_parquet(folder, ids, vectors):
    pq.write_table(pa.table({"image/id": ids, "embedding": list(vectors)}), folder / "mine.parquet")
    return folder / "mine.parquet"


def as_numpy(folder, ids, vectors):
    np.savez(folder / "mine.npz", id=np.array(ids), embedding=vectors)
    return folder / "mine.npz"


def as_plain_numpy(folder, ids, vectors):
    np.save(
        folder / "mine.npy", vectors.astype(np.float16) if (vectors == vectors.astype(np.float16)).all() else vectors
    )
    (folder / "mine.txt").write_text("\n".join(ids) + "\n")
    return folder / "mine.npy"


def foundation_record(name, vector):
    """As CXR Foundation's records are, written as protobuf's text says them."""
    floats = " ".join(f"value: {float(one)!r}" for one in vector)
    text = (
        f'features {{ feature {{ key: "image/id" value {{ bytes_list {{ value: "{name}" }} }} }} '
        f'feature {{ key: "embedding" value {{ float_list {{ {floats} }} }} }} }}'
    )
    return text_format.Parse(text, _Example()).SerializeToString()


def as_records(folder, ids, vectors):
    payloads = [foundation_record(*one) for one in zip(ids, vectors, strict=True)]
    for shard in range(2):
        write_records(folder / f"mine.tfrecord-{shard:05d}-of-00002", payloads[shard::2])
    return folder / "mine.tfrecord*"


@pytest.mark.parametrize("write", [as_parquet, as_numpy, as_plain_numpy, as_records])
def test_policies_are_tried_on_embeddings_of_every_form(embedded, tmp_path, capsys, write):
    place = write(tmp_path, *embedded)
    start_search("demo", str(place), confined=False)
    main(["policies", "--model", str(place), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert (printed["features"]["size"], printed["features"]["view"]) == (SIZE, None)
    areas = [row["roc_auc"] for row in printed["grid"] if row["roc_auc"] is not None]
    assert max(areas) > 0.7


def test_every_form_gives_the_same_ids_and_numbers(tmp_path):
    ids, vectors = ["a/b.dcm", "a/c.dcm", "é"], np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    for write in (as_parquet, as_numpy, as_plain_numpy):
        found, read = read_embeddings([str(write(tmp_path, ids, vectors))], lambda _: None)
        assert found == ids
        np.testing.assert_array_equal(read, vectors)
    as_records(tmp_path, ids, vectors)
    found, read = read_embeddings(sorted(map(str, tmp_path.glob("*.tfrecord*"))), lambda _: None)
    assert found == ["a/b.dcm", "é", "a/c.dcm"]
    np.testing.assert_array_equal(read, vectors[[0, 2, 1]])


def test_embeddings_are_read_anew_when_the_file_is_another(embedded, tmp_path, own_small_demo):
    ids, vectors = embedded
    place = as_parquet(tmp_path, [*ids, "not/ours"], np.vstack([vectors, np.zeros((1, SIZE), np.float32)]))
    told = start_search("demo", str(place), confined=False)
    assert (told["images"], told["unmatched"], told["size"]) == (len(ids), 1, SIZE)
    as_parquet(tmp_path, ids, vectors[:, :15])
    assert start_search("demo", str(place), confined=False)["size"] == 15
    assert len(list((own_small_demo / "sources" / "demo" / "features").iterdir())) == 1


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["train/p1/s1/x.jpg", "other.jpg"], [1, -1]),
        (["valid/p2/s1/x", "train/p1/s1/x"], [0, 1]),
        (["files/p9/only.dcm", "files/p9/x.dcm"], [2, -1]),
    ],
)
def test_an_id_is_a_path_one_without_its_ending_or_a_name_that_only_one_image_has(ids, expected):
    keys = pd.DataFrame({"path": ["valid/p2/s1/x.jpg", "train/p1/s1/x.jpg", "train/p1/s2/only.jpg"]})
    assert embedded_rows(ids, keys).tolist() == expected


def test_embeddings_of_other_images_are_refused():
    with pytest.raises(DataError, match=r"ids are as in 'a/b', paths as in 'train/x\.jpg'"):
        embedded_rows(["a/b"], pd.DataFrame({"path": ["train/x.jpg"]}))


def no_file(folder):
    return folder / "absent.npz"


def cut(folder):
    file = as_parquet(folder, ["a"], np.ones((1, 3), np.float32))
    file.write_bytes(file.read_bytes()[:40])
    return file


def other_columns(folder):
    pq.write_table(pa.table({"name": ["a"], "vector": [[1.0]]}), folder / "mine.parquet")
    return folder / "mine.parquet"


def ragged(folder):
    pq.write_table(pa.table({"id": ["a", "b"], "embedding": [[1.0], [1.0, 2.0]]}), folder / "mine.parquet")
    return folder / "mine.parquet"


def texts(folder):
    pq.write_table(pa.table({"id": ["a"], "embedding": [["x"]]}), folder / "mine.parquet")
    return folder / "mine.parquet"


def pickled(folder):
    np.savez(folder / "mine.npz", id=np.array(["a"]), embedding=np.array([{"a": 1}], dtype=object))
    return folder / "mine.npz"


def of_two_sizes(folder):
    records = [foundation_record("a", [1.0]), foundation_record("b", [1.0, 2.0])]
    write_records(folder / "mine.tfrecord", records)
    return folder / "mine.tfrecord"


def without_vector(folder):
    write_records(folder / "mine.tfrecord", [foundation_record("a", [])])
    return folder / "mine.tfrecord"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (no_file, "No file of embeddings is at"),
        (cut, "is no Parquet file, or is damaged"),
        (other_columns, "must have a column embedding, and one of path, image/id, id"),
        (ragged, "all of one size"),
        (texts, "lists of numbers"),
        (pickled, "two plain arrays"),
        (of_two_sizes, "Received: 1 and 2"),
        (without_vector, "record 1 of .* must have the bytes image/id"),
        (lambda folder: as_numpy(folder, ["a"], np.full((1, 3), np.nan)), "not finite"),
        (lambda folder: as_numpy(folder, ["a"], np.ones((2, 3))), "one embedding for each of 1 ids"),
    ],
)
def test_a_file_that_holds_none_is_refused_in_one_sentence(own_small_demo, monkeypatch, tmp_path, make, said):
    Searching(monkeypatch, own_small_demo)
    with pytest.raises((DataError, UsageError), match=said) as refused:
        start_search("demo", str(make(tmp_path)), confined=False)
    assert "\n" not in str(refused.value)


def test_a_page_reads_embeddings_only_where_pages_may(own_small_demo, monkeypatch, tmp_path):
    Searching(monkeypatch, own_small_demo)
    monkeypatch.setenv("CXR_INPUT_FOLDERS", "")
    with pytest.raises(UsageError, match="must lie in one of the places that pages may read"):
        start_search("demo", "/etc/secret.npz")


@pytest.mark.parametrize(
    ("name", "are"),
    [
        ("e.parquet", True),
        ("/x/e.tfrecord-00000-of-00010", True),
        ("e.tfrecords", True),
        ("*.npz", True),
        ("e.h5", False),
    ],
)
def test_embeddings_are_told_by_their_names(name, are):
    assert are_embeddings(name) is are
