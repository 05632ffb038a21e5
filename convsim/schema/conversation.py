"""A conversation: OpenAI-style messages plus what a recommender adds."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    model_validator,
)

from convsim.schema.persona import LoggedPersona
from convsim.schema.record import (
    Count,
    Flag,
    LoggedRecord,
    Name,
    NotedRecord,
    Number,
    Spending,
    Text,
    Tokens,
    from_log,
    keep_unknown,
)

Role = Literal["user", "assistant", "system", "developer", "tool"]
Ending = Literal["accepted", "left", "agent_ended", "turn_limit", "agent_failed", "shopper_failed", "unknown"]
Action = Literal["say", "accept", "leave"]
Severity = Annotated[Number, Field(ge=0, le=1)]


MAX_FAILURE_SHARE = 0.05
"""A run of which more than this share failed is marked, and refused in comparisons unless that is allowed."""


class Label(NotedRecord):
    """One judgement, and who gave it: ``self``, ``third_party``, ``rules:…``, ``classifier:…`` or ``judge:…``."""

    value: JsonValue
    source: Name
    scale: tuple[Number, Number] | None = None

    @model_validator(mode="after")
    def _finite_and_on_scale(self) -> Label:
        numeric = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if numeric and not _is_finite(self.value):  # type: ignore[arg-type]
            raise ValueError(f"the value must be a finite number, but is {self.value!s:.20}")
        if self.scale and numeric and not self.scale[0] <= self.value <= self.scale[1]:  # type: ignore[operator]
            raise ValueError(f"the value {self.value} is outside its scale {list(self.scale)}")
        return self


def _is_finite(number: float) -> bool:
    """Tell whether it is a number that a float can be, as a whole number of hundreds of digits cannot."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _as_labels(value: object) -> object:
    labels = value if isinstance(value, list | tuple) else (value,)
    sources = [
        label.source if isinstance(label, Label) else label.get("source")
        for label in labels
        if isinstance(label, Label | dict)
    ]
    if len({str(source) for source in sources}) < len(sources):
        raise ValueError(f"two labels of the same name have the same source {sources[0]!r}")
    return [keep_unknown(Label, label) for label in labels]


def _from_labels(labels: tuple[Label, ...]) -> Any:
    dumped = [label.model_dump(exclude_defaults=True) for label in labels]
    return dumped[0] if len(dumped) == 1 else dumped


LabelsOfOneName = Annotated[
    tuple[Label, ...], Field(min_length=1), BeforeValidator(_as_labels), PlainSerializer(_from_labels)
]
Labels = dict[Name, LabelsOfOneName]


class Item(LoggedRecord):
    """One product that the agent showed; ``price`` is in the catalogue's currency."""

    id: Name
    title: Text = ""
    price: Number | None = None
    attributes: dict[str, JsonValue] = Field(default_factory=dict)


MAX_SHARED = 200_000
"""Items that are looked up; a file that shows more different ones holds the others each by itself."""


class Fault(NotedRecord):
    """What a degraded agent did to one of its replies, or why it could not."""

    name: Name
    severity: Severity
    acted: Flag
    detail: Text = ""


class Message(LoggedRecord):
    """One message; only those of ``user`` and ``assistant`` are counted."""

    role: Role
    content: Text
    labels: Labels = Field(default_factory=dict)
    action: Action | None = None
    accepted: tuple[Text, ...] = ()
    items: tuple[Item, ...] = ()
    faults: tuple[Annotated[Fault, from_log(Fault)], ...] = ()

    def bare(self) -> Message:
        """Return what was said and shown, and nothing else of it; made without validating again what is valid."""
        made = Message.__new__(Message)
        said = {"role": self.role, "content": self.content, "items": self.items}
        object.__setattr__(made, "__dict__", {**_UNSAID, "labels": {}, "metadata": {}, **said})
        object.__setattr__(made, "__pydantic_fields_set__", set(said))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


_UNSAID = Message(role="user", content="").__dict__
"""What a message has of which only who spoke and the words are stated."""


class Failure(NotedRecord):
    """Why a conversation broke, and on whose side; never an utterance and never a score."""

    reason: Name
    actor: Literal["shopper", "agent", "model"] | None = None
    turn: Count | None = None


class Spent(Protocol):
    """Whatever says what it cost: a usage, or a model's completion."""

    @property
    def input_tokens(self) -> int | None:
        """Tokens read; None where they were not counted."""
        ...

    @property
    def output_tokens(self) -> int | None:
        """Tokens written; None where they were not counted."""
        ...

    @property
    def reasoning_characters(self) -> int:
        """Characters of what was thought and not said."""
        ...

    @property
    def seconds(self) -> float:
        """Time taken."""
        ...

    @property
    def cost_usd(self) -> float | None:
        """The price; None where it is unknown."""
        ...


def used_tokens(spent: Spent) -> bool:
    """Tell whether a model was asked: tokens that were not counted are tokens, too."""
    return spent.input_tokens != 0 or spent.output_tokens != 0


def _total(counts: Iterable[int | None]) -> int | None:
    known = [*counts]
    return None if None in known else sum(count for count in known if count is not None)


class Usage(NotedRecord):
    """What a conversation cost; unknown tokens and an unknown price are null, never 0."""

    input_tokens: Tokens | None = 0
    output_tokens: Tokens | None = 0
    reasoning_characters: Count = 0
    """Of what a model thought, and did not say."""
    seconds: Spending = 0.0
    cost_usd: Spending | None = None

    @classmethod
    def sum(cls, parts: Iterable[Spent]) -> Usage:
        """Add up; tokens are unknown as soon as those of one part are, and so is the price of a part with tokens.

        Raises:
            ValidationError: The sum is more than a usage may be.
        """
        spent = list(parts)
        costs = [part.cost_usd for part in spent if used_tokens(part)]
        known = [cost for cost in costs if cost is not None]
        return cls(
            input_tokens=_total(part.input_tokens for part in spent),
            output_tokens=_total(part.output_tokens for part in spent),
            reasoning_characters=sum(part.reasoning_characters for part in spent),
            seconds=sum(part.seconds for part in spent),
            cost_usd=sum(known) if known and len(known) == len(costs) else None,
        )


class LearnedFrom(NotedRecord):
    """What a data-driven shopper was built from: the source file's SHA-256 and conversations' fingerprints.

    The hash is written as ``file``.
    """

    model_config = ConfigDict(serialize_by_alias=True)
    sha256: Text | None = Field(
        default=None, validation_alias=AliasChoices("file", "sha256"), serialization_alias="file"
    )
    conversations: tuple[Text, ...] = ()
    arms: tuple[Text, ...] = ()
    """The arms that these conversations belong to; a conversation without one belongs to none."""

    @classmethod
    def of(cls, conversations: Sequence[Conversation], *, sha256: str | None) -> LearnedFrom:
        """Say that a shopper was built from ``conversations`` of the file with that SHA-256."""
        arms = sorted({c.arm for c in conversations if c.arm is not None})
        return cls(sha256=sha256, conversations=tuple(c.fingerprint for c in conversations), arms=tuple(arms))

    @classmethod
    def joined(cls, parts: Sequence[LearnedFrom]) -> LearnedFrom:
        """Say that a shopper was built from all of these; the file is the last one's."""
        return cls(
            sha256=parts[-1].sha256,
            conversations=tuple(dict.fromkeys(each for part in parts for each in part.conversations)),
            arms=tuple(sorted({arm for part in parts for arm in part.arms})),
        )


class Turn(NamedTuple):
    """One run of user messages and the agent's answer to it (empty where there is none)."""

    user: tuple[Message, ...]
    assistant: tuple[Message, ...]


def _compact(message: Message, shared: dict[bytes, Item]) -> Message:
    made = message.compact()
    if message.items:
        object.__setattr__(made, "items", tuple(_one_of(item, shared) for item in message.items))
    return made


def _one_of(item: Item, shared: dict[bytes, Item]) -> Item:
    """Return the one compact item that stands for all that state the same: a catalogue is shown again and again."""
    stated = Item.__pydantic_serializer__.to_json(item, exclude_unset=True)
    found = shared.get(stated)
    if found is None:
        found = item.compact()
        if len(shared) < MAX_SHARED:
            shared[stated] = found
    return found


def _reason(value: object) -> object:
    return {"reason": value} if isinstance(value, str) else keep_unknown(Failure, value)


def _unknown(value: object) -> object:
    return "unknown" if value is None else value


class Conversation(LoggedRecord):
    """A conversation of a user, human or simulated, with a recommender agent.

    ``simulator`` is null for people. ``arm`` is the experimental condition. ``user`` is the unit that intervals
    resample where it is known. ``fault`` names what the agent was degraded by (null: nothing), and ``severity`` how
    far, from 0 to 1.
    """

    id: Name
    task: Text | None = None
    agent: Text | None = None
    arm: Text | None = None
    fault: Text | None = None
    severity: Severity | None = None
    user: Text | None = None
    persona: LoggedPersona | None = None
    shopper: Text | None = None
    simulator: Text | None = None
    source: Text | None = None
    learned_from: Annotated[LearnedFrom | None, from_log(LearnedFrom)] = None
    messages: tuple[Message, ...]
    labels: Labels = Field(default_factory=dict)
    ending: Annotated[Ending, BeforeValidator(_unknown)] = "unknown"
    failure: Annotated[Failure | None, BeforeValidator(_reason)] = None
    usage: Annotated[Usage | None, from_log(Usage)] = None

    def compact(self, shared: dict[bytes, Item] | None = None) -> Self:
        """Return an equal conversation whose messages and items are compact, too.

        Args:
            shared: Items that stand for all that are equal to them, among the conversations of one file; it grows.
        """
        made = super().compact()
        items = {} if shared is None else shared
        messages = tuple(_compact(message, items) for message in self.messages)
        object.__setattr__(made, "messages", messages)
        return made

    def __repr__(self) -> str:
        return f"Conversation({self.id!r:.90}, {len(self.messages)} messages, ending {self.ending!r})"

    def _repr_html_(self) -> str:
        from convsim.report.notebook import conversation_html

        return conversation_html(self)

    @property
    def user_messages(self) -> tuple[Message, ...]:
        """The messages of the user's side, empty ones included."""
        return tuple(message for message in self.messages if message.role == "user")

    @property
    def first_words(self) -> str:
        """What the user said first; empty where that was nothing."""
        return next((m.content.strip() for m in self.user_messages if m.content.strip()), "")

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify what was said, whatever the conversation is called."""
        said = [[m.role, m.content] for m in self.messages if m.role in ("user", "assistant")]
        return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()[:16]

    def turns(self) -> Iterator[Turn]:
        """Yield the turns; what the agent says before the user first speaks belongs to none."""
        user: list[Message] = []
        assistant: list[Message] = []
        for message in self.messages:
            if message.role == "user":
                if assistant:
                    yield Turn(tuple(user), tuple(assistant))
                    user, assistant = [], []
                user.append(message)
            elif message.role == "assistant" and user:
                assistant.append(message)
        if user:
            yield Turn(tuple(user), tuple(assistant))

    def to_json(self) -> str:
        """Return the conversation as one line of convsim JSONL."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        stated = {"id": self.id, "messages": fields.pop("messages")}
        for name in ("task", "agent", "arm", "user", "simulator", "source"):
            stated[name] = fields.pop(name, None)
        return json.dumps({**stated, **fields}, ensure_ascii=False, allow_nan=False)
