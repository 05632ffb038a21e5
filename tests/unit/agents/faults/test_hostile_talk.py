"""What people and programs may type at a degraded agent: it answers, and in a record that can be printed."""

from __future__ import annotations

import pytest

from convsim.agents import Retrieval
from convsim.agents.faults import FAULTS
from convsim.schema.conversation import Conversation, Message
from tests.hanging import ended_if_it_hangs
from tests.unit.agents.faults.degrading import SHOP, ask
from tests.unit.agents.shops import talk

HOSTILE: dict[str, Conversation] = {
    "no message": Conversation(id="c", messages=()),
    "no user message": Conversation(id="c", messages=(Message(role="assistant", content="Hello!"),)),
    "the agent spoke last": Conversation(
        id="c", messages=(*talk("boots").messages, Message(role="assistant", content="Which?"))
    ),
    "empty messages": talk("", " ", "\n"),
    "emoji": talk("👢👢 🔴 under 💲50 👍🏽", "\u200d\ufe0f"),
    "control characters": talk("red\x00 \x1b[2J boots\r\n under $50 \u202e", "\x85 \u2028 size 9"),
    "templates": talk("{title} {0} %s {{ 7 * 7 }} \\1 \\g<0> red boots under $50"),
    "other scripts": talk("ابغى حذاء أحمر", "我想要红色的靴子 50美元", "ﬁne ½ ① boots ５０ dollars"),
    "100 kB of words": talk("red boots under $50 in size 9, " * 3_300, "boots"),
    "100 kB of one word": talk("a" * 100_000),
    "100 kB of money": talk("$1 " * 33_000),
    "100 kB of signs": talk("$" * 50_000 + "(" * 50_000),
    "100 kB of commas": talk("1,." * 33_000),
    "100 kB of blanks": talk("red" + " " * 100_000 + "boots"),
    "three hundred messages": talk(*[f"red boots {i} under ${i}" for i in range(150)]),
}
HARDEST = ("no user message", "control characters", "templates", "100 kB of words")
READS_ALL = "ignored_constraint"
"""A fault that reads whatever was said for what was asked; it meets every text, the others the hardest."""
MEETINGS = [(fault, name) for fault in FAULTS for name in (HOSTILE if fault == READS_ALL else HARDEST)]


@pytest.mark.parametrize(("fault", "name"), MEETINGS)
def test_it_answers_and_every_record_is_one_short_printable_line(fault: str, name: str) -> None:
    said = HOSTILE[name]
    before = said.to_json()
    with ended_if_it_hangs():
        reply = ask(Retrieval(catalogue=SHOP), fault, 1.0, said)
    assert reply.content.strip() or reply.items
    [record] = reply.faults
    assert record.detail.isprintable()
    assert 0 < len(record.detail) <= 200
    assert said.to_json() == before
