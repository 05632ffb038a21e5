"""How many conversations at a time this process has file handles for: each may hold sockets or pipes."""

from __future__ import annotations

import contextlib
import os
import sys

EACH = 4
"""File handles of one conversation at most: a program's three pipes, or a socket each of agent and model."""
SPARE = 32
"""File handles for what else is opened meanwhile: the run's own files, modules, names that are looked up."""


def affordable(concurrency: int) -> int:
    """Return how many of ``concurrency`` conversations can be held at a time, 1 at least.

    Where the system's soft limit is too low for them and its hard limit is not, the soft one is raised.
    """
    if sys.platform == "win32":  # it has no such limit on sockets and pipes
        return concurrency
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _open_now() + SPARE + EACH * concurrency
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return concurrency
    if soft < hard or hard == resource.RLIM_INFINITY:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return max(1, min(concurrency, (file_limit() - _open_now() - SPARE) // EACH))


def file_limit() -> int:
    """Return how many files this process may have open at a time."""
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _open_now() -> int:
    try:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208, of a folder whose entries come and go
    except OSError:
        return 16
