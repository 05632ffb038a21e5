"""Connections that wait for their client have their time and make room, so that slow ones shut nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True)
class Limits:
    """How many connections are held, and for how long they may keep us waiting."""

    total: int = 256
    each: int | None = 64
    """Of one IPv4 address, or of one IPv6 network of 64 bits; None where all come from one proxy."""
    request_s: float = 10.0
    """From the first byte of a request, or from the connection's start, to the last: TLS, headers and body."""
    reply_s: float = 60.0
    """From an answer to the next request: the client reads meanwhile. Idle ones are closed sooner, by uvicorn."""


class Connection(socket.socket):
    """An accepted connection; it waits for its client, or for an answer of ours."""

    room: Room | None = None
    peer: bytes = b""
    transport: asyncio.Transport | None = None
    since: float | None = None
    """When it began to wait for its client; None while we work."""
    timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Close it and give its place away."""
        if self.room is not None:
            self.room.leave(self)
        super().close()

    def wait(self, seconds: float) -> None:
        """Wait for the client from now on, and end after so many seconds."""
        loop = asyncio.get_running_loop()
        self.work()
        self.since = loop.time()
        self.timer = loop.call_later(seconds, self.end)

    def work(self) -> None:
        """Wait for nobody: the request is complete."""
        self.since = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def end(self) -> None:
        """End it at once, whatever has been read or written of it; a TLS handshake too."""
        if self.room is not None:
            self.room.leave(self)
        if self.transport is not None:
            self.transport.abort()
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)


class Room:
    """The connections that are held; a newcomer takes the place of the one that waits the longest."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.held: dict[int, Connection] = {}
        """By their file's number."""

    def enter(self, connection: Connection) -> None:
        """Hold a connection, and end one where that is one too many: of its own address, or of the busiest."""
        self.held[connection.fileno()] = connection
        connection.wait(self.limits.request_s)
        of_each = Counter(each.peer for each in self.held.values())
        if self.limits.each is not None and of_each[connection.peer] > self.limits.each:
            self._make_room([connection.peer])
        elif len(self.held) > self.limits.total:
            self._make_room([peer for peer, _ in of_each.most_common()])

    def _make_room(self, peers: list[bytes]) -> None:
        """End the connection that waits the longest, of the first of the addresses that has one."""
        for peer in peers:
            waiting = [
                (each.since, n)
                for n, each in self.held.items()
                if each.peer == peer and each.since is not None
            ]
            if waiting:
                self.held[min(waiting)[1]].end()
                return

    def leave(self, connection: Connection) -> None:
        """Hold a connection no longer; once is enough."""
        connection.work()
        if self.held.get(connection.fileno()) is connection:
            del self.held[connection.fileno()]

    def listening(self, plain: socket.socket) -> Listening:
        """Return a listening socket whose connections enter; it takes the file of the one that is given."""
        taken = Listening(plain.family, plain.type, plain.proto, fileno=plain.detach())
        taken.room = self
        return taken

    def protocol(self) -> type[H11Protocol]:
        """Return uvicorn's protocol for the connections in this room."""
        return type("AttentiveHere", (Attentive,), {"room": self})


class Listening(socket.socket):
    """A listening socket; what it accepts is counted from then on, before TLS and before a byte is read."""

    room: Room

    def accept(self) -> tuple[Connection, Any]:
        """Accept a connection, as asyncio's loop asks for it; raises OSError."""
        plain, address = super().accept()
        connection = Connection(plain.family, plain.type, plain.proto, fileno=plain.detach())
        connection.room, connection.peer = self.room, _peer(address[0])
        self.room.enter(connection)
        return connection, address


class Attentive(H11Protocol):
    """Tells a connection when a request is complete, and when the client has to read or to ask again."""

    room: ClassVar[Room]
    connection: Connection | None = None
    answered = False
    """Whether nothing has come since the last answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Find the connection, which TLS may have hidden."""
        super().connection_made(transport)
        self.connection = self.room.held.get(transport.get_extra_info("socket").fileno())
        if self.connection is None:
            transport.abort()  # it was ended before it was made
        else:
            self.connection.transport = transport

    def data_received(self, data: bytes) -> None:
        """Give a request its time from its first byte; those that follow give it no more.

        Browsers and proxies ask again when they are answered. What comes before would be kept without a bound.
        """
        if self.connection is not None and self.connection.since is None:
            self.connection.end()
            return
        if self.answered and self.connection is not None:
            self.answered = False
            self.connection.wait(self.room.limits.request_s)
        super().data_received(data)

    def handle_events(self) -> None:
        """Work on a request that is complete."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.more_body and not self.flow.write_paused:
            self._work()

    def on_response_complete(self) -> None:
        """Let the client read, and ask again."""
        self.answered = True
        if self.connection is not None:
            self.connection.wait(self.room.limits.reply_s)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for a client that does not read."""
        super().pause_writing()
        if self.connection is not None:
            self.connection.wait(self.room.limits.reply_s)

    def resume_writing(self) -> None:
        """Go on with an answer."""
        super().resume_writing()
        if self.cycle is not None:
            self._work()

    def _work(self) -> None:
        if not self.cycle.response_complete and self.connection is not None:
            self.connection.work()


def _peer(host: str) -> bytes:
    """Return what stands for a client: its IPv4 address, or its IPv6 network, of which it has all addresses."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped.packed if address.ipv4_mapped else address.packed[:8]
    return address.packed
