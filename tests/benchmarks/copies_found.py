"""How often ``copies`` flags what on real conversations: other people, people resampled, and copies of several kinds.

    python tests/benchmarks/copies_found.py FOLDER [--splits 6] [--units 100] [--only NAME]

Every file of FOLDER that convsim reads is halved by user; one half is judged, and what is held against it comes from
the other half, or from the judged half where it is to be found. No transcript is printed. Files with ``llm`` in their
name are held against the file of people whose name begins alike.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

import convsim
from convsim.errors import ConvsimError
from convsim.schema import Corpus
from convsim.schema.conversation import Conversation
from convsim.schema.units import independent_unit
from convsim.stats.neighbours import tokens
from convsim_validators import Copies

COMMON = (
    "yes please",
    "no thanks",
    "ok",
    "thank you very much",
    "show me something else please",
    "hello there",
)
VALIDATOR = Copies(n_resamples=199)
Change = Callable[[str], str]
Case = Callable[["Halves"], Sequence[Conversation]]


class Halves:
    """Judged people, as many others, and the words that anybody of them says."""

    def __init__(self, everybody: Sequence[Conversation], n_units: int, seed: int) -> None:
        self.rng = random.Random(seed)
        units = sorted({independent_unit(conversation) for conversation in everybody})
        self.rng.shuffle(units)
        n = min(n_units, len(units) // 2)
        judged, others = set(units[:n]), set(units[n : 2 * n])
        self.judged = [c for c in everybody if independent_unit(c) in judged]
        self.others = [c for c in everybody if independent_unit(c) in others]
        self.words = [
            word for c in everybody for word in tokens("\n".join(m.content for m in c.user_messages))
        ]

    def said_anew(
        self, conversations: Sequence[Conversation], change: Change, *, once_each: bool = False
    ) -> list[Conversation]:
        """The conversations with other words, by a simulator that has users of its own."""
        return [
            c.but(
                id=f"s{number}", user=None if once_each else c.user and f"s{c.user}", persona=None,
                learned_from=None, simulator="a test",
                messages=tuple(m.but(content=change(m.content)) if m.role == "user" else m for m in c.messages),
            )
            for number, c in enumerate(conversations)
        ]  # fmt: skip

    def one_word(self, text: str) -> str:
        """Exchange a word."""
        said = tokens(text)
        return self._exchanged(said, [self.rng.randrange(len(said))] if said else [])

    def every_second(self, text: str) -> str:
        """Exchange every second word."""
        said = tokens(text)
        return self._exchanged(said, range(1, len(said), 2))

    def _exchanged(self, said: list[str], places: Sequence[int]) -> str:
        for place in places:
            said[place] = self.rng.choice(self.words)
        return " ".join(said)

    def any_of(self, conversations: Sequence[Conversation]) -> Change:
        """Exchange a message for anybody's."""
        said = [message.content for c in conversations for message in c.user_messages]
        return lambda _: self.rng.choice(said)

    def with_copies(self, share: float) -> list[Conversation]:
        """Others, of whom a share is replaced by copies with a word exchanged."""
        n = max(1, round(share * len(self.others)))
        copied = self.rng.sample(self.said_anew(self.judged, self.one_word), min(n, len(self.judged)))
        rest = self.said_anew(self.others, str)[len(copied) :]
        return [*rest, *(c.but(id=f"copy{number}") for number, c in enumerate(copied))]


CASES: Mapping[str, Case] = {
    "other people": lambda h: h.said_anew(h.others, str),
    "other people resampled": lambda h: h.said_anew(h.others, h.any_of(h.others)),
    "short common texts": lambda h: h.said_anew(h.others, lambda _: h.rng.choice(COMMON)),
    "copies, one word exchanged": lambda h: h.said_anew(h.judged, h.one_word),
    "copies, every second word": lambda h: h.said_anew(h.judged, h.every_second),
    "people judged recombined": lambda h: h.said_anew(h.judged, h.any_of(h.judged)),
    "10 % copies": lambda h: h.with_copies(0.10),
    "5 % copies": lambda h: h.with_copies(0.05),
    "a quarter four times": lambda h: h.said_anew(
        h.others[: max(1, len(h.others) // 4)] * 4, str, once_each=True
    ),
}


def corpus(conversations: Sequence[Conversation]) -> Corpus:
    return Corpus(conversations, pd.DataFrame(index=[c.id for c in conversations]), {})


def verdicts(real: Sequence[Conversation], simulated: Sequence[Conversation], seed: int) -> list[str]:
    findings = VALIDATOR.validate(corpus(real), corpus(simulated), seed=seed)
    return [f"{f.metric}: {f.verdict}" for f in findings]


def read(path: Path) -> list[Conversation]:
    try:
        return [c for c in convsim.read(path).conversations if c.failure is None and any(c.user_messages)]
    except ConvsimError as error:
        print(f"{path.name}: left out, {error}", file=sys.stderr)
        return []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=6)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--only", default="", help="part of the names of files")
    asked = parser.parse_args()
    files = [path for path in sorted(asked.folder.glob("*.jsonl*")) if asked.only in path.name]
    people = {path: read(path) for path in files if "llm_" not in path.name}
    for path, everybody in people.items():
        if not everybody:
            continue
        found: dict[str, Counter[str]] = {name: Counter() for name in CASES}
        for seed in range(asked.splits):
            for name, case in CASES.items():
                halves = Halves(everybody, asked.units, seed)
                found[name].update(verdicts(halves.judged, case(halves), seed))
        told(f"{path.name}, {asked.splits} splits", found)
    for path in files:
        if "llm_" in path.name:
            _shoppers(path, people, asked.splits, asked.units)


def _shoppers(path: Path, people: Mapping[Path, list[Conversation]], splits: int, units: int) -> None:
    """Hold the users that a language model played against people of the same tasks."""
    stem, language = path.name.split("llm_")
    judged = next((each for other, each in people.items() if other.name == f"{stem}people_{language}"), [])
    shoppers = read(path)
    if judged and shoppers:
        found: Counter[str] = Counter()
        for seed in range(splits):
            halves = Halves(judged, units, seed)
            found.update(verdicts(halves.judged, shoppers[seed::splits], seed))
        told(f"{path.name} against people", {"users played by a language model": found})


def told(title: str, found: Mapping[str, Counter[str]]) -> None:
    print(title)
    for name, counts in found.items():
        print(
            f"  {name:34} {', '.join(f'{verdict} {n}' for verdict, n in sorted(counts.items()))}", flush=True
        )


if __name__ == "__main__":
    main()
