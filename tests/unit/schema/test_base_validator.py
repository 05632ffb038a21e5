"""A validator in ten lines: what the harness knows is filled in."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import convsim
from convsim.errors import PluginError
from convsim.plugins import make
from convsim.schema import Finding, Validator, Verdict
from tests.unit.metrics.test_registry import talk

SIDES = [
    [talk(f"{word}{i}", f"{word} " * (i % 4) + f"{word}{i}") for i in range(n)]
    for word, n in (("boots", 12), ("shoes", 9))
]


class LongerTalk(convsim.BaseValidator):
    """Do simulated shoppers say more than people?

    By the difference of means alone.
    """

    margin: float = 1.0

    def validate(self, real, simulated, *, seed):
        gap = simulated.table["conversation_words"].mean() - real.table["conversation_words"].mean()
        verdict: Verdict = "different" if abs(gap) > self.margin else "undecided"
        yield self.finding("gap", estimate=gap, verdict=verdict, reason=f"{gap:.2f} words")


def measured(*sides):
    return [convsim.measure(side) for side in sides]


def test_validator_seed_sizes_version_source_and_question_are_filled():
    [finding] = LongerTalk().validate(*measured(*SIDES), seed=7)
    assert isinstance(finding, Finding)
    assert (finding.validator, finding.metric, finding.seed) == ("longer_talk", "gap", 7)
    assert (finding.n_real, finding.n_simulated, finding.version) == (12, 9, "1")
    assert finding.question == "Do simulated shoppers say more than people?"
    assert finding.source == f"{__name__}:LongerTalk"
    assert finding.estimate == pytest.approx((1 + 2 + 3 + 4 + 1 + 2 + 3 + 4 + 1) / 9 - 2.5)


def test_it_is_a_validator_for_the_battery_by_instance_and_by_name():
    assert isinstance(LongerTalk(), Validator)
    card = convsim.validate(*SIDES, seed=3, validators=[LongerTalk(margin=0.1)])
    assert [f.verdict for f in card.findings] == ["different"]
    named = convsim.validate(*SIDES, seed=3, validators=[f"{__name__}:LongerTalk"])
    assert [f.verdict for f in named.findings] == ["undecided"]


def test_a_property_and_a_method_are_no_settings():
    class Halved(LongerTalk):
        @property
        def half(self):
            return self.margin / 2

        def twice(self):
            return self.margin * 2

    assert Halved(margin=3.0).half == 1.5
    for name in ("half", "twice"):
        with pytest.raises(TypeError, match=f"has no setting {name!r}"):
            Halved(**{name: 2.0})


def test_settings_are_what_it_declares_and_a_misspelt_one_is_refused_with_the_nearest():
    assert LongerTalk(margin=2.0).margin == 2.0
    [finding] = make("validators", f"{__name__}:LongerTalk", margin=0.1).validate(*measured(*SIDES), seed=7)
    assert finding.verdict == "different"
    with pytest.raises(PluginError, match="no setting 'margn'; did you mean margin"):
        make("validators", f"{__name__}:LongerTalk", margn=2.0)


def test_a_setting_without_a_default_must_be_given():
    class Needs(LongerTalk):
        word: str

    with pytest.raises(TypeError, match="needs needs the setting 'word'"):
        Needs()
    assert Needs(word="boots").word == "boots"


def test_it_may_be_a_dataclass_too_with_names_of_its_own():
    @dataclass(frozen=True, kw_only=True)
    class Frozen(convsim.BaseValidator):
        name = "iced"
        version = "2026.1"
        unit = "words"
        limits: tuple[float, ...] = ()

        def validate(self, real, simulated, *, seed):
            return [self.finding("m", verdict="undecided", reason="r", question="Why?", details={"a": [1]})]

    [finding] = Frozen(limits=(1.0,)).validate(*measured(*SIDES), seed=1)
    assert (finding.validator, finding.version, finding.unit) == ("iced", "2026.1", "words")
    assert (finding.question, finding.details) == ("Why?", {"a": [1]})


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (
            {"estimate": math.nan, "interval": (math.nan, 1.0), "p_value": np.float64("nan")},
            (None, None, None),
        ),
        ({"estimate": np.float32(0.5), "interval": (np.int64(0), 1), "p_value": 1}, (0.5, (0, 1), 1.0)),
    ],
)
def test_undefined_is_none_and_numpys_numbers_are_plain(given, stored):
    class Says(convsim.BaseValidator):
        def validate(self, real, simulated, *, seed):
            yield self.finding("m", verdict="undecided", reason="r", **given)

    [finding] = Says().validate(*measured(*SIDES), seed=1)
    assert (finding.estimate, finding.interval, finding.p_value) == stored
    assert Finding.model_validate_json(finding.model_dump_json()) == finding


@pytest.mark.parametrize(
    "wrong", [{"estimat": 1.0}, {"verdict": "alike"}, {"estimate": math.inf}, {"estimate": "1"}]
)
def test_a_finding_that_cannot_be_is_a_failed_one_that_names_what_was_written(wrong):
    class Wrong(convsim.BaseValidator):
        def validate(self, real, simulated, *, seed):
            said: dict[str, Any] = {"verdict": "undecided", "reason": "r", **wrong}
            yield self.finding("m", **said)

    [finding] = convsim.validate(*SIDES, seed=1, validators=[Wrong()]).findings
    assert finding.estimate is None
    assert "the validator failed" in finding.reason
    assert next(iter(wrong)) in finding.reason


def test_finding_is_refused_outside_validate_and_two_that_run_at_once_do_not_mix():
    with pytest.raises(RuntimeError, match=r"while validate\(\) runs"):
        LongerTalk().finding("m", verdict="undecided", reason="r")

    class Outer(convsim.BaseValidator):
        def validate(self, real, simulated, *, seed):
            yield from LongerTalk().validate(simulated, real, seed=seed + 1)
            yield self.finding("own", verdict="undecided", reason="r")

    inner, own = Outer().validate(*measured(*SIDES), seed=1)
    assert (inner.n_real, inner.seed, inner.validator) == (9, 2, "longer_talk")
    assert (own.n_real, own.seed, own.validator) == (12, 1, "outer")


def test_one_that_finds_nothing_says_nothing():
    class Silent(convsim.BaseValidator):
        def validate(self, real, simulated, *, seed):
            return None

    assert Silent().validate(*measured(*SIDES), seed=1) == []


def test_one_without_validate_cannot_be_made():
    class Unfinished(convsim.BaseValidator):
        pass

    kind: Any = Unfinished
    with pytest.raises(TypeError, match="validate"):
        kind()
