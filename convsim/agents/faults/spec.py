"""What is asked for when an agent is to be degraded: ``bad``, or ``partial_query+rude_text``, at one severity."""

from __future__ import annotations

from convsim._text import one_line
from convsim.agents.faults.presets import PRESETS
from convsim.agents.faults.registry import find_fault
from convsim.errors import InputError
from convsim.plugins import installed


def severities_of(spec: str, severity: float) -> dict[str, float]:
    """Return the severity of each fault that ``spec`` names, in its order.

    ``spec`` is a fault, ``module:thing``, a preset, or several joined by "+", all at ``severity``, from 0 to 1; a
    preset's shares are multiplied by it. A fault that is named twice has the greater severity.

    Raises:
        PluginError: There is no such fault or preset.
        InputError: The severity is no number from 0 to 1.
    """
    check_severity(spec, severity)
    found: dict[str, float] = {}
    for name in (part.strip() for part in spec.split("+")):
        for fault, share in _shares(name).items():
            found[fault] = max(found.get(fault, 0.0), share * severity)
    return found


def check_severity(name: str, severity: object) -> None:
    """Check that a severity is a number from 0 to 1; raises InputError."""
    if isinstance(severity, bool) or not isinstance(severity, int | float) or not 0 <= severity <= 1:
        raise InputError(
            f"{one_line(name)}: a severity must be a number from 0 to 1, but is {one_line(repr(severity))}"
        )


def _shares(name: str) -> dict[str, float]:
    if name in PRESETS and name not in installed("faults"):
        return dict(PRESETS[name])
    find_fault(name)
    return {name: 1.0}
