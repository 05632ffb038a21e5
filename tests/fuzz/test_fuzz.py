"""Damaged files: every reader gives a value or raises its error of one line, within its bounds of time and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.__main__ import in_a_child, wrong
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import CORPUS, IN_THIS_PROCESS, READERS, REPOSITORY, Reader, broken

N_INPUTS = 15
NAMES = [pytest.param(name, marks=[pytest.mark.models] * (name in IN_THIS_PROCESS)) for name in READERS]


@pytest.mark.parametrize("reader", NAMES)
def test_a_reader_gives_a_value_or_an_error_of_one_line(tmp_path: Path, reader: str) -> None:
    found = {number: wrong(reader, number, 0, tmp_path) for number in range(N_INPUTS)}
    assert not {number: what for number, what in found.items() if what}


@pytest.mark.parametrize("reader", NAMES)
def test_what_is_kept_is_read_and_what_once_broke_a_reader_does_so_no_more(
    tmp_path: Path, reader: str
) -> None:
    for file in READERS[reader].files:
        path = tmp_path / file.name.rpartition("-")[2]
        path.write_bytes(file.read_bytes())
        assert broken(READERS[reader], path) is None, file.name
        if "found-" not in file.name:
            READERS[reader].read(path)


def test_a_file_that_breaks_a_promise_is_told_and_the_others_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(path: Path) -> int:
        return 1 // (len(path.read_bytes()) % 3)

    monkeypatch.setitem(READERS, "poor", Reader(fails, (CORPUS / "answer.choice.txt",)))
    told = dict(in_a_child("poor", range(60), 1))
    assert 5 < len(told) < 55
    assert all(what.startswith("ZeroDivisionError") for what in told.values())


def test_a_reader_that_takes_too_much_or_dies_is_told_with_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "greedy", Reader(lambda _: bytearray(4 << 30), (CORPUS / "HEAD",)))
    monkeypatch.setitem(READERS, "dying", Reader(lambda _: sys.exit(5), (CORPUS / "HEAD",)))
    [(_, greedy)] = in_a_child("greedy", range(1), 1)
    assert greedy.startswith("MemoryError")
    [(_, dying)] = in_a_child("dying", range(1), 1)
    assert dying.startswith("SystemExit")


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_an_input_follows_from_its_number_and_is_another_file(name: str) -> None:
    path = CORPUS / name
    made = [mutated(path.read_bytes(), path.suffix, Random(number)) for number in range(8)]
    again = [mutated(path.read_bytes(), path.suffix, Random(number)) for number in range(8)]
    assert made == again
    assert sum(data != path.read_bytes() for data in made) >= 4


@pytest.mark.faults
def test_a_minute_of_damaged_files_breaks_no_promise(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--inputs", "600", "--seed", "3", "--out", str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
