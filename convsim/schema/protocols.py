"""The protocols: what shoppers, agents, annotators and validators promise, and their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol, runtime_checkable

from pydantic import AfterValidator, Field, JsonValue, model_validator

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
from convsim.schema.details.mapping import Probability
from convsim.schema.finding import Finding
from convsim.schema.persona import Persona
from convsim.schema.planned import PlannedFinding
from convsim.schema.record import Count, Flag, Name, Number, Record, Text


def _adding_up(probabilities: Mapping[Action, float]) -> Mapping[Action, float]:
    if abs(sum(probabilities.values()) - 1) > ROUNDING:
        raise ValueError(f"probabilities must add up to 1, but are {dict(probabilities)}")
    return probabilities


ROUNDING = 0.01
"""By which stated probabilities may miss 1."""
Probabilities = Annotated[Mapping[Action, Probability], AfterValidator(_adding_up)]
"""How likely each kind of move is; one that is not there is impossible."""


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
    probabilities: Probabilities | None = None
    """How likely each kind of move was, where the shopper can tell."""

    @model_validator(mode="after")
    def _accepts_something(self) -> UserMove:
        if self.action == "accept" and not self.accepted:
            raise ValueError(
                'a move must name items if it accepts, as in ("accept", "I take it", ["ITEM ID"])'
            )
        if self.action != "accept" and self.accepted:
            raise ValueError(f"only a move that accepts names items, but this one is {self.action!r}")
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


class Decision(Record):
    """What a shopper would do next, decided without words."""

    action: Action
    probabilities: Probabilities | None = None
    """How likely each kind of move was; None where nothing but the draw is known."""
    item: Name | None = None
    """What it takes, if it accepts or is asked what it would take."""
    items: Mapping[Name, Probability] | None = None
    """How likely it was to take each item, given that it takes one; None where nothing but the draw is known."""
    usage: Usage = Field(default_factory=Usage)


@runtime_checkable
class Decider(Protocol):
    """A shopper that can decide without saying anything, which costs less than a whole move."""

    async def decide(
        self, conversation: Conversation, persona: Persona, *, seed: int, with_item: bool = False
    ) -> Decision:
        """Decide as ``speak`` does with the same seed; ``with_item`` says which item it would take, accepting or not.

        Raises:
            ModelError: The model does not decide.
        """
        ...


class AgentReply(Record):
    """One reply; ``ends`` says that the agent closes the conversation with it."""

    content: Text
    items: tuple[Item, ...] = ()
    faults: tuple[Fault, ...] = ()
    ends: Flag = False
    usage: Usage = Field(default_factory=Usage)
    unread: tuple[Text, ...] = ()
    """What the agent's answer held and nobody read, such as a list of objects under an unknown key."""
    reasoning: Count = 0
    """How often thinking was taken out of the text."""


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
    """Labels what users did (acts) and felt (experience); raises ModelError where it cannot, and never guesses.

    One that has ``languages``, ISO 639 codes, reads these alone: conversations in others are refused.
    """

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
        """Return the scores of simulators, by name; never raise where data are merely too few to decide."""
        ...


@runtime_checkable
class Planner(Protocol):
    """A validator that can say, from people alone, what a comparison with them could decide."""

    @property
    def name(self) -> str:
        """What the validator is called in records."""
        ...

    def plan(self, real: Corpus, *, n_simulated: Sequence[int], seed: int) -> Sequence[PlannedFinding]:
        """Return the power of its questions with each number of simulated conversations, at least one number.

        The simulator is taken to be as people are, with a persona for each conversation. Where the power cannot be
        told, the record has none, and says why.
        """
        ...
