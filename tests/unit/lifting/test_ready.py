"""What every conversation lacks is told before the first one, or stops the run, and makes no failure records."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from convsim.errors import InputError
from convsim.models import Scripted
from convsim.shoppers import Prompted
from convsim.simulation import Study
from tests.doubles import Obliging, Told, people, say


class Unready:
    """A model without its key."""

    name = "keyed"

    async def check_ready(self) -> None:
        raise InputError("the key is not set")


class Ready(Unready):
    async def check_ready(self) -> None:
        return


@dataclass
class Keyed(Told):
    model: object = None


def study(shopper: object, n: int = 4) -> Study:
    return Study(shopper, Obliging(), people(4), seed=1, n=n, max_turns=2, concurrency=2)  # type: ignore[arg-type]


def test_what_a_model_lacks_is_told_before_anything_is_held_and_only_where_something_is_missing(tmp_path):
    ready, unready = (study(Keyed(lambda turn: say(), model=model())) for model in (Ready, Unready))
    run = tmp_path / "run"
    with pytest.raises(InputError, match="the key is not set"):
        unready.run(run)
    assert not run.exists()
    assert ready.run(run).held == 4
    assert unready.run(run).missing == 0
    file = run / "conversations.jsonl"
    half = b"".join(file.read_bytes().splitlines(keepends=True)[:2])
    file.write_bytes(half)
    with pytest.raises(InputError, match="the key is not set"):
        unready.run(run)
    assert file.read_bytes() == half
    assert ready.run(run).held == 2


def test_what_is_found_to_be_missing_in_the_midst_stops_the_run_and_makes_no_failures(tmp_path, monkeypatch):
    asked = []

    async def speak(self, conversation, persona, *, seed):
        asked.append(conversation.id)
        raise InputError("the model's file is gone")

    monkeypatch.setattr(Prompted, "speak", speak)
    with pytest.raises(InputError, match="the model's file is gone"):
        study(Prompted(Scripted(answers=())), n=40).run(tmp_path)
    assert len(asked) == 2  # as many as were in flight
    assert (tmp_path / "conversations.jsonl").read_bytes() == b""
