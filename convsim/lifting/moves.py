"""What may come back from somebody's shopper, the one-line reason when it may not, and the bounds of every answer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import islice
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError

from convsim._async import MAX_PARTS, said_of
from convsim._text import complaint, shown
from convsim.errors import ConvsimError, ModelError
from convsim.lifting.reasons import unknown_key
from convsim.lifting.texts import part_of, said_in
from convsim.schema import UserMove
from convsim.schema.conversation import Action

MAX_TEXT_BYTES = 256 * 1024
"""The longest text that is taken, in UTF-8."""
MAX_ANSWER_BYTES = 1024 * 1024
"""The largest answer that is taken, items included, as JSON."""
MISSPELT = 0.85
"""From which similarity (difflib's ratio) on a key is taken for a misspelling of one that is missing."""
HTML_STARTS = ("<!doctype html", "<html")
M = TypeVar("M", bound=BaseModel)


def to_move(answer: object, shopper: str) -> UserMove:
    """Make a move of what ``shopper`` answered, in any form that ``lift_shopper`` names.

    No text is a move that leaves or accepts: such a move is typed.

    Raises:
        ModelError: Nothing, an empty text, an unknown action or key, a wrong type, or more than the bounds.
    """
    with readable(shopper, ModelError):
        if isinstance(answer, UserMove):
            move = answer
        else:
            stated = _stated_move(answer, shopper)
            move = validated(UserMove, ended(stated, "accepted", shopper, ModelError), shopper, ModelError)
            if move.action == "say" and not move.text.strip():
                raise ModelError(f'{shopper} said nothing; to leave, return ("leave", "")')
    check_bounds(move, move.text, shopper, ModelError)
    return move


def _stated_move(answer: object, shopper: str) -> dict[str, object]:
    if answer is None:
        raise ModelError(f'{shopper} answered nothing (None); to leave, return ("leave", "")')
    if isinstance(answer, tuple):
        return _move_of_tuple(answer, shopper)
    if isinstance(answer, Mapping) and not {"action", "text", "accepted"}.isdisjoint(answer):
        stated = {("text" if key == "content" else str(key)): value for key, value in answer.items()}
    elif isinstance(part_of(answer, "action"), str):
        parts = {
            name: part_of(answer, name) for name in ("action", "text", "content", "accepted", "probabilities")
        }
        stated = {("text" if k == "content" else k): v for k, v in parts.items() if v is not None}
    else:
        stated = {"text": said_in(answer, shopper, ModelError)["content"]}
    known = [name for name in UserMove.model_fields if name != "metadata"]
    for key in stated:
        if key not in known:
            raise ModelError(f"{shopper} answered with {unknown_key(key, known)}")
    return {"action": "accept" if stated.get("accepted") else "say", **stated}


def _move_of_tuple(answer: tuple[object, ...], shopper: str) -> dict[str, object]:
    actions = get_args(Action)
    if not answer or len(answer) > 3 or answer[0] not in actions:
        raise ModelError(
            f"{shopper} answered {shown(answer)}; a tuple is (action, text) or (action, text, accepted), and an action "
            f"is {', '.join(actions)}"
        )
    stated: dict[str, object] = {"action": answer[0]}
    for part in answer[1:]:
        stated["accepted" if isinstance(part, list | tuple) else "text"] = part
    return stated


@contextlib.contextmanager
def readable(who: str, failure: type[ConvsimError]) -> Iterator[None]:
    """Say in one line that an answer cannot be read; reading it runs somebody's properties."""
    try:
        yield
    except ConvsimError:
        raise
    except Exception as error:
        raise failure(f"{who} returned something unreadable: {said_of(error)}") from error


def ended(
    fields: Mapping[str, object], several: str, who: str, failure: type[ConvsimError]
) -> Mapping[str, object]:
    """Take a field that holds several, and may be a generator without end, to its end; raises ``failure``."""
    found = fields.get(several)
    if not isinstance(found, Iterable) or isinstance(found, Sized):
        return fields
    taken = list(islice(found, MAX_PARTS + 1))
    if len(taken) > MAX_PARTS:
        raise failure(f"{who} answered with more than {MAX_PARTS:,} {several}")
    return {**fields, several: taken}


def validated(kind: type[M], fields: Mapping[str, object], who: str, failure: type[ConvsimError]) -> M:
    """Make a record of an answer's fields; raises ``failure`` with the first problem."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise failure(f"{who} returned something invalid: {complaint(error, with_value=True)}") from None


def check_bounds(record: BaseModel, text: str, who: str, failure: type[ConvsimError]) -> None:
    """Check that an answer is Unicode and JSON, and not too large; raises ``failure``."""
    try:
        size = len(json.dumps(record.model_dump(mode="json"), ensure_ascii=False, allow_nan=False).encode())
    except UnicodeEncodeError:
        raise failure(f"{who} answered with half a character, which is not valid Unicode") from None
    except (ValueError, RecursionError):
        raise failure(f"{who} answered with attributes that are not JSON, such as NaN") from None
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise failure(f"{who} answered with more than {MAX_TEXT_BYTES:,} bytes of text")
    if size > MAX_ANSWER_BYTES:
        raise failure(f"{who} answered with more than {MAX_ANSWER_BYTES:,} bytes")
