"""Whatever a shopper or an agent answers, a run that was held can be read; a study that cannot be is refused before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import convsim.simulation.loop
from convsim import Persona, Study, read
from convsim.errors import InputError
from convsim.schema import UserMove
from convsim.simulation import Arm

PERSONAS = [Persona(id=f"p{i}", need="boots") for i in range(4)]


class Asking:
    """Asks for boots, and goes on asking."""

    name, model, learned_from = "asking", None, None

    async def speak(self, conversation: Any, persona: Persona, *, seed: int) -> UserMove:
        return UserMove(text="boots?", action="say")


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def held(folder: Path, answer: dict[str, Any], *, max_turns: int = 2) -> list[Any]:
    """Hold four conversations, in one of which the agent answers so, and return what is read."""
    odd: list[str] = []

    def reply(conversation: Any) -> dict[str, Any]:
        odd[:] = odd or [conversation.id]
        return {"content": "Here.", **(answer if conversation.id == odd[0] else {})}

    study = Study(Asking(), reply, PERSONAS, seed=1, n=4, max_turns=max_turns)
    outcome = study.run(folder)
    found = list(read(folder).conversations)
    assert (outcome.held, outcome.failed, len(found)) == (4, 1, 4)
    assert study.run(folder).held == 0
    return sorted(found, key=lambda c: c.failure is None)


ODD: dict[str, dict[str, Any]] = {
    "attributes deeper than what is read": {"items": [{"id": "a", "attributes": {"spec": nested(220)}}]},
    "attributes so deep that nothing takes them": {
        "items": [{"id": "a", "attributes": {"spec": nested(900)}}]
    },
    "seconds that overflow when they are added": {"usage": {"seconds": 1e308}},
    "a price that overflows when it is added": {"usage": {"input_tokens": 1, "cost_usd": 1e308}},
    "tokens of thousands of digits": {"usage": {"input_tokens": 10**4299}},
    "tokens whose sum is more than can be kept": {"usage": {"input_tokens": 6 * 10**14}},
    "half a character": {"content": "a\ud800"},
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_reply_is_a_failure_of_the_agent_and_the_run_can_be_read(tmp_path: Path, kind: str) -> None:
    failed, *others = held(tmp_path / "run", ODD[kind])
    assert failed.ending == "agent_failed"
    assert failed.failure.actor == "agent"
    assert failed.messages
    assert "\n" not in failed.failure.reason
    assert all(c.ending == "turn_limit" for c in others)


def test_a_conversation_longer_than_what_is_read_ends_as_a_failure_and_keeps_what_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bound itself is 64 MiB: the loop is told a smaller one, and that what it kept is below it is looked at.
    monkeypatch.setattr(convsim.simulation.loop, "MAX_LINE_BYTES", (1 << 20) + 300_000)
    failed, *_ = held(tmp_path / "run", {"content": "y" * 100_000}, max_turns=5)
    assert "longer than" in failed.failure.reason
    assert failed.failure.turn == 2
    assert [m.role for m in failed.messages] == ["user", "assistant"] * 2 + ["user"]
    longest = max(map(len, (tmp_path / "run" / "conversations.jsonl").read_bytes().splitlines()))
    assert 200_000 < longest < 300_000


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "arms as one text": ({"arms": "good"}, "arms: expected a list such as"),
    "an arm twice": ({"arms": ["good", "good"]}, "arms: 'good' is given twice"),
    "two arms of one name": ({"arms": [Arm("a", lambda c: "x"), Arm("a", lambda c: "y")]}, "'a' is given twice"),
    "an arm that is none": ({"arms": [3]}, "arms: expected names or arms, but one is 3"),
    "no arm": ({"arms": []}, "at least one persona and one arm"),
    "a persona twice": ({"personas": [PERSONAS[0], PERSONAS[0]]}, "personas: 'p0' is given twice"),
    "personas that are none": ({"personas": ["p"]}, "personas: expected personas, but one is 'p'"),
    "n below 0": ({"n": -1}, "n: must be at least 1, but is -1"),
    "a truth value for n": ({"n": True}, "n: must be a whole number, but is True"),
    "nothing at a time": ({"concurrency": 0}, "concurrency: .* but is 0"),
    "no turn": ({"max_turns": 0}, "max_turns: .* but is 0"),
    "a budget that is no number": ({"budget_usd": float("nan")}, "budget_usd: .* finite number, but is nan"),
    "a budget in words": ({"budget_usd": "much"}, "budget_usd: must be a number, but is 'much'"),
    "an endless budget": ({"budget_usd": float("inf")}, "budget_usd: .* finite number"),
    "half a character": ({"personas": [Persona(id="a", need="\ud800")]}, "persona 'a', arm 'good': cannot be written"),
    "a persona too deep": (
        {"personas": [Persona(id="a", need="x", metadata={"deep": nested(199)})]}, "recursion limit exceeded"
    ),
    "provenance that is no JSON": ({"provenance": {"x": float("nan")}}, "cannot be written down as JSON"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_study_that_could_not_be_kept_is_one_line_before_it_runs(kind: str) -> None:
    arguments, said = BAD[kind]
    with pytest.raises(InputError, match=said) as refused:
        Study(Asking(), lambda c: "x", **{"personas": PERSONAS, "seed": 1, **arguments})
    assert "\n" not in str(refused.value)


def test_a_full_disk_names_the_folder_and_what_is_kept_and_the_same_call_goes_on(tmp_path: Path) -> None:
    import resource

    study = Study(
        Asking(), lambda c: "Here you are: " + "y" * 2_000, PERSONAS, seed=1, n=12, concurrency=1, max_turns=1
    )
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, limits[1]))
    try:
        with pytest.raises(InputError, match="File too large") as full:
            study.run(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    kept = (tmp_path / "conversations.jsonl").read_bytes().splitlines()
    assert 0 < len(kept) < 12
    assert all(json.loads(line)["ending"] == "turn_limit" for line in kept)
    assert str(full.value).startswith(
        f"{tmp_path}: cannot be written: File too large; the {len(kept)} conversations"
    )
    assert study.run(tmp_path).held == 12 - len(kept)
