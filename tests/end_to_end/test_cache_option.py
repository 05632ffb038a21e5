"""What is asked again of the same conversations comes from the cache, says so, and is the same to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.validating import convsim, line, written

N = 500
ASKED = ("--validators", "marginals", "--metrics", "turns", "--set", "marginals.n_resamples=199")


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("CONVSIM_CACHE", str(tmp_path / "of-user"))
    real = written(tmp_path / "real.jsonl", [line(number) for number in range(N)])
    sim = written(
        tmp_path / "sim.jsonl",
        [line(N + number, text=f"shoes {'now ' * (number % 5)}{number}") for number in range(N)],
    )
    return real, sim


def test_a_second_validate_says_that_it_is_an_earlier_one_and_writes_the_same(
    sides: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / ".convsim-cache"
    off = convsim("validate", *sides, *ASKED, "--no-cache", "--out", tmp_path / "off")
    assert not folder.exists()
    first = convsim("validate", *sides, *ASKED, "--out", tmp_path / "first")
    second = convsim("validate", *sides, *ASKED, "--out", tmp_path / "second")
    said = f"findings of 1 of 1 validators are those of an earlier run on the same conversations ({folder})"
    for each in (off, first, second):
        assert each.returncode == 0, each.stderr
        assert (said in " ".join(each.stderr.split())) == (each is second)
    cards = [
        (tmp_path / name / "findings.json").read_text().replace(f'"{name}"', "NAME")
        for name in ("off", "first", "second")
    ]
    assert cards[1].replace(str(tmp_path / "first"), "") == cards[2].replace(str(tmp_path / "second"), "")
    assert first.stdout == second.stdout == off.stdout
