"""What a policy looks at: nothing that comes later, and never a 0 for what cannot be told."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona
from convsim.shoppers.policies.choosing import ITEM_FEATURES, item_features
from convsim.shoppers.policies.features import FEATURES, features_of, items_shown_last
from convsim.shoppers.policies.histories import WINDOW, Histories
from convsim.shoppers.policies.points import SPOKEN, Point, find_points
from convsim.shoppers.policies.table import Columns, Table

TEXTS = st.sampled_from(
    [
        "",
        "red boots please",
        "no thanks",
        "i'll take it",
        "sorry, nothing",
        "useless!",
        "why?",
        "靴",
        "42",
        "what else",
    ]
)
ITEMS = st.builds(
    Item,
    id=st.sampled_from("abc"),
    title=TEXTS,
    price=st.sampled_from([None, 0.0, 20.0, 150.0]),
    attributes=st.sampled_from([{}, {"color": "red"}, {"color": ["red", "blue"], "size": 9}]),
)
MESSAGES = st.one_of(
    st.builds(lambda text: Message(role="user", content=text), TEXTS),
    st.builds(
        lambda text, items: Message(role="assistant", content=text, items=items),
        TEXTS,
        st.lists(ITEMS, max_size=3),
    ),
    st.just(Message(role="system", content="hidden")),
)
PERSONA = Persona.model_validate(
    {
        "id": "p", "need": "red boots", "budget": 100,
        "constraints": [{"attribute": "color", "op": "=", "value": "red"}],
        "dealbreakers": [{"attribute": "size", "op": ">", "value": 8}],
    }
)  # fmt: skip


def features(
    conversation: Conversation, persona: Persona = PERSONA, language: str | None = "en"
) -> dict[str, float]:
    return dict(zip(FEATURES, features_of(conversation, persona, language).tolist(), strict=True))


def talk(*messages: tuple[str, str, tuple[Item, ...]]) -> Conversation:
    return Conversation(
        id="c",
        messages=tuple(Message(role=role, content=text, items=items) for role, text, items in messages),
    )


OPENED = [Message(role="user", content="red boots please"), Message(role="assistant", content="this?")]


@settings(max_examples=60, deadline=None)
@given(more=st.lists(MESSAGES, max_size=9), ending=st.sampled_from(["accepted", "left"]), known=st.booleans())
def test_what_comes_after_a_point_changes_no_feature_of_it(
    more: list[Message], ending: str, known: bool
) -> None:
    messages = [*OPENED, *more]
    persona = PERSONA if known else None

    def points(said: list[Message], ending: str) -> Sequence[Point]:
        whole = Conversation.model_validate(
            {"id": "c", "messages": said, "ending": ending, "persona": persona}
        )
        return find_points([whole], language="en", infer_endings=False).points

    found = points(messages, ending)
    assert found
    for point in found:
        ends = [n for n in range(len(messages) + 1) if _spoken(messages[:n]) == len(point.seen.messages)]
        (*_, cut) = points(messages[: ends[0]], "left")
        assert cut.seen == point.seen
        np.testing.assert_array_equal(
            features_of(cut.seen, cut.persona, "en"), features_of(point.seen, point.persona, "en")
        )
        told = [item_features(items_shown_last(p.seen), p.seen, p.persona, "en") for p in (cut, point)]
        np.testing.assert_array_equal(told[0], told[1])
    # What the kind "ssm" is told of a point in a batch is what it is told where the conversation goes no further.
    histories = Histories.of(found, "en")
    for row, point in enumerate(found):
        alone, steps = Histories.single(point.seen, point.persona, "en"), slice(0, histories.step[row] + 1)
        for name in ("features", "words"):
            laid = histories.padded(np.nan_to_num(getattr(histories, name)), np.arange(histories.n_sequences))
            batch = laid[histories.sequence[row], steps]
            np.testing.assert_array_equal(np.nan_to_num(getattr(alone, name)), batch)


def test_a_long_conversation_is_looked_at_through_a_window_of_its_last_points() -> None:
    said = [
        Message(role=role, content=f"word{n}") for n in range(3 * WINDOW) for role in ("user", "assistant")
    ]
    whole = Conversation(id="c", messages=tuple(said), ending="left")
    found = find_points([whole], language="en", infer_endings=False).points
    histories = Histories.of(found, "en")
    assert len(found) == 3 * WINDOW
    assert np.diff(histories.starts).tolist() == [2 * WINDOW, 2 * WINDOW]
    assert histories.step[[0, 2 * WINDOW - 1, 2 * WINDOW, -1]].tolist() == [
        0,
        2 * WINDOW - 1,
        WINDOW,
        2 * WINDOW - 1,
    ]
    some = histories.take(np.asarray([3 * WINDOW - 1, 2 * WINDOW]))
    assert (some.n_sequences, some.step.tolist(), some.sequence.tolist()) == (
        1,
        [2 * WINDOW - 1, WINDOW],
        [0, 0],
    )
    np.testing.assert_array_equal(some.words, histories.words[2 * WINDOW :])
    np.testing.assert_array_equal(Histories.single(found[-1].seen, found[-1].persona, "en").words, some.words)
    # Each step has the words that were new: one of the user's, one of the agent's.
    assert histories.words.sum(axis=1).tolist() == [2] * (4 * WINDOW)


def _spoken(messages: Sequence[Message]) -> int:
    return sum(m.role in SPOKEN for m in messages)


BOOT = Item(id="b", title="red boots", price=50, attributes={"color": "red"})
CLOG = Item(id="d", title="blue clogs", price=150, attributes={"color": "blue", "size": 9})


def test_features_are_what_they_say() -> None:
    said = talk(
        ("user", "I want red boots?", ()), ("assistant", "Sorry, none.", ()), ("user", "useless", ()),
        ("assistant", "Sorry, none.", (CLOG,)), ("user", "no", ()), ("assistant", "Some red boots here", (BOOT, CLOG)),
    )  # fmt: skip
    found = features(said)
    expected = {
        "turns": 3.0, "turn_is_3": 1.0, "turn_is_2": 0.0, "items_shown": 1.0, "items_now": 2.0,
        "items_so_far": math.log1p(2), "runs_since_items": 0.0, "items_seen_before": 0.5, "fit_best": 1.0,
        "fit_mean": 0.5, "limits_broken": 0.5, "price_to_budget": math.log(0.5), "need_in_reply": 1.0,
        "need_in_items": 1.0, "replies_apologising": 2.0, "reply_apologises": 0.0, "reply_repeated": 0.0,
        "said_refusal": 1.0, "complaints": 1.0, "said_complaint": 0.0, "said_question": 0.0, "reply_empty": 0.0,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_what_cannot_be_told_is_missing_and_never_0() -> None:
    nothing = features(talk(("user", "boots", ()), ("assistant", "hello", ())))
    of_items = (
        "fit_best",
        "limits_broken",
        "price_to_budget",
        "price_lowest",
        "need_in_items",
        "items_seen_before",
    )
    assert all(math.isnan(nothing[name]) for name in (*of_items, "runs_since_items"))
    assert nothing["items_shown"] == 0
    without_wishes = features(
        talk(("user", "boots", ()), ("assistant", "", (BOOT,))), Persona(id="p", need="")
    )
    assert all(
        math.isnan(without_wishes[name])
        for name in ("fit_best", "limits_broken", "price_to_budget", "need_in_reply")
    )
    assert without_wishes["price_lowest"] == math.log(51)
    foreign = features(talk(("user", "botoj", ()), ("assistant", "jen", ())), language="eo")
    by_lists = (
        "said_thanks",
        "said_complaint",
        "complaints",
        "said_taking",
        "reply_apologises",
        "replies_apologising",
    )
    assert all(math.isnan(foreign[name]) for name in by_lists)
    assert (foreign["said_words"], foreign["turns"]) == (math.log(2), 1.0)


def test_what_is_not_told_of_one_item_is_taken_for_the_mean_of_those_beside_it() -> None:
    bare = Item(id="x", title="something")
    seen = talk(("user", "red boots", ()), ("assistant", "", (BOOT, CLOG, bare)))
    found = item_features((BOOT, CLOG, bare), seen, PERSONA, "en")
    at = [*ITEM_FEATURES].index
    assert found[:, at("fit")].tolist() == [0.5, -0.5, 0.0]
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    assert np.argmax(found[:, at("need_in_item")]) == 0


def test_columns_have_mean_0_say_what_is_missing_and_stay_in_the_range_that_was_met() -> None:
    def log(n: int) -> Conversation:
        items = (BOOT,) if n % 2 else ()
        return Conversation.model_validate(
            {
                "id": f"c{n}", "ending": "left",
                "messages": [
                    {"role": "user", "content": "boots " * (n + 1)},
                    {"role": "assistant", "content": "here", "items": items},
                ],
            }
        )  # fmt: skip

    table = Table.of(find_points([log(n) for n in range(8)], language="en", infer_endings=False).points, "en")
    columns = Columns.of(table)
    told = columns.standardised(table.features)
    assert not np.isnan(told).any()
    names = columns.names
    assert "need_in_items missing" in names
    assert "said_words missing" not in names
    assert told[:, names.index("need_in_items missing")].tolist() == [1, 0] * 4
    np.testing.assert_allclose(told[:, names.index("said_words")].mean(), 0, atol=1e-12)
    assert {"turns", "fit_best"} <= {*columns.dropped}
    far = table.features[-1:].copy()
    far[0, [*FEATURES].index("said_words")] = 1e6
    at = names.index("said_words")
    assert columns.standardised(far)[0, at] == told[:, at].max()


@pytest.mark.parametrize("prices", [(1e308, 1e308), (1e308, 1e-308), (0.0, 5.0), (1e-320, 1e300)])
def test_prices_at_the_ends_of_what_numbers_can_be_are_compared(prices: tuple[float, float]) -> None:
    seen = Conversation(
        id="c",
        messages=(
            Message(role="user", content="boots"),
            Message(
                role="assistant",
                content="these",
                items=tuple(Item(id=f"i{n}", title="Boot", price=price) for n, price in enumerate(prices)),
            ),
        ),
    )
    persona = Persona.model_validate({"id": "p", "need": "boots", "budget": 1e-308})
    items = items_shown_last(seen)
    assert np.isfinite(item_features(items, seen, persona, "en")).all()
    assert not np.isinf(features_of(seen, persona, "en")).any()
