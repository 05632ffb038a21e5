"""The formats that are told by content, in the order in which they are asked; a new one is a line here."""

from __future__ import annotations

from convsim.io.formats.contract import AnyFormat

FORMATS: tuple[AnyFormat, ...] = ()
