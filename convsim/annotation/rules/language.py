"""What the rules are and know of English: the TOML files of this folder, read once and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from convsim._inputs import read_toml
from convsim.annotation.definitions import definitions
from convsim.annotation.rules.phrases import Grammar, Phrases
from convsim.annotation.rules.tokenizer import Spelling

HERE = Path(__file__).parent
ACT = "act:"
AGENT_FILE = "agent"
MESSAGE_PLACES = frozenset(
    {"first", "offered", "offer", "asked", "answered", "repeats", "shouted"}
    | {"ask_purchase", "ask_known", "ask_more", "ask_opinion"}
)
SENTENCE_PLACES = frozenset(
    {"question", "opens", "exclaimed", "number", "alone", "start", "content", "wondering"}
)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cue(_Table):
    """One list of phrases; ``lexicon/how-to-read.txt`` says how they are written."""

    why: str
    phrases: tuple[str, ...] = Field(min_length=1)
    negated: str | None = None
    steady: bool = False


class Rule(_Table):
    """Gives a label where one of ``any``, all of ``all`` and none of ``none`` hold."""

    gives: str
    why: str
    any: frozenset[str] = frozenset()
    all: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()

    def holds(self, facts: set[str]) -> bool:
        """Whether the rule holds of ``facts``: cues, places and acts by name."""
        return (
            (not self.any or not self.any.isdisjoint(facts))
            and self.all <= facts
            and self.none.isdisjoint(facts)
        )

    @property
    def names(self) -> frozenset[str]:
        """All that it looks at."""
        return self.any | self.all | self.none


class _Words(_Table):
    words: frozenset[str]


class _Negation(_Table):
    words: frozenset[str]
    adjacent: frozenset[str]
    reach: int


class _Reading(_Table):
    questions: tuple[str, ...]
    before_opening: frozenset[str]
    empty_cues: frozenset[str]
    negation: _Negation
    grammar: _Words
    spelling: Mapping[str, str]


class End(_Table):
    """How the messages' experience becomes the conversation's."""

    half: float = Field(gt=0, lt=1)
    mood: float
    confusion: float


class RuleFiles(_Table):
    """All of ``rules.toml``, ``experience.toml`` and, as ``reading``, ``reading.toml``."""

    version: int = Field(ge=1)
    reading: _Reading
    acts: tuple[Rule, ...]
    experience: tuple[Rule, ...]
    end: End


@dataclass(frozen=True)
class Language:
    """The rules, and the phrases that they look for on either side."""

    rules: RuleFiles
    user: Phrases
    agent: Phrases
    spelling: Spelling
    questions: frozenset[tuple[str, ...]]


@cache
def language() -> Language:
    """Return the rules and the lexicon, from the files beside this module.

    Raises:
        ValueError: A rule names what does not exist, or gives no known label.
    """
    rules = RuleFiles.model_validate(
        {**_read("rules.toml"), **_read("experience.toml"), "reading": _read("reading.toml")}
    )
    cues: dict[str, dict[str, Cue]] = {}
    for path in sorted((HERE / "lexicon").glob("*.toml")):
        cues[path.stem] = TypeAdapter(dict[str, Cue]).validate_python(_read(f"lexicon/{path.name}"))
    agent = cues.pop(AGENT_FILE)
    user = {name: cue for found in cues.values() for name, cue in found.items()}
    _check(rules, user)
    reading = rules.reading
    grammar = Grammar(
        words=reading.grammar.words,
        negating=reading.negation.words,
        adjacent=reading.negation.adjacent,
        reach=reading.negation.reach,
        opening=reading.before_opening,
    )
    phrases = _phrases(user, grammar)
    meant = {word: tuple(text.split()) for word, text in reading.spelling.items()}
    return Language(
        rules=rules,
        user=phrases,
        agent=_phrases(agent, grammar),
        spelling=Spelling(phrases.words | reading.grammar.words, meant),
        questions=frozenset(tuple(text.split()) for text in reading.questions),
    )


def _read(name: str) -> dict[str, object]:
    return read_toml(HERE / name)


def _phrases(cues: Mapping[str, Cue], grammar: Grammar) -> Phrases:
    return Phrases.of(
        {name: cue.phrases for name, cue in cues.items()},
        grammar=grammar,
        negated={name: cue.negated for name, cue in cues.items() if cue.negated},
        steady=frozenset(name for name, cue in cues.items() if cue.steady),
    )


def _check(rules: RuleFiles, cues: Mapping[str, Cue]) -> None:
    for kind, given, allowed in _named(rules, cues):
        if unknown := given - allowed:
            raise ValueError(f"the rules: {kind} {sorted(unknown)[0]!r} does not exist")


def _named(rules: RuleFiles, cues: Mapping[str, Cue]) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    known = definitions()
    acts = frozenset(known.act_names)
    facts = cues.keys() | MESSAGE_PLACES | SENTENCE_PLACES | {ACT + act for act in acts}
    for rule in (*rules.acts, *rules.experience):
        yield f"the rule for {rule.gives} names what", rule.names, frozenset(facts)
    yield "the act", frozenset(rule.gives for rule in rules.acts), acts
    yield "the experience", frozenset(r.gives for r in rules.experience), frozenset(known.experience_names)
    yield "the empty cue", rules.reading.empty_cues, frozenset(cues)
    yield "the cue", frozenset(cue.negated for cue in cues.values() if cue.negated), frozenset(cues)
