"""The perplexity of people's words, against a calculation by hand."""

import math
from pathlib import Path
from typing import Any

import pytest

from convsim.shoppers.finetuned.encode import Example, Span
from convsim.shoppers.finetuned.perplexity import laid_out, user_perplexity
from tests.needs import needed
from tests.unit.models.tiny import make_tiny

torch = needed("torch")
transformers = needed("transformers")

# Two messages of two words and one, each with the token that ends it, and an end without words.
SHORT = Example((9, 8, 7, 1, 20, 21, 2), (Span(3, 4, 7),))
LONG = Example((9, 8, 1, 30, 2, 7, 7, 7, 7, 5, 2), (Span(2, 3, 5), Span(9, 10, 11)))
WORDS = {0: (4, 5, 6), 1: (3, 4)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(make_tiny(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(autouse=True)
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.shoppers.finetuned.perplexity.multiplies_bfloat16", lambda: False)


def by_hand(model: Any) -> float:
    said = []
    for number, example in enumerate((SHORT, LONG)):
        with torch.no_grad():
            likely = model(torch.tensor([example.tokens])).logits[0].log_softmax(-1)
        said += [likely[place - 1, example.tokens[place]].item() for place in WORDS[number]]
    return math.exp(-sum(said) / 5)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_it_is_that_of_the_words_and_ends_alone_at_any_batch_size(model: Any, batch: int) -> None:
    expected = by_hand(model.eval())
    assert user_perplexity(model, [SHORT, LONG], batch=batch) == pytest.approx(expected, rel=1e-5)


def test_padding_and_order_change_nothing_but_rounding(model: Any) -> None:
    wide = Example((9,) * 200, ())
    expected = by_hand(model.eval())
    assert user_perplexity(model, [wide, LONG, SHORT], batch=3) == pytest.approx(expected, rel=1e-5)


def test_where_nobody_said_a_word_there_is_none(model: Any) -> None:
    assert user_perplexity(model, [Example((9, 8, 5, 2), (Span(2, 3, 4),))], batch=1) is None


def test_it_measures_without_dropout_and_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    kind: Any = transformers.AutoModelForCausalLM
    model = kind.from_pretrained(make_tiny(tmp_path), attention_dropout=0.9).train()
    twice = [user_perplexity(model, [SHORT, LONG], batch=2) for _ in range(2)]
    assert twice[0] == twice[1]
    assert model.training


@pytest.mark.parametrize("weight", [math.nan, 1e9])
def test_a_model_that_gives_no_probability_is_infinitely_surprised(tmp_path: Path, weight: float) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(make_tiny(tmp_path))
    with torch.no_grad():
        model.lm_head.weight *= weight
    assert user_perplexity(model, [SHORT], batch=1) == math.inf


def test_sequences_are_laid_flush_left_with_nothing_learned_beyond_them() -> None:
    tokens, mask, labels = laid_out([SHORT, LONG], [SHORT.labels, LONG.labels])
    assert tokens.shape == mask.shape == labels.shape == (2, 11)
    assert tokens[0, :7].tolist() == list(SHORT.tokens)
    assert mask[0].tolist() == [1] * 7 + [0] * 4
    assert labels[0].tolist() == [-100, -100, -100, 1, 20, 21, 2] + [-100] * 4
