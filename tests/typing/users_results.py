"""What convsim's verbs give back, as a user of it asserts; only type checkers run this."""

from collections.abc import Sequence
from typing import assert_type

import convsim
from convsim.lifting import lift_agent, lift_annotator, lift_shopper, lift_validator
from convsim.plugins import make
from convsim.schema import Agent, Annotator, ChatModel, Finding, Shopper, Validator
from convsim.simulation import Arm


def echo(conversation: convsim.Conversation) -> str:
    return conversation.id


card = convsim.validate("real.jsonl", "simulated.jsonl", seed=7)
assert_type(card, convsim.Scorecard)
assert_type(card.findings[0], Finding)
assert_type(card.findings[0].estimate, float | None)
assert_type(convsim.Gate.read("gate.toml").judge(card).passed, bool)
study = convsim.Study(echo, echo, [convsim.Persona(id="p", need="boots")], seed=1)
assert_type(study.shopper, Shopper)
assert_type(study.agent, Agent)
assert_type(Arm("plain", echo).agent, Agent)
assert_type(convsim.__version__, str)
assert_type(make("agents", "retrieval"), Agent)
assert_type(make("shoppers", "replay"), Shopper)
assert_type(make("annotators", "rules"), Annotator)
assert_type(make("validators", "marginals", margin=0.2), Validator)
assert_type(make("models", "embedded"), ChatModel)
assert_type(lift_agent(echo), Agent)
assert_type(lift_shopper(echo), Shopper)
assert_type(lift_annotator(echo), Annotator)
assert_type(lift_validator(echo), Validator)
conversation = convsim.Conversation(id="c", messages=())


async def in_a_notebook() -> None:
    assert_type(await convsim.avalidate("real.jsonl", "simulated.jsonl", seed=7), convsim.Scorecard)
    assert_type(await convsim.acompare("real.jsonl", ["a.jsonl", "b.jsonl"], seed=7), convsim.Comparison)
    assert_type(await convsim.aplan("real.jsonl", seed=7), convsim.Plan)
    assert_type(await convsim.arank("real.jsonl", ["run"], seed=7), convsim.Ranking)


assert_type(conversation.fingerprint, str)
assert_type(conversation.messages, tuple[convsim.Message, ...])
found: Sequence[convsim.Finding] = card.findings
