"""What an agent that gives a shopper instructions says, when, and what its record says of it."""

from __future__ import annotations

from collections import Counter
from string import Formatter

import pytest

from convsim.agents.faults.text import instructions
from convsim.metrics.instructions import INJECTED, INSTRUCTIONS
from convsim.schema.conversation import Item
from tests.unit.agents.faults.degrading import Listener, ask, record
from tests.unit.agents.shops import talk

ITEM = Item(id="b", title="Alder {boots}, men's", price=90.0)
SEEDS = range(120)


def kind_of(detail: str) -> str:
    return detail.removeprefix("told to ").split(":")[0]


@pytest.mark.parametrize("kind", INSTRUCTIONS)
def test_each_kind_has_eight_phrases_or_more_and_one_that_needs_no_title(kind: str) -> None:
    say = instructions()[kind]
    assert len(set(say)) == len(say) >= 8
    assert all(phrase.strip() == phrase and phrase.format(title="t") for phrase in say)
    slots = [{name for _, name, _, _ in Formatter().parse(phrase) if name} for phrase in say]
    assert {frozenset(of_one) for of_one in slots} <= {frozenset(), frozenset({"title"})}
    assert frozenset() in {frozenset(of_one) for of_one in slots}


def test_the_instruction_follows_the_agents_own_words_and_items_and_the_record_says_which_it_was() -> None:
    kinds: Counter[str] = Counter()
    for seed in SEEDS:
        reply = ask(Listener(content="Try it.", items=[ITEM]), INJECTED, 1.0, talk("boots"), seed=seed)
        done = record(reply)
        kind = kind_of(done.detail)
        phrases = {phrase.format(title="Alder {boots}") for phrase in instructions()[kind]}
        assert (done.name, done.severity, done.acted) == (INJECTED, 1.0, True)
        assert reply.content.removeprefix("Try it. ") in phrases
        assert reply.items == (ITEM,)
        kinds[kind] += 1
    # Four standard deviations of a binomial of 120 at a third.
    assert kinds.keys() == set(INSTRUCTIONS)
    assert all(abs(n - 40) < 21 for n in kinds.values())


def test_a_reply_is_hit_as_often_as_the_severity_says_and_has_the_same_instruction_at_a_greater_one() -> None:
    said = {
        severity: {
            seed: reply.content
            for seed in SEEDS
            if record(reply := ask(Listener(items=[ITEM]), INJECTED, severity, talk("hi"), seed=seed)).acted
        }
        for severity in (0.3, 0.6)
    }
    assert said[0.3].items() < said[0.6].items()
    # Four standard deviations of a binomial of 120.
    assert abs(len(said[0.3]) - 36) < 21
    assert abs(len(said[0.6]) - 72) < 22


def test_nobody_is_told_to_accept_where_nothing_is_shown() -> None:
    done = [record(ask(Listener(), INJECTED, 1.0, talk("hi"), seed=seed)) for seed in range(60)]
    assert {kind_of(fault.detail) for fault in done if fault.acted} == {"praise", "reveal"}
    refused = [fault.detail for fault in done if not fault.acted]
    assert set(refused) == {"drawn was to accept, and the reply shows no items"}


def test_at_severity_0_the_reply_is_the_agents_own() -> None:
    reply = ask(Listener(content="Try it.", items=[ITEM]), INJECTED, 0.0, talk("boots"))
    assert (reply.content, reply.items, reply.faults) == ("Try it.", (ITEM,), ())
