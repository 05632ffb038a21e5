"""The tour that ``convsim demo`` gives: two stand-in simulators scored against stand-in people."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from convsim.battery import Scorecard, validate
from convsim.readers import read
from convsim.share import shared

SIMULATORS = ("close", "naive")


def notice() -> str:
    """Say that no person wrote the demo's conversations, and where to find real ones."""
    return files("convsim.demo").joinpath("notice.txt").read_text(encoding="utf-8").strip()


def scorecards(*, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Yield each stand-in simulator's name and its scorecard against the stand-in people."""
    people = read(shared("demo/convapparel_standin.json"))
    for name in SIMULATORS:
        card = validate(people, read(shared(f"demo/simulator_{name}.jsonl")), seed=seed)
        yield name, card.but(warnings=(notice().splitlines()[0], *card.warnings))
