"""Faults that go together under one name: ``presets.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

Share = Annotated[float, Field(gt=0, le=1)]

PRESETS: Mapping[str, Mapping[str, float]] = TypeAdapter(dict[str, dict[str, Share]]).validate_python(
    tomllib.loads(Path(__file__).with_name("presets.toml").read_text(encoding="utf-8"))
)
"""For each preset its faults, with the share of the severity asked for that each has."""
