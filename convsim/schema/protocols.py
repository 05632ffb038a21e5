"""The protocols: what models, shoppers, agents, annotators and validators promise, and their records."""

from __future__ import annotations

import functools
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from difflib import get_close_matches
from math import isnan
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from convsim._async import called
from convsim.errors import ModelError
from convsim.schema.conversation import (
    Action,
    Conversation,
    Fault,
    Item,
    Label,
    LearnedFrom,
    Usage,
)
from convsim.schema.corpus import Corpus
from convsim.schema.details import Interval
from convsim.schema.finding import Finding, NoiseFloor, Verdict
from convsim.schema.persona import Persona
from convsim.schema.record import Count, Flag, Name, Number, Record, Text


class ChatMessage(BaseModel):
    """One message of a prompt; no record, since prompts are made by the thousand and nothing is kept of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: Literal["system", "user", "assistant"]
    content: Text


class Completion(Record):
    """What a model answered and what it cost; an unknown price is null, never 0."""

    text: Text
    finish_reason: Literal["stop", "length", "content_filter", "other"]
    input_tokens: Count = 0
    output_tokens: Count = 0
    seconds: Annotated[Number, Field(ge=0)] = 0.0
    cost_usd: Annotated[Number, Field(ge=0)] | None = None


class Choice(Record):
    """Which of the stated options a model chose, by index, and what deciding cost."""

    index: Count
    completion: Completion


@runtime_checkable
class ChatModel(Protocol):
    """A language model behind any transport; raises ModelError, never answers with a stand-in text."""

    @property
    def name(self) -> Name:
        """What the model is called in records."""
        ...

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
    ) -> Completion:
        """Answer a chat; with ``schema`` the text is JSON that the schema has accepted."""
        ...

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        """Continue a written text, without a chat template; ``stop`` is not part of the result."""
        ...

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        """Choose one of ``options`` as the answer to a chat: by schema on a server, by likelihood in-process."""
        ...


@runtime_checkable
class OpeningModel(ChatModel, Protocol):
    """A chat model in this process, which can be told how its answer begins: what a fine-tuned shopper needs."""

    @property
    def path(self) -> Path | str:
        """The folder that it was loaded from."""
        ...

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return how many tokens a chat has, up to where the answer begins."""
        ...

    async def draw_opening(
        self, messages: Sequence[ChatMessage], openings: Sequence[str], *, seed: int
    ) -> Choice:
        """Draw how the answer to a chat begins, by the likelihoods of ``openings`` at temperature 1."""
        ...

    async def complete_opened(
        self,
        messages: Sequence[ChatMessage],
        opening: str,
        *,
        max_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> Completion:
        """Complete an answer that begins with ``opening``, which is not part of the text; it may be empty."""
        ...


class UserMove(Record):
    """Say something, accept items, or leave; the text is never a label, a stop word or JSON."""

    action: Action
    text: Text = ""
    accepted: tuple[Name, ...] = ()
    usage: Usage = Field(default_factory=Usage)
    role_slips: Count = 0
    empty_answers: Count = 0
    truncated_answers: Count = 0
    retrieved: tuple[Text, ...] = ()
    """Fingerprints of the real conversations that this move was made from."""

    @model_validator(mode="after")
    def _accepts_something(self) -> UserMove:
        if (self.action == "accept") != bool(self.accepted):
            raise ValueError(
                f"a move must name items if it accepts, and only then: {self.action}, {self.accepted}"
            )
        return self


class NoMoveError(ModelError):
    """A shopper's model made no usable move; what was spent on it, and what went wrong how often, still counts."""

    def __init__(self, message: str, *, usage: Usage, counts: Mapping[str, int]):
        self.usage, self.counts = usage, counts
        super().__init__(message)


@runtime_checkable
class Shopper(Protocol):
    """A simulated user; stateless, so that any turn can be replayed alone."""

    @property
    def name(self) -> Name:
        """What the shopper is called in records."""
        ...

    @property
    def learned_from(self) -> LearnedFrom | None:
        """What a data-driven shopper was built from; None for one that learned from nothing."""
        ...

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Make the next move of ``persona`` in ``conversation``; raises ModelError when there is none."""
        ...


class AgentReply(Record):
    """One reply; ``ends`` says that the agent closes the conversation with it."""

    content: Text
    items: tuple[Item, ...] = ()
    faults: tuple[Fault, ...] = ()
    ends: Flag = False
    usage: Usage = Field(default_factory=Usage)


@runtime_checkable
class Agent(Protocol):
    """A recommender under test; stateless, so that any turn can be replayed alone."""

    @property
    def name(self) -> Name:
        """What the agent is called in records."""
        ...

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Answer the last user message of ``conversation``; raises AgentError when it cannot."""
        ...


Place = Annotated[int, Field(ge=0)]
"""Not strict: as the key of a JSON object it is written as text."""


class Annotation(Record):
    """The labels that one annotator gave to one conversation, by name; each carries the annotator's ``source``."""

    messages: Mapping[Place, Mapping[Name, Label]] = Field(default_factory=dict)
    """By the index of a user message among all messages of the conversation."""
    conversation: Mapping[Name, Label] = Field(default_factory=dict)
    """Of the conversation as a whole."""
    usage: Usage = Field(default_factory=Usage)


@runtime_checkable
class Annotator(Protocol):
    """Labels what users did (acts) and felt (experience); raises ModelError where it cannot, and never guesses."""

    @property
    def name(self) -> Name:
        """What the annotator is called."""
        ...

    @property
    def source(self) -> Name:
        """Who gives the labels, version or model included: ``rules:1``, ``classifier:…`` or ``judge:…``."""
        ...

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Label every user message, each from the conversation up to it alone, and the whole conversation."""
        ...


@runtime_checkable
class BatchAnnotator(Annotator, Protocol):
    """An annotator that is asked for many conversations at once, because that is faster."""

    def annotate_many(self, conversations: Sequence[Conversation]) -> Sequence[Annotation]:
        """Label conversations, in their order; where it raises, each is asked for by itself."""
        ...


@runtime_checkable
class Validator(Protocol):
    """Compares simulated with real conversations; its settings are keyword fields with defaults.

    One that declares ``on_request = True`` runs only when it is named: what it asks must be set up first, such as which
    arms to compare.
    """

    @property
    def name(self) -> str:
        """What the validator is called in findings."""
        ...

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric; never raise for data that merely decide nothing."""
        ...


OWN = frozenset({"name", "version", "source", "question", "unit", "on_request"})
"""What a class says of itself; all else that it declares is a setting."""


class _Asked(NamedTuple):
    real: Corpus
    simulated: Corpus
    seed: int


_asked: ContextVar[_Asked] = ContextVar("what a validator is asked")


class BaseValidator(ABC):
    """An optional base of validators: yield ``self.finding(…)`` from ``validate(real, simulated, *, seed)``.

    What the class declares with a default is a setting, given by keyword where one is made. ``name`` is the class's in
    small letters, ``source`` where it stands and ``question`` its docstring's first paragraph, unless it says
    otherwise.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    source: ClassVar[str]
    question: ClassVar[str]
    unit: ClassVar[str] = "value"
    on_request: ClassVar[bool] = False
    """Run only where it is named: what it asks must be set up first."""

    def __init_subclass__(cls, **more: object) -> None:
        super().__init_subclass__(**more)
        said = vars(cls)
        if "name" not in said:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if "source" not in said:
            cls.source = f"{cls.__module__}:{cls.__qualname__}"
        if "question" not in said:
            cls.question = " ".join((inspect.cleandoc(cls.__doc__ or "")).split("\n\n")[0].split())
        if "validate" in said:
            cls.validate = _asking(said["validate"])  # type: ignore[assignment, method-assign]

    def __init__(self, **settings: object) -> None:
        """Take settings by keyword; raises TypeError for one that the class does not declare, or lacks."""
        known = _settings(type(self))
        for name, value in settings.items():
            if name not in known:
                close = get_close_matches(name, known, n=1)
                meant = f"; did you mean {close[0]}" if close else ""
                raise TypeError(
                    f"{self.name} has no setting {name!r}{meant}; it has: {', '.join(known) or 'none'}"
                )
            setattr(self, name, value)
        for name in known:
            if not hasattr(self, name):
                raise TypeError(f"{self.name} needs the setting {name!r}")

    @abstractmethod
    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Iterable[Finding]:
        """Yield or return findings; never raise for data that merely decide nothing."""

    def finding(  # noqa: PLR0913  (the fields of a finding)
        self,
        metric: str,
        *,
        verdict: Verdict,
        reason: str,
        estimate: float | None = None,
        unit: str | None = None,
        interval: tuple[float, float] | None = None,
        level: float = 0.95,
        p_value: float | None = None,
        p_adjusted: float | None = None,
        noise_floor: NoiseFloor | None = None,
        question: str | None = None,
        n_real: int | None = None,
        n_simulated: int | None = None,
        details: Mapping[str, JsonValue] | None = None,
    ) -> Finding:
        """Say what was found of ``metric``; NaN stands for undefined and becomes None, NumPy's numbers plain ones.

        Args:
            metric: What the estimate is of.
            verdict: "aligned", "different", "undecided" or a reaction.
            reason: Why, in one sentence.
            estimate: The number; None where it is undefined.
            unit: Its unit; by default the class's.
            interval: Its limits at ``level``.
            level: Of the interval.
            p_value: Of the test, as it is.
            p_adjusted: Corrected for the others of its family.
            noise_floor: What chance alone gives at these sizes.
            question: By default the class's.
            n_real: Conversations that were used; by default all of the real side.
            n_simulated: Conversations that were used; by default all of the simulated side.
            details: Further values of JSON.

        Raises:
            RuntimeError: It is called outside ``validate``.
        """
        try:
            asked = _asked.get()
        except LookupError:
            raise RuntimeError(f"{self.name}: finding() can only be called while validate() runs") from None
        limits = None if interval is None else [_plain(limit) for limit in interval]
        return Finding.model_validate(
            {
                "validator": self.name,
                "metric": metric,
                "question": question or self.question or f"What does {self.name} say of {metric}?",
                "estimate": _plain(estimate),
                "unit": unit or self.unit,
                "interval": None if limits is None or None in limits else tuple(limits),
                "level": level,
                "p_value": _plain(p_value),
                "p_adjusted": _plain(p_adjusted),
                "noise_floor": noise_floor,
                "verdict": verdict,
                "reason": reason,
                "n_real": len(asked.real) if n_real is None else int(n_real),
                "n_simulated": len(asked.simulated) if n_simulated is None else int(n_simulated),
                "seed": asked.seed,
                "version": self.version,
                "source": self.source,
                "details": {} if details is None else dict(details),
            }
        )


def _asking(validate: Callable[..., object]) -> Callable[..., object]:
    """Wrap ``validate`` so that ``finding`` knows what is asked while it runs; what it yields becomes a list."""

    @functools.wraps(validate)
    def asked(self: BaseValidator, real: Corpus, simulated: Corpus, *, seed: int) -> object:
        token = _asked.set(_Asked(real, simulated, seed))
        try:
            answer = called(validate, self, real, simulated, seed=seed)
            return [] if answer is None else answer
        finally:
            _asked.reset(token)

    return asked


def _settings(kind: type) -> list[str]:
    """Name the settings that a class and its bases declare."""
    return list(dict.fromkeys(name for part in kind.__mro__ for name in _declared(part)))


def _declared(part: type) -> Iterator[str]:
    if part in (BaseValidator, *BaseValidator.__mro__):
        return
    for name in dict.fromkeys([*inspect.get_annotations(part), *vars(part)]):
        value = vars(part).get(name)
        if name in OWN or name.startswith("_") or "ClassVar" in str(inspect.get_annotations(part).get(name)):
            continue
        if not callable(value) and not hasattr(type(value), "__get__"):
            yield name


def _plain(value: float | None) -> float | None:
    """Return a number as Python's own; None where it is undefined."""
    if value is None:
        return None
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and isnan(number) else number


class SimulatorScore(Record):
    """One number of one simulator, or of one against another; undefined numbers are null and have a reason."""

    validator: Name
    metric: Name
    question: Text
    simulator: Name
    against: Name | None = None
    """The other simulator, where the number is of a pair."""
    estimate: Number | None = None
    unit: Text
    interval: Interval | None = None
    level: Number = 0.95
    reason: Text
    n_real: Count
    n_simulated: Count
    seed: int
    version: Text
    source: Text
    details: dict[str, JsonValue] = Field(default_factory=dict)


@runtime_checkable
class Comparer(Protocol):
    """A validator that has something to say on several simulators at once."""

    @property
    def name(self) -> str:
        """What the validator is called in records."""
        ...

    def compare(
        self, real: Corpus, simulated: Mapping[str, Corpus], *, seed: int
    ) -> Sequence[SimulatorScore]:
        """Return the standings of simulators, by name; never raise for data that merely decide nothing."""
        ...
