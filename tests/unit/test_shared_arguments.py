"""What ``convsim_report`` takes for the same validation: what has the same content, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import convsim
from convsim.errors import InputError
from convsim.schema import Corpus, Finding
from convsim.testing import SharedReports
from tests.end_to_end.validating import line, written

Make = Callable[[], str]


def counted(real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
    fields = {
        "question": "?", "unit": "words", "reason": "because", "n_real": 4, "n_simulated": 4, "seed": 1,
        "validator": "counted", "metric": "words", "verdict": "different", "version": "1", "source": "a test",
    }  # fmt: skip
    return [Finding.model_validate(fields)]


@dataclass(frozen=True)
class Place:
    path: str

    def simulated(self) -> str:
        return self.path


class Elsewhere(Place):
    """Keeps what its base, a dataclass, knows nothing of."""

    def __init__(self, path: str):
        super().__init__("")
        object.__setattr__(self, "elsewhere", path)

    def simulated(self) -> str:
        return str(vars(self)["elsewhere"])


@dataclass(frozen=True)
class Locked:
    lock: threading.Lock


class Asked:
    """Two sides whose first 20 conversations are the same, as are their lengths; validations of them in one session."""

    def __init__(self, folder: Path):
        lines = [line(n + 500, simulator="bot") for n in range(24)]
        self.real = str(written(folder / "real.jsonl", [line(n) for n in range(24)]))
        self.one, self.two = str(folder / "one.jsonl"), str(folder / "two.jsonl")
        written(Path(self.one), lines)
        written(Path(self.two), [*lines[:-1], line(900, simulator="bot")])
        self.folder = folder

    def validate(self, reports: SharedReports, simulated: object, **more: object) -> object:
        return reports.validate(self.real, simulated, validators=[counted], **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(tmp_path_factory.mktemp("asked"))


def enclosing(path: object) -> Make:
    return lambda: str(path)


def given(path: str) -> Make:
    def simulated(path: str = path) -> str:
        return path

    return simulated


WAYS: dict[str, Callable[[str], object]] = {
    "a closure": enclosing,
    "a default": given,
    "a method": lambda path: Place(path).simulated,
    "a field of no dataclass": lambda path: Elsewhere(path).simulated,
    "a list": lambda path: list(convsim.read(path)),
    "an iterator": lambda path: iter(convsim.read(path)),
    "what was read": convsim.read,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_differs_in_content_alone_is_another_validation(
    asked: Asked, way: Callable[[str], object], tmp_path: Path
) -> None:
    reports = SharedReports(tmp_path)
    card = asked.validate(reports, way(asked.one))
    assert asked.validate(reports, way(asked.one)) is card
    # Another process of the session reads what the first one found, or refuses it.
    for each in (reports, SharedReports(tmp_path)):
        with pytest.raises(
            InputError, match=r"'validation' is a validation with other arguments \(simulated\)"
        ):
            asked.validate(each, way(asked.two))
    assert asked.validate(SharedReports(tmp_path), way(asked.one)) == card


def test_a_file_that_changed_and_a_long_setting_are_told_from_what_they_were(
    asked: Asked, tmp_path: Path
) -> None:
    reports, simulated = SharedReports(tmp_path / "shared"), tmp_path / "sim.jsonl"
    simulated.write_bytes(Path(asked.one).read_bytes())
    metrics = [f"+{name}" for name in ("turns", "user_thanks")]
    card = asked.validate(reports, simulated, metrics=metrics)
    with pytest.raises(InputError, match=r"other arguments \(metrics\)"):
        asked.validate(reports, simulated, metrics=[*metrics, "+user_please"])
    assert asked.validate(reports, simulated, metrics=metrics) is card
    simulated.write_bytes(Path(asked.two).read_bytes())
    with pytest.raises(InputError, match=r"other arguments \(simulated\)"):
        asked.validate(reports, simulated, metrics=metrics)


def test_what_cannot_be_told_by_content_needs_a_name_and_stays_one_object(
    asked: Asked, tmp_path: Path
) -> None:
    reports, lock, one = SharedReports(tmp_path), threading.Lock(), asked.one

    def holding(thing: object) -> Make:
        def simulated() -> str:
            return one if thing is not None else ""

        return simulated

    with pytest.raises(InputError, match=r"cannot be told by its content .* name of its own, name=…"):
        asked.validate(reports, holding(Locked(lock)))
    kept = Locked(lock)
    card = asked.validate(reports, holding(kept), name="locked")
    assert asked.validate(reports, holding(kept), name="locked") is card
    with pytest.raises(InputError, match="'locked' is a validation with other arguments; give"):
        asked.validate(reports, holding(Locked(lock)), name="locked")


def test_a_function_that_counts_its_calls_is_the_same_one_afterwards(asked: Asked, tmp_path: Path) -> None:
    reports, calls, one = SharedReports(tmp_path), list[int](), asked.one

    def simulated() -> Iterator[convsim.Conversation]:
        calls.append(1)
        return iter(list(convsim.read(one)))

    assert asked.validate(reports, simulated) is asked.validate(reports, simulated)
    assert calls == [1]
