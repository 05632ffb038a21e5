"""Comparisons made by hand, for tests of how they are shown."""

from collections.abc import Sequence

from convsim.evaluation import Comparison, People, SideSummary, SimulatorReport
from convsim.evaluation.memorisation import Memorisation
from convsim.evaluation.scorecard import MadeBy
from convsim.stats.proportions import Proportion

UNKNOWN = {"reason": "nobody asked"}
NO_SHARE = Proportion(unit="messages", reason="what shoppers learned from was not given")
NO_MEMORY = Memorisation(messages=NO_SHARE, after_first=NO_SHARE)


def side(name: str | None = None) -> SideSummary:
    return SideSummary(path=name, sha256="0" * 64, n=40, simulator=name, arms={"good": 40}, tasks={"-": 40})


def simulator(
    name: str, *, seconds: float | None = 2.0, place: str = "on", **more: object
) -> SimulatorReport:
    """Make a simulator whose metric ``turns`` is different and whose ``thanks`` is aligned."""
    known = {"n": 3, "aligned": 1, "different": 1, "undecided": 1}
    baseline = {"mean": 0.05, "q95": 0.1}
    beside = {"noise_floor": baseline, "reason": "-"}
    fields = {
        "name": name, "side": side(name), "failures": 0, "habits": known, "judged": known,
        "distances": [
            {"metric": "turns", "ks": 0.4, "interval": (0.3, 0.5), "verdict": "different", **beside},
            {"metric": "thanks", "ks": 0.05, "interval": (0.0, 0.1), "verdict": "aligned", **beside},
            {"metric": "left", "ks": None, "interval": None, "verdict": "undecided", **beside, "noise_floor": None},
        ],
        "mean_distance": {"estimate": 0.225, "interval": (0.2, 0.25), "reason": "-"}, "mean_distance_floor": baseline,
        "hls": {"estimate": 0.31, "reason": "-"}, "relative_hls": UNKNOWN, "reactions": {"agreement": UNKNOWN},
        "endings": {"left": 30, "accepted": 10},
        "overlap": {"n_learned": 0, "n_identical": 0, "share_learned": 0.0, "reason": None},
        "titles_named_early": NO_SHARE, "titles_beyond_people": {}, "memorisation": NO_MEMORY,
        "memorised_beyond_people": {},
        "cost": {"n_known": 40, "seconds": seconds, "reasons": {"cost_usd": "no tokens were counted"}},
        "front": {"place": place, "reason": "a reason"}, **more,
    }  # fmt: skip
    return SimulatorReport.model_validate(fields)


def comparison(*simulators: SimulatorReport, **more: object) -> Comparison:
    people = People(
        side=side(), failures=0, endings={"left": 40}, titles_named_early=NO_SHARE, memorisation=NO_MEMORY
    )
    fields = {"seed": 1, "made_by": MadeBy(convsim="1"), "people": people, "cost_axis": "seconds", **more}
    return Comparison.model_validate({**fields, "simulators": simulators})


def generalisation(names: Sequence[str], caught: Sequence[Sequence[float]]) -> list[dict[str, object]]:
    """Make the standings of discriminators: a row for each that was learned against, a column for whom it reads."""
    return [
        {
            "validator": "humanlikeness", "metric": "generalisation", "question": "?", "simulator": names[column],
            "against": names[row], "estimate": share, "unit": "share", "reason": "-", "n_real": 1, "n_simulated": 1,
            "seed": 1, "version": "1", "source": "a test", "details": {"false_alarms": 0.07 + row / 100},
        }
        for row, shares in enumerate(caught) for column, share in enumerate(shares)
    ]  # fmt: skip
