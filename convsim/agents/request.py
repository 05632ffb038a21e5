"""What an HTTP agent is sent: its headers, with keys from the environment, and the body of each request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from convsim._secrets import SECRET_KEY, check_variable, has_key, read_key
from convsim._text import nearest, one_line, shown
from convsim.errors import InputError
from convsim.lifting import as_openai, seen_by_agent
from convsim.schema.conversation import Conversation

FROM_ENVIRONMENT = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+-]{0,30}) )?env:(?P<variable>.*)", re.DOTALL)
"""A header's value that names the variable with its key: ``env:SHOP_KEY``, ``Bearer env:SHOP_KEY``."""
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""A header's name. Source: RFC 9110, section 5.6.2."""
OUR_OWN = frozenset(
    {"content-length", "transfer-encoding", "connection", "host", "accept-encoding", "content-encoding", "content-type"}
)  # fmt: skip
"""Headers that say how the body is sent."""
USUAL = ("messages", "conversation_id", "seed")
PLACE = re.compile(r"\{([a-z_]+)\}")
PLACES = ("task", "arm", "persona", "conversation", "message", "turn", "seed")
"""What ``{…}`` in an extra field stands for, of the conversation that is asked about."""


def check_headers(headers: Mapping[str, object], owner: str) -> None:
    """Check headers before anything is sent.

    Raises:
        InputError: No name or value of a header, a variable that is not set, or a key itself.
    """
    for name, value in headers.items():
        if TOKEN.fullmatch(str(name)) is None or str(name).lower() in OUR_OWN:
            raise InputError(f"{owner}: headers: {shown(name)} is no header that can be set")
        if not isinstance(value, str):
            raise InputError(f"{owner}: headers.{name} must be text, but is {shown(value)}")
        if (found := FROM_ENVIRONMENT.fullmatch(value)) is not None:
            _key_in(found["variable"], owner, str(name))
        elif SECRET_KEY.search(str(name)) or has_key(value):
            raise InputError(
                f"{owner}: headers.{name} looks like a secret: write env:NAME in its place, with the name of the "
                "environment variable that holds it"
            )
        elif not (value.isascii() and value.isprintable()):
            raise InputError(f"{owner}: headers.{name} has characters that an HTTP header cannot contain")


def headers_with_keys(headers: Mapping[str, str], owner: str) -> dict[str, str]:
    """Return headers with what the environment holds in the place of ``env:NAME``; raises InputError without it."""
    filled: dict[str, str] = {}
    for name, value in headers.items():
        found = FROM_ENVIRONMENT.fullmatch(value)
        if found is None:
            filled[name] = value
        else:
            scheme = f"{found['scheme']} " if found["scheme"] else ""
            filled[name] = scheme + _key_in(found["variable"], owner, name)
    return filled


def _key_in(variable: str, owner: str, header: str) -> str:
    what = f"{owner}: headers.{header}"
    check_variable(variable or "-", what)
    if key := read_key(variable, what):
        return key
    raise InputError(f"{what}: the environment variable {variable} is not set")


def check_fields(extra: Mapping[str, JsonValue], omit: Sequence[str], owner: str) -> None:
    """Check the fields that a request has beside the usual ones, and those that it has not; raises InputError."""
    for name in omit:
        if name not in USUAL:
            raise InputError(f"{owner}: omit has {shown(name)}; it may have: {', '.join(USUAL)}")
    for text in _texts(dict(extra)):
        for place in PLACE.findall(text):
            if place not in PLACES:
                meant = nearest(place, PLACES)
                hint = f"; did you mean {{{meant}}}?" if meant else ""
                raise InputError(
                    f"{owner}: extra: {{{one_line(place):.40}}} stands for nothing; it may be: "
                    f"{', '.join(f'{{{each}}}' for each in PLACES)}{hint}"
                )


def _texts(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _texts(part)]


def body_of(
    conversation: Conversation,
    *,
    seed: int,
    newest_only: bool = False,
    extra: Mapping[str, JsonValue],
    omit: Sequence[str] = (),
) -> dict[str, JsonValue]:
    """Return the body of a request: the usual fields but for ``omit``, then ``extra``, which goes before them.

    ``newest_only`` leaves out all messages but those since the agent's last.
    """
    seen = seen_by_agent(conversation)
    last = max((place for place, m in enumerate(seen.messages) if m.role == "assistant"), default=-1)
    newest = seen.messages[last + 1 :]
    if newest_only:
        seen = seen.model_copy(update={"messages": newest})
    usual: dict[str, JsonValue] = {
        "messages": [*as_openai(seen)],
        "conversation_id": conversation.id,
        "seed": seed,
    }
    known: dict[str, JsonValue] = {
        "task": conversation.task,
        "arm": conversation.arm,
        "persona": conversation.persona.id if conversation.persona else None,
        "conversation": conversation.id,
        "message": "\n".join(m.content for m in newest if m.role == "user"),
        "turn": sum(1 for _ in conversation.turns()),
        "seed": seed,
    }
    kept = {name: value for name, value in usual.items() if name not in omit}
    return {**kept, **{name: _filled(value, known) for name, value in extra.items()}}


def _filled(value: JsonValue, known: Mapping[str, JsonValue]) -> JsonValue:
    """Fill in ``{…}``; a text that is nothing else becomes what it stands for, a number or null too."""
    if isinstance(value, str):
        if (whole := PLACE.fullmatch(value)) is not None:
            return known[whole[1]]
        return PLACE.sub(lambda found: str(known[found[1]] if known[found[1]] is not None else ""), value)
    if isinstance(value, Mapping):
        return {name: _filled(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, known) for part in value]
    return value
