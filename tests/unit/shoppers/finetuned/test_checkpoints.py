"""Which checkpoints count."""

from pathlib import Path

import pytest

from convsim.errors import TrainingError
from convsim.shoppers.finetuned.checkpoints import checkpointing, last_good, step_of
from tests.needs import needed

needed("safetensors")


def written(folder: Path, step: int, *, whole: bool = True) -> Path:
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    (made / "weights").write_bytes(b"w")
    if whole:
        (made / "whole").touch()
    return made


def break_off(folder: Path, step: int, problem: BaseException) -> None:
    with checkpointing(folder, step):
        written(folder, step, whole=False)
        raise problem


def test_the_newest_whole_checkpoint_counts_and_half_written_ones_are_removed(tmp_path: Path) -> None:
    assert last_good(tmp_path) is None
    for step in (20, 9, 100):
        written(tmp_path, step)
    written(tmp_path, 110, whole=False)
    written(tmp_path, 30, whole=False)
    newest = last_good(tmp_path)
    assert newest == tmp_path / "checkpoint-100"
    assert step_of(newest) == 100
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-9", "checkpoint-20", "checkpoint-100"}


def test_a_checkpoint_counts_only_once_it_was_written_to_its_end(tmp_path: Path) -> None:
    with checkpointing(tmp_path, 10):
        made = written(tmp_path, 10, whole=False)
        assert not (made / "whole").exists()
    assert last_good(tmp_path) == made


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), RuntimeError("write failed")])
def test_one_that_cannot_be_written_leaves_the_last_good_one(tmp_path: Path, problem: Exception) -> None:
    good = written(tmp_path, 10)
    with pytest.raises(
        TrainingError, match=r"step 20 cannot be written .*; the one of step 10 is kept: free space"
    ):
        break_off(tmp_path, 20, problem)
    assert list(tmp_path.iterdir()) == [good]


def test_the_first_one_that_cannot_be_written_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"No space left on device.*; there is no earlier one: free space"
    ):
        break_off(tmp_path, 10, OSError(28, "No space left on device"))
    assert not list(tmp_path.iterdir())


def test_an_interrupt_while_one_is_written_is_no_failure_to_write(tmp_path: Path) -> None:
    written(tmp_path, 10)
    with pytest.raises(KeyboardInterrupt):
        break_off(tmp_path, 20, KeyboardInterrupt())
    assert last_good(tmp_path) == tmp_path / "checkpoint-10"
