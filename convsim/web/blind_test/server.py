"""Serves the page: takes a port, says where it is, and ends in good order."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from convsim.errors import InputError, MissingExtraError
from convsim.web.blind_test.security import Access

if TYPE_CHECKING:
    from convsim.web.blind_test.database import Database
    from convsim.web.blind_test.study import ArenaStudy

MAX_CONNECTIONS = 256
WAIT_AT_END_S = 3
REASONS = {
    errno.EADDRINUSE: "is in use; pass another --port, or --port 0 for any that is free",
    errno.EADDRNOTAVAIL: "is not of this machine; pass another --host",
    errno.EACCES: "may not be used; pass a --port above 1023",
}


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 is any that is free.

    Raises:
        InputError: The port is in use, or the host is not of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(f"--host {host}: no such host is known") from error
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f"cannot be listened on ({error.strerror})")
        raise InputError(f"port {port} of {host} {reason}") from error


def address(host: str, listening: socket.socket, access: Access) -> str:
    """Write the address to open, with the token where one is needed."""
    port = listening.getsockname()[1]
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    query = f"?token={access.token}" if access.token else ""
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/{query}"


def serve(
    study: ArenaStudy, database: Database, *, listening: socket.socket, access: Access, precision: float
) -> None:
    """Serve until the process is told to stop.

    Raises:
        MissingExtraError: Starlette or uvicorn is not installed.
        KeyboardInterrupt: It was stopped; every answer that was accepted is kept.
    """
    check_installed()
    import uvicorn

    from convsim.web.blind_test.application import application

    config = uvicorn.Config(
        application(study, database, access=access, precision=precision),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=WAIT_AT_END_S,
    )
    uvicorn.Server(config).run(sockets=[listening])


def check_installed() -> None:
    """Check that what serves pages is installed; raises MissingExtraError."""
    from importlib.util import find_spec

    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise MissingExtraError("serving an arena", "arena")
