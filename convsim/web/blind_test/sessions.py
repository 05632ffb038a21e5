"""Whose request it is, and its form: bounded, read once, checked against what the page offered."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from convsim.web.blind_test.answers import CONFIDENCE, Answer, Choice, Rater, Word
from convsim.web.blind_test.rendering import Shown
from convsim.web.blind_test.study import Mode, Place
from convsim.web.forms import Form, FormError, one
from convsim.web.security import cookie_of, keep_cookie

SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True)
class Visit:
    """One browser; ``is_new`` says that it does not know its secret yet."""

    secret: str
    is_new: bool = False

    @classmethod
    def of(cls, request: Request, cookie: str) -> Visit:
        """Recognise a browser by its cookie, or draw a secret for a new one."""
        found = cookie_of(request.scope, cookie)
        return cls(found) if is_secret(found) else cls(secrets.token_urlsafe(32), is_new=True)

    @property
    def mark(self) -> str:
        """What a form of this browser carries; nobody who does not know the cookie can make it."""
        return hashlib.sha256(f"convsim arena form {self.secret}".encode()).hexdigest()

    def made(self, mark: str) -> bool:
        """Tell, in constant time, whether a form was made for this browser."""
        return not self.is_new and hmac.compare_digest(mark.encode(), self.mark.encode())

    def remember(self, response: Response, cookie: str) -> Response:
        """Have the browser keep its secret for 30 days from now."""
        keep_cookie(response, cookie, self.secret)
        return response


def is_secret(text: str) -> bool:
    """Tell whether a text can be a browser's secret."""
    return SECRET.fullmatch(text) is not None


@dataclass(frozen=True)
class Offers:
    """Secrets for those who join, drawn here: one that a browser brings may be known to whoever planted it.

    It stands in the form and not in a cookie, signed for the browser that the form was made for, so that the same form
    sent twice is the same rater.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def draw(self, visit: Visit) -> str:
        """Return a new secret with its signature."""
        secret = secrets.token_urlsafe(32)
        return f"{secret}.{self._signed(secret, visit)}"

    def accepted(self, offer: str, visit: Visit) -> Visit | None:
        """Return the visit with the secret that was drawn for it; None where it was not."""
        secret, _, signed = offer.partition(".")
        genuine = hmac.compare_digest(signed.encode(), self._signed(secret, visit).encode())
        return Visit(secret) if genuine and is_secret(secret) else None

    def _signed(self, secret: str, visit: Visit) -> str:
        return hmac.new(self.key, f"{visit.secret} {secret}".encode(), hashlib.sha256).hexdigest()


MAX_WORDS = 200
CHOICES: dict[Mode, tuple[Choice, ...]] = {"single": ("human", "simulated"), "pair": ("left", "right")}
WORD = re.compile(r"([01])\.([0-9]{1,4})\.([0-9]{1,5})", re.ASCII)


def read_answer(form: Form, *, rater: Rater, place: Place, mode: Mode, shown: Sequence[Shown]) -> Answer:
    """Make an answer of a form.

    Args:
        form: The fields.
        rater: Who answers.
        place: The trial, as this rater saw it.
        mode: What was asked.
        shown: The conversations that stood there, from left to right.

    Raises:
        FormError: A choice, a confidence or a word that the page did not offer.
    """
    if one(form, "skip"):
        return Answer(rater.number, place.trial, None, None, place.human_left)
    choice = next((each for each in CHOICES[mode] if each == one(form, "choice")), None)
    confidence = next((level for level in CONFIDENCE if str(level) == one(form, "confidence")), None)
    if choice is None or confidence is None:
        raise FormError(400, "Choose one of the two, and say how sure you are; or skip.")
    words = tuple(dict.fromkeys(_word(given, shown) for given in form.get("word", ())))
    if len(words) > MAX_WORDS:
        raise FormError(400, f"At most {MAX_WORDS} words can be marked.")
    return Answer(rater.number, place.trial, choice, confidence, place.human_left, words)


def _word(given: str, shown: Sequence[Shown]) -> Word:
    matched = WORD.fullmatch(given)
    word = Word(*map(int, matched.groups())) if matched else None
    if word is None or word.side >= len(shown) or shown[word.side].word(word.message, word.word) is None:
        raise FormError(400, "A word was marked that is not there.")
    return word
