"""Certificates for loopback, made by the program openssl for the length of a test."""

import shutil
import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificate:
    """A certificate that signed itself, and its key."""

    file: Path
    key: Path

    @property
    def trusted(self) -> ssl.SSLContext:
        """What a client that knows this certificate checks servers with."""
        return ssl.create_default_context(cafile=str(self.file))


def certificate(folder: Path, name: str = "arena", *, hosts: Sequence[str] = ("localhost",)) -> Certificate:
    """Make one for 127.0.0.1 and these hosts; skips where there is no openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl")
    names = ",".join(f"DNS:{host}" for host in hosts)
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={names},IP:127.0.0.1",
            "-out", str(made.file), "-keyout", str(made.key),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return made
