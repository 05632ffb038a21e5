"""What a pass does not show: three lines under every report, by what was asked."""

from importlib.resources import files

from convsim.battery.scorecard import Scorecard

ASKED = {"counterfactual": "shifts", "dose_response": "no_people", "relations": "no_people", "arena": "arena"}
"""Which lines belong to which validator; to all others those of a comparison."""


def limits(card: Scorecard) -> list[str]:
    """Return the lines for what a scorecard asked."""
    names = dict.fromkeys(ASKED.get(finding.validator, "comparison") for finding in card.findings)
    folder = files("convsim.report").joinpath("limitations")
    return [
        line
        for name in names or ("comparison",)
        for line in folder.joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines()
    ]
