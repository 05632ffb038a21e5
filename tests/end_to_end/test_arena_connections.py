"""Slow, half-open and greedy connections to an arena: they have their time, and shut nobody out."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from convsim.web.connections import Limits
from tests.end_to_end.arenas import Arena, Client, running, study
from tests.end_to_end.certificates import certificate

HEAD = (
    b"POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Length: 20000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
KINDS = {"nothing": b"", "half headers": HEAD, "half a body": HEAD + b"\r\nname="}
PATIENT = 600.0


@contextmanager
def arena(
    folder: Path, *, said: str | None = None, tls: ssl.SSLContext | None = None, **limits: float
) -> Iterator[Arena]:
    given = {"request_s": PATIENT, "reply_s": PATIENT, **limits}
    with running(folder / "arena.sqlite", study(said=said), tls=tls, limits=Limits(**given)) as served:  # type: ignore[arg-type]
        yield served


def closed(connection: socket.socket) -> bool:
    """Wait until the other side closes; False where it does not within the socket's time."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("kind", ["nothing", "half headers", "half a body"])
def test_connections_that_send_half_a_request_make_room_for_others(tmp_path: Path, kind: str) -> None:
    with arena(tmp_path, each=4, total=6) as served, ExitStack() as held:
        client = Client(served.port)
        for _ in range(20):
            half = held.enter_context(client.connected())
            half.sendall(KINDS[kind])
        assert client.get("/").status == 200


def test_one_address_takes_no_place_from_another(tmp_path: Path) -> None:
    with arena(tmp_path, each=4, total=6) as served, ExitStack() as held:
        slow = held.enter_context(Client(served.port).connected())
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n")
        for number in range(30):
            greedy = Client(served.port, source=f"127.0.0.{2 + number % 2}")
            half = held.enter_context(greedy.connected())
            half.sendall(HEAD)
        slow.sendall(b"\r\n")
        assert slow.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("kind", ["nothing", "half headers", "half a body"])
def test_half_a_request_has_its_time(tmp_path: Path, kind: str) -> None:
    with arena(tmp_path, request_s=0.2) as served, Client(served.port).connected() as slow:
        slow.sendall(KINDS[kind])
        assert closed(slow)


def test_a_byte_now_and_then_gives_a_request_no_more_time(tmp_path: Path) -> None:
    with arena(tmp_path, request_s=0.3) as served, Client(served.port).connected() as slow:
        slow.sendall(HEAD + b"X: ")
        slow.settimeout(0.05)
        for _ in range(400):
            try:
                slow.sendall(b"x")
                if not slow.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
        pytest.fail("400 bytes, each within 0.05 s of the last, held a connection of 0.3 s")


def test_a_client_that_does_not_read_is_let_go(tmp_path: Path) -> None:
    with arena(tmp_path, said="a " * 2000, reply_s=0.3) as served:
        ada = Client(served.port).joined("Ada")
        cookie = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
        asked = f"GET /t/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
        with ada.connected() as greedy:
            greedy.sendall(asked * 200)  # some 40 MB of pages, more than sockets hold
            for _ in range(1000):
                if (
                    served.server.server_state.total_requests > 4
                    and not served.server.server_state.connections
                ):
                    return
                time.sleep(0.01)
    pytest.fail("a client that read nothing was held")


def test_requests_that_come_before_the_last_was_answered_are_not_gathered(tmp_path: Path) -> None:
    with arena(tmp_path) as served, Client(served.port).connected() as greedy:
        asked = b"GET /static/arena.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        try:
            for _ in range(1000):
                greedy.sendall(asked * 100)
        except TimeoutError:
            pytest.fail("the requests were held")
        except OSError:
            return
    pytest.fail("100,000 requests were read before they were answered")


def test_an_open_connection_is_used_again_and_a_request_on_it_has_its_time(tmp_path: Path) -> None:
    with arena(tmp_path, request_s=0.4) as served, Client(served.port).connected() as kept:
        asked = b"GET /static/arena.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for _ in range(3):
            kept.sendall(asked)
            seen = b""
            while b"countWords();\n  }\n}" not in seen:
                part = kept.recv(65536)
                assert part
                seen += part
            assert seen.startswith(b"HTTP/1.1 200")
        kept.sendall(asked[:20])
        assert closed(kept)


def test_a_handshake_that_never_ends_has_its_time_and_makes_room(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.file, made.key)
    with arena(tmp_path, tls=server, each=4, total=6) as served, ExitStack() as held:
        mute = [held.enter_context(Client(served.port).connected()) for _ in range(20)]
        assert all(closed(each) for each in mute[:16])
        assert Client(served.port, tls=made.trusted).get("/").status == 200
    with arena(tmp_path, tls=server, request_s=0.2) as served:
        with Client(served.port).connected() as mute_one:
            assert closed(mute_one)
        with Client(served.port, tls=made.trusted).connected() as slow:
            slow.sendall(HEAD)
            assert closed(slow)


@pytest.mark.faults
@pytest.mark.parametrize("encrypted", [False, True])
def test_as_many_half_requests_as_the_system_allows_shut_nobody_out(tmp_path: Path, encrypted: bool) -> None:
    made = certificate(tmp_path)
    server = None
    if encrypted:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(made.file, made.key)
    with running(tmp_path / "arena.sqlite", study(), tls=server) as served, ExitStack() as held:
        client = Client(served.port, tls=made.trusted if encrypted else None)
        client.joined("Ada")
        for number in range(450):
            greedy = Client(served.port, source=f"127.0.0.{1 + number % 9}")
            half = held.enter_context(greedy.connected())
            if not encrypted:
                half.sendall(HEAD)
        for place in range(1, 6):
            assert client.get(f"/t/{place}").status == 200
            assert client.post(f"/t/{place}", "choice=human&confidence=3").status == 303
