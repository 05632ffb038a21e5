"""Stands before every page: refuses strangers, and sends the headers that keep a browser safe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convsim.web.blind_test.access import Access, same_origin

COOKIE_AGE_S = 30 * 24 * 3600
MAX_PATH_CHARACTERS = 512
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would make the browser send "Origin: null" with the page's own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware; ``cookie`` is the name of the cookie that stands for the token."""

    def __init__(self, app: ASGIApp, access: Access, cookie: str):
        self.app, self.access, self.cookie = app, access, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it here."""
        if scope["type"] != "http":
            return
        answer = self._refusal(scope) or self._entrance(scope)
        await (answer or self.app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.access.knows(hosts[0]):
            return _refused(400, "This page is not served under that host name.")
        if len(scope["path"]) > MAX_PATH_CHARACTERS or len(scope["query_string"]) > MAX_PATH_CHARACTERS:
            return _refused(414, "That address is too long.")
        if scope["method"] not in ("GET", "HEAD") and not same_origin(
            headers.get("origin"), hosts[0], headers.get("sec-fetch-site")
        ):
            return _refused(403, "This form was not sent by this page.")
        return None

    def _entrance(self, scope: Scope) -> Response | None:
        """Take the token from the address once, and the cookie made of it ever after."""
        if self.access.token is None:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if len(given) == 1 and scope["method"] == "GET":
            if not self.access.opens(given[0]):
                return _refused(403, "That token is wrong; ask for the whole address again.")
            # Only the path: the token stays neither in the address bar nor in the history.
            answer = RedirectResponse(f"/{scope['path'].lstrip('/')}", status_code=303)
            answer.set_cookie(
                self.cookie, self.access.cookie, max_age=COOKIE_AGE_S, httponly=True, samesite="lax"
            )
            return answer
        if not self.access.admits(cookie_of(scope, self.cookie)):
            return _refused(403, "Open the whole address that was printed, with its token.")
        return None


def cookie_of(scope: Scope, name: str) -> str:
    """Return a request's cookie; empty where there is none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""


def _refused(status: int, reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", status_code=status)


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
