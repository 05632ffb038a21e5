"""The formats that are told by content, in the order in which they are asked; a new one is a line here.

convsim's own and plain OpenAI messages come first, as ever, and after them the whole documents of ``convsim.io.
documents`` and whatever readers are installed are asked; only then those of ``FORMATS``.
"""

from __future__ import annotations

from convsim.io.formats.contract import AnyFormat
from convsim.io.formats.openai_messages import CONVSIM, MESSAGES, OPENAI

FIRST: tuple[AnyFormat, ...] = (CONVSIM, OPENAI)
FORMATS: tuple[AnyFormat, ...] = (MESSAGES,)
BY_NAME = {format.name: format for format in (*FIRST, *FORMATS)}
