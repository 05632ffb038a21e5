"""Who may reach the page, and the headers that keep a browser safe."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convsim.errors import InputError

MIN_TOKEN_CHARACTERS = 16
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Access:
    """What a request must bring: a host that is ours and, where there is one, the token or the cookie made of it."""

    hosts: frozenset[str]
    any_address: bool
    """Whether addresses in numbers are ours too; a name that somebody else's server resolves never is."""
    token: str | None = None
    secure: bool = False
    """Whether browsers come over HTTPS: then cookies and forms that do not are none of ours."""
    public_url: str | None = None
    """The address that people open, where it is not the one that is listened on; without a slash at the end."""

    @classmethod
    def at(
        cls,
        host: str,
        environment: Mapping[str, str],
        *,
        variable: str,
        secure: bool = False,
        public_url: str | None = None,
        always: bool = False,
    ) -> Access:
        """Return the rules for a page bound to ``host``; its token is the environment's, or drawn.

        Args:
            host: What is listened on.
            environment: May hold the token.
            variable: What holds it there.
            secure: Whether the page itself is served over HTTPS.
            public_url: An address, over HTTPS, that leads to the page.
            always: Whether a token is asked for also where nobody but this machine can come in.

        Raises:
            InputError: The environment's token is too short to be a secret, or the address is none.
        """
        given = environment.get(variable) or None
        if given is not None and (len(given) < MIN_TOKEN_CHARACTERS or not given.isascii()):
            raise InputError(
                f"{variable} must have {MIN_TOKEN_CHARACTERS} ASCII characters or more, to be a secret"
            )
        public = _public_name(public_url) if public_url is not None else None
        local = is_loopback(host)
        names = LOOPBACK if local else (host, socket.gethostname(), socket.getfqdn())
        return cls(
            frozenset(name.casefold() for name in (*names, *([public] if public else []))),
            any_address=not local,
            token=given or (secrets.token_urlsafe(24) if always or public or not local else None),
            secure=secure or public is not None,
            public_url=public_url.rstrip("/") if public_url is not None else None,
        )

    def knows(self, host: str) -> bool:
        """Tell whether a ``Host`` header names this page; others may be a stranger's name that leads here."""
        name = _name(host)
        return name is not None and (name in self.hosts or (self.any_address and _is_address(name)))

    def opens(self, token: str) -> bool:
        """Compare a token in constant time."""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    @property
    def cookie(self) -> str:
        """What the browser keeps instead of the token."""
        return hashlib.sha256(f"convsim page access {self.token}".encode()).hexdigest()

    def admits(self, cookie: str) -> bool:
        """Tell, in constant time, whether a cookie was made of the token; where there is none, all may enter."""
        return self.token is None or hmac.compare_digest(cookie.encode(), self.cookie.encode())


def same_origin(origin: str | None, host: str, fetch_site: str | None, *, secure: bool = False) -> bool:
    """Tell whether a form was sent by a page of this very host, and over HTTPS where that is asked."""
    if origin is None or fetch_site not in (None, "same-origin"):
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme == ("https" if secure else "http") and parts.netloc.casefold() == host.casefold()


def is_loopback(host: str) -> bool:
    """Tell whether a host can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str | None:
    """Return a ``Host`` header's name without port and brackets; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None


def _public_name(url: str) -> str:
    """Return the host of the address that people open, as browsers send it; raises InputError."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        name = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        name = ""
    if not name or parts.scheme != "https" or "@" in url or "?" in url or "#" in url or parts.path.strip("/"):
        raise InputError(
            "--public-url must be https://NAME or https://NAME:PORT, without a user, a path or a query"
        )
    return name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


SECURE = "__Host-"
"""How a cookie's name begins that browsers take and send over HTTPS alone, and from this very host alone."""
COOKIE_AGE_S = 30 * 24 * 3600
MAX_PATH_CHARACTERS = 512
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load and do: nothing of others, and no script that stands in it."""
ASKING = f"{POLICY}; connect-src 'self'"
"""The same for a page whose script asks its own server."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would make the browser send "Origin: null" with the page's own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware.

    Args:
        app: What is guarded.
        access: Who may come in.
        cookie: The name of the cookie that stands for the token.
        policy: What the page may load and do.
        max_query: Characters of the longest query that is taken.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        cookie: str,
        policy: str = POLICY,
        max_query: int = MAX_PATH_CHARACTERS,
    ):
        self.app, self.access, self.cookie, self.max_query = app, access, cookie, max_query
        self.headers = {**HEADERS, "Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it here."""
        if scope["type"] != "http":
            return
        answer = self._refusal(scope) or self._entrance(scope)
        await (answer or self.app)(scope, receive, _with_headers(send, self.headers))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.access.knows(hosts[0]):
            return _refused(400, "This page is not served under that host name.")
        if len(scope["path"]) > MAX_PATH_CHARACTERS or len(scope["query_string"]) > self.max_query:
            return _refused(414, "That address is too long.")
        if scope["method"] not in ("GET", "HEAD") and not same_origin(
            headers.get("origin"), hosts[0], headers.get("sec-fetch-site"), secure=self.access.secure
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
            keep_cookie(answer, self.cookie, self.access.cookie)
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


def keep_cookie(response: Response, name: str, value: str) -> None:
    """Have a browser keep a cookie for 30 days; one whose name says so goes over HTTPS alone."""
    response.set_cookie(
        name, value, max_age=COOKIE_AGE_S, secure=name.startswith(SECURE), httponly=True, samesite="lax"
    )


def _refused(status: int, reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", status_code=status)


def _with_headers(send: Send, added: Mapping[str, str]) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in added.items():
                headers[name] = value
        await send(message)

    return sending
