"""Runs ``convsim simulate`` again and again and kills it with SIGKILL, each time at another moment.

Arguments: a JSON list of seconds, then the command's own. Imports are paid once and each life is a fork of this
process, so that the moments fall into the run and not into Python's start.
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
for seconds in moments:
    child = os.fork()
    if child == 0:
        sys.argv = ["convsim", "simulate", *arguments]
        with contextlib.suppress(SystemExit), Path(os.devnull).open("w") as nowhere:
            sys.stderr = nowhere
            main()
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    sizes.append(file.stat().st_size if file.exists() else -1)
print(json.dumps(sizes))
