"""Making the demo data: the same bytes from the same seed, and what the command tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.demo_data.generate import FOLDER, generate, main

COMMITTED = Path(__file__).parents[3] / FOLDER
NAMES = ["catalogue.jsonl", "convapparel_standin.json", "simulator_close.jsonl", "simulator_naive.jsonl"]


def test_the_command_writes_the_committed_bytes(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path / "new")]) == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == NAMES
    for name in NAMES:
        assert (tmp_path / "new" / name).read_bytes() == (COMMITTED / name).read_bytes(), name


def test_another_seed_makes_other_data(demo_files: dict[str, str]) -> None:
    other = generate(1)
    assert list(other) == NAMES
    assert all(other[name] != demo_files[name] for name in NAMES)


def test_outside_a_checkout_a_folder_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "name a folder with --out" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    assert main(["--out", str(tmp_path / "taken")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_nothing_reads_like_an_address_or_a_phone_number(demo_files: dict[str, str], name: str) -> None:
    suspicious = re.compile(r"\w@\w|https?:|www\.|\+\d{6}|\d{7}|\b\d{3}[-. ]\d{3}[-. ]\d{3}")
    assert suspicious.search(demo_files[name]) is None


def test_the_archive_stays_under_three_megabytes(demo_files: dict[str, str]) -> None:
    assert len(demo_files["convapparel_standin.json"].encode()) < 3_000_000
