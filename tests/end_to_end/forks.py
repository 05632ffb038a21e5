"""Runs ``convsim`` commands, each a process of its own that is forked from this one.

What takes seconds to import is imported once; with the argument ``models``, torch and its kin too. Each line on stdin
is a JSON object: ``arguments``, ``cwd``, ``environment`` and the files ``out`` and ``err``. Answered with two lines:
the process's number when it is there, its exit status when it is gone (negative: the signal that ended it).
"""

import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from importlib.metadata import entry_points
from typing import NoReturn

SECONDS = 600
"""After which a command that hangs is ended, with the signal for it as its exit status."""
HEAVY = (
    "convsim.cli",
    "convsim.report",
    "matplotlib.figure",
    "sklearn.linear_model",
    "scipy.stats",
    "pandas",
)


def warm_up(*modules: str) -> None:
    for module in modules:
        importlib.import_module(module)
    import convsim

    for name in convsim.__all__:
        getattr(convsim, name)
    importlib.import_module("convsim.cli.app").whole()
    for group in entry_points().groups:
        for entry in entry_points(group=group) if group.startswith("convsim.") else ():
            if entry.value.startswith("convsim"):
                entry.load()


def become(arguments: list[str], cwd: str, environment: dict[str, str], out: str, err: str) -> None:
    """Make this process what ``python -m convsim`` starts as, with these arguments, in this place."""
    for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [cwd, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), *PATH]
    importlib.invalidate_caches()
    tempfile.tempdir = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(SECONDS)
    sys.argv = ["convsim", *arguments]


def status() -> int:
    """Run the command; returns the exit status that the interpreter would make of its end."""
    from convsim.cli import main

    try:
        main()
    except SystemExit as stopped:
        if stopped.code is None or isinstance(stopped.code, int):
            return stopped.code or 0
        print(stopped.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    return 1


def end(code: int) -> NoReturn:
    """End as an interpreter does, but for taking apart all that was imported, which costs more than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]  # tells pools to end, then waits for threads, as the interpreter does
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = 120
    os._exit(code)


PATH = sys.path[1:]
if __name__ == "__main__":
    # What importing warns of is for tests in their own process to find; a command's warnings are on its stderr.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warm_up(*HEAVY)
        if sys.argv[1:] == ["models"]:
            warm_up("peft", "transformers.models.llama.modeling_llama")
    gc.freeze()  # so that no child walks, and thereby copies, all that was imported
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            become(**asked)
            end(status())
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
