"""What a report does not show: a few lines under every one, chosen by what was tested and whether it passed."""

from importlib.resources import files

from convsim.evaluation.headline import PASSING
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
    """Return the lines for what a scorecard tested; those on what passing means only where something passed."""
    sections = [section_of(finding) for finding in card.findings]
    names = dict.fromkeys(LIMITS.get(s, OTHERWISE) if s else OTHERWISE for s in sections)
    folder = files("convsim.report").joinpath("limitations")
    lines = [
        line
        for name in names or (OTHERWISE,)
        for line in _of_file(folder.joinpath(f"{name}.txt").read_text(encoding="utf-8"), passed=_passed(card))
    ]
    return lines + [CHOSEN_BEFOREHAND] * any(needed(finding) for finding in card.findings)


def _passed(card: Scorecard) -> bool:
    """Tell whether a headline passed or, where there is none, a finding."""
    verdicts = [each.verdict for each in card.headlines] or [finding.verdict for finding in card.judged]
    return not PASSING.isdisjoint(verdicts)


def _of_file(text: str, *, passed: bool) -> list[str]:
    """Return a file's lines; those before an empty one say what passing means, those after it hold in any case."""
    meaning, _, always = text.rpartition("\n\n")
    return [*(meaning.splitlines() if passed else []), *always.splitlines()]
