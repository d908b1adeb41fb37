import numpy as np
import pandas as pd
import pytest
from random_records import random_record, write_random_records

from cxr_core.errors import ModelFileError, RecordError
from cxr_core.models.predict import predict_records
from cxr_core.records.example import Record, encode
from cxr_core.records.tfrecord import write_records
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.training.network import build_network
from cxr_core.training.pipeline import validation_batches
from cxr_core.training.pixels import PixelFormat, scaled
from cxr_core.training.record_order import RecordFiles
from cxr_core.training.weights_file import ModelInfo, write_weights

pytestmark = pytest.mark.tensorflow
COUNT = 70


@pytest.fixture(scope="module")
def network():
    made = build_network("densenet-small", 32)
    rng = np.random.default_rng(0)
    made.set_weights([np.abs(rng.normal(0.05, 0.02, weight.shape)) for weight in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def model(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.h5"
    write_weights(network, path, ModelInfo("densenet-small", 32, "frontal", None))
    return path


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_random_records(tmp_path_factory.mktemp("records"), COUNT, shards=2)


@pytest.fixture(scope="module")
def table(model, paths):
    return predict_records(model, paths)


def test_every_image_gets_its_keys_and_the_networks_own_logits(table, network, paths):
    assert list(table.columns) == [*KEY_COLUMNS, *LABELS]
    assert len(table) == COUNT
    assert set(table[list(LABELS)].dtypes) == {np.dtype("float64")}
    batches = validation_batches(RecordFiles.of(paths), PixelFormat(32, "full"), 7)
    images = np.concatenate([images[real] for images, _, real in batches.as_numpy_iterator()])
    expected = np.asarray(network(scaled(images), training=False))
    np.testing.assert_allclose(table[list(LABELS)], expected, rtol=1e-4, atol=1e-4)
    assert table[list(LABELS)].std().min() > 0
    # Records were dealt over two files.
    for row, seed in zip(table.to_dict("records"), [*range(0, COUNT, 2), *range(1, COUNT, 2)], strict=True):
        record = random_record(seed)
        assert {name: row[name] for name in KEY_COLUMNS} == record.keys | {"path": record.path}


def test_a_second_prediction_is_the_same_to_the_bit_and_a_limit_is_its_start(table, model, paths):
    told = []
    again = predict_records(model, paths, progress=told.append)
    pd.testing.assert_frame_equal(table, again, check_exact=True)
    assert told == [64, COUNT]
    pd.testing.assert_frame_equal(table.head(5), predict_records(model, paths, limit=5), check_exact=True)


def test_a_record_without_a_path_gets_it_from_the_labels_or_from_the_pattern(model, tmp_path):
    paths = write_random_records(tmp_path, 2, shards=1, path=False)
    known = pd.DataFrame([random_record(0).keys | {"path": "their/own/name.jpg"}])
    assert predict_records(model, paths, known)["path"].tolist() == [
        "their/own/name.jpg",
        "valid/p10000000/s01/view2_frontal.jpg",
    ]


def test_records_without_keys_are_refused_by_file_and_record(model, tmp_path):
    good, bad = random_record(0), random_record(1, keys=False)
    write_records(tmp_path / "mixed", [encode(good), encode(bad)])
    with pytest.raises(RecordError, match=r"Record 2 of .*mixed lacks patient, study, image, view, dataset\."):
        predict_records(model, [tmp_path / "mixed"])


def test_a_view_that_does_not_exist_is_refused(model, tmp_path):
    record = random_record(0)
    write_records(tmp_path / "odd", [encode(Record(record.jpg, record.labels, record.keys | {"view": 7}))])
    with pytest.raises(RecordError, match=r"Record 1 of .*odd has view = 7\. It must be from 0 to 2"):
        predict_records(model, [tmp_path / "odd"])


def test_a_file_cut_in_half_is_refused_by_name(model, paths, tmp_path):
    cut = tmp_path / "cut"
    content = paths[0].read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(RecordError, match="cut is cut off in record"):
        predict_records(model, [cut])


def test_a_missing_model_file_is_refused(paths, tmp_path):
    with pytest.raises(ModelFileError, match="does not exist"):
        predict_records(tmp_path / "absent.h5", paths)
