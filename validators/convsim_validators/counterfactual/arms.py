"""The two arms whose difference is a shift."""

from __future__ import annotations

from typing import NamedTuple


class Arms(NamedTuple):
    """The experimental conditions that are compared; a shift is treatment minus control."""

    control: str
    treatment: str
