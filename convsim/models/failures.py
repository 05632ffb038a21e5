"""What a server's error is for whoever asked: one line, to be tried again or not, or a refusal to learn from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from convsim._secrets import without_keys
from convsim._text import MAX_READ, one_line, shown
from convsim.errors import ModelError
from convsim.lifting.moves import HTML_STARTS
from convsim.models.refusals import LEARNABLE, RefusedRequestError, says, status_of
from convsim.models.waits import asked_wait

MAY_PASS = frozenset({408, 409, 425, 429})
"""Client errors that are tried again, as is every server error."""
BUSY = frozenset({"HTTP 429", "HTTP 503", "HTTP 529"})
"""Kinds of failures by which a server says that it has too much to do; the last is Anthropic's."""
OK = 200
UNREACHABLE = "unreachable"
"""The kind of a failure where nobody is there who could answer."""


AWAY = frozenset({"HTTP 502", "HTTP 503", "HTTP 504"})
"""Kinds of failures by which a proxy, or a server that is starting, says that nobody is there to answer."""


class PassingError(ModelError):
    """A failure that may pass, and how many seconds the server asks to wait, if it does.

    ``is_refused`` says that there was not even a connection.
    """

    def __init__(self, reason: str, *, wait_s: float | None = None, kind: str = "", is_refused: bool = False):
        super().__init__(reason)
        self.wait_s, self.kind, self._is_refused = wait_s, kind, is_refused

    @property
    def is_away(self) -> bool:
        """Whether nobody was there to answer: it says nothing of what was asked."""
        return self._is_refused or self.kind in AWAY


class WrongSettingError(ModelError):
    """A server is there, and refuses the key, the name or the address that it was asked with."""


class DeclinedError(ModelError):
    """A model, or the filter before it, answered that it will not."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who was asked for what, for the lines of errors; ``key_env`` is the variable with the key."""

    who: str
    path: str
    key_env: str


def failure(status: int, said: object, *, headers: Mapping[str, str], asked: Asked) -> ModelError:
    """Return the error that an answer means: what was said, and by which status, or in an answer of status 200.

    Args:
        status: Of HTTP; with 200 that which the error itself names counts.
        said: The error, as JSON has it, or as text.
        headers: Of the answer, by their names in lower case.
        asked: Who was asked for what.
    """
    said = _unwrapped(said)
    if status == OK:
        stated = status_of(said)
        if stated is None:
            return ModelError(f"{asked.who} answered with an error: {one_line(words_of(said))}")
        status = stated
    error = _of_status(status, said, headers=headers, asked=asked)
    error.kind = f"HTTP {status}"
    return error


def _of_status(status: int, said: object, *, headers: Mapping[str, str], asked: Asked) -> ModelError:
    who, words = asked.who, one_line(words_of(said))
    if status in (401, 403):
        advice = (
            f"check {asked.key_env}" if asked.key_env else "name the variable with the key in api_key_env"
        )
        return WrongSettingError(f"{who} refuses the key (HTTP {status}): {advice}")
    if 300 <= status < 400:
        place = shown(without_keys(headers.get("location", "nowhere")))
        return WrongSettingError(
            f"{who} redirects to {place} (HTTP {status}), which is not followed; where that is right, give it as "
            "base_url"
        )
    if status == 404:
        return WrongSettingError(
            f"{who} was not found (HTTP 404 at {asked.path}); check the model's name and the address: {words}"
        )
    reason = f"{who} failed with HTTP {status}: {words}"
    if 400 <= status < 500 and _is_filtered(said):
        return DeclinedError(reason)
    # Some servers fail on their own chat template, and say so with a server error.
    is_of_roles = says("alternation", said) or (says("system", said) and status != 429)
    if status in LEARNABLE or (is_of_roles and status not in MAY_PASS):
        return RefusedRequestError(reason, status=status, said=said)
    if (status in MAY_PASS or status >= 500) and not _is_spent(said):
        return PassingError(reason, wait_s=asked_wait(headers, said))
    return ModelError(reason)


def _is_filtered(said: object) -> bool:
    """Tell whether a filter of what may be said has held the prompt back, as Azure's does."""
    return isinstance(said, Mapping) and "content_filter" in (said.get("code"), said.get("type"))


def _is_spent(said: object) -> bool:
    return isinstance(said, Mapping) and "insufficient_quota" in (said.get("code"), said.get("type"))


def _unwrapped(said: object) -> object:
    """Return the error itself: some servers send a list of one, or an error in an error."""
    for _ in range(3):
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        if (
            isinstance(said, Mapping)
            and isinstance(said.get("error"), Mapping | str)
            and "message" not in said
        ):
            said = said["error"]
    return said


def words_of(said: object) -> object:
    """Return what an error says in words; of a proxy's page its title."""
    if isinstance(said, str) and said.lstrip().lower().startswith(HTML_STARTS):
        # A proxy's page: its title, or its text.
        page = said[:MAX_READ]
        title = re.search(r"<(title|h1)[^>]*>([^<]+)", page, re.IGNORECASE)
        return title[2] if title else re.sub(r"<[^>]*>", " ", page)
    if not isinstance(said, Mapping):
        return said
    metadata = said.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    words = said.get("message") or said.get("detail") or said
    return f"{words}: {raw}" if raw else words
