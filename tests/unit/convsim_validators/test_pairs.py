"""What a user's messages have to do with the agent's: features of pairs, by hand, and what is said of them."""

from functools import partial

import numpy as np
import pytest
from pydantic import JsonValue, TypeAdapter

from convsim.schema import Corpus
from convsim.schema.conversation import Item
from convsim.seeds import generator
from convsim.stats.resampling import Design, Weights
from convsim_validators import Coherence
from convsim_validators.coherence import pairs as chosen
from convsim_validators.coherence.exchanges import NOW, Exchanges, Reader
from convsim_validators.coherence.pairs import Pairs
from tests.listeners import corpus_of, listeners, pasted
from tests.made_up_talk import side

NOBODY = corpus_of([], "s")


def judged(real: Corpus, simulated: Corpus, *, n_resamples: int = 99, seed: int = 0) -> Pairs:
    deal = partial(Design.of(real, simulated).dealings, n_resamples, generator(seed, "dealt"))
    return Pairs.of(real, simulated, deal, n_resamples=n_resamples, seed=seed)


def features(real: Corpus) -> dict[str, list[float]]:
    found = Exchanges.of((real, NOBODY), np.arange(len(real)))
    return {f.name: values.tolist() for f, values in zip(found.columns, found.features.T, strict=True)}


def test_words_are_taken_from_the_agent_or_not():
    said = [[("Red boots?", "boots please")], [("Green hats?", "boots please")]] * 8
    found = features(corpus_of(said, "r"))
    # Of the two words said, a listener takes one from the agent and the other none: .5 and 0 lie .25 about their mean.
    of_both = found["of words that 16 to 31 users say, those that the agent has just said"]
    assert of_both[:2] == [0.25, -0.25]
    alone = found["of messages with “boots”, those just after the agent has said it"]
    assert alone[:2] == [0.5, -0.5]


def test_a_message_is_nearest_to_the_reply_it_answers():
    fits = [("Red boots", "boots"), ("Green hats", "hats")]
    turned = [("Red boots", "hats"), ("Green hats", "boots")]
    other = [("Anything else?", "thanks")]
    now = features(corpus_of([fits, turned, other, fits] * 4, "r"))[NOW]
    # 1, -1 and 1, less their mean of a third; of one reply there is no other.
    assert now[:4] == pytest.approx([2 / 3, -4 / 3, 0, 2 / 3])


def test_forms_of_answers_are_compared_within_a_conversation():
    fits = [("What size?", "9"), ("Do you like it?", "yes it is lovely")]
    always = [("What size?", "9 yes"), ("Do you like it?", "9 yes")]
    found = features(corpus_of([fits, always] * 8, "r"))
    name = "a number or size where the agent asks number"
    # Asked in one of two exchanges, and said there alone: a covariance of a half, and of 0 in the other conversation.
    assert found[name][:2] == [0.25, -0.25]


def test_an_example_names_the_message_that_a_feature_looks_at():
    said = [
        [("Do you like it?", "yes"), ("What size?", "9")],
        [("Nice day", "yes"), ("What size?", "yes")],
    ] * 8
    found = Exchanges.of((corpus_of(said, "r"), NOBODY), np.arange(16))
    column = [f.name for f in found.columns].index("a number or size where the agent asks number")
    assert found.message(column, 0) == 4  # after a greeting, a question, an answer and a question
    assert found.levels(column, np.arange(16) % 2 == 0) == ("100%", "0%")


def test_questions_are_read_in_chinese_too():
    made = corpus_of([[("这件外套很好。您需要多大尺码？", "我要42号")]], "r")
    [pair] = Reader("zh").pairs(0, made.conversations[0])
    assert pair.asks == "number"
    assert "a number or size" in pair.forms


def test_titles_of_items_shown_are_heard_too():
    made = corpus_of([[("Look!", "the walden boots")]], "r").conversations[0]
    shown = made.messages[1].but(items=(Item(id="1", title="Walden boots"),))
    [pair] = Reader("en").pairs(0, made.but(messages=(made.messages[0], shown, made.messages[2])))
    assert pair.shown == {"walden", "boots"}
    assert pair.shown <= pair.heard


def test_a_pasted_user_is_found_and_told_in_words():
    rng = np.random.default_rng(0)
    found = judged(listeners(rng, 40, "r"), pasted(rng, 40, "s"))
    assert found.p_value == 1 / 100
    assert found.scores is not None
    assert found.scores.interval("auc")[0] > 0.5
    decision = found.decide(found.p_value, 0.6, 0.05)
    assert decision.verdict == "different"
    assert found.giveaway in decision.reason
    assert "simulated" in found.giveaway
    examples = TypeAdapter(list[dict[str, JsonValue]]).validate_python(found.examples)
    assert [each["side"] for each in examples] == ["simulated"] * 3 + ["people"]
    assert found.details(0.05)["n_pairs"] == 320


def test_where_all_listen_alike_nothing_is_shown():
    said = [[("Red boots?", "red boots")], [("Blue hats?", "yes")]] * 20
    found = judged(corpus_of(said, "r"), corpus_of(said, "s"))
    assert found.p_value is not None
    assert found.p_value > 0.9
    assert found.decide(found.p_value, 0.6, 0.05).verdict == "undecided"


@pytest.mark.parametrize("said", [[["hello"]] * 20, [[""]] * 20, []])
def test_without_an_agent_nothing_is_decided(said):
    rng = np.random.default_rng(1)
    found = judged(listeners(rng, 20, "r"), side(said, "s"))
    assert found.statistic is None
    decision = found.decide(None, 0.6, 0.05)
    assert decision.verdict == "undecided"
    assert "0 simulated users, personas or conversations answer an agent" in decision.reason
    assert found.examples == []


def test_of_many_conversations_some_are_looked_at_and_the_whole_sides_are_not_dealt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chosen, "MAX_TESTED", 30)
    real, simulated = (listeners(np.random.default_rng(number), 45, name) for number, name in enumerate("rs"))
    dealt: list[Weights] = []

    def deal() -> Weights:
        dealt.append(Design.of(real, simulated).dealings(99, generator(0, "dealt")))
        return dealt[-1]

    found = Pairs.of(real, simulated, deal, n_resamples=99, seed=0)
    assert not dealt
    assert found.n == (30, 30)
    assert found.statistic is not None
    assert found.statistic.shape == (100,)
    assert Pairs.of(real, simulated, None, n_resamples=99, seed=0).statistic is None


def test_the_order_of_lines_changes_nothing():
    rng = np.random.default_rng(2)
    real, simulated = listeners(rng, 24, "r"), listeners(rng, 24, "s")
    turned = simulated.take(rng.permutation(24))
    once, again = judged(real, simulated), judged(real, turned)
    assert once.statistic is not None
    assert again.statistic is not None
    np.testing.assert_allclose(once.statistic, again.statistic)
    assert once.scores is not None
    assert again.scores is not None
    assert once.scores.auc == again.scores.auc


def test_coherence_asks_it_with_its_metrics():
    rng = np.random.default_rng(3)
    found = Coherence(n_resamples=99).validate(listeners(rng, 30, "r"), pasted(rng, 30, "s"), seed=0)
    [pairs] = [f for f in found if f.metric == "pairs"]
    assert pairs.verdict == "different"
    assert pairs.noise_floor is not None
    assert str(pairs.details["giveaway"]) in pairs.reason
    mute = Coherence(n_resamples=99).validate(listeners(rng, 30, "r"), side([["hello"]] * 30, "s"), seed=0)
    assert [f.verdict for f in mute if f.metric == "pairs"] == ["undecided"]
