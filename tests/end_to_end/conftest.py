"""Two small sides to compare; people, a base and a way to train a shopper on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.training import Forks, conversation, forks, log
from tests.end_to_end.validating import line, written
from tests.unit.models.tiny import make_tiny


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return written(tmp_path / "real.jsonl", [line(n) for n in range(30)])


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    return written(tmp_path / "sim.jsonl", [line(n + 500, simulator="bot") for n in range(30)])


@pytest.fixture(scope="session")
def convsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("said")) as given:
        yield given


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"), context=1024)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log(tmp_path_factory.mktemp("people") / "log.jsonl", [conversation(n) for n in range(24)])
