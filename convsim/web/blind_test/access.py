"""Who may reach the page: host names, origins, and a secret wherever it is not bound to loopback."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from convsim.errors import InputError

VARIABLE = "CONVSIM_ARENA_TOKEN"
MIN_TOKEN_CHARACTERS = 16
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Access:
    """What a request must bring: a host that is ours and, where there is one, the token or the cookie made of it."""

    hosts: frozenset[str]
    any_address: bool
    """Whether addresses in numbers are ours too; a name that somebody else's server resolves never is."""
    token: str | None = None

    @classmethod
    def at(cls, host: str, environment: Mapping[str, str]) -> Access:
        """Return the rules for a page bound to ``host``; its token is the environment's, or drawn.

        Raises:
            InputError: The environment's token is too short to be a secret.
        """
        given = environment.get(VARIABLE) or None
        if given is not None and (len(given) < MIN_TOKEN_CHARACTERS or not given.isascii()):
            raise InputError(
                f"{VARIABLE} must have {MIN_TOKEN_CHARACTERS} ASCII characters or more, to be a secret"
            )
        if is_loopback(host):
            return cls(frozenset(LOOPBACK), any_address=False, token=given)
        names = {host, socket.gethostname(), socket.getfqdn()}
        return cls(
            frozenset(name.casefold() for name in names),
            any_address=True,
            token=given or secrets.token_urlsafe(24),
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
        return hashlib.sha256(f"convsim arena access {self.token}".encode()).hexdigest()

    def admits(self, cookie: str) -> bool:
        """Tell, in constant time, whether a cookie was made of the token; where there is none, all may enter."""
        return self.token is None or hmac.compare_digest(cookie.encode(), self.cookie.encode())


def same_origin(origin: str | None, host: str, fetch_site: str | None) -> bool:
    """Tell whether a form was sent by a page of this very host."""
    if origin is None or fetch_site not in (None, "same-origin"):
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.casefold() == host.casefold()


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


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
