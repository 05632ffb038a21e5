"""Makes a reply of what an agent answered: its text, its items wherever they stand, and notes of what is not read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType

from pydantic import BaseModel

from convsim._async import Parts
from convsim._inputs import read_toml
from convsim._text import nearest, one_line, shown
from convsim.errors import AgentError, InputError
from convsim.lifting.moves import HTML_STARTS, MISSPELT, check_bounds, ended, readable, validated
from convsim.lifting.reasons import kind_of, unknown_key
from convsim.lifting.texts import (
    NOT_THE_AGENTS,
    REPLY_KEYS,
    beside,
    chunk_in,
    is_message,
    part_of,
    role_of,
    said_in,
    text_in,
)
from convsim.schema import AgentReply
from convsim.schema.conversation import Item
from convsim.text.money import amount_in
from convsim.text.reasoning import split_reasoning

USERS = ("user", "human")
TOOLS = ("tool", "function")
TEXTS = ("content", "choices", "output_text", "output")
FIELDS = ("id", "title", "price", "attributes")
MAX_KEYS = 6
"""Keys of an object that are named."""
MISSING = object()


@dataclass(frozen=True)
class Form:
    """Where an agent's answer holds what is read, as paths such as ``data.products``; empty: the usual places.

    ``fields`` does the same for an item's ``id``, ``title``, ``price`` and ``attributes``.

    Raises:
        InputError: ``fields`` has another name, or a path is no text.
    """

    content: str = ""
    items: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, owner: str, content: object, items: object, fields: object) -> Form:
        """Check the three settings of an agent."""
        for name, path in (("content", content), ("items", items)):
            if not isinstance(path, str):
                raise InputError(
                    f"{owner}: {name} must be a path such as 'data.{name}', but is {shown(path)}"
                )
        if not isinstance(fields, Mapping):
            raise InputError(
                f'{owner}: fields must be a table such as {{id = "sku"}}, but is {shown(fields)}'
            )
        for name, path in fields.items():
            if name not in FIELDS:
                raise InputError(f"{owner}: fields.{unknown_key(str(name), FIELDS)}")
            if not isinstance(path, str) or not path:
                raise InputError(f"{owner}: fields.{name} must be a path such as 'sku', but is {shown(path)}")
        return cls(str(content), str(items), dict(fields))

    def __bool__(self) -> bool:
        return bool(self.content or self.items or self.fields)


USUAL = Form()


def to_reply(answer: object, agent: str, form: Form = USUAL) -> AgentReply:
    """Make a reply of what ``agent`` answered, in any form that ``lift_agent`` names.

    Raises:
        AgentError: Nothing, an empty answer, a wrong type, items without ids, a web page, or more than the bounds.
    """
    with readable(agent, AgentError):
        reply = answer if isinstance(answer, AgentReply) else _Reading(agent, form).reply(answer)
    check_bounds(reply, reply.content, agent, AgentError)
    reply = _without_reasoning(reply)
    if not reply.content.strip() and not reply.items:
        thought = ": all of its text was reasoning" if reply.reasoning else ""
        raise AgentError(f"{agent} answered with neither text nor items{thought}")
    if reply.content.lstrip()[:20].lower().startswith(HTML_STARTS):
        raise AgentError(f"{agent} answered with a web page: {one_line(reply.content):.80}")
    return reply


def _without_reasoning(reply: AgentReply) -> AgentReply:
    """Take out of a text what the agent thought, which no customer is shown, and count that."""
    said, thought = split_reasoning(reply.content)
    if said == reply.content:
        return reply
    return reply.but(content=said.strip(), reasoning=reply.reasoning + bool(thought.strip()))


class _Reading:
    """The reading of one answer, and what in it was not read."""

    def __init__(self, agent: str, form: Form):
        self.agent, self.form = agent, form
        self.unread: dict[str, None] = {}
        self._taken: list[object] = []

    def reply(self, answer: object) -> AgentReply:
        if isinstance(answer, Parts):
            said = self._of_parts(answer)
        elif isinstance(answer, list | tuple) and not self.form.content[:1].isdecimal():
            said = self._of_messages(answer)
        else:
            said = self._of_object(answer)
        known = {key: said[key] for key in REPLY_KEYS if key in said}
        whole = ended(known, "items", self.agent, AgentError)
        items = whole.get("items")
        if isinstance(items, list | tuple):
            whole = {**whole, "items": [self._item(item, place) for place, item in enumerate(items)]}
        return validated(AgentReply, {**whole, "unread": tuple(self.unread)}, self.agent, AgentError)

    def _of_object(self, answer: object) -> dict[str, object]:
        if isinstance(answer, list | tuple):  # whose parts have paths such as `0.text`
            answer = {str(place): part for place, part in enumerate(answer)}
        whole = _as_object(answer)
        if whole is None or (not _is_record(answer) and {*TEXTS, "messages"}.isdisjoint(whole)):
            return said_in(answer, self.agent, AgentError)
        if isinstance(answer, Mapping):
            self._check_spelling(answer)
        messages = whole.get("messages")
        if isinstance(output := whole.get("output"), list | tuple) and not messages:
            # OpenAI's Responses API: reasoning and calls of tools stand beside the messages.
            messages = [part for part in output if is_message(part)]
        if self.form.content:
            said = {**beside(whole), "content": self._mapped_content(whole)}
        elif isinstance(messages, list | tuple) and messages and whole.get("content", MISSING) is MISSING:
            said = {**beside(whole), **self._of_messages(messages)}
        else:
            said = said_in(self._with_content(whole), self.agent, AgentError)
        items = self._items_of(whole)
        if items is not MISSING:
            said["items"] = items
        elif not said.get("items"):
            said.pop("items", None)
        if said.get("content") is None and said.get("items"):
            said["content"] = ""
        self._note_lists(whole, deep=isinstance(answer, Mapping))
        return said

    def _mapped_content(self, whole: Mapping[str, object]) -> object:
        found = _at(whole, self.form.content)
        if found is MISSING:
            raise AgentError(
                f"{self.agent} answered without {self.form.content!r}, which is its content; the object has: "
                f"{_keys(whole)}"
            )
        return "" if found is None else text_in(found)

    def _with_content(self, answer: Mapping[str, object]) -> object:
        """Return an answer that has a text where one is looked for: itself, or what it holds one level down."""
        if not {*TEXTS, "messages"}.isdisjoint(answer):
            return answer
        within = [
            part
            for key, value in answer.items()
            if key != "error" and (part := _as_object(value)) is not None
            and isinstance(part.get("content"), str | list)
        ]  # fmt: skip
        if len(within) == 1:
            return {**beside(answer), **within[0]}
        if error := answer.get("error"):
            said = part_of(error, "message") or error
            raise AgentError(f"{self.agent} answered with an error: {one_line(said):.200}")
        text = next((path for path in _text_paths(answer)), None)
        advice = f"; if its text is {text!r}, set agent.content = {text!r}" if text else ""
        raise AgentError(
            f"{self.agent} answered without 'content'; the object has: {_keys(answer) or 'nothing'}{advice}"
        )

    def _check_spelling(self, said: Mapping[object, object]) -> None:
        mapped = {self.form.content.partition(".")[0], self.form.items.partition(".")[0]}
        missing = [key for key in REPLY_KEYS if key not in said]
        for key in map(str, said):
            if key in REPLY_KEYS or key in mapped or key in _keys_of("items"):
                continue
            if (meant := nearest(key, missing, cutoff=MISSPELT)) is not None:
                raise AgentError(f"{self.agent} answered with {one_line(key)!r:.80}; did it mean {meant!r}?")

    def _of_messages(self, messages: Sequence[object]) -> dict[str, object]:
        """Join what the agent has said since the user did; what tools have found are its items."""
        if not messages:
            raise AgentError(
                f"{self.agent} must return a string or an object with 'content', but returned []"
            )
        if all(isinstance(message, str) for message in messages):
            return {"content": "\n".join(map(str, messages))}
        for message in messages:
            if not isinstance(message, str) and not self._is_message(message):
                if len(messages) == 1 or message is messages[-1]:
                    raise AgentError(
                        f"{self.agent} returned something invalid: the last of its messages has no content, but is "
                        f"{kind_of(message)}"
                    )
                raise AgentError(
                    f"{self.agent} must return a string or an object with 'content', but returned {kind_of(messages)}"
                )
        if (role := role_of(messages[-1])) in NOT_THE_AGENTS and role not in TOOLS:
            raise AgentError(
                f"{self.agent} returned something invalid: the last of its messages has the role {role!r}"
            )
        after = [place for place, message in enumerate(messages) if role_of(message) in USERS]
        since = messages[after[-1] + 1 if after else 0 :]
        texts = [text for message in since if (text := self._said_by_agent(message))]
        items = [item for message in since for item in self._items_beside(message)]
        if not texts and role in TOOLS:
            raise AgentError(
                f"{self.agent} returned something invalid: the last of its messages has the role {role!r}"
            )
        return {"content": "\n".join(texts), **({"items": items} if items else {})}

    def _is_message(self, message: object) -> bool:
        mapped = self.form.content
        return (bool(mapped) and _at(message, mapped) is not MISSING) or is_message(message)

    def _said_by_agent(self, message: object) -> str:
        if role_of(message) in NOT_THE_AGENTS:
            return ""
        mapped = _at(message, self.form.content) if self.form.content else MISSING
        content = message if isinstance(message, str) else part_of(message, "content")
        content = text_in(content if mapped is MISSING else mapped)
        if content is not None and not isinstance(content, str):
            raise AgentError(
                f"{self.agent} returned something invalid: content: must be text, but is {shown(content)}"
            )
        return (content or "").strip()

    def _items_beside(self, message: object) -> Sequence[object]:
        """Return the items of a message of the agent's, or of what a tool found beside its text (its artifact)."""
        whole: object = message
        if role_of(message) in TOOLS:
            whole = part_of(message, "artifact")
            if whole is None and self.form.items:
                whole = _parsed(part_of(message, "content"))
            if isinstance(whole, list | tuple) and self._are_items(whole):
                return whole
        found = self._items_of(inner) if (inner := _as_object(whole)) is not None else MISSING
        return found if isinstance(found, list | tuple) else ()

    def _of_parts(self, parts: Parts) -> dict[str, object]:
        """Join the texts of a stream; what else a part holds, such as items, is kept."""
        if not parts:
            raise AgentError(f"{self.agent} answered nothing: its generator yielded nothing")
        texts = [chunk_in(part, lambda whole: _text_at(whole, self.form.content)) for part in parts]
        if len(parts) == 1 and (texts[0] is None or _is_whole(parts[0])):
            part = parts[0]
            if isinstance(part, AgentReply):
                return {key: getattr(part, key) for key in REPLY_KEYS}
            return self._of_messages(part) if isinstance(part, list | tuple) else self._of_object(part)
        said: dict[str, object] = {}
        for place, part in enumerate(parts):
            whole = _as_object(part)
            if whole is not None and (error := whole.get("error")) and texts[place] is None:
                raise AgentError(
                    f"{self.agent} answered with an error: {one_line(part_of(error, 'message') or error):.200}"
                )
            items = self._items_of(whole) if whole is not None else MISSING
            if isinstance(items, list | tuple) and items:
                said["items"] = items
            if texts[place] is None and "items" not in said and not isinstance(parts, Events):
                raise AgentError(f"{self.agent} must yield strings, but yielded {kind_of(part)}")
            if whole is not None:
                said |= {key: value for key, value in beside(whole).items() if key != "items"}
                self._note_lists(whole, deep=True)
        return {**said, "content": _joined([text for text in texts if text])}

    def _items_of(self, whole: Mapping[str, object]) -> object:
        """Return the items of an object, MISSING where it has none at the places that are known."""
        if self.form.items:
            found = _at(whole, self.form.items)
            self._taken.append(found)
            return () if found is None else found
        for place, holder in enumerate(_levels(whole)):
            for key in _keys_of("items"):
                found = holder.get(key, MISSING)
                if found is MISSING or callable(found):
                    continue
                is_plain = key == "items" and place == 0
                if found is None and is_plain:
                    return ()
                if (is_plain and not isinstance(found, Mapping)) or self._are_items(found):
                    self._taken.append(found)
                    return found
        return MISSING

    def _are_items(self, found: object) -> bool:
        """Tell whether a list holds items: objects, each with an id; an empty one may."""
        if not isinstance(found, list | tuple):
            return False
        wholes = [_as_object(each) for each in found]
        return all(whole is not None and self._part("id", whole) is not MISSING for whole in wholes)

    def _part(self, name: str, whole: Mapping[str, object]) -> object:
        """Return a field of an item by the study's mapping, else by the first usual key that it has."""
        if path := self.form.fields.get(name):
            return _at(whole, path)
        return next((whole[key] for key in _keys_of(name) if whole.get(key) is not None), MISSING)

    def _item(self, item: object, place: int) -> object:
        """Return an item with ``id``, ``title`` and ``price`` as convsim has them; the rest is kept as it is."""
        if isinstance(item, Item):
            return item
        if isinstance(item, str | int) and not isinstance(item, bool):
            return {"id": str(item)}
        whole = _as_object(item)
        if whole is None:
            return item
        found = {name: self._part(name, whole) for name in FIELDS[:3]}
        used = {_first_key(name, whole) for name in found if name not in self.form.fields}
        rest = {str(key): value for key, value in whole.items() if key not in used and key not in FIELDS[:3]}
        if "attributes" in self.form.fields:
            rest["attributes"] = self._part("attributes", whole)
        if rest.get("attributes", MISSING) in (None, MISSING):
            rest.pop("attributes", None)
        for name in self.form.fields:
            if name != "id" and _at(whole, self.form.fields[name]) is MISSING:
                self._note(f"{name}: items without {self.form.fields[name]!r}")
        if found["id"] is MISSING:
            wanted = self.form.fields.get("id")
            said = f"no {wanted!r}" if wanted else "is missing"
            raise AgentError(
                f"{self.agent} returned something invalid: items.{place}.id: {said}; the object has: {_keys(whole)}"
            )
        stated = {"id": _id(found["id"])}
        if found["title"] not in (None, MISSING):
            stated["title"] = found["title"] if isinstance(found["title"], str) else _id(found["title"])
        if (price := self._price(found["price"])) is not None:
            stated["price"] = price
        return {**rest, **stated}

    def _price(self, price: object) -> object:
        """Return a price as a number; what is none is noted, and no price."""
        whole = _as_object(price) if not isinstance(price, str) else None
        if whole is not None:
            price = next((whole[key] for key in _keys_of("amount") if whole.get(key) is not None), MISSING)
            if price is MISSING:
                self._note(f"price: an object with {_keys(whole)}")
        if price is None or price is MISSING:
            return None
        if isinstance(price, str):
            amount = amount_in(price)
            if amount is None and price.strip():
                self._note("price: a text that is no amount")
            return amount
        if type(price).__module__ == "decimal":
            return float(str(price))
        return price

    def _note(self, said: str) -> None:
        self.unread[f"{one_line(said):.120}"] = None

    def _note_lists(self, whole: Mapping[str, object], *, deep: bool) -> None:
        """Note each list of objects that has not been read, at the top and one level down."""
        for path, value in _lists(whole, deep=deep):
            first = _as_object(value[0])
            if first is None or any(value is taken for taken in self._taken):
                continue
            self._note(f"{path}: objects with {_keys(first)}")


class Events(Parts):
    """What a server has streamed; events without a text, such as pings, are no mistake."""


def _is_whole(part: object) -> bool:
    """Tell whether the only part of a stream is a whole answer."""
    return not isinstance(part, str) and is_message(part)


def _joined(texts: Sequence[str]) -> str:
    """Join the texts of a stream; where each repeats all that came before it, the last one is the whole."""
    grows = len(texts) > 2 and all(
        len(after) > len(before) and after.startswith(before) for before, after in pairwise(texts)
    )
    return texts[-1] if grows else "".join(texts)


def _text_at(whole: Mapping[str, object], path: str) -> str | None:
    found = text_in(_at(whole, path)) if path else None
    return found if isinstance(found, str) else None


def _as_object(value: object) -> Mapping[str, object] | None:
    """Return the keys and values of an object in JSON or in Python; None of anything else."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, BaseModel):
        found = {name: getattr(value, name) for name in type(value).model_fields} | (
            value.__pydantic_extra__ or {}
        )
        text = getattr(value, "output_text", None)
        return {**found, "output_text": text} if isinstance(text, str) else found
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if value is None or callable(value) or isinstance(value, str | bytes | list | tuple | int | float):
        return None
    names = dict.fromkeys(
        (*getattr(value, "__dict__", ()), *REPLY_KEYS, *TEXTS, "messages", *_keys_of("items"))
    )
    parts = {name: getattr(value, name, MISSING) for name in names}
    return {name: part for name, part in parts.items() if part is not MISSING and not callable(part)} or None


def _is_record(value: object) -> bool:
    return isinstance(value, Mapping | BaseModel) or is_dataclass(value)


def _levels(whole: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield an object, then the objects that it holds."""
    yield whole
    for value in whole.values():
        if isinstance(value, Mapping | BaseModel) and (inner := _as_object(value)) is not None:
            yield inner


def _lists(whole: Mapping[str, object], *, deep: bool) -> Iterator[tuple[str, Sequence[object]]]:
    skipped = _keys_of("beside")
    for key, value in whole.items():
        if key in skipped:
            continue
        if isinstance(value, list | tuple) and value:
            yield str(key), value
        elif deep and isinstance(value, Mapping):
            for name, part in value.items():
                if isinstance(part, list | tuple) and part and name not in skipped:
                    yield f"{key}.{name}", part


def _at(whole: object, path: str) -> object:
    """Return what stands at a path such as ``data.products.0``; MISSING where nothing does."""
    if isinstance(whole, Mapping) and path in whole:
        return whole[path]
    for name in path.split("."):
        if isinstance(whole, list | tuple) and name.isdecimal():
            whole = whole[int(name)] if int(name) < len(whole) else MISSING
        else:
            inner = _as_object(whole)
            whole = MISSING if inner is None else inner.get(name, MISSING)
        if whole is MISSING:
            return MISSING
    return whole


def _text_paths(answer: Mapping[str, object]) -> Iterator[str]:
    """Yield where an answer may have its text."""
    for key in _keys_of("texts"):
        if isinstance(answer.get(key), str):
            yield key
    for key, value in answer.items():
        if isinstance(value, Mapping):
            for inner in ("content", *_keys_of("texts")):
                if isinstance(value.get(inner), str):
                    yield f"{key}.{inner}"


def _first_key(name: str, whole: Mapping[str, object]) -> str | None:
    return next((key for key in _keys_of(name) if whole.get(key) is not None), None)


def _id(value: object) -> object:
    """Return an id, which many shops have as a number, as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _keys(whole: Mapping[str, object]) -> str:
    names = [str(key) for key in whole]
    more = f" and {len(names) - MAX_KEYS} more" if len(names) > MAX_KEYS else ""
    return one_line(", ".join(name[:40] for name in names[:MAX_KEYS])) + more


def _parsed(text: object) -> object:
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@cache
def _keys_of(name: str) -> tuple[str, ...]:
    """Return the usual keys of a part of an answer, the commonest first."""
    content = read_toml(files("convsim.lifting").joinpath("answer_keys.toml"))
    tables = [content, *(part for part in content.values() if isinstance(part, dict))]
    return next(tuple(map(str, table[name])) for table in tables if name in table)
