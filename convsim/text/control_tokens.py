"""Cuts out of a user's message what steers a simulator and is no word: ``###STOP###``, ``\\giveup``, ``[ACCEPT]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from convsim._inputs import MAX_TOML_BYTES, read_input, read_toml
from convsim._text import complaint
from convsim.errors import InputError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

MAX_PASSES = 10
LAST_CHARACTERS = 200
"""How much of a message's end is looked at for a token that is its last word."""


class Token(BaseModel):
    """A token, or a pattern of some; ``ending`` is what it says of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: str | None = None
    pattern: str | None = None
    where: Literal["anywhere", "apart", "last"] = "anywhere"
    any_case: bool = False
    ending: Literal["accepted", "left", "agent_ended"] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Token:
        if (self.text is None) == (self.pattern is None):
            raise ValueError("a token has a text or a pattern")
        if not (self.text or self.pattern or "").strip():
            raise ValueError("a token must not be empty")
        return self

    @property
    def expression(self) -> str:
        """The regular expression that finds it."""
        inner = re.escape(self.text) if self.text is not None else f"(?:{self.pattern})"
        around = {
            "anywhere": inner,
            "apart": rf"(?:(?<=[\s.,;:!?…)\]\"'”’])|^){inner}(?=[\s.,;:!?)\]\"'”’]|$)",
            "last": rf"(?:(?<=[\s.,;:!?…])|^){inner}(?=[\s.!]{{0,40}}\Z)",
        }[self.where]
        return f"(?i:{around})" if self.any_case else f"(?:{around})"

    @property
    def alone(self) -> re.Pattern[str]:
        """What finds it where nothing stands around it."""
        inner = re.escape(self.text) if self.text is not None else self.pattern or ""
        return re.compile(inner, re.IGNORECASE if self.any_case else 0)


class _Listed(BaseModel):
    """A file of tokens: ``tokens = ["@@BYE@@"]``, and ``[[token]]`` with ``text``, ``where`` and ``ending``."""

    model_config = ConfigDict(extra="forbid")
    starts: str | None = None
    tokens: tuple[str, ...] = ()
    token: tuple[Token, ...] = ()


class Cut(NamedTuple):
    """A message without its tokens, and these, in the order in which they stood."""

    text: str
    tokens: tuple[str, ...]


class ControlTokens:
    """The tokens that are cut, and what they say."""

    def __init__(self, known: Sequence[Token], starts: str | None) -> None:
        """Take tokens, and what all but last words begin with; raises InputError for a pattern that is none."""
        inside = [token.expression for token in known if token.where != "last"]
        last = [token.expression for token in known if token.where == "last"]
        self.starts = starts
        self._begins = None if starts is None else re.compile(f"[{re.escape(starts)}]")
        try:
            self._inside, self._last = re.compile("|".join(inside)), re.compile("|".join(last))
            self._endings = [(token.alone, token.ending) for token in known if token.ending]
        except re.error as error:
            raise InputError(f"a control token's pattern is no regular expression: {error}") from None
        self.known = tuple(known)

    def cut(self, text: str) -> Cut:
        """Cut all tokens out of a message, also those that appear when others are gone."""
        tokens: list[str] = []
        rest = text
        for _ in range(MAX_PASSES):
            spans = [*self._spans(rest)]
            if not spans:
                break
            tokens += [rest[start:end] for start, end in spans]
            starts = [0, *(end for _, end in spans)]
            ends = [*(start for start, _ in spans), len(rest)]
            pieces = (rest[start:end].strip(" \t") for start, end in zip(starts, ends, strict=True))
            rest = " ".join(piece for piece in pieces if piece).strip()
        return Cut(rest, tuple(tokens)) if tokens else Cut(text, ())

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        end = 0
        if self._begins is None or self._begins.search(text):
            for match in self._inside.finditer(text):
                if match.group():
                    yield match.span()
                    end = match.end()
        for match in self._last.finditer(text, max(end, len(text) - LAST_CHARACTERS)):
            if match.group():
                yield match.span()

    def ending(self, tokens: Iterable[str]) -> str | None:
        """Return what tokens say of how their conversation ended: what the last one that says anything does."""
        said = [ending for token in tokens for alone, ending in self._endings if alone.fullmatch(token)]
        return said[-1] if said else None


@cache
def shipped() -> ControlTokens:
    """Return the tokens of simulators that are known, as ``control_tokens.toml`` lists them."""
    found = _read(files("convsim.text").joinpath("control_tokens.toml"))
    return ControlTokens(found.token, found.starts)


def with_own(given: str | Path | Sequence[str]) -> ControlTokens:
    """Return the shipped tokens with a user's own.

    Args:
        given: A TOML file, a file with a token a line, or tokens, which one text divides by commas.

    Raises:
        InputError: No such file, or one that says something else.
    """
    if isinstance(given, str | Path):
        if str(given).lower().endswith(".toml"):
            own = _read(Path(given))
            more = [Token(text=text) for text in own.tokens if text.strip()] + [*own.token]
        else:
            parts = _lines(Path(given)) if _is_file(given) else str(given).split(",")
            more = [Token(text=text.strip()) for text in parts if text.strip()]
    else:
        more = [Token(text=text) for text in given if text.strip()]
    if not more:
        raise InputError("no control token is given; expected tokens, or a TOML file with tokens = [...]")
    texts = [token.text for token in more]
    starts = (shipped().starts or "") + "".join(text[0] for text in texts if text)
    return ControlTokens((*more, *shipped().known), None if None in texts else starts)


def _is_file(given: str | Path) -> bool:
    try:
        return isinstance(given, Path) or Path(given).is_file()
    except (OSError, ValueError):  # no name of a file
        return False


def _lines(path: Path) -> list[str]:
    try:
        return read_input(path, MAX_TOML_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: the file of control tokens cannot be read: {reason}") from None


def _read(path: Path | Traversable) -> _Listed:
    document = read_toml(path, what="the file of control tokens")
    try:
        return _Listed.model_validate(document)
    except ValidationError as error:
        raise InputError(
            f"{path}: {complaint(error)}; expected tokens = [...], or [[token]] with text, where and ending"
        ) from None
