from dataclasses import dataclass, field

import numpy as np
import pytest

from cxr_core import storage
from cxr_core.errors import StorageError, UnknownNameError, UsageError
from cxr_core.models.listing import find_weights, list_models, weights_files
from cxr_core.training.weights_file import ModelInfo, read_info, write_layers
from cxr_core.uncertainty import Policy, named_policy


@dataclass
class Table:
    model: str
    images: int = 10
    datasets: tuple[str, ...] = ("valid",)
    metadata: dict = field(default_factory=dict)


def write_model(path, view="frontal", policy=None):
    info = ModelInfo("densenet-small", 96, view, (policy or named_policy("hybrid")).as_dict())
    write_layers([("dense", [("kernel:0", np.ones((2, 2)))])], path, info)


def test_a_weights_file_and_a_prediction_table_of_one_name_are_one_model(tmp_path):
    write_model(tmp_path / "mine.h5", view="lateral")
    (entry,) = list_models([f"{tmp_path}/{{model}}.h5"], [Table("mine", 7, ("valid", "test"))])
    assert entry.as_json() == {
        "name": "mine",
        "view": "lateral",
        "u": 0.5,
        "w": 0.25,
        "policy": "hybrid",
        "images": 7,
        "weights": str(tmp_path / "mine.h5"),
        "predictions": ["valid", "test"],
    }


def test_models_are_sorted_and_known_from_their_table_or_their_name(tmp_path):
    tables = [
        Table("zeta", metadata={"view": "lateral", "policy": "ignore", "u": 0.0, "w": 0.0}),
        Table("densenet_frontal_u1_0__w1_0"),
        Table("nothing_known"),
    ]
    first, second, third = list_models([f"{tmp_path}/{{model}}.h5"], tables)
    assert (first.name, first.view, first.u, first.w, first.policy) == (tables[1].model, "frontal", 1, 1, "positive")
    assert (second.name, second.view, second.u, second.policy, second.weights) == (
        "nothing_known",
        None,
        None,
        None,
        None,
    )
    assert (third.name, third.view, third.u, third.policy) == ("zeta", "lateral", 0, "ignore")


def test_u_and_w_that_differ_per_label_are_no_single_number(tmp_path):
    write_model(tmp_path / "mixed.h5", policy=Policy("mine", tuple(i / 20 for i in range(14)), (0.5,) * 14))
    (entry,) = list_models([f"{tmp_path}/{{model}}.h5"])
    assert (entry.policy, entry.u, entry.w) == ("mine", None, 0.5)
    mine = Policy("mine", tuple(i / 20 for i in range(14)), (0.5,) * 14)
    assert entry.policy_words() == f"mine (policy {mine.digest})"
    write_model(tmp_path / "mixed.h5")
    assert list_models([f"{tmp_path}/{{model}}.h5"])[0].policy_words() == "hybrid (u 0.5, w 0.25)"


def test_the_first_pattern_counts(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_model(tmp_path / folder / "same.h5")
    patterns = [f"{tmp_path}/one/{{model}}.h5", f"{tmp_path}/two/{{model}}.h5"]
    assert weights_files(patterns) == {"same": str(tmp_path / "one" / "same.h5")}


def test_models_on_cloud_storage_are_listed_by_name_and_fetched_when_used(bucket, tmp_path):
    write_model(tmp_path / "x.h5", view="lateral")
    for name in ("densenet_frontal_u1_0__w1_0", "both", "has space"):
        storage.send(tmp_path / "x.h5", f"{bucket}/models/{name}.h5")
    write_model(tmp_path / "both.h5")
    patterns = [f"{bucket}/models/{{model}}.h5", f"{tmp_path}/{{model}}.h5"]
    both, named, x = list_models(patterns)
    assert (both.name, both.weights, x.name) == ("both", f"{bucket}/models/both.h5", "x")
    assert (named.view, named.u, named.weights) == ("frontal", 1, f"{bucket}/models/{named.name}.h5")
    assert read_info(find_weights(patterns, named.name)).view == "lateral"
    assert find_weights(patterns, "x") == tmp_path / "x.h5"


def test_models_on_a_cloud_storage_that_cannot_be_asked_are_left_out_until_they_are_used(bucket):
    patterns = ["gs://no-such-bucket/{model}.h5"]
    assert [entry.name for entry in list_models(patterns, [Table("mine")])] == ["mine"]
    with pytest.raises(StorageError, match="no bucket gs://no-such-bucket"):
        find_weights(patterns, "mine")


def test_only_files_with_a_legal_name_are_models(tmp_path):
    write_model(tmp_path / "good.h5")
    write_model(tmp_path / "has space.h5")
    (tmp_path / "folder.h5").mkdir()
    (tmp_path / ".good.h5.x.tmp").touch()
    assert list(weights_files([f"{tmp_path}/{{model}}.h5"])) == ["good"]


def test_a_folder_with_glob_characters_is_taken_literally(tmp_path):
    folder = tmp_path / "a[1]*"
    folder.mkdir()
    write_model(folder / "good.h5")
    assert weights_files([f"{folder}/{{model}}.h5"]) == {"good": str(folder / "good.h5")}


def test_a_damaged_weights_file_is_still_listed(tmp_path):
    (tmp_path / "densenet_frontal_u0_0__w0_0.h5").write_bytes(b"damaged")
    (entry,) = list_models([f"{tmp_path}/{{model}}.h5"])
    assert (entry.view, entry.policy) == ("frontal", "ignore")


def test_a_pattern_without_a_place_for_the_name_is_refused():
    with pytest.raises(UsageError, match=r"must contain \{model\}"):
        weights_files(["models/my.h5"])


def test_an_unknown_model_is_refused_with_those_there_are(tmp_path):
    write_model(tmp_path / "good.h5")
    patterns = [f"{tmp_path}/{{model}}.h5"]
    assert find_weights(patterns, "good") == tmp_path / "good.h5"
    with pytest.raises(UnknownNameError, match="Choose one of: good"):
        find_weights(patterns, "bad")
