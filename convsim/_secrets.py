"""Secrets that this process has read, and texts without them: one redactor before every file and stream."""

from __future__ import annotations

import html
import json
import os
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from convsim.errors import InputError

SHORTEST, SHORTEST_WORD = 6, 8
"""Characters of the shortest secret, and of the shortest that is all letters or all digits: others are in any text."""
SHORTEST_PART = 20
"""Characters of a line of a longer secret, such as a private key, that is a secret of its own."""
PLACEHOLDERS = frozenset({"lm-studio", "not-needed", "no-key-required", "sk-no-key-required", "placeholder"})
"""What people give servers of their own that ask for some key: no secrets, and words that texts may have."""
SECRET_VARIABLE = re.compile("KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
"""Parts of the names of environment variables whose values are written nowhere."""
PRINTED = frozenset({"CONVSIM_ARENA_TOKEN", "CONVSIM_VIEW_TOKEN"})
"""Variables whose values are parts of the addresses that `convsim arena` and `convsim view` print to be opened."""
VARIABLE = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
HIDDEN = "[redacted]"

_known: dict[str, str] = {}
"""Every form of every secret, and what is written in its place."""


def read_key(variable: str, owner: str) -> str:
    """Return the key in an environment variable, without white space around it; from then on it is written nowhere.

    Args:
        variable: What was given as ``api_key_env``.
        owner: Who needs the key, as the error's line calls it.

    Raises:
        InputError: No name of a variable, or a key with characters that an HTTP header cannot have.
    """
    check_variable(variable, owner)
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise InputError(f"the key in {variable} has characters that an HTTP header cannot contain")
    know(key, variable)
    return key


def check_variable(variable: str, owner: str) -> None:
    """Check that ``api_key_env`` names a variable, and is not the key itself.

    Raises:
        InputError: It is no name; the line does not repeat it.
    """
    if variable and VARIABLE.fullmatch(variable) is None:
        raise InputError(
            f"{owner}: api_key_env must be the name of an environment variable, such as SHOP_API_KEY, and not the key"
        )


def know(secret: str, name: str) -> None:
    """Remember a secret: from now on ``[name]`` is written in its place, however it is spelt."""
    value = secret.strip()
    shortest = SHORTEST_WORD if value.isalpha() or value.isdigit() else SHORTEST
    label = f"[{re.sub(r'[^A-Za-z0-9_]', '', name) or 'secret'}]"
    # A key is read for each request, and known after the first.
    if len(value) < shortest or value.casefold() in PLACEHOLDERS or _known.get(value) == label:
        return
    parts = [line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST_PART]
    for part in {value, " ".join(value.split()), "".join(value.split()), *parts}:
        for form in _forms(part):
            _known[form] = label


def know_environment() -> None:
    """Remember the values of all environment variables that are called like secrets."""
    for name, value in os.environ.items():
        if (
            SECRET_VARIABLE.search(name)
            and name not in PRINTED
            and value.strip() not in _known
            and not _is_plain(value.strip())
        ):
            know(value, name)


def _is_plain(value: str) -> bool:
    """Tell whether a variable's value is a word, a number or a place: hiding it would change texts and hide nothing."""
    is_short = len(value) < SHORTEST_PART and (value.isalpha() or value.isdigit())
    return is_short or os.path.exists(value)  # noqa: PTH110, it raises nothing


def _forms(value: str) -> set[str]:
    """Return how a secret may stand in a text: plain, in an address, in JSON, HTML, base64 and hexadecimal."""
    address = quote(value, safe="")
    escaped = json.dumps(value)[1:-1]
    raw = value.encode()
    forms = {
        value,
        address,
        re.sub("%..", lambda found: found[0].lower(), address),
        quote(value),
        escaped,
        repr(value)[1:-1],
        json.dumps(escaped)[1:-1],
        escaped.replace("/", "\\/"),
        re.sub(r"[^\w./=~-]", lambda found: f"\\u{ord(found[0]):04x}", value),
        re.sub(r"[^\w./=~-]", lambda found: f"\\u{ord(found[0]):04X}", value),
        html.escape(value),
        html.escape(value, quote=False),
        raw.hex(),
        raw.hex().upper(),
    }
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):  # the same bytes look otherwise after one or two others
            coded = encode(b"\0" * before + raw).decode()
            end = (before + len(raw)) % 3
            forms.add(coded[(0, 2, 3)[before] : len(coded) - (0, 3, 2)[end]])
    return {form for form in forms if len(form) >= SHORTEST}


def redact(text: str) -> str:
    """Put the names of secrets in their places."""
    found = [form for form in _known if form in text]
    for form in sorted(found, key=len, reverse=True):
        if form.isalpha() or len(form) < SHORTEST_WORD:  # a word of its own, not a part of another
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", lambda _, form=form: _known[form], text)  # type: ignore[misc]
        else:
            text = text.replace(form, _known[form])
    return text


def redact_json(text: str) -> str:
    """Redact a text; a document or a line of JSON stays JSON: only its texts are changed."""
    if not any(form in text for form in _known):
        return text
    try:
        document = json.loads(text) if text.startswith(("{", "[")) else None
    except (ValueError, RecursionError):
        document = None
    if document is None:
        return redact(text)
    indent, end = (2, "\n") if text.endswith("\n") else (None, "")
    return json.dumps(redacted(document), ensure_ascii=False, indent=indent) + end


def redacted(document: Any) -> Any:
    """Redact every text in a document of JSON, keys too."""
    if isinstance(document, str):
        return redact(document)
    if isinstance(document, Mapping):
        return {redact(str(key)): redacted(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [redacted(value) for value in document]
    return document


SECRET_NAME = (
    r"(?:api|access|auth|subscription|functions?|private|client|account)[-_ ]?key|token|secret|passw(?:or)?d"
    r"|authorization|credentials?"
)
SECRET_KEY = re.compile(rf"(?:{SECRET_NAME}|cookie)$", re.IGNORECASE)
"""How a setting or a header is called that holds a secret."""
SECRET_PARAMETER = re.compile(rf"(?:{SECRET_NAME}|auth|sig|signature|^key|(?-i:_KEY)|^code)$", re.IGNORECASE)
"""How a parameter of an address, or an option of a program, is called that holds one."""
TOKEN = re.compile(
    r"(?<![\w-])(?:(?:sk|pk|rk)-|gh[pousr]_|github_pat_|hf_|glpat-|xox[a-z]-|AKIA|AIza|eyJ)(?=[\w.-]{0,200}\d)[\w.-]{10,}"
    r"|\b(?:Bearer|Basic)\s{1,9}(?=\S{0,200}[\d=])[\w.~+/=-]{8,}"
)
"""Texts of the form that services give their keys."""
USER_INFO = re.compile(r"(?<=://)[^/\s@\"']+@")
PARAMETER = re.compile(r"(?<=[?&;])(?P<name>[\w.%-]+)=(?P<value>[^\s&#\"']+)")
GIVEN = re.compile(
    r"(?<![\w-])(?P<name>-{0,2}[A-Za-z][\w-]{0,60})[\"']?(?P<mark>\s{0,9}[=:]\s{0,9}|\s{1,9})"
    r"[\"']?(?:(?:Bearer|Basic|Token|ApiKey)\s{1,9})?[\"']?"
    r"(?P<value>[^\s&\"';]{8,})"
)
"""An option, a header or an assignment with its value; whether that is secret, the name says."""
STANDS_ELSEWHERE = ("$", "%", "{", "<", "[", "/", "./", "~")
"""How a value begins that names where the secret is: a variable, a place holder, a file."""


def without_keys(text: str) -> str:
    """Redact what looks like a key, read or not: credentials in addresses, options and parameters called like one."""
    text = TOKEN.sub(HIDDEN, USER_INFO.sub(f"{HIDDEN}@", redact(text)))
    text = PARAMETER.sub(_without_value, text)
    place, parts = 0, []
    while found := GIVEN.search(text, place):
        end = found.end("name")
        if _is_given(found):
            end = found.end("value")
            parts.append(text[place : found.start("value")] + HIDDEN)
        else:
            parts.append(text[place:end])
        place = end
    return "".join([*parts, text[place:]])


def _without_value(found: re.Match[str]) -> str:
    return f"{found['name']}={HIDDEN}" if SECRET_PARAMETER.search(found["name"]) else found[0]


def _is_given(found: re.Match[str]) -> bool:
    """Tell whether what was found is an option, a header or an assignment, and the value of it a secret."""
    name, value = found["name"], found["value"]
    # After a space it is the value of an option, `--api-key VALUE`; "the token expired" is a sentence.
    mark = found["mark"].strip()
    if not mark and not name.startswith("-"):
        return False
    # Nor is every text with a colon a header: "authorization: required".
    if mark == ":" and not any(character.isdigit() for character in value):
        return False
    return SECRET_PARAMETER.search(name.lstrip("-")) is not None and not value.startswith(STANDS_ELSEWHERE)


def without_keys_in(document: Any) -> Any:
    """Redact in a document of JSON what looks like a key, and every text under a name that says so."""
    if isinstance(document, str):
        return without_keys(document)
    if isinstance(document, Mapping):
        return {
            without_keys(str(name)): HIDDEN
            if SECRET_KEY.search(str(name)) and isinstance(value, str)
            else without_keys_in(value)
            for name, value in document.items()
        }
    if isinstance(document, list | tuple):
        return [without_keys_in(value) for value in document]
    return document


def has_key(text: str) -> bool:
    """Tell whether a text holds what looks like a key."""
    return without_keys(text) != text


def secret_in_address(address: str) -> str | None:
    """Say what of an address is a secret: credentials, or a parameter called like one; None where nothing is.

    Raises:
        ValueError: It is no address.
    """
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        return "credentials"
    for name, value in parse_qsl(f"{parts.query}&{parts.fragment}", keep_blank_values=True):
        if SECRET_PARAMETER.search(name):
            return f"the parameter {name!r}"
        if has_key(value):
            return "a key"
    return "a key" if has_key(parts.path) else None
