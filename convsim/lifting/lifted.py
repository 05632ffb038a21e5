"""Functions and objects, sync or async, as the agents, shoppers, annotators and validators that convsim asks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, get_args

from convsim._async import called
from convsim._text import one_line
from convsim.errors import (
    AgentError,
    ConvsimError,
    InputError,
    ModelError,
    PluginError,
)
from convsim.lifting.asking import TIMEOUT_S, Ask, Takes, seen_by_agent
from convsim.lifting.judgements import to_annotation, to_findings
from convsim.lifting.moves import to_move
from convsim.lifting.reasons import kind_of
from convsim.lifting.replies import Form, to_reply
from convsim.lifting.targets import Target
from convsim.schema import (
    Agent,
    AgentReply,
    Annotation,
    Annotator,
    Corpus,
    Finding,
    PlannedFinding,
    Shopper,
    SimulatorScore,
    UserMove,
    Validator,
)
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona


class HasReply(Protocol):
    """An agent as an object; its ``reply`` may be sync or async."""

    @property
    def reply(self) -> Callable[..., object]:
        """Answer the conversation so far."""
        ...


class HasSpeak(Protocol):
    """A shopper as an object; its ``speak`` may be sync or async."""

    @property
    def speak(self) -> Callable[..., object]:
        """Make the next move."""
        ...


class HasAnnotate(Protocol):
    """An annotator as an object; its ``annotate`` may be sync or async."""

    @property
    def annotate(self) -> Callable[..., object]:
        """Label a conversation."""
        ...


class HasValidate(Protocol):
    """A validator as an object; its ``validate`` may be sync or async."""

    @property
    def validate(self) -> Callable[..., object]:
        """Compare simulated with real conversations."""
        ...


NO_FIELDS: Mapping[str, str] = {}
AgentLike = HasReply | Callable[..., object]
ShopperLike = HasSpeak | Callable[..., object]
AnnotatorLike = HasAnnotate | Callable[..., object]
ValidatorLike = HasValidate | Callable[..., object]


def lift_agent(
    thing: object,
    *,
    name: str | None = None,
    takes: Takes = "auto",
    timeout_s: float = TIMEOUT_S,
    content: str = "",
    items: str = "",
    fields: Mapping[str, str] = NO_FIELDS,
) -> Agent:
    """Make an agent of a function, an object with ``reply``, a class of one, or ``module:attribute``.

    It is given the conversation, or OpenAI messages where its first argument is called ``messages`` (or ``takes``
    says so), and ``seed`` if it takes one. It answers a text, ``{"content", "items"}``, an object with ``content``, an
    OpenAI response, a list of messages (what was said since the user's last is joined), a generator of texts, or an
    ``AgentReply``. ``content`` and ``items`` are paths in an answer that keeps them elsewhere, such as
    ``"data.products"``, and ``fields`` those of an item's ``id``, ``title``, ``price`` and ``attributes``.

    Raises:
        PluginError: It is nothing that can be asked, or asks for something that convsim does not have.
        InputError: Another setting cannot be used.
    """
    if takes not in get_args(Takes):
        *some, last = map(repr, get_args(Takes))
        raise InputError(
            f"{name or 'the agent'}: takes must be {', '.join(some)} or {last}, but is {takes!r}"
        )
    form = Form.of(name or "the agent", content, items, fields)
    found = Target.of(thing, "agent", "reply", name)
    if found.is_own and isinstance(found.thing, Agent):
        return found.thing
    order = "messages" if takes == "messages" else "conversation"
    ask = Ask.of(found, (order,), ("conversation", "messages", "seed"), timeout_s, AgentError, takes=takes)
    prompt = found.get("prompt_hash")
    return LiftedAgent(
        name=found.name, prompt_hash=prompt if isinstance(prompt, str) else None, ask=ask, form=form
    )


def lift_shopper(thing: object, *, name: str | None = None, timeout_s: float = TIMEOUT_S) -> Shopper:
    """Make a shopper of a function, an object with ``speak``, a class of one, or ``module:attribute``.

    It is given the conversation and the persona (``messages`` and ``seed`` too, where it asks for them by name) and
    answers a text to say, ``("leave", "")``, ``("accept", ["b1"])``, ``{"action", "text", "accepted"}``, an object with
    ``content``, an OpenAI response, a generator of texts, or a ``UserMove``.

    Raises:
        PluginError: It is nothing that can be asked, or asks for something that convsim does not have.
        InputError: ``timeout_s`` cannot be used.
    """
    found = Target.of(thing, "shopper", "speak", name)
    if found.is_own and isinstance(found.thing, Shopper):
        return found.thing
    offers = ("conversation", "persona", "messages", "seed")
    ask = Ask.of(found, ("conversation", "persona"), offers, timeout_s, ModelError)
    learned = found.get("learned_from")
    if not isinstance(learned, LearnedFrom | None):
        raise PluginError(
            f"{found.name}: learned_from must be None or a LearnedFrom, but is {kind_of(learned)}"
        )
    model, hashes = found.get("model"), found.get("prompt_hashes")
    return LiftedShopper(
        name=found.name,
        learned_from=learned,
        model=model,
        prompt_hashes={str(k): str(v) for k, v in hashes.items()} if isinstance(hashes, Mapping) else {},
        ask=ask,
    )


def lift_annotator(
    thing: object, *, name: str | None = None, source: str | None = None, timeout_s: float = TIMEOUT_S
) -> Annotator:
    """Make an annotator of a function, an object with ``annotate``, a class of one, or ``module:attribute``.

    It is given the conversation (or ``messages``) and answers the labels of the whole conversation by name, a list with
    a dict of labels a user message, ``{"messages": {index: labels}, "conversation": labels}``, or an ``Annotation``. A
    label is a value, ``{"value", "scale"}`` or a ``Label``. ``source`` is who gave them: ``python:NAME`` by default.
    Conversations in other languages than its ``languages``, ISO 639 codes, are refused; by default it reads any.

    Raises:
        PluginError: It is nothing that can be asked, or asks for something that convsim does not have.
        InputError: ``timeout_s`` cannot be used.
    """
    found = Target.of(thing, "annotator", "annotate", name)
    if found.is_own and isinstance(found.thing, Annotator):
        return found.thing
    ask = Ask.of(found, ("conversation",), ("conversation", "messages"), timeout_s, ModelError)
    stated = source or found.get("source")
    if stated is not None and (not isinstance(stated, str) or not stated):
        raise PluginError(f"{found.name}: source must be a string, but is {kind_of(stated)}")
    stated_languages = found.get("languages")
    languages = (
        tuple(stated_languages) if isinstance(stated_languages, tuple | list | frozenset | set) else ()
    )
    whose = stated or f"python:{found.name}"
    many = found.get("annotate_many")
    if callable(many):
        return LiftedBatchAnnotator(name=found.name, source=whose, ask=ask, many=many, languages=languages)
    return LiftedAnnotator(name=found.name, source=whose, ask=ask, languages=languages)


def lift_validator(thing: object, *, name: str | None = None) -> Validator:
    """Make a validator of a function, an object with ``validate``, a class of one, or ``module:attribute``.

    It is given two corpora, ``real`` and ``simulated``, and ``seed`` if it takes one. It answers a ``Finding``, a
    dict of a finding's fields (what the harness knows may be left out), a number (an estimate without a verdict), a
    bool (aligned or different), or several of these.

    Raises:
        PluginError: It is nothing that can be asked, or asks for something that convsim does not have.
    """
    found = Target.of(thing, "validator", "validate", name)
    if found.is_own and isinstance(found.thing, Validator):
        return found.thing
    offers = ("real", "simulated", "seed")
    ask = Ask.of(found, offers[:2], offers, TIMEOUT_S, ConvsimError)
    home = getattr(found.function, "__module__", None) or type(found.thing).__module__
    lifted = LiftedValidator(
        name=found.name,
        version=found.text("version") or "unknown",
        source=found.text("source") or str(home),
        question=found.text("question") or _question(found.function) or _question(found.thing),
        ask=ask,
    )
    known = {part: getattr(lifted, part) for part in _FIELDS}
    compare, plan = found.get("compare"), found.get("plan")
    if callable(compare) and callable(plan):
        return LiftedComparerAndPlanner(**known, comparing=compare, planning=plan)
    if callable(compare):
        return LiftedComparer(**known, comparing=compare)
    return LiftedPlanner(**known, planning=plan) if callable(plan) else lifted


@dataclass(frozen=True)
class LiftedAgent:
    """Somebody's function or object as an agent."""

    name: str
    prompt_hash: str | None = field(repr=False)
    ask: Ask = field(repr=False)
    form: Form = field(default_factory=Form, repr=False)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask it; raises AgentError when it raises, is late, or answers what cannot be used."""
        seen = seen_by_agent(conversation)
        given = {"conversation": seen, "seed": seed}
        return await self.ask.answer(given, seen, lambda answer: to_reply(answer, self.name, self.form))


@dataclass(frozen=True)
class LiftedShopper:
    """Somebody's function or object as a shopper."""

    name: str
    learned_from: LearnedFrom | None = field(repr=False)
    model: object = field(repr=False)
    prompt_hashes: Mapping[str, str] = field(repr=False)
    ask: Ask = field(repr=False)

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Ask it; raises ModelError when it raises, is late, or answers what cannot be used."""
        given = {"conversation": conversation, "persona": persona, "seed": seed}
        return await self.ask.answer(given, conversation, lambda answer: to_move(answer, self.name))


@dataclass(frozen=True)
class LiftedAnnotator:
    """Somebody's function or object as an annotator."""

    name: str
    source: str
    ask: Ask = field(repr=False)
    languages: Collection[str] = field(default=(), kw_only=True)
    """ISO 639 codes of those that it reads alone; empty where it reads any."""

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Ask it; raises ModelError when it raises, is late, or answers what cannot be used."""

        def read(answer: object) -> Annotation:
            return to_annotation(answer, conversation, source=self.source, annotator=self.name)

        return await self.ask.answer({"conversation": conversation}, conversation, read)


@dataclass(frozen=True)
class LiftedBatchAnnotator(LiftedAnnotator):
    """Somebody's object as an annotator that is asked for many conversations at once."""

    many: Callable[..., object] = field(repr=False)

    def annotate_many(self, conversations: Sequence[Conversation]) -> list[Annotation]:
        """Ask it for all; raises ModelError when it answers what cannot be used."""
        answers = called(self.many, conversations)
        if not isinstance(answers, Sequence) or len(answers) != len(conversations):
            raise ModelError(
                f"{self.name} must return one annotation per conversation from annotate_many ({len(conversations)}), "
                f"but returned {kind_of(answers)}"
            )
        return [
            to_annotation(answer, conversation, source=self.source, annotator=self.name)
            for answer, conversation in zip(answers, conversations, strict=True)
        ]


@dataclass(frozen=True)
class LiftedValidator:
    """Somebody's function or object as a validator."""

    name: str
    version: str
    source: str
    question: str
    ask: Ask = field(repr=False)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        """Ask it; raises what it raises, and TypeError when it returns something other than findings."""
        answer = self.ask.call({"real": real, "simulated": simulated, "seed": seed})
        known: dict[str, object] = {
            "validator": self.name, "metric": self.name, "question": self.question or f"What does {self.name} find?",
            "unit": "-", "n_real": len(real), "n_simulated": len(simulated), "seed": seed,
            "version": self.version, "source": self.source,
        }  # fmt: skip
        return list(to_findings(answer, known, self.name))


_FIELDS = ("name", "version", "source", "question", "ask")


@dataclass(frozen=True)
class LiftedComparer(LiftedValidator):
    """Somebody's object as a validator that also has something to say on several simulators at once."""

    comparing: Callable[..., object] = field(repr=False)

    def compare(self, real: Corpus, simulated: Mapping[str, Corpus], *, seed: int) -> list[SimulatorScore]:
        """Ask it; raises what it raises, and TypeError when it returns something other than scores."""
        answer = called(self.comparing, real, simulated, seed=seed)
        if isinstance(answer, Sequence) and all(isinstance(part, SimulatorScore) for part in answer):
            return list(answer)
        raise TypeError(
            f"{self.name} must return a list of SimulatorScore from compare, but returned {kind_of(answer)}"
        )


@dataclass(frozen=True)
class LiftedPlanner(LiftedValidator):
    """Somebody's object as a validator that also says, from people alone, what it could decide."""

    planning: Callable[..., object] = field(repr=False)

    def plan(self, real: Corpus, *, n_simulated: Sequence[int], seed: int) -> list[PlannedFinding]:
        """Ask it; raises what it raises, and TypeError when it returns something other than what is planned."""
        answer = called(self.planning, real, n_simulated=n_simulated, seed=seed)
        if isinstance(answer, Sequence) and all(isinstance(part, PlannedFinding) for part in answer):
            return list(answer)
        raise TypeError(
            f"{self.name} must return a list of PlannedFinding from plan, but returned {kind_of(answer)}"
        )


@dataclass(frozen=True)
class LiftedComparerAndPlanner(LiftedComparer, LiftedPlanner):
    """Somebody's object that does both."""


def _question(thing: object) -> str:
    """Return the first line of what somebody wrote on a function or class of their own."""
    written = thing.__doc__ if inspect.isroutine(thing) else type(thing).__doc__
    return one_line(written.strip().splitlines()[0]) if written and written.strip() else ""
