"""Runs ``convsim`` commands, each a process of its own that is forked from this one.

What takes seconds to import is imported once. Each line on stdin is a JSON list: the arguments, the file that stdout
goes to, and the one for stderr. Answered with two lines: the process's number when it is there, its exit status when
it is gone (negative: the signal that ended it).
"""

import json
import os
import signal
import sys

import peft  # noqa: F401
import transformers.models.llama.modeling_llama  # noqa: F401

import convsim.cli.app
import convsim.readers
import convsim.training.trainer

SECONDS = 120
"""After which a command that hangs is ended, with the signal for it as its exit status."""

for line in sys.stdin:
    arguments, out, err = json.loads(line)
    child = os.fork()
    if child == 0:
        for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.alarm(SECONDS)
        sys.argv = ["convsim", *arguments]
        code: object = 70
        try:
            convsim.cli.main()
        except SystemExit as stopped:
            code = stopped.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 70)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
