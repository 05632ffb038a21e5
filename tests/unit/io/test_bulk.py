"""The garbage collector pauses while files are read, and is left as it was."""

from __future__ import annotations

import gc

import pytest

from convsim.io.files import bulk_load


def break_off() -> None:
    with bulk_load():
        assert not gc.isenabled()
        raise RuntimeError("oops")


def test_the_collector_is_off_inside_and_on_again_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(RuntimeError, match="oops"):
        break_off()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with bulk_load():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_the_caller_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        with bulk_load():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
