"""Whose request it is: a random cookie, the rater it belongs to, and the mark that its own forms carry."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from convsim.web.blind_test.middleware import COOKIE_AGE_S, cookie_of

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
        response.set_cookie(cookie, self.secret, max_age=COOKIE_AGE_S, httponly=True, samesite="lax")
        return response


def is_secret(text: str) -> bool:
    """Tell whether a text can be a browser's secret."""
    return SECRET.fullmatch(text) is not None
