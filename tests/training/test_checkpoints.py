import numpy as np
import pytest

from cxr_core.training.checkpoints import Checkpoint, Position, load_checkpoint, save_checkpoint


def checkpoint(step: int, epoch: int = 0) -> Checkpoint:
    position = Position(
        epoch=epoch, step=step, step_in_epoch=1, best_auc=0.5 + step / 1000, best_epoch=epoch, stale=1, cuts=2
    )
    return Checkpoint(position, [np.full((2, 3), step, np.float32), np.arange(4.0)], [np.array(step, np.int64)])


def test_a_checkpoint_comes_back_to_the_bit(tmp_path):
    saved = checkpoint(7)
    save_checkpoint(tmp_path, saved)
    loaded = load_checkpoint(tmp_path)
    assert loaded.position == saved.position == Position.from_array(saved.position.as_array())
    for before, after in zip(saved.network + saved.optimizer, loaded.network + loaded.optimizer, strict=True):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


def test_more_than_ten_arrays_come_back_in_their_order(tmp_path):
    arrays = [np.array(i) for i in range(25)]
    save_checkpoint(tmp_path, Checkpoint(Position(), arrays, arrays))
    assert [int(a) for a in load_checkpoint(tmp_path).network] == list(range(25))


def test_only_the_newest_two_are_kept_and_nothing_else_is_left(tmp_path):
    for step in (9, 10, 100):
        save_checkpoint(tmp_path, checkpoint(step))
    assert len(list(tmp_path.iterdir())) == 2
    assert load_checkpoint(tmp_path).position.step == 100


def test_a_complete_epoch_counts_as_newer_than_its_cancelled_validation(tmp_path):
    save_checkpoint(tmp_path, checkpoint(10, epoch=0))
    save_checkpoint(tmp_path, checkpoint(10, epoch=1))
    assert load_checkpoint(tmp_path).position.epoch == 1


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert load_checkpoint(tmp_path / "absent") is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    save_checkpoint(tmp_path, checkpoint(1))
    path = save_checkpoint(tmp_path, checkpoint(2))
    content = bytearray(path.read_bytes())
    # The float32 twos of the first array lie in the middle of the file, uncompressed.
    content[content.index(np.full(6, 2, np.float32).tobytes())] ^= 1
    path.write_bytes({"cut": content[: len(content) // 2], "flipped": content, "empty": b""}[damage])
    assert load_checkpoint(tmp_path).position.step == 1
