"""Labels acts and experience by the documented rules of ``rules.toml``: lexical, English only, instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from convsim.annotation.definitions import OTHER, definitions
from convsim.annotation.rules.context_features import Place
from convsim.annotation.rules.language import ACT, End, Language, Rule, language
from convsim.annotation.rules.sentence_features import ReadSentence, read_message
from convsim.schema import Annotation
from convsim.schema.conversation import Conversation, Label

TAKES = "accept_recommendation"
TURNS_DOWN = "reject_recommendation"


def at_the_end(
    acts: Sequence[frozenset[str]], shown: Sequence[Mapping[str, int]], rule: End
) -> Mapping[str, int]:
    """Return 0 or 1 for each experience; ``acts`` and ``shown`` are those of the user messages, in their order.

    ``[end]`` of ``experience.toml`` says how.
    """
    mood = _weighted([values["satisfaction"] - values["frustration"] for values in shown], rule.half)
    confusion = _weighted([values["confusion"] for values in shown], rule.half)
    return {
        "satisfaction": int(mood >= rule.mood),
        "frustration": int(-mood >= rule.mood),
        "confusion": int(confusion >= rule.confusion),
        "purchase_intent": _would_buy(acts, shown),
    }


def _weighted(values: Sequence[int], half: float) -> float:
    return sum(value * half**after for after, value in enumerate(reversed(values)))


def _would_buy(acts: Sequence[frozenset[str]], shown: Sequence[Mapping[str, int]]) -> int:
    for given, values in zip(reversed(acts), reversed(shown), strict=True):
        if values["purchase_intent"]:
            return 1
        if TURNS_DOWN in given:
            return 0
    return 0


ACTS = "acts"


@dataclass(frozen=True)
class Rules:
    """Knows words and their place in the conversation, and nothing of their meaning; reads English alone."""

    name: str = field(default="rules", init=False)
    any_language: bool = False
    """Label whatever the language is told to be: for English that is taken for another language."""

    @property
    def source(self) -> str:
        """Who gives the labels: ``rules:`` and the version of the rules."""
        return f"rules:{language().rules.version}"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that there are rules for, by their ISO 639 codes; empty where any is labelled."""
        return () if self.any_language else ("en",)

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Label one conversation; takes no longer than reading 4,000 characters a message."""
        return self.label(conversation)

    def annotate_many(self, conversations: Sequence[Conversation]) -> list[Annotation]:
        """Label many conversations, in their order."""
        return [self.label(conversation) for conversation in conversations]

    def label(self, conversation: Conversation) -> Annotation:
        """Label one conversation, without waiting for anything."""
        known, source = language(), self.source
        place = Place(known)
        labels: dict[int, Mapping[str, Label]] = {}
        shown: list[Mapping[str, int]] = []
        acts: list[frozenset[str]] = []
        for index, message in enumerate(conversation.messages):
            if message.role == "assistant":
                place.hear_agent(message)
            elif message.role == "user":
                read = read_message(message.content, known)
                places = place.of_message(message, frozenset().union(*(s.content for s in read)))
                given, experience = _judge(read, places, known)
                acts.append(given)
                shown.append(experience)
                labels[index] = {ACTS: _acts_label(given, source), **_experience_labels(experience, source)}
        end = at_the_end(acts, shown, known.rules.end)
        return Annotation(messages=labels, conversation=_experience_labels(end, source))


def _judge(
    read: Sequence[ReadSentence], places: set[str], known: Language
) -> tuple[frozenset[str], Mapping[str, int]]:
    facts = set(places)
    acts: set[str] = set()
    for sentence in read or (ReadSentence(frozenset(), frozenset()),):
        here = places | sentence.facts
        acts |= _given(known.rules.acts, here, prefix=ACT)
        facts |= here
    facts |= {ACT + act for act in acts}
    shown = _given(known.rules.experience, facts)
    return frozenset(acts), {name: int(name in shown) for name in definitions().experience_names}


def _given(rules: Iterable[Rule], facts: set[str], *, prefix: str = "") -> set[str]:
    """Return what the rules give, each added to ``facts`` under ``prefix`` for the rules after it."""
    given: set[str] = set()
    for rule in rules:
        if rule.gives not in given and rule.holds(facts):
            given.add(rule.gives)
            facts.add(prefix + rule.gives)
    return given


@cache
def _acts_label(acts: frozenset[str], source: str) -> Label:
    return Label(value=sorted(acts) or [OTHER], source=source)


def _experience_labels(values: Mapping[str, int], source: str) -> Mapping[str, Label]:
    return {name: _experience_label(name, value, source) for name, value in values.items()}


@cache
def _experience_label(name: str, value: int, source: str) -> Label:
    scale = next(found.scale for found in definitions().experience if found.name == name)
    return Label(value=value, source=source, scale=scale)
