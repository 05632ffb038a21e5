"""Ctrl-C while modules are imported, by real signals."""

from __future__ import annotations

import contextlib
import gc
import importlib
import signal
import subprocess
import sys
import time
import warnings

import pytest

from convsim.cli.interrupts import AfterImports, AtOnce
from tests.end_to_end.commands import environment
from tests.hanging import ended_if_it_hangs

INTERRUPTED_WHILE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell

class Finder:
    def find_spec(self, name, path, target=None):
        if name == "MODULE":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
from convsim.cli import main
main()
"""


@pytest.mark.parametrize("module", ["convsim.cli.process", "convsim.cli.crash", "convsim.cli.app", "typer"])
def test_an_interrupt_while_convsim_is_imported_is_one_line_and_exit_130(module):
    code = INTERRUPTED_WHILE.replace("MODULE", module)
    asked = [sys.executable, "-c", code, "plugins"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False, env=environment())
    assert (ended.returncode, ended.stderr, ended.stdout) == (130, "error: interrupted\n", "")


def test_an_interrupt_in_the_midst_of_an_import_comes_after_it(tmp_path, monkeypatch):
    (tmp_path / "interrupted_here.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ended_if_it_hangs(), pytest.raises(KeyboardInterrupt):
            _import_interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def _import_interrupted() -> None:
    with AfterImports():
        assert importlib.import_module("interrupted_here").whole
        while True:
            time.sleep(0.01)


def test_python_does_not_warn_of_a_coroutine_that_the_interrupt_kept_from_being_awaited():
    async def answer() -> None: ...

    def interrupted() -> None:
        asked = answer()
        signal.raise_signal(signal.SIGINT)
        raise AssertionError(asked)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with contextlib.suppress(KeyboardInterrupt), AfterImports():
                interrupted()
            gc.collect()
            assert not told
            warnings.warn("another", stacklevel=1)
            assert [str(each.message) for each in told] == ["another"]
    finally:
        signal.signal(signal.SIGINT, before)


def test_who_handles_interrupts_already_keeps_doing_so():
    def mine(number, frame):
        raise AssertionError("not called")

    before = signal.signal(signal.SIGINT, mine)
    try:
        for kind in (AtOnce, AfterImports):
            with kind():
                assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)
