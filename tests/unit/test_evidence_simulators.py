"""Evidence on shoppers: what is said of them on the page, and people whose messages a model put into other words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convsim.schema.conversation import Conversation, Message
from tests.evidence.page import page
from tests.evidence.rewriting import with_rewritten
from tests.evidence.simulators import OTHER_PEOPLE, base_of


def talk(number: int, n: int = 3) -> Conversation:
    said = [
        message
        for turn in range(n)
        for message in (
            Message(role="user", content=f"words {number} {turn}"),
            Message(role="assistant", content=f"answer {number} {turn}"),
        )
    ]
    return Conversation(id=f"c{number}", messages=tuple(said))


PEOPLE = [talk(number, 1 + number % 4) for number in range(20)]
WORDS = {c.id: [f"other {m.content}" for m in c.user_messages] for c in PEOPLE}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_a_share_of_the_messages_is_rewritten_and_nothing_else(share: float) -> None:
    dealt = with_rewritten(PEOPLE, WORDS, share, np.random.default_rng(1))
    assert [c.id for c in dealt] == [c.id for c in PEOPLE]
    said = [
        (a, b)
        for x, y in zip(PEOPLE, dealt, strict=True)
        for a, b in zip(x.messages, y.messages, strict=True)
    ]
    users = [(a, b) for a, b in said if a.role == "user"]
    assert sum(a != b for a, b in users) == round(share * len(users))
    assert all(b.content in (a.content, f"other {a.content}") for a, b in users)
    assert all(a == b for a, b in said if a.role == "assistant")


def test_a_model_that_is_not_installed_is_left_out(tmp_path: Path) -> None:
    assert base_of("a model that nobody has", tmp_path) is None


def _estimate(value: float | None) -> dict[str, Any]:
    return {
        "estimate": value,
        "interval": None if value is None else [0.1, 0.9],
        "verdict": None,
        "reason": "so (why)",
    }


def _measures(**other: Any) -> dict[str, Any]:
    return {
        "n": 30, "failures": 2, "mean_distance": _estimate(0.25), "floor": 0.05, "hls": _estimate(0.31),
        "judged": {"n": 9, "aligned": 4, "different": 3, "undecided": 2}, "headlines": {"words": "different"},
        "failing": ["diversity.openings", "joint.mmd"], "messages": 4.0, "words": 9.5, "cpu_s": 2.5,
        "reactions": {
            "ratio": _estimate(None), "agreement": _estimate(1.0), "counts": {"undecided": 7},
            "failing": ["joint.joint"],
        },
        "cost": {"requests": 6.0, "input_tokens": 1234.0, "output_tokens": None, "seconds": 3.0},
        **other,
    }  # fmt: skip


def test_the_page_says_of_each_shopper_what_its_rows_say(tmp_path: Path) -> None:
    comparison = {
        "control": "bad", "people": {"messages": 5.0, "words": 8.0},
        "simulators": {OTHER_PEOPLE: _measures(failing=[], n=40), "prompted (a model)": _measures()},
        "transfer": {
            OTHER_PEOPLE: {OTHER_PEOPLE: 0.5, "prompted (a model)": 0.75},
            "prompted (a model)": {OTHER_PEOPLE: 0.25, "prompted (a model)": 0.88},
        },
        "false_alarms": {OTHER_PEOPLE: 0.5, "prompted (a model)": 0.125},
    }  # fmt: skip
    asked = {"what": "comparison", "set": "a set", "seed": 1}
    probe = {
        "n": 90,
        "failed": 3,
        "questions": {"ending": {"estimate": 0.3, "baseline": 0.2, "verdict": "different"}},
    }
    rows = [
        {
            "asked": {**asked, "n": {"prompted (a model)": 3}},
            "found": {**comparison, "simulators": {}},
            "cpu_s": 60,
        },
        {"asked": {**asked, "n": {"prompted (a model)": 30}}, "found": comparison, "cpu_s": 60},
        {"asked": {**asked, "what": "probe", "shopper": "prompted (a model)"}, "found": probe, "cpu_s": 60},
    ]
    (tmp_path / "simulators.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    written = page(tmp_path)
    overall = "| prompted (a model) | 30 (2) | 0.25 [0.10, 0.90] | 0.05 | 0.31 [0.10, 0.90] | 4, 3, 2 |"
    assert f"{overall} - | different | - | - |" in written
    assert "| prompted (a model) | `openings` | - | - | `joint` |" in written
    assert "| prompted (a model) | 0.25 | 0.88 | 0.12 |" in written
    assert "| prompted (a model) | - | - | 1.00 [0.10, 0.90] | - | 7 undecided | `joint` |" in written
    assert "Where there is no ratio: so." in written
    assert "| prompted (a model) | 2.50 | 6 | 1,234 | - |" in written
    assert "| prompted (a model) | 90 (3) | 0.30 against 0.20: different |" in written
