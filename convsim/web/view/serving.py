"""Fills the index in a thread of its own while the page is served."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from convsim._text import plain
from convsim.web.view.application import LOG
from convsim.web.view.index import Index
from convsim.web.view.sources import Sources


@contextmanager
def following(index: Index, sources: Sources) -> Iterator[None]:
    """Read what comes for as long as the body lasts."""

    def follow() -> None:
        try:
            index.follow(sources)
        except (
            Exception
        ) as error:  # a full disk, say: the page goes on with what it has, and the reason is told
            LOG.warning("nothing new is read any more: %s", plain(f"{type(error).__name__}: {error}"))
            sources.warnings[f"nothing new is read any more: {error}"] = None
            index.reading = False

    thread = threading.Thread(target=follow, name="convsim-view-index", daemon=True)
    thread.start()
    try:
        yield
    finally:
        index.stop()
        thread.join()
