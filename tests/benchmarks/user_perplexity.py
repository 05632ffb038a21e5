"""Prints the perplexity of held-out users' words under models and under an n-gram model of the learned ones.

    python tests/benchmarks/user_perplexity.py LEARNED HELD_OUT MODEL [MODEL …] [--learn-arm A] [--n N] [--max-tokens N]

MODEL is ``embedded`` or a folder; all are read with the first one's tokenizer, in which the tokens are counted. The
n-gram model is a trigram model with interpolated absolute discounting down to the uniform distribution over that
tokenizer's vocabulary, and knows the learned users' words alone: no context of the agent's.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import convsim
from convsim.schema.conversation import Conversation
from convsim.shoppers.finetuned.base_model import base_path, load_base
from convsim.shoppers.finetuned.encode import Example, encode
from convsim.shoppers.finetuned.perplexity import user_perplexity

ORDER = 3
DISCOUNT = 0.75
N_ITEMS = 4


class NGram:
    """Ney, Essen and Kneser (1994), On structuring probabilistic dependences: absolute discounting, interpolated."""

    def __init__(self, messages: Sequence[Sequence[int]], *, vocabulary: int):
        self.vocabulary = vocabulary
        self.following: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for message in messages:
            for before, token in _places(message):
                for start in range(len(before) + 1):
                    self.following[before[start:]][token] += 1

    def probability(self, token: int, before: tuple[int, ...]) -> float:
        """Return the probability of a token after those before it."""
        shorter = self.probability(token, before[1:]) if before else 1 / self.vocabulary
        seen = self.following.get(before)
        if not seen:
            return shorter
        total = seen.total()
        kept = max(seen[token] - DISCOUNT, 0) / total
        return kept + DISCOUNT * len(seen) / total * shorter

    def perplexity(self, messages: Sequence[Sequence[int]]) -> float:
        """Return the perplexity a token of messages, their ends included."""
        places = [place for message in messages for place in _places(message)]
        surprise = -sum(math.log(self.probability(token, before)) for before, token in places)
        return math.exp(surprise / len(places))


def _places(message: Sequence[int]) -> Iterator[tuple[tuple[int, ...], int]]:
    padded = [-1] * (ORDER - 1) + list(message)
    for place in range(ORDER - 1, len(padded)):
        yield tuple(padded[place - ORDER + 1 : place]), padded[place]


def _words(examples: Sequence[Example]) -> list[list[int]]:
    return [list(e.tokens[s.words : s.end]) for e in examples for s in e.spans if s.n_words]


def _read(path: Path, arm: str | None) -> list[Conversation]:
    return [c for c in convsim.read(path).conversations if c.first_words and arm in (None, c.arm)]


def main() -> None:
    """Print one line a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("learned", type=Path)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--learn-arm")
    parser.add_argument("--n", type=int, default=100, help="held-out conversations that are read")
    parser.add_argument("--max-tokens", type=int, default=600)
    given = parser.parse_args()
    learned, held_out = _read(given.learned, given.learn_arm), _read(given.held_out, None)[: given.n]
    first = load_base(base_path(given.models[0]))[0]
    encoded = [
        encode(first, part, max_tokens=given.max_tokens, n_items=N_ITEMS).examples
        for part in (learned, held_out)
    ]
    words = [_words(part) for part in encoded]
    ngram = NGram(words[0], vocabulary=len(first.tokenizer))
    print(
        f"{len(held_out)} held-out conversations, {len(words[1])} messages, {sum(map(len, words[1]))} tokens"
    )
    print(f"{'n-gram':<24}{ngram.perplexity(words[1]):>10.2f}")
    for name in given.models:
        model = first.model if name == given.models[0] else load_base(base_path(name))[0].model
        print(f"{name:<24}{user_perplexity(model, encoded[1], batch=4):>10.2f}", flush=True)


if __name__ == "__main__":
    main()
