"""What a user's messages have to do with what the agent said just before: features of pairs, not of either side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.conversation import Conversation, Message
from convsim.stats.view import groups_with
from convsim.text.lexicons import Lexicon
from convsim.text.phrases import WordList
from convsim.text.words import words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TINY = 1e-9
"""A standard deviation below is none."""
MAX_PAIRS = 40
"""Of a conversation, from its beginning."""
MAX_WORDS = 400
"""Different words of a message that are looked at, and of what the agent said before it."""
MAX_CHARACTERS = 4_000
MIN_GROUPS = 8
"""What fewer users, or what else is independent, say is looked at together with other rare words alone."""
MAX_ECHOED = 300
"""Words that are looked at one by one, the most frequent ones."""
N_CUES, N_OPENINGS = 40, 25
"""Words of an agent's last sentence, and words that open a user's message, whose pairs are looked at."""
SENTENCE = re.compile(r"[^.!?。！？؟]*[.!?。！？؟]*")
QUESTION_MARKS = ("?", "？", "؟")
NOW = "messages nearer to the reply just heard than to the agent's other replies (cosine)"
QUESTIONS = ("choice", "number", "open")
"""By the lists of ``questions.toml``; any other question asks yes or no."""


class Pair(NamedTuple):
    """A user message and what the agent said since the user last spoke."""

    row: int
    """The conversation."""
    number: int
    """The place of the user's message among those of the conversation."""
    said: frozenset[str]
    """Words of the user's message."""
    heard: frozenset[str]
    """Words of the agent's messages."""
    shown: frozenset[str]
    """Words of the titles of items that it showed."""
    asks: str
    """What the agent's last sentence asks for."""
    last: frozenset[str]
    """Words of the agent's last sentence."""
    forms: tuple[str, ...]
    """Which forms of an answer the user's message has."""
    opening: str
    """The user's first word."""


class Reader:
    """Reads messages of one language."""

    def __init__(self, language: str) -> None:
        self.lists: Mapping[str, WordList] = Lexicon().questions(language)

    def pairs(self, row: int, conversation: Conversation) -> Iterator[Pair]:
        """Yield the user messages with words that follow words of the agent's."""
        agent: list[Message] = []
        n = 0
        for number, message in enumerate(conversation.messages):
            if message.role == "assistant":
                agent.append(message)
            elif message.role == "user":
                if agent and message.content.strip() and any(m.content.strip() for m in agent):
                    yield self._pair((row, number), agent, message.content[:MAX_CHARACTERS])
                    n += 1
                    if n == MAX_PAIRS:
                        return
                agent = []

    def _pair(self, place: tuple[int, int], agent: Sequence[Message], text: str) -> Pair:
        heard = words("\n".join(m.content for m in agent)[-MAX_CHARACTERS:])
        shown = words("\n".join(item.title for m in agent for item in m.items)[:MAX_CHARACTERS])
        said = words(text)
        last = _last_sentence(next(m.content for m in reversed(agent) if m.content.strip())[-MAX_CHARACTERS:])
        asked = words(last)
        return Pair(
            *place,
            frozenset(said[:MAX_WORDS]),
            frozenset([*heard[-MAX_WORDS:], *shown[:MAX_WORDS]]),
            frozenset(shown[:MAX_WORDS]),
            self._asks(last, asked),
            frozenset(asked[-MAX_WORDS:]),
            tuple(self._forms(text, said)),
            said[0] if said else "",
        )

    def _asks(self, last: str, asked: Sequence[str]) -> str:
        if not last.rstrip().endswith(QUESTION_MARKS):
            return "nothing"
        return next((name for name in QUESTIONS if self._holds(name, last, asked)), "yes or no")

    def _holds(self, name: str, text: str, said: Sequence[str]) -> bool:
        return name in self.lists and self.lists[name](text, said)

    def _forms(self, text: str, said: Sequence[str]) -> Iterator[str]:
        if self._holds("yes_no_answer", text, said):
            yield "a word of yes or no"
        if any(c.isdigit() for c in text) or self._holds("number_answer", text, said):
            yield "a number or size"
        if text.rstrip().endswith(QUESTION_MARKS):
            yield "a question"
        if len(said) <= 3:
            yield "three words or fewer"


def _last_sentence(text: str) -> str:
    """Return the last question of the last line if it has one, else its last sentence."""
    line = text.strip().splitlines()[-1] if text.strip() else ""
    parts = [part for part in SENTENCE.findall(line) if part.strip()]
    last = parts[-1] if parts else ""
    return next((part for part in reversed(parts) if part.rstrip().endswith(QUESTION_MARKS)), last)


class Feature(NamedTuple):
    """One column: what it is, in words."""

    kind: str
    """``echo`` and ``word``: how often words are taken from the agent, together and singly; ``answer``: forms by what
    was asked; ``reply``: openings by the agent's last words."""
    name: str
    agent: str = ""
    """The agent's trait, of a kind that crosses two."""
    user: str = ""
    """The user's trait, or the single word."""
    centre: float = 0.0
    """What was taken from the values, so that they are 0 on average."""


@dataclass(frozen=True)
class Exchanges:
    """Features of both sides' pairs, a row a conversation with any."""

    rows: IntArray
    """Shape (rows,): the conversation of each, people first."""
    n_pairs: IntArray
    """Shape (rows,)."""
    features: FloatArray
    """Shape (rows, columns): 0 on average if what is said has to do with what was heard as it has on both sides."""
    columns: tuple[Feature, ...]
    pairs: tuple[Pair, ...]

    @classmethod
    def of(cls, corpora: tuple[Corpus, Corpus], unit_of: IntArray) -> Exchanges:
        """Make them.

        Nothing in them is a matter of either speaker alone. A word that the user says is compared with how often it, or
        words as rare, are taken from the agent on both sides together, so that which words are said moves nothing;
        forms and openings are compared within a conversation, over what was asked, so that a habit moves nothing.

        Args:
            corpora: People, then the simulator.
            unit_of: Shape (conversations,): the unit of each.
        """
        readers = [(Reader(_language(side)), c) for side in corpora for c in side.conversations]
        pairs = [pair for row, (reader, c) in enumerate(readers) for pair in reader.pairs(row, c)]
        rows, row_of = np.unique(np.asarray([pair.row for pair in pairs], np.int64), return_inverse=True)
        n_pairs = np.bincount(row_of, minlength=len(rows))
        group = unit_of[rows]
        made = chain(
            _echoes(pairs, row_of, group), _answers(pairs, row_of, group), _replies(pairs, row_of, group)
        )
        parts = [(feature, values) for feature, values in made if values.std() > TINY]
        columns = tuple(feature for feature, _ in parts)
        features = np.column_stack([values for _, values in parts]) if parts else np.zeros((len(rows), 0))
        return cls(rows, n_pairs, features, columns, tuple(pairs))

    def levels(self, column: int, is_human: BoolArray) -> tuple[str, str]:
        """Write what a feature comes to on both sides, people first: a proportion, or a difference of cosines.

        Args:
            column: The feature.
            is_human: Shape (rows,).
        """
        feature = self.columns[column]
        if feature.agent:
            of_people = dict(zip(self.rows.tolist(), is_human.tolist(), strict=True))
            counts = {True: [0, 0], False: [0, 0]}
            for pair in self.pairs:
                if feature.agent in _agent_traits(feature.kind, pair):
                    counts[of_people[pair.row]][feature.user in _user_traits(feature.kind, pair)] += 1
            shares = [has / max(1, has + lacks) for lacks, has in (counts[True], counts[False])]
            return f"{shares[0]:.0%}", f"{shares[1]:.0%}"
        values = self.features[:, column]
        said = values != 0
        means = [
            float(values[side & said].mean()) + feature.centre if (side & said).any() else 0.0
            for side in (is_human, ~is_human)
        ]
        if feature.name == NOW:
            return f"{means[0]:+.2f}", f"{means[1]:+.2f}"
        return f"{means[0]:.0%}", f"{means[1]:.0%}"

    def message(self, column: int, row: int) -> int | None:
        """Return a conversation's first message that a feature looks at; None where all are.

        Args:
            column: The feature.
            row: The place of the conversation among ``rows``.
        """
        feature = self.columns[column]
        of_row = (pair for pair in self.pairs if pair.row == self.rows[row])
        if feature.agent:
            return next((p.number for p in of_row if feature.agent in _agent_traits(feature.kind, p)), None)
        return next((p.number for p in of_row if feature.user in p.said), None) if feature.user else None


def _agent_traits(kind: str, pair: Pair) -> frozenset[str]:
    return frozenset([pair.asks]) if kind == "answer" else pair.last


def _user_traits(kind: str, pair: Pair) -> frozenset[str]:
    if kind == "answer":
        return frozenset(pair.forms)
    return frozenset([pair.opening] if pair.opening else [])


def _language(side: Corpus) -> str:
    return side.language.of_lists if side.language is not None else "en"


def _bag(sets: Sequence[frozenset[str]], number: Mapping[str, int]) -> csr_matrix:
    """Return which known words each set holds."""
    from scipy.sparse import csr_matrix

    found = [sorted(number[word] for word in each if word in number) for each in sets]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.fromiter(chain.from_iterable(found), np.int64, int(ends[-1]))
    return csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(sets), len(number)))


def _by_row(matrix: csr_matrix, row_of: IntArray, n_rows: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    add = csr_matrix((np.ones(len(row_of)), (row_of, np.arange(len(row_of)))), shape=(n_rows, len(row_of)))
    return csr_matrix(add @ matrix)


def _echoes(pairs: Sequence[Pair], row_of: IntArray, group: IntArray) -> Iterator[tuple[Feature, FloatArray]]:
    """Yield how often words are taken from the agent: by how rare they are, from titles, just now, and singly."""
    number = {
        word: place for place, word in enumerate(sorted({word for pair in pairs for word in pair.said}))
    }
    if not number:
        return
    said, heard, shown = (
        _bag(sets, number)
        for sets in ([p.said for p in pairs], [p.heard for p in pairs], [p.shown for p in pairs])
    )
    n_rows = len(group)
    says, echoes, takes = (
        _by_row(matrix, row_of, n_rows)
        for matrix in (said, said.multiply(heard).tocsr(), said.multiply(shown).tocsr())
    )
    n_with = groups_with(says, group)
    rarity = np.floor(np.log2(np.maximum(n_with, 1))).astype(np.int64)
    for level in np.unique(rarity):
        of_level = np.flatnonzero(rarity == level)
        found = _share_beyond(says[:, of_level], echoes[:, of_level])
        if found is not None:
            low, high = 2**level, 2 ** (level + 1) - 1
            of = f"{low}" if low == high else f"{low} to {high}"
            name = f"of words that {of} users say, those that the agent has just said"
            yield Feature("echo", name, centre=found[1]), found[0]
    some_shown = np.asarray(_by_row(shown, row_of, n_rows).sum(axis=1)).ravel() > 0
    found = _share_beyond(says, takes, among=some_shown)
    if found is not None:
        yield Feature("echo", "words from the titles of items just shown", centre=found[1]), found[0]
    nearer = _now(said, heard, row_of, n_with / max(1, len(np.unique(group))))
    values, mean = _centred(nearer, np.bincount(row_of, minlength=n_rows) > 1)
    yield Feature("echo", NOW, centre=mean), values
    often = np.flatnonzero((n_with >= MIN_GROUPS) & (groups_with(echoes, group) >= MIN_GROUPS))
    often = often[np.argsort(-n_with[often], kind="stable")[:MAX_ECHOED]]
    names = list(number)
    for column in np.sort(often):
        found = _share_beyond(says[:, [column]], echoes[:, [column]])
        if found is not None:
            name = f"of messages with “{names[column]}”, those just after the agent has said it"
            yield Feature("word", name, user=names[column], centre=found[1]), found[0]


def _share_beyond(
    says: csr_matrix, echoes: csr_matrix, *, among: BoolArray | None = None
) -> tuple[FloatArray, float] | None:
    """Return by conversation the proportion of words said that were heard, less its mean, and the mean.

    0 where no such word was said; None if none ever was.
    """
    n_said = np.asarray(says.sum(axis=1), np.float64).ravel()
    n_echoed = np.asarray(echoes.sum(axis=1), np.float64).ravel()
    if among is not None:
        n_said, n_echoed = n_said * among, n_echoed * among
    has = n_said > 0
    if not has.any():
        return None
    share = np.divide(n_echoed, n_said, out=np.zeros_like(n_said), where=has)
    return _centred(share, has)


def _centred(values: FloatArray, known: BoolArray) -> tuple[FloatArray, float]:
    """Take the mean of what is known from it, and let the rest be 0, so that how many are known moves nothing."""
    mean = float(values[known].mean()) if known.any() else 0.0
    return np.where(known, values - mean, 0.0), mean


def _now(said: csr_matrix, heard: csr_matrix, row_of: IntArray, share: FloatArray) -> FloatArray:
    """Return by conversation how much nearer messages lie to the reply before them than to its other replies.

    The mean cosine of a message and what was heard before it, less that with what was heard before the others.
    """
    from scipy.sparse import csr_matrix, diags

    weights = diags(np.log((1 + 0.05) / (share.clip(0, 1) + 0.05)))
    n_rows = int(row_of.max(initial=-1)) + 1

    def unit(matrix: csr_matrix) -> csr_matrix:
        weighed = csr_matrix(matrix @ weights)
        length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1), np.float64).ravel())
        return csr_matrix(diags(np.divide(1, length, out=np.zeros_like(length), where=length > 0)) @ weighed)

    one, other = unit(said), unit(heard)
    own = np.bincount(row_of, np.asarray(one.multiply(other).sum(axis=1), np.float64).ravel(), n_rows)
    both = np.asarray(
        _by_row(one, row_of, n_rows).multiply(_by_row(other, row_of, n_rows)).sum(axis=1), np.float64
    ).ravel()
    n = np.bincount(row_of, minlength=n_rows)
    elsewhere = (both - own) / np.maximum(n * (n - 1), 1)
    return np.asarray(own / np.maximum(n, 1) - elsewhere, np.float64)


def _answers(
    pairs: Sequence[Pair], row_of: IntArray, group: IntArray
) -> Iterator[tuple[Feature, FloatArray]]:
    """Yield how forms of answers go with what was asked, within conversations."""
    yield from _crossed(
        "answer", "{user} where the agent asks {agent}", pairs, row_of, group, limits=(10, 10)
    )


def _replies(
    pairs: Sequence[Pair], row_of: IntArray, group: IntArray
) -> Iterator[tuple[Feature, FloatArray]]:
    """Yield how openings go with words of the agent's last sentence, within conversations."""
    yield from _crossed(
        "reply", "“{user} …” where the agent ends with “{agent}”", pairs, row_of, group,
        limits=(N_CUES, N_OPENINGS),
    )  # fmt: skip


def _crossed(
    kind: str,
    name: str,
    pairs: Sequence[Pair],
    row_of: IntArray,
    group: IntArray,
    *,
    limits: tuple[int, int],
) -> Iterator[tuple[Feature, FloatArray]]:
    """Yield, by agent's and user's trait, their covariance over the pairs of each conversation.

    Without the bias of few pairs, and without conversations of one: so how many pairs there are moves nothing.
    """
    n_rows, n = len(group), np.bincount(row_of, minlength=len(group))
    traits: list[tuple[list[str], FloatArray]] = []
    for of_speaker, most in zip((_agent_traits, _user_traits), limits, strict=True):
        sets = [of_speaker(kind, pair) for pair in pairs]
        number = {word: place for place, word in enumerate(sorted({word for each in sets for word in each}))}
        if not number:
            return
        bag = _bag(sets, number)
        n_groups = groups_with(_by_row(bag, row_of, n_rows), group)
        kept = np.flatnonzero(n_groups >= MIN_GROUPS)
        kept = np.sort(kept[np.argsort(-n_groups[kept], kind="stable")[:most]])
        names = list(number)
        dense = np.asarray(bag[:, kept].toarray(), np.float64)
        mean = np.asarray(_by_row(bag[:, kept], row_of, n_rows).toarray(), np.float64) / n[:, None]
        traits.append(([names[column] for column in kept], dense - mean[row_of]))
    (of_agent, agent), (of_user, user) = traits
    if not of_agent or not of_user:
        return
    starts = np.searchsorted(row_of, np.arange(n_rows))
    for a, cue in enumerate(of_agent):
        together = np.add.reduceat(agent[:, [a]] * user, starts, axis=0) / np.maximum(n - 1, 1)[:, None]
        moved = np.asarray([len(np.unique(group[column != 0])) for column in together.T])
        for u in np.flatnonzero(moved >= MIN_GROUPS):
            said = name.format(agent=cue, user=of_user[u])
            values, _ = _centred(together[:, u], n > 1)
            yield Feature(kind, said, agent=cue, user=of_user[u]), values
