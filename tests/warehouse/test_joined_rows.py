import numpy as np
import pyarrow as pa

from cxr_core.schema import LABELS
from cxr_core.warehouse.frames import MISSING
from cxr_core.warehouse.joined_rows import kept_rows
from cxr_core.warehouse.parquet import write_table
from cxr_core.warehouse.warehouse import open_warehouse


def answer(paths, scores, codes, repeated=1):
    ones = [1] * len(paths)
    return pa.table(
        {
            "path": paths,
            "prediction_rows": [repeated, *ones[1:]],
            "label_rows": ones,
            "predicted_edema": scores,
            "true_edema": codes,
        }
    )


def test_what_models_have_in_common_is_held_once(local_tables, prediction_rows, tmp_path):
    place = tmp_path / "tables" / "second_predictions.parquet"
    other = {label: 1 - prediction_rows[label] for label in LABELS if label in prediction_rows}
    write_table(place, prediction_rows.assign(**other)[::-1], scale="logit")
    warehouse = open_warehouse(local_tables)
    first, second = (warehouse.joined(model).frame for model in ("net", "second"))
    assert len(first)
    stated = [name for name in first.columns if name != "path" and not (first[name] == MISSING).any()]
    assert {"patient", "study", "image"} < set(stated)
    for name in stated:
        shared = np.shares_memory(first[name].to_numpy(), second[name].to_numpy())
        assert shared is not name.startswith("predicted_"), name
    assert first["path"].equals(second["path"])


def test_rows_are_kept_in_the_order_of_their_paths():
    first = kept_rows(answer(["c", "a", "b"], [0.3, 0.1, 0.2], [3, 1, 2]), "alike")
    second = kept_rows(answer(["b", "c", "a"], [2.0, 3.0, 1.0], [2, 3, 1]), "alike")
    assert first["path"].to_pylist() == second["path"].to_pylist() == ["a", "b", "c"]
    assert second["predicted_edema"].to_pylist() == [1.0, 2.0, 3.0]
    held = [table["true_edema"].chunk(0).buffers()[1].address for table in (first, second)]
    assert held[0] == held[1]


def test_a_code_that_is_no_whole_number_is_kept_for_the_one_who_reads_it():
    found = kept_rows(answer(["b", "a"], [0.1, 0.2], [1.0, 2.0]), "whole")
    assert found["true_edema"].type == pa.int64()
    broken = kept_rows(answer(["b", "a"], [0.1, 0.2], [1.5, 2.0]), "broken")
    assert broken["true_edema"].to_pylist() == [2.0, 1.5]


def test_labels_of_other_rows_are_not_shared_and_an_answer_with_a_path_twice_is_left_as_it_is():
    first = kept_rows(answer(["a", "b"], [0.1, 0.2], [1, 2]), "labels")
    second = kept_rows(answer(["a", "c"], [0.1, 0.2], [1, 3]), "labels")
    third = kept_rows(answer(["a", "c"], [0.1, 0.2], [0, 0]), "labels that were written anew")
    codes = [table["true_edema"].to_pylist() for table in (first, second, third)]
    assert codes == [[1, 2], [1, 3], [0, 0]]
    twice = answer(["b", "a"], [0.1, 0.2], [1, 2], repeated=2)
    assert kept_rows(twice, "labels") is twice
