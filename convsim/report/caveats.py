"""What passing does not show: a few lines under every report, chosen by what was tested."""

from importlib.resources import files

from convsim.evaluation.layout import LIMITS, section_of
from convsim.evaluation.scorecard import Scorecard
from convsim.report.tables import needed

OTHERWISE = "comparison"
CHOSEN_BEFOREHAND = (
    "Choose a number of conversations before you collect them: whoever adds data and looks again until a verdict comes "
    "gets false verdicts more often than one in twenty."
)
"""Said once, wherever a report says how many conversations would decide."""


def limits(card: Scorecard) -> list[str]:
    """Return the lines for what a scorecard tested."""
    sections = [section_of(finding) for finding in card.findings]
    names = dict.fromkeys(LIMITS.get(s, OTHERWISE) if s else OTHERWISE for s in sections)
    folder = files("convsim.report").joinpath("limitations")
    lines = [
        line
        for name in names or (OTHERWISE,)
        for line in folder.joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines()
    ]
    return lines + [CHOSEN_BEFOREHAND] * any(needed(finding) for finding in card.findings)
