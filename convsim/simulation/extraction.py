"""Personas drawn from how real conversations began: need, conditions, budget and style, and nothing of what came later.

Whatever is taken was known before the agent showed anything: a model is shown the user's first messages alone, with
what the agent said between them. Afterwards every word of a shown or accepted item's title that the user had not said
first is looked for, and what holds one is withheld.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from convsim._progress import step
from convsim._settings import Positive, Temperature, check_settings
from convsim._templates import Prompts
from convsim._text import one_line
from convsim.annotation import annotate
from convsim.annotation.judge.prompts import line_of
from convsim.errors import ModelError, StudyError
from convsim.schema import Annotation, ChatMessage, ChatModel
from convsim.schema.conversation import Conversation, Label, LearnedFrom, Message, Usage
from convsim.schema.persona import LEARNED_FROM, Constraint, Control, Persona
from convsim.seeds import child_seed, generator
from convsim.shoppers.needs import FIRST_MESSAGES, Needs
from convsim.text.constraints import Budget, budget_in, one_spelling, sizes_in
from convsim.text.english import english
from convsim.text.folding import fold, plain_text
from convsim.text.language import ENGLISH, Language, name_of, tell_language
from convsim.text.lexicons import read_character_class
from convsim.text.segment import UNSPACED
from convsim.text.small_talk import stated_words
from convsim.text.words import words

PERSONA = "persona"
"""The label that holds a model's answer until the personas are written."""
MAX_NEED, MAX_VALUE, MAX_STYLE, MAX_CONSTRAINTS = 500, 80, 200, 8
MAX_MESSAGE_CHARACTERS = 1_500
FILES = Prompts("convsim.simulation")
PROMPTS = ("persona", "persona_chat")
COLORS = ("colors", "color", "colours", "colour")
FINAL_MARK = read_character_class("final_punctuation")
NAME = re.compile(r"(?<=[^\s.!?] )\w+")
"""A word that does not begin a sentence: a name, where it begins with a capital."""
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
T = TypeVar("T")


class Wish(BaseModel):
    """One condition, as a model notes it down."""

    model_config = ConfigDict(extra="forbid")
    attribute: Annotated[str, Field(min_length=1, max_length=MAX_VALUE)]
    op: Literal["=", "!=", "<", ">"]
    value: Annotated[str, Field(min_length=1, max_length=MAX_VALUE)]


class Noted(BaseModel):
    """What a model notes down of a user."""

    model_config = ConfigDict(extra="forbid")
    need: Annotated[str, Field(min_length=1, max_length=MAX_NEED)]
    constraints: Annotated[list[Wish], Field(max_length=MAX_CONSTRAINTS)]
    budget: Annotated[float, Field(ge=0, le=1e9)] | None
    style: Annotated[str, Field(max_length=MAX_STYLE)]


@dataclass(frozen=True)
class Begun:
    """How a conversation began: until its user had stated a need, and never past the first items shown."""

    conversation: Conversation
    need: str
    messages: tuple[Message, ...]

    @property
    def said(self) -> str:
        """All that the user said in it."""
        return "\n".join(m.content for m in self.messages if m.role == "user")

    @cached_property
    def withheld(self) -> frozenset[str]:
        """The words of titles of shown or accepted items, and the names in what the agent said until then.

        Without those that the user had said first.
        """
        titles = [item.title for m in self.conversation.messages for item in m.items]
        heard = [m.content for m in self.messages if m.role == "assistant"]
        names = [found[0] for text in heard for found in NAME.finditer(text) if found[0][0].isupper()]
        return frozenset(word for text in (*titles, *names) for word in _folded(text)) - _folded(self.said)

    def is_free(self, text: str) -> bool:
        """Tell whether a text holds no word of a title, and no whole title, that the user had not said first."""
        if not _folded(text).isdisjoint(self.withheld):
            return False
        said, read = _even(self.said), _even(text)
        titles = {_even(item.title) for m in self.conversation.messages for item in m.items}
        unspaced = (title for title in titles if len(title) > 1 and UNSPACED.search(title))
        return not any(title in read and title not in said for title in unspaced)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Personas in the order of their conversations, and what was left out on the way."""

    personas: tuple[Persona, ...]
    n: int
    """Conversations looked at."""
    n_unstated: int
    """Of these, those that state no need."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Why a conversation that states one gave no persona, by its id."""
    n_withheld: int = 0
    """Parts that a model noted down and that the user had not said, or that hold a word of an item's title."""
    usage: Usage = field(default_factory=Usage)
    """What the model cost, earlier calls on the same file included; an unknown price is null."""


def personas_from(
    conversations: Sequence[Conversation],
    *,
    seed: int,
    sha256: str | None = None,
    n: int | None = None,
    model: ChatModel | None = None,
    concurrency: int = 8,
    keep: Path | None = None,
    on_change: Callable[[int, int], None] = lambda done, total: None,
) -> Drawn:
    """Make a persona of every conversation that states a need, or of ``n`` of these drawn by ``seed``.

    Args:
        conversations: Of real people; failed ones are left out.
        seed: Moves the draw and the model.
        sha256: Of their file, which every persona names as what it was learned from.
        n: How many at most.
        model: Who notes down what the user wanted; None takes the user's own words.
        concurrency: Conversations at a time.
        keep: A file of the model's answers, so that the same call goes on after an interruption.
        on_change: Told how many conversations are done, of how many.

    Raises:
        StudyError: No conversation states a need.
        InputError: ``keep`` cannot be used, or the model lacks a key or its files.
    """
    whole = [c for c in conversations if c.failure is None]
    begins = begun(whole)
    if not begins:
        raise StudyError(
            f"none of the {len(whole)} conversations states a need in its user's first {FIRST_MESSAGES} messages, "
            "before the agent names anything, so there is nobody to make a persona of"
        )
    n_unstated = len(whole) - len(begins)
    if n is not None and n < len(begins):
        begins = [begins[int(at)] for at in sorted(generator(seed, "personas").permutation(len(begins))[:n])]
    made_by: dict[str, JsonValue] = {"model": None if model is None else model.name, "seed": seed}
    if model is None:
        listener = Listener.of(whole)
        personas = [listener.persona(begin, sha256=sha256, made_by=made_by) for begin in begins]
        return Drawn(personas=_with_own_ids(personas), n=len(whole), n_unstated=n_unstated)
    made_by["prompts"] = {**prompt_hashes()}
    extractor = Extractor(model, {begin.conversation.fingerprint: begin for begin in begins}, seed=seed)
    with step("making personas"):
        done = annotate(
            [begin.conversation for begin in begins], extractor, concurrency=concurrency, keep=keep,
            on_change=lambda so_far: on_change(so_far, len(begins)),
        )  # fmt: skip
    personas, n_withheld = [], 0
    for begin, conversation in zip(begins, done.conversations, strict=True):
        noted = _noted(conversation, extractor.source)
        if noted is not None:
            persona, withheld = noted_persona(begin, noted, sha256=sha256, made_by=made_by)
            personas.append(persona)
            n_withheld += withheld
    return Drawn(
        personas=_with_own_ids(personas), n=len(whole), n_unstated=n_unstated, failures=done.failures,
        n_withheld=n_withheld, usage=done.usage,
    )  # fmt: skip


def _with_own_ids(personas: Iterable[Persona]) -> tuple[Persona, ...]:
    """Number the personas of conversations that are called alike."""
    seen: Counter[str] = Counter()
    named: list[Persona] = []
    for persona in personas:
        seen[persona.id] += 1
        again = seen[persona.id]
        named.append(persona if again == 1 else persona.but(id=f"{persona.id} ({again})"))
    return tuple(named)


def _noted(conversation: Conversation, source: str) -> Noted | None:
    given = (label for label in conversation.labels.get(PERSONA, ()) if label.source == source)
    label = next(given, None)
    return None if label is None else Noted.model_validate(label.value)


def begun(conversations: Sequence[Conversation]) -> list[Begun]:
    """Return how each conversation began whose user states a need, in their order."""
    needs = Needs.of(conversations)
    found: list[Begun] = []
    for conversation in conversations:
        need, end = needs.stated_by(conversation)
        if need:
            beginning = (m for m in conversation.messages[:end] if m.role in ("user", "assistant"))
            found.append(Begun(conversation, need, tuple(beginning)))
    return found


@dataclass(frozen=True)
class Extractor:
    """An annotator that asks ``model`` what the user of a conversation wanted, from how it began.

    Raises ModelError where the conversation states no need, or the model does not answer as asked.
    """

    model: ChatModel
    beginnings: Mapping[str, Begun] = field(repr=False)
    """By the fingerprint of their conversation."""
    _: KW_ONLY
    seed: int
    temperature: Temperature = 0.0
    max_tokens: Positive = 400
    name: str = "personas"

    def __post_init__(self) -> None:
        check_settings(self, self.name)

    @property
    def source(self) -> str:
        """Who notes it down: the model, the prompt and the seed."""
        return f"personas:{self.model.name}:{prompt_hashes()['persona'][:8]}:{self.seed}"

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Ask once, and once more where the answer does not fit."""
        begin = self.beginnings[conversation.fingerprint]
        lines = [line_of(message, max_characters=MAX_MESSAGE_CHARACTERS) for message in begin.messages]
        asked = [
            ChatMessage(role="system", content=FILES.render("persona")),
            ChatMessage(role="user", content=FILES.render("persona_chat", chat="\n".join(lines))),
        ]
        completion = await self.model.complete(
            asked,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=child_seed(self.seed, "persona", begin.said),
            schema=Noted,
        )
        try:
            noted = Noted.model_validate_json(completion.text)
        except ValueError as error:
            raise ModelError(f"{self.model.name} gave no such note: {one_line(error)}") from None
        label = Label(value=noted.model_dump(mode="json"), source=self.source)
        return Annotation(conversation={PERSONA: label}, usage=Usage.sum([completion]))


def prompt_hashes() -> dict[str, str]:
    """Return the SHA-256 of the prompts of ``Extractor``."""
    return FILES.hashes(*PROMPTS)


def noted_persona(
    begin: Begun, noted: Noted, *, sha256: str | None, made_by: Mapping[str, JsonValue]
) -> tuple[Persona, int]:
    """Make a persona of what a model noted down, without what the user had not said; says how many parts that were.

    A condition and a budget are kept where they stand in the user's words, the need where it holds no word of a title
    that is withheld: else it is what the user said.
    """
    n_withheld = 0

    def kept(is_kept: bool, value: T) -> T | None:
        nonlocal n_withheld
        n_withheld += not is_kept
        return value if is_kept else None

    need = " ".join(noted.need.split())
    need = kept(begin.is_free(need), need) or begin.need
    style = " ".join(noted.style.split())
    style = kept(begin.is_free(style), style) or ""
    wishes = [
        wish
        for each in noted.constraints
        if (wish := kept(_is_said(each.value, begin.said) and begin.is_free(each.attribute), each))
    ]
    budget = noted.budget
    if budget is not None:
        budget = kept(budget in _numbers(begin.said), budget)
    persona = _persona(
        begin, need=need, sha256=sha256, made_by=made_by, style=style or None, budget=budget,
        constraints=[
            Constraint(attribute=_plain(wish.attribute), op=wish.op, value=_plain(wish.value), known="before")
            for wish in wishes
        ],
    )  # fmt: skip
    return persona, n_withheld


@dataclass(frozen=True)
class Listener:
    """Makes personas without a model: the need in the user's own words, and what can be told of these."""

    sizes: frozenset[str]
    colors: frozenset[str]
    language: Language

    @classmethod
    def of(cls, conversations: Sequence[Conversation]) -> Listener:
        """Know the commonest sizes and colors, and those that the items of these conversations come in."""
        attributes = [item.attributes for c in conversations for m in c.messages for item in m.items]
        sizes = {*english().sizes.names.values()}
        sizes |= {one_spelling(size) for each in attributes for size in _texts(each.get("sizes"))}
        lines = files("convsim.text").joinpath("colors.txt").read_text(encoding="utf-8").splitlines()
        colors = {line for line in lines if not line.startswith("#")}
        colors |= {
            color.lower() for each in attributes for name in COLORS for color in _texts(each.get(name))
        }
        language = tell_language(" ".join(m.content for m in c.user_messages) for c in conversations)
        return cls(frozenset(sizes), frozenset(color for color in colors if color), language)

    def persona(self, begin: Begun, *, sha256: str | None, made_by: Mapping[str, JsonValue]) -> Persona:
        """Make a persona of how a conversation began."""
        plain = plain_text(begin.said)
        stated = Budget()
        constraints: list[Constraint] = []
        if self.language.of_lists == ENGLISH:
            stated = budget_in(plain.lower(), Budget(), cheapest_shown=None)
            sizes = sizes_in(plain, self.sizes)
            constraints += [
                Constraint(attribute="size", op="=", value=size, known="before") for size in sizes
            ]
            constraints += self._colors(words(plain))
        if stated.floor is not None:
            constraints.append(Constraint(attribute="price", op=">", value=stated.floor, known="before"))
        return _persona(
            begin, need=begin.need, sha256=sha256, made_by=made_by, style=_style(begin, self.language),
            budget=stated.ceiling, constraints=constraints,
        )  # fmt: skip

    def _colors(self, said: Sequence[str]) -> Iterable[Constraint]:
        negating = set(english().negating.before)
        named: set[int] = set()
        for color in sorted(self.colors, key=lambda color: (-len(color), color)):
            parts = words(color)
            places = [at for at in range(len(said)) if parts and said[at : at + len(parts)] == parts]
            places = [at for at in places if at not in named]
            named.update(at + step for at in places for step in range(len(parts)))
            if places:
                is_unwanted = all(negating.intersection(said[max(0, at - 2) : at]) for at in places)
                yield Constraint(
                    attribute="color", op="!=" if is_unwanted else "=", value=color, known="before"
                )


def _style(begin: Begun, language: Language) -> str:
    """Say how the user writes in these first messages: how much, in which letters, in which language."""
    said = [m.content.strip() for m in begin.messages if m.role == "user" and m.content.strip()]
    counted = [len(words(text)) for text in said]
    facts = (
        [f"about {max(1, round(sum(counted) / len(counted)))} words a message"] if language.has_spaces else []
    )
    if (
        language.has_case
        and all(text == text.lower() for text in said)
        and any(map(str.islower, "".join(said)))
    ):
        facts.append("in lower case")
    if language.has_final_marks and not any(FINAL_MARK.search(text[-1]) for text in said):
        facts.append("without a mark at the end")
    if language.code is not None and not language.assumed and not language.mixed:
        facts.append(f"in {name_of(language.code)}")
    return ", ".join(facts)


def _persona(
    begin: Begun,
    *,
    need: str,
    sha256: str | None,
    made_by: Mapping[str, JsonValue],
    style: str | None,
    budget: float | None,
    constraints: Sequence[Constraint],
) -> Persona:
    source = begin.conversation
    user: dict[str, JsonValue] = {} if source.user is None else {"drawn_from_user": source.user}
    learned = LearnedFrom.of([source], sha256=sha256).model_dump(mode="json", exclude_defaults=True)
    metadata: dict[str, JsonValue] = {
        "drawn_from": source.id,
        **user,
        LEARNED_FROM: learned,
        "made_by": {**made_by},
    }
    return Persona(
        id=source.id, task=source.task, need=need, constraints=tuple(constraints), metadata=metadata,
        budget=None if budget is None else Control(value=budget, known="before"),
        style=None if not style else Control(value=style, known="before"),
    )  # fmt: skip


def _texts(value: JsonValue) -> Iterable[str]:
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, str)]


def _folded(text: str) -> frozenset[str]:
    """Return the words of a text that state something, as they compare."""
    return frozenset(
        fold(word) for word in stated_words(plain_text(text), {ENGLISH}) if any(map(str.isalpha, word))
    )


def _even(text: str) -> str:
    return " ".join(plain_text(text).lower().split())


def _is_said(value: str, said: str) -> bool:
    """Tell whether every word of a value stands in what the user said."""
    if f" {_even(value)} " in f" {_even(said)} " or (UNSPACED.search(value) and _even(value) in _even(said)):
        return True
    known = {fold(word) for word in words(plain_text(said))}
    parts = {fold(word) for word in words(plain_text(value))}
    return bool(parts) and parts <= known


def _numbers(text: str) -> set[float]:
    """Return the numbers in a text, whichever sign parts thousands and which decimals."""
    found: set[float] = set()
    for match in NUMBER.findall(plain_text(text)):
        for form in (match.replace(",", ""), match.replace(".", "").replace(",", ".")):
            if form.count(".") <= 1:
                found.add(float(form))
    return found


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
