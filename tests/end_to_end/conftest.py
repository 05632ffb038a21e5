"""Two small sides to compare."""

from pathlib import Path

import pytest

from tests.end_to_end.validating import line, written


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return written(tmp_path / "real.jsonl", [line(n) for n in range(30)])


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    return written(tmp_path / "sim.jsonl", [line(n + 500, simulator="bot") for n in range(30)])
