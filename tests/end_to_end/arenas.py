"""Arenas served on a loopback port of their own, and requests to them as raw bytes."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from convsim.cli.arena import TOKEN
from convsim.io import Transcripts
from convsim.schema.conversation import Conversation, Item, Message
from convsim.web.blind_test import ArenaStudy, Database, prepare
from convsim.web.blind_test.application import application
from convsim.web.connections import Limits
from convsim.web.security import Access
from convsim.web.serving import address, listen, ready

HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"> \u202eevil\u202c 🙂 שלום"


def conversation(number: int, *, simulator: str | None, said: str | None = None) -> Conversation:
    opening = said or ("Hello! I would like boots, please." if simulator else "need boots size 9")
    items = tuple(Item(id=f"secret-item-{n}", title=f"Boot {n} {HOSTILE}", price=20.0 + n) for n in range(3))
    return Conversation(
        id=f"secret-{simulator or 'human'}-{number}",
        simulator=simulator,
        task="secret-task",
        messages=(
            Message(role="user", content=opening),
            Message(role="assistant", content="Here are some.", items=items),
            Message(role="user", content="Thank you, that is all I need." if simulator else "ok thx"),
        ),
    )


def study(*, n: int = 12, mode: str = "single", said: str | None = None) -> ArenaStudy:
    def side(name: str, simulator: str | None) -> Transcripts:
        each = tuple(conversation(number, simulator=simulator, said=said) for number in range(12))
        return Transcripts(
            path=Path(f"secret-{name}.jsonl"), sha256=name, conversations=each, format="convsim"
        )

    return prepare(side("human", None), [side("bot", "secret-bot")], mode=mode, n=n, seed=5)  # type: ignore[arg-type]


@dataclass
class Arena:
    """One that runs, its file, and its address."""

    database: Database
    url: str
    port: int
    server: uvicorn.Server


@contextmanager
def running(
    path: Path,
    made: ArenaStudy,
    *,
    host: str = "127.0.0.1",
    environment: dict[str, str] | None = None,
    precision: float = 0.1,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    public_url: str | None = None,
) -> Iterator[Arena]:
    access = Access.at(host, environment or {}, variable=TOKEN, secure=tls is not None, public_url=public_url)
    database = Database(path, wait_s=0.5)
    database.open_for(made)
    listening = listen(host, 0)
    url, port = address(host, listening, access), listening.getsockname()[1]
    site = application(made, database, access=access, precision=precision)
    server, sockets = ready(site, listening=listening, tls=tls, limits=limits or Limits())
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Arena(database, url, port, server)
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Client:
    """A browser without a browser: keeps cookies, sends what it is told, follows nothing."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    mark: str = ""
    offer: str = ""
    tls: ssl.SSLContext | None = None
    """What an HTTPS server's certificate is checked with; None where it is none."""
    source: str = "127.0.0.1"
    """The address that requests come from."""

    def get(self, path: str, **headers: str) -> "Reply":
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: str = "", **headers: str) -> "Reply":
        given = {
            "Origin": f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}",
            "Content-Type": "application/x-www-form-urlencoded",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.send("POST", path, headers=given, body=f"mark={self.mark}&offer={self.offer}&{body}")

    def send(self, method: str, path: str, *, headers: dict[str, str], body: str = "") -> "Reply":
        lines = {
            "Host": f"127.0.0.1:{self.port}",
            "Connection": "close",
            "Content-Length": str(len(body.encode())),
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **headers,
        }
        written = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        reply = self.raw(f"{method} {path} HTTP/1.1\r\n{written}\r\n{body}".encode())
        for name, value in re.findall(r"(?im)^set-cookie: ([^=]+)=([^;]*)", reply.head):
            self.cookies[name] = value
        if found := re.search(r'name="mark" value="([0-9a-f]+)"', reply.body):
            self.mark = found[1]
        if found := re.search(r'name="offer" value="([^"]+)"', reply.body):
            self.offer = found[1]
        return reply

    def raw(self, request: bytes) -> "Reply":
        with self.connected() as connection:
            connection.sendall(request)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        head, _, body = b"".join(parts).decode().partition("\r\n\r\n")
        return Reply(int(head.split()[1]), head, body)

    def connected(self) -> socket.socket:
        plain = socket.create_connection(
            ("127.0.0.1", self.port), timeout=10, source_address=(self.source, 0)
        )
        return self.tls.wrap_socket(plain, server_hostname="127.0.0.1") if self.tls else plain

    def joined(self, name: str) -> "Client":
        self.get("/")
        assert self.post("/join", f"name={name}").status == 303
        self.get("/t/1")
        return self


@dataclass
class Reply:
    """What came back."""

    status: int
    head: str
    body: str

    def header(self, name: str) -> str | None:
        found = re.search(rf"(?im)^{name}: (.*?)\r?$", self.head)
        return found[1] if found else None
