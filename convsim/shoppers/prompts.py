"""What a shopper's model is told: prompts are files, filled in with a persona and what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from convsim.models.own_prompts import SHOPPERS, OwnPrompts, our_prompts
from convsim.schema.conversation import Action, Conversation, Item, Message
from convsim.schema.persona import Constraint, Control, Persona

PROMPTED = ("chat", "opening", "transcript", "decide", "choose_item")
"""The prompts of a shopper that is a prompted model."""
TRAINED = ("intent", "ending")
"""The prompts of models that others trained to play users."""
COMMANDS = "commands"
"""The prompt with a persona's commands."""
TOLD = "told"
"""The prompt by which such a model is told a move that it did not decide."""
MAX_ATTRIBUTES = 3
MAX_MESSAGE_CHARACTERS = 600
SHOP = "clothes"
"""The domain of the demo and of ConvApparel, and of every shopper that was trained before there were others."""
MAX_TITLE_CHARACTERS = 120
_QUOTES = str.maketrans(dict.fromkeys('"“”„«»()', ""))
MAX_ACT_CHARACTERS = 60
"""Of an act that is none of ours, which a model is told by its name."""
_WISH = {"attribute": "color", "op": "=", "value": "red"}
_FULL = Persona.model_validate(
    {
        "id": "p", "task": "a task", "need": "a need", "budget": 50, "constraints": [_WISH], "dealbreakers": [_WISH],
        "patience": "low", "style": "short",
    }
)  # fmt: skip


def render(
    name: str,
    *,
    persona: Persona,
    history: Sequence[str] = (),
    examples: Sequence[str] = (),
    words: Sequence[str] = (),
    domain: str | None = SHOP,
) -> str:
    """Fill in convsim's own prompt ``prompts/<name>.txt.j2``."""
    given = _values(persona, history, examples, domain)
    return our_prompts(SHOPPERS).render(name, **given, words=words)


class ShopperPrompts:
    """The prompts of a shopper that is a prompted model, about one domain; those of ``folder`` stand in for ours.

    Raises:
        InputError: The folder, or a file in it, cannot be used.
    """

    def __init__(self, folder: Path | str | None, domain: str | None, *, names: Sequence[str] = PROMPTED):
        """Take the folder, the domain, and the names of the prompts that the shopper asks with."""
        self._domain, self._names = domain, names
        asked = [
            _values(Persona(id="p", need="a need"), (), (), None),
            _values(_FULL, ["Shopper: a", "Assistant: b"], ["Shopper: a"], "films"),
        ]
        told = [
            _move("leave", None, None, None, lower_start=False, bare_end=False),
            _move("accept", Item(id="a"), "compare", 4, lower_start=True, bare_end=True),
        ]
        commands: list[dict[str, object]] = [
            {"commands": ["a"], "sketches": ()},
            {"commands": ["a", "b"], "sketches": ["c"]},
        ]
        samples = {**dict.fromkeys((*PROMPTED, *TRAINED), asked), TOLD: told, COMMANDS: commands}
        self._files = OwnPrompts(SHOPPERS, folder, samples=samples)

    def render(
        self, name: str, *, persona: Persona, history: Sequence[str] = (), examples: Sequence[str] = ()
    ) -> str:
        """Fill in a prompt; raises ModelError where one of the folder's fails."""
        return self._files.render(name, **_values(persona, history, examples, self._domain))

    def told(
        self,
        *,
        action: Action,
        item: Item | None = None,
        act: str | None = None,
        n_words: int | None = None,
        lower_start: bool = False,
        bare_end: bool = False,
    ) -> str:
        """Write down what a shopper does next, for a model that is to say it and decides nothing."""
        move = _move(action, item, act, n_words, lower_start=lower_start, bare_end=bare_end)
        return self._files.render(TOLD, **move)

    def commands(self, commands: Sequence[str], sketches: Sequence[str]) -> str:
        """Write down how a persona behaves, and how such people type."""
        return self._files.render(COMMANDS, commands=commands, sketches=sketches)

    @property
    def told_hash(self) -> dict[str, str]:
        """The SHA-256 of the file by which a move is told."""
        return self._files.hashes(TOLD)

    @property
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of every prompt's file: what a run's manifest records."""
        return self._files.hashes(*self._names)


def _values(
    persona: Persona, history: Sequence[str], examples: Sequence[str], domain: str | None
) -> dict[str, object]:
    return {"persona": _told(persona), "history": history, "examples": examples, "domain": domain}


def _move(
    action: Action,
    item: Item | None,
    act: str | None,
    n_words: int | None,
    *,
    lower_start: bool,
    bare_end: bool,
) -> dict[str, object]:
    return {
        "action": action,
        "item": None if item is None else _quoted(item.title or item.id),
        "act": None if act is None else in_one_role(" ".join(act.split()))[:MAX_ACT_CHARACTERS],
        "n_words": n_words,
        "lower_start": lower_start,
        "bare_end": bare_end,
    }


def _quoted(title: str) -> str:
    """Quote what the agent under test calls an item, so that it cannot be read as anything else."""
    said = in_one_role(" ".join(title.split())[:MAX_TITLE_CHARACTERS])
    return f"“{said.translate(_QUOTES)}”"


def _told(persona: Persona) -> Persona:
    """Return a persona, which may be drawn from a stranger's log, without what a chat's template would obey."""
    stated: dict[str, object] = {"need": in_one_role(persona.need), "metadata": {}}
    if persona.task is not None:
        stated["task"] = in_one_role(persona.task)
    for name in ("constraints", "dealbreakers"):
        stated[name] = tuple(_told_wish(wish) for wish in getattr(persona, name))
    for name in ("budget", "patience", "style"):
        control: Control | None = getattr(persona, name)
        if control is not None and isinstance(control.value, str):
            stated[name] = control.model_copy(update={"value": in_one_role(control.value)})
    return persona.model_copy(update=stated)


def _told_wish(wish: Constraint) -> Constraint:
    value = wish.value
    if isinstance(value, tuple):
        value = tuple(in_one_role(part) if isinstance(part, str) else part for part in value)
    elif isinstance(value, str):
        value = in_one_role(value)
    return wish.model_copy(update={"attribute": in_one_role(wish.attribute), "value": value})


@cache
def prompt_hashes(*names: str) -> dict[str, str]:
    """Return the SHA-256 of convsim's own prompt files named: what a run's manifest records."""
    return our_prompts(SHOPPERS).hashes(*names)


def written(conversation: Conversation, *, n_items: int) -> list[str]:
    """Write a conversation as lines of a transcript; items only where the agent showed them last."""
    messages = [m for m in conversation.messages if m.role in ("user", "assistant")]
    last = max((index for index, m in enumerate(messages) if m.items), default=-1)
    return [_line(m, n_items if index == last else 0) for index, m in enumerate(messages)]


def _line(message: Message, n_items: int) -> str:
    speaker = "Shopper" if message.role == "user" else "Assistant"
    text = " ".join(message.content.split())[:MAX_MESSAGE_CHARACTERS]
    shown = "; ".join(describe(item) for item in message.items[:n_items])
    return without_control_tokens(f"{speaker}: {text}{f' [shows: {shown}]' if shown else ''}")


_LABEL = re.compile(r"(?<!\s)\s+(?=(?:system|user|assistant|shopper)\s*:)", re.IGNORECASE)


@cache
def _control_tokens() -> re.Pattern[str]:
    text = files("convsim.shoppers").joinpath("control_tokens.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return re.compile("|".join(f"(?:{line})" for line in lines), re.IGNORECASE)


def without_control_tokens(text: str) -> str:
    """Part the first character of every control token of a chat from the rest.

    Models in this process read such tokens as plain text already; a server may not.
    """
    return _control_tokens().sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


def in_one_role(text: str) -> str:
    """Return a text in which no line begins as a speaker's, and no control token of a chat stands."""
    return without_control_tokens(_LABEL.sub(" ", text))


def said_to_shopper(message: Message, n_items: int) -> str:
    """Write an agent message as the shopper sees it: its words, then titles, prices and attributes.

    No line of it begins as another speaker's, which a chat that is written out would take for that speaker's turn.
    """
    shown = "\n".join(f"- {describe(item)}" for item in message.items[:n_items])
    said = _LABEL.sub(" ", message.content[: 4 * MAX_MESSAGE_CHARACTERS])
    return said + (f"\n{shown}" if shown else "")


def describe(item: Item) -> str:
    """Write an item in one line, whatever it holds: title, price, and a few attributes."""
    price = f", {item.price:g}" if item.price is not None else ""
    values = [", ".join(map(str, v)) if isinstance(v, list) else str(v) for v in item.attributes.values()]
    listed = " ".join("; ".join(values[:MAX_ATTRIBUTES]).split())
    attributes = f" ({listed})" if values else ""
    title = " ".join((item.title or item.id).split())[:120]
    return f"{title}{price}{attributes[:160]}"
