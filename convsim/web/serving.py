"""Serves a page: takes a port, says where it is, and ends in good order."""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from convsim.errors import InputError, MissingExtraError
from convsim.web.security import Access

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from convsim.web.connections import Limits

BACKLOG = 128
"""Connections that the system keeps until they are accepted."""
WAIT_AT_END_S = 3
REASONS = {
    errno.EADDRINUSE: "is in use; pass another --port, or --port 0 for any that is free",
    errno.EADDRNOTAVAIL: "is not of this machine; pass another --host",
    errno.EACCES: "may not be used; pass a --port above 1023",
}


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 picks a free one.

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
    own = f"http{'s' if access.secure else ''}://{f'[{name}]' if ':' in name else name}:{port}"
    return f"{access.public_url or own}/{query}"


def certified(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Return what serves HTTPS, TLS 1.2 or later.

    Args:
        certificate: PEM, with the certificates between it and one that browsers know.
        key: PEM, its private key; None where it stands in the same file.

    Raises:
        InputError: A file is missing, is not what it should be, or does not belong to the other.
    """
    for option, file in (("--certificate", certificate), ("--key", key)):
        if file is not None and not file.is_file():
            raise InputError(f"{option} {file}: there is no such file")
    keys = key or certificate

    def password() -> str:
        raise InputError(
            f"{keys}: the private key is encrypted; give one that is not (openssl pkey -in FILE)"
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, keys, password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise InputError(f"{keys}: is not the private key of {certificate}") from error
        raise InputError(
            f"{certificate}: a certificate and its private key are needed, as PEM, in one file or with --key FILE"
        ) from error
    except OSError as error:
        raise InputError(f"{certificate}: cannot be read ({error.strerror})") from error
    return context


def serve(
    application: ASGIApp, *, listening: socket.socket, access: Access, tls: ssl.SSLContext | None = None
) -> None:
    """Serve until the process is told to stop.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    from convsim.simulation.handles import affordable
    from convsim.web.connections import Limits

    # All connections of a proxy come from one address.
    limits = Limits(each=None) if access.secure and tls is None else Limits()
    limits = replace(limits, total=affordable(limits.total))
    server, sockets = ready(application, listening=listening, tls=tls, limits=limits)
    server.run(sockets=sockets)


def ready(
    application: ASGIApp, *, listening: socket.socket, tls: ssl.SSLContext | None, limits: Limits
) -> tuple[uvicorn.Server, list[socket.socket]]:
    """Return a server and what to run it with; ``listening`` is closed for others."""
    import uvicorn

    from convsim.web.connections import Room

    room = Room(limits)
    config = uvicorn.Config(
        application,
        http=room.protocol(),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=WAIT_AT_END_S,
    )
    config.load()
    config.ssl = tls
    return uvicorn.Server(config), [room.listening(listening)]


def check_installed(what: str) -> None:
    """Check that what serves pages is installed; raises MissingExtraError, which says what for."""
    from importlib.util import find_spec

    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise MissingExtraError(what, "arena")
