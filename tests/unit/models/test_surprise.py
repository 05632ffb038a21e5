"""How surprised a model in this process is by a text, on models of a few kilobytes; and what it tells of a choice."""

import math

import pytest

from convsim.errors import ModelError
from convsim.models import Local
from convsim.models.chat import chat_tokens, text_tokens
from convsim.models.local import draw
from convsim.schema import ChatMessage
from tests.needs import needed
from tests.unit.models.tiny import make_tiny

torch = needed("torch")

HELLO = [ChatMessage(role="user", content="Hello")]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return Local(path=make_tiny(tmp_path_factory.mktemp("tiny")), dtype="float32")


def likelihood(checkpoint, tokens, answer):
    """Sum the log-likelihood of each token after all before it, one at a time."""
    total = 0.0
    for place, token in enumerate(answer):
        with torch.inference_mode():
            logits = checkpoint.model(input_ids=torch.tensor([[*tokens, *answer[:place]]])).logits[0, -1]
        total += float(logits.float().log_softmax(-1)[token])
    return total


async def test_a_continued_text_is_as_surprising_as_its_tokens_are(tiny):
    checkpoint = tiny.load()
    bits, n_tokens = await tiny.surprise("Shopper:", "red boots")
    tokens, answer = (
        text_tokens(checkpoint, "Shopper:"),
        text_tokens(checkpoint, " red boots\n", is_start=False),
    )
    assert n_tokens == len(answer)
    assert bits == pytest.approx(-likelihood(checkpoint, tokens, answer) / math.log(2), rel=1e-4)


async def test_an_opening_is_read_and_surprises_nobody(tiny):
    checkpoint = tiny.load()
    bits, n_tokens = await tiny.surprise(HELLO, "red", opening="say:")
    whole, n_whole = await tiny.surprise(HELLO, "say: red")
    opening = text_tokens(checkpoint, "say:", is_start=False)
    assert n_whole - n_tokens == len(opening)
    assert whole - bits == pytest.approx(
        -likelihood(checkpoint, chat_tokens(checkpoint, HELLO), opening) / math.log(2), rel=1e-3
    )


async def test_a_text_that_is_too_long_is_an_error(tiny):
    with pytest.raises(ModelError, match="has a context of"):
        await tiny.surprise("a" * 100_000, "b")


async def test_a_choice_tells_how_likely_each_option_was(tiny):
    choice = await tiny.choose(HELLO, ["go on", "leave"], temperature=1.0, seed=1)
    assert sum(choice.probabilities) == pytest.approx(1)
    drawn = [await tiny.choose(HELLO, ["go on", "leave"], temperature=1.0, seed=seed) for seed in range(40)]
    share = sum(each.index for each in drawn) / 40
    assert share == pytest.approx(choice.probabilities[1], abs=0.25)
    certain = await tiny.choose(HELLO, ["go on", "leave"], temperature=0.0, seed=1)
    assert sorted(certain.probabilities) == [0.0, 1.0]
    assert certain.probabilities[certain.index] == 1.0


def test_at_temperature_0_the_first_best_is_taken():
    assert draw([-1.0, -0.5, -0.5], temperature=0, seed=1) == 1
