"""Runs ``convsim simulate`` again and again and kills it with SIGKILL, each time at another moment.

Arguments: a JSON list of seconds, then the command's own. Imports are paid once, and each life is a fork of this one.
Every other life is killed so many seconds after its start; the others so many after it has kept a conversation, so that
moments fall into the run however slow the machine is.
"""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import convsim.cli.app
import convsim.simulation  # noqa: F401
from convsim.cli import main
from convsim.schema.catalogue import Catalogue  # noqa: F401

moments: list[float] = json.loads(sys.argv[1])
arguments = sys.argv[2:]
file = Path(arguments[arguments.index("--out") + 1]) / "conversations.jsonl"
sizes: list[int] = []
MAX_WAIT_S = 20.0


def size() -> int:
    """Bytes of the run's conversations; -1 where there is no such file yet."""
    return file.stat().st_size if file.exists() else -1


for life, seconds in enumerate(moments):
    before = size()
    child = os.fork()
    if child == 0:
        sys.argv = ["convsim", "simulate", *arguments]
        with contextlib.suppress(SystemExit), Path(os.devnull).open("w") as nowhere:
            sys.stderr = nowhere
            main()
        os._exit(0)
    deadline = time.monotonic() + (MAX_WAIT_S if life % 2 else 0.0)
    while size() <= max(before, 0) and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    sizes.append(size())
print(json.dumps(sizes))
