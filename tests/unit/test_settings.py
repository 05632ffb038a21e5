"""A setting that its annotation does not allow is one line: whose it is, what it must be, what it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import Field, JsonValue

from convsim._settings import Positive, ResampleCount, Seconds, Temperature, TopP, check_settings
from convsim.errors import InputError

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(kw_only=True)
class Parent:
    timeout_s: Seconds = 60.0


@dataclass(kw_only=True)
class Plugin(Parent):
    model: object = None
    texts: Sequence[object] = ()
    form: Literal["schema", "choices"] = "schema"
    style: Literal["chat", "transcript"] | None = None
    k: Positive = 3
    temperature: Temperature = 0.7
    top_p: TopP | None = None
    n_resamples: ResampleCount = 999
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2
    count: int = 0
    most: Annotated[int, Field(le=40)] = 4
    fault: Annotated[str, Field(min_length=1, description="the name of a fault")] = "f"
    label: Annotated[str, Field(min_length=1)] = "x"
    prices: Path | str | None = None
    calibrate: bool = True
    extra: Mapping[str, JsonValue] = field(default_factory=dict)
    made: Template = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_settings(self, "mine")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timeout_s": 0}, "timeout_s must be seconds above 0, up to 86400, but is 0"),
        ({"timeout_s": math.inf}, "timeout_s must be seconds above 0, up to 86400, but is inf"),
        ({"timeout_s": True}, "timeout_s must be seconds above 0, up to 86400, but is True"),
        ({"form": "scheme"}, "form must be schema or choices, but is 'scheme'"),
        ({"style": 3}, "style must be chat or transcript, but is 3"),
        ({"k": 0}, "k must be a whole number from 1, but is 0"),
        ({"k": 2.0}, "k must be a whole number from 1, but is 2.0"),
        ({"k": "3"}, "k must be a whole number from 1, but is '3'"),
        ({"k": None}, "k must be a whole number from 1, but is None"),
        ({"temperature": -1}, "temperature must be a number from 0, but is -1"),
        ({"temperature": math.nan}, "temperature must be a number from 0, but is nan"),
        ({"temperature": math.inf}, "temperature must be a number from 0, but is inf"),
        ({"top_p": 0}, "top_p must be a number above 0, up to 1, but is 0"),
        ({"n_resamples": 8}, "n_resamples must be a whole number from 9 to 100000, but is 8"),
        ({"held_out": 1.0}, "held_out must be a number above 0 and below 1, but is 1.0"),
        ({"count": "many"}, "count must be a whole number, but is 'many'"),
        ({"most": 41}, "most must be a whole number up to 40, but is 41"),
        ({"fault": ""}, "fault must be the name of a fault, but is ''"),
        ({"label": 7}, "label must be text that is not empty, but is 7"),
        ({"prices": 7}, "prices must be a path or text, but is 7"),
        ({"calibrate": "no"}, "calibrate must be true or false, but is 'no'"),
        ({"extra": 3}, "extra must be named values, but is 3"),
    ],
)
def test_what_an_annotation_does_not_allow_is_told_in_its_words(given, said):
    with pytest.raises(InputError) as refused:
        Plugin(**given)
    assert str(refused.value) == f"mine: {said}"


def test_what_an_annotation_allows_passes_and_objects_are_not_looked_at():
    Plugin(model=3, texts=[7], k=1, timeout_s=86_400, style=None, top_p=1, prices=Path("x"), extra={"a": [1]})


def test_a_hostile_value_is_cut_and_stays_on_one_line():
    hostile: Any = "a\n\x1b[31m" + "b" * 10_000
    with pytest.raises(InputError) as refused:
        Plugin(count=hostile)
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 160
