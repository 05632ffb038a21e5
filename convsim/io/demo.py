"""The demo's conversations, to try things on; all are synthetic, and no person wrote them."""

from __future__ import annotations

from typing import Literal

from convsim._resources import shared
from convsim._text import refusal
from convsim.errors import InputError
from convsim.io.reading import read
from convsim.io.transcripts import Transcripts

DemoSide = Literal["people", "close", "naive"]
FILES: dict[str, str] = {
    "people": "convapparel_standin.json", "close": "simulator_close.jsonl", "naive": "simulator_naive.jsonl",
}  # fmt: skip


def demo_data(side: DemoSide = "people") -> Transcripts:
    """Read conversations of the demo: synthetic stand-ins, no person wrote them.

    Args:
        side: ``people`` talk to a good agent and to a bad one; ``close`` is a simulator that is like them in some
            things, ``naive`` one with the manners of a language model.

    Raises:
        InputError: There is no such side.
    """
    if side not in FILES:
        raise InputError(f"the demo has no side {side!r:.80}; {refusal(str(side), FILES)}")
    return read(shared(f"demo/{FILES[side]}"))
