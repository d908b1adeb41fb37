import json
import shutil

import pytest
from record_source import IMAGES, NAME, record, write_source

from cxr_core.cli import main
from cxr_core.errors import UsageError
from cxr_core.records.index import has_index
from cxr_core.records.tfrecord import record_offsets
from cxr_core.sources.registry import get_source
from cxr_core.tasks import image_record
from cxr_core.tasks.image_record import all_record_files, without_index
from cxr_core.tasks.index_records import index_records, start_indexing


def test_a_run_indexes_all_records_of_a_source_and_names_what_is_damaged(workspace, capsys):
    folder = write_source(workspace)
    bad = folder / "records/valid/frontal-00001-of-00002"
    content = bytearray(bad.read_bytes())
    content[record_offsets(bad)[2] + 50] ^= 1
    bad.write_bytes(content)
    assert main(["index", "--source", NAME, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["files"] == 12 and done["images"] == 2 * sum(IMAGES.values()) - 1
    assert done["damage"] == [f"Record 3 of {bad} is damaged: its checksum does not match. Make the file anew."]
    assert all(has_index(file) for file in all_record_files(get_source(NAME)))


def test_a_second_time_only_what_is_missing_is_made_unless_all_is_wanted_anew(workspace):
    write_source(workspace, datasets=("valid",))
    told = []
    made = [index_records(NAME, anew, lambda *far: told.append(far))["images"] for anew in (False, False, True)]
    assert made == [24, 0, 24]
    assert told[0][0] == 0 and all(read <= of for read, of in told)


def test_large_files_without_an_index_are_left_to_a_run_and_said(workspace, monkeypatch):
    folder = write_source(workspace, datasets=("valid",))
    monkeypatch.setattr(image_record, "_AT_ONCE_BYTES", 100)
    assert len(without_index(NAME)) == 4
    path = record("valid", "frontal", 3).path
    with pytest.raises(UsageError, match="have no index yet. Make it: `index --source tiny`"):
        image_record.image_record(NAME, path, at_once=True)
    assert not list((folder / "records").glob(".index/*/*"))
    assert image_record.image_record(NAME, path).jpg == record("valid", "frontal", 3).jpg
    assert image_record.image_record(NAME, path, at_once=True).jpg == record("valid", "frontal", 3).jpg


def test_a_path_of_the_tables_that_the_records_do_not_know_is_found_by_its_keys(workspace):
    write_source(workspace, datasets=("valid",), with_path=False)
    known = record("valid", "frontal", 3)
    assert image_record.image_record(NAME, "own/name.jpg", former=(known.path,)).jpg == known.jpg


def test_a_source_without_records_says_so(workspace):
    shutil.rmtree(write_source(workspace, datasets=("valid",)) / "records")
    with pytest.raises(UsageError, match="has no TFRecords"):
        start_indexing(NAME)
