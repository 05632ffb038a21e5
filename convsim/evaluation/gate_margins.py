"""Which setting of which validator a margin of a gate is."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import NamedTuple

from convsim._text import listed, nearest, one_line
from convsim.errors import InputError
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.layout import SECTIONS, VIEWS
from convsim.metrics import FAMILY_METRICS
from convsim.plugins import installed, load
from convsim.schema import Finding

ALONE = "margin"
"""The name of a margin that is a number without one."""
BY_METRIC = "metric_margins"
"""The setting of a validator whose metrics have margins of their own: by metric, then by the margin's name."""
DELTA = "delta"
ON_DISK: Mapping[str, str] = {DELTA: "cliffs_delta"}
"""What validators and findings call a margin, where a gate has a shorter name."""
USUAL: Mapping[str, str] = {DELTA: "cliffs_delta_margin", "spread": "spread_margin", "ks": "margin"}
"""The margins of a metric's distribution, and the setting that holds what each is by default."""
OF_FINDING: Mapping[tuple[str, str], str] = {
    STANDS_ON["habits"]: "joint_margin",
    STANDS_ON["coherence"]: "joint_margin",
    STANDS_ON["diversity"]: "diversity_margin",
    STANDS_ON["reactions"]: "ratio_margin",
}
"""Findings with a setting of their own; all others of their validators share the setting ``margin``."""

Settings = dict[str, dict[str, object]]


class Owned(NamedTuple):
    """A margin as its validator has it: the metric it is for, or None where the validator has one for all."""

    validator: str
    setting: str
    value: float | dict[str, float]
    metric: str | None = None


def owner_of(name: str) -> tuple[str, str]:
    """Return the validator and the metric that a gate's ``metric`` means; one by itself is that of a distribution."""
    validator, _, metric = name.partition("/")
    if metric and (validator in installed("validators") or ":" in validator):
        return validator, metric
    known = {stands_on[1]: stands_on for stands_on in STANDS_ON.values()}
    if name in VIEWS:
        return SECTIONS["recognition"], name
    if name in FAMILY_METRICS:
        return FAMILY_METRICS[name].judged_by, name
    return known.get(name, (SECTIONS["habits"], name))


def owned(place: str, finding: tuple[str, str], margin: Mapping[str, float]) -> Owned:
    """Find the setting of a margin.

    Args:
        place: Where it stands in the gate, as errors call it.
        finding: Validator and metric of what it is for.
        margin: By name; a number without one is by ``ALONE``.

    Raises:
        InputError: The validator has no such margin.
        PluginError: There is no such validator.
    """
    validator, metric = finding
    own = _parameters(validator)
    setting = OF_FINDING.get(finding, ALONE)
    if BY_METRIC in own and finding not in OF_FINDING:
        return Owned(validator, BY_METRIC, _by_name(place, margin, own), metric)
    if setting not in own:
        others = [f"{validator}.{name}" for name in own if "margin" in name]
        hint = f"; its settings are {listed(others, 4)}, for --set" if others else ""
        raise InputError(f"{place}: {validator} has no margin of {one_line(metric)} alone{hint}")
    if [*margin] != [ALONE]:
        raise InputError(f"{place}: {validator} has one margin here; write margin = NUMBER")
    return Owned(validator, setting, margin[ALONE])


def _by_name(
    place: str, margin: Mapping[str, float], own: Mapping[str, inspect.Parameter]
) -> dict[str, float]:
    """Return the margins by name; a number alone is Cliff's delta's, and the others keep their proportion to it."""
    if [*margin] == [ALONE]:
        usual = {name: float(own[setting].default) for name, setting in USUAL.items()}
        widened = {name: round(min(1.0, margin[ALONE] * of / usual[DELTA]), 6) for name, of in usual.items()}
        return {**widened, DELTA: margin[ALONE]}
    short = {long: name for name, long in ON_DISK.items()}
    margin = {short.get(name, name): value for name, value in margin.items()}
    if unknown := sorted(margin.keys() - USUAL.keys()):
        meant = nearest(unknown[0], USUAL)
        raise InputError(
            f"{place}: no margin is called {one_line(unknown[0])!r}; there are {', '.join(USUAL)}, or one number"
            + (f"; did you mean {meant!r}?" if meant else "")
        )
    return dict(margin)


def _parameters(validator: str) -> Mapping[str, inspect.Parameter]:
    plugin = load("validators", validator)
    if not isinstance(plugin, type):
        return {}
    try:
        return inspect.signature(plugin).parameters
    except (TypeError, ValueError):  # some classes have no signature
        return {}


def gathered(where: str, margins: Mapping[str, Owned]) -> Settings:
    """Put the margins of a gate together as settings, by validator.

    Args:
        where: How errors call the gate.
        margins: By the table that each stands in.

    Raises:
        InputError: Two give one setting different values.
    """
    settings: Settings = {}
    said: dict[tuple[str, str], str] = {}
    for place, one in margins.items():
        own = settings.setdefault(one.validator, {})
        if one.metric is not None:
            by_metric = own.setdefault(one.setting, {})
            assert isinstance(by_metric, dict)
            value = one.value if isinstance(one.value, dict) else {ALONE: one.value}
            by_metric[one.metric] = {ON_DISK.get(name, name): number for name, number in value.items()}
            continue
        if own.get(one.setting, one.value) != one.value:
            first = said[one.validator, one.setting]
            raise InputError(
                f"{where}: {place}: {one.validator} has one margin for all that it judges so, and {first} says "
                f"{own[one.setting]}; say the same in both"
            )
        own[one.setting] = one.value
        said.setdefault((one.validator, one.setting), place)
    return settings


def stated(finding: Finding | None) -> dict[str, float]:
    """Return the margins that a finding states, by the names that a gate has for them; empty where it states none."""
    margin = finding.details.get("margin") if finding is not None else None
    if isinstance(margin, Mapping):
        short = {long: name for name, long in ON_DISK.items()}
        given = {short.get(name, name): value for name, value in margin.items()}
    else:
        given = {ALONE: margin}
    return {
        name: float(value)
        for name, value in given.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def differing(finding: Finding, margin: Owned) -> str:
    """Say which margin a finding was judged with, where that is another than a gate's; empty where it is the same."""
    wanted = margin.value if isinstance(margin.value, dict) else {ALONE: margin.value}
    found = stated(finding)
    if [*wanted] == [ALONE] and len(found) == 1:
        found = {ALONE: next(iter(found.values()))}
    for name, value in wanted.items():
        if name not in found:
            return f"the findings do not state the margin {name} of {one_line(finding.metric)}"
        if abs(found[name] - value) > 1e-6:
            return f"{one_line(finding.metric)} was judged with the margin {found[name]:g}, not {value:g}"
    return ""
