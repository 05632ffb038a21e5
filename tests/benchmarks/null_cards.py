"""How often does a card of people against people hold a false ``different``, or a false ``copies``?

    python -m tests.benchmarks.null_cards FILE [--cards 100] [--most 120] [--annotate rules] [--validators ...]

Each card judges random halves of a file's users, by default by the validators of ``validate``. Halves of one file share
people, so that a rate is a little more certain than its binomial limits say.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from convsim.evaluation.family import one_family
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import run_validator
from convsim.metrics import measure_both
from convsim.plugins import make
from convsim.schema import Finding
from convsim.schema.conversation import Conversation
from convsim.schema.finding import FAILING
from convsim.stats.proportions import wilson_limits

DEFAULT = "marginals,humanlikeness,transitions,copies"


def halves(side: Side, seed: int, most: int) -> list[list[Conversation]]:
    rng = np.random.default_rng([seed, 77])
    users = rng.permutation(sorted({c.user or c.id for c in side.conversations}))[: 2 * most]
    drawn = [set(part) for part in np.array_split(users, 2)]
    return [[c for c in side.conversations if (c.user or c.id) in part] for part in drawn]


def different(findings: list[Finding]) -> list[str]:
    return [f"{f.validator}.{f.metric}" for f in findings if f.verdict in FAILING and not f.is_control]


def rate(cards: int, of: int) -> str:
    low, high = wilson_limits(cards / of, of, 1.96)
    return f"{cards} of {of} cards ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--cards", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="seed of the first card")
    parser.add_argument("--resamples", type=int, default=199)
    parser.add_argument("--most", type=int, default=10**6, help="users of either half")
    parser.add_argument("--validators", default=DEFAULT)
    parser.add_argument("--annotate", help="an annotator, as for convsim validate")
    asked = parser.parse_args()
    side = Side.of(asked.file, "real", Selection(allow_failures=True))
    if asked.annotate:
        side = side.labelled_by(asked.annotate, "real")
    chosen = [make("validators", name, n_resamples=asked.resamples) for name in asked.validators.split(",")]
    alone, together, verdicts = [], [], Counter[str]()
    for seed in range(asked.first, asked.first + asked.cards):
        corpora = measure_both(*halves(side, seed, asked.most))
        findings = [f for validator in chosen for f in run_validator(validator, *corpora, seed=seed)]
        alone.append(different(findings))
        findings = one_family(findings)
        together.append(different(findings))
        verdicts.update(f.verdict for f in findings if not f.is_control)
        print(seed, alone[-1], together[-1], flush=True)
    for name, found in (("each validator by itself", alone), ("one family", together)):
        counts = Counter(metric for card in found for metric in card)
        print(f"{name}: any failing in {rate(sum(map(bool, found)), len(found))}; {dict(counts)}")
    print(dict(verdicts))


if __name__ == "__main__":
    main()
