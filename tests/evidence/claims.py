"""The paper's claims, and those of later work, one by one: reproduced, not reproduced, or not to be told here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from tests.evidence.doses import least
from tests.evidence.simulators import OTHER_PEOPLE
from tests.evidence.tables import as_table, by, in_how_many, proportion_limits, with_interval

LEVEL = 0.05
HARDLY = 0.3
"""Kendall's tau up to which two hardly agree."""
Rows = Mapping[str, Sequence[dict[str, Any]]]
"""What each experiment kept, by its name."""
Outcome = Literal["reproduced", "not reproduced", "cannot be told here"]


class Here(NamedTuple):
    """What was found here, and what that makes of a claim."""

    found: str
    outcome: Outcome


class Claim(NamedTuple):
    """A claim, what was reported for it, and the experiments without which nothing is said of it."""

    says: str
    reported: str
    needs: str
    judge: Callable[[Rows], Here]


def section(rows: Rows) -> str:
    """Write what each claim comes to, by the rows of all experiments."""
    lines = []
    for claim in CLAIMS:
        here = (
            claim.judge(rows)
            if rows.get(claim.needs)
            else Here(f"`{claim.needs}` was not run", "cannot be told here")
        )
        lines.append([claim.says, claim.reported, here.found, here.outcome])
    minutes = sum(row["cpu_s"] for row in rows.get("paper", ())) / 60
    table = as_table(["claim", "reported", "here, with 95 % intervals", "outcome"], lines)
    return f"""## The paper's claims, one by one

The paper is Meshi et al. (2026), ConvApparel, arXiv 2602.16938; figures are as reported, not measured here. Its set and
its models are not here: a claim is *reproduced* where other people and small models show it beyond their interval,
*not reproduced* where they show the contrary, and otherwise *cannot be told here*. That nothing differs counts as
reproduced where no more is refused than the level {LEVEL} lets expect.

{table}

`python -m tests.evidence paper --data FOLDER --out OUT` ({minutes:.0f} minutes of a processor) measures people's shifts
and agreement; all else is from the sections above."""


def _halves(rows: Rows) -> Here:
    cards = [row["found"] for row in rows["people"]]
    findings = sum(sum(card["verdicts"].values()) for card in cards)
    failing = sum(len(card["failing"]) for card in cards)
    fails = in_how_many([bool(card["failing"]) for card in cards])
    found = f"{failing} of {findings} findings fail; cards with a failing finding: {fails}"
    return Here(found, "reproduced" if failing <= LEVEL * findings else "not reproduced")


def _shifts(metric: str, sign: int, *sets: str) -> Callable[[Rows], Here]:
    """Judge whether people shift that way in all of these sets; those that lack the metric are no evidence."""

    def judge(rows: Rows) -> Here:
        told, ways = [], []
        for row in rows["paper"]:
            asked = row["asked"]
            shift = row["found"].get("shifts", {}).get(metric) if asked["of"] == "shifts" else None
            if shift is None or asked["set"] not in sets:
                continue
            low, high = shift["interval"]
            means = shift["means"]
            told.append(
                f"{asked['set']}, {asked['control']} to {asked['treatment']}: {means['control']:.2f} to "
                f"{means['treatment']:.2f}, {shift['estimate']:+.2f} [{low:+.2f}, {high:+.2f}]"
            )
            ways.append(
                1 if sign * low > 0 and sign * high > 0 else -1 if sign * low < 0 > sign * high else 0
            )
        if ways and all(way == 1 for way in ways):
            outcome: Outcome = "reproduced"
        else:
            outcome = "not reproduced" if -1 in ways else "cannot be told here"
        return Here("; ".join(told) or "no set records it", outcome)

    return judge


def _hardly_agrees(source: str) -> Callable[[Rows], Here]:
    def judge(rows: Rows) -> Here:
        asked = {"of": "agreement", "source": source}
        found = next((row["found"] for row in rows["paper"] if asked.items() <= row["asked"].items()), None)
        if found is None:
            return Here("was not asked", "cannot be told here")
        low, high = found["interval"]
        told = f"CRSArena: tau-b {found['tau_b']:.2f} [{low:.2f}, {high:.2f}] of {found['n']} conversations"
        if high <= HARDLY:
            return Here(told, "reproduced")
        return Here(told, "not reproduced" if low > HARDLY else "cannot be told here")

    return judge


def _first_words(rows: Rows) -> Here:
    """Judge people's first words among those who were given one brief, as briefs were not dealt alike to agents."""
    known: dict[str, list[float]] = {"task": [], "brief": []}
    for row in rows["firsts"]:
        if "within" in row["asked"]:
            known[row["asked"]["within"]].append(row["found"]["p_value"])
    if not known["brief"]:
        return Here("was not asked", "cannot be told here")
    told = "; ".join(
        f"with {sum(p <= LEVEL for p in of)} of {len(of)} pairs of agents within a {unit}"
        for unit, of in known.items()
    )
    # Bonferroni's correction: one pair of several may have a small p by chance.
    shown = min(known["brief"]) * len(known["brief"]) <= LEVEL
    outcome: Outcome = "not reproduced" if shown else "reproduced"
    return Here(f"RecLLMSim, people's first words depend on the agent (p at most {LEVEL}) {told}", outcome)


def _joint(rows: Rows) -> Here:
    """Hold the least dose that ``joint`` finds against that of ``marginals``, in every ladder and at every size."""
    judged = [row for row in rows["doses"] if "refused" not in row["found"]]
    told, ways = [], set()
    for others, n in sorted({(row["asked"]["others"], row["asked"]["n"]) for row in judged}):
        of = [row for row in judged if (row["asked"]["others"], row["asked"]["n"]) == (others, n)]
        joint, marginals = (
            least(
                {
                    dose: [any(f.startswith(f"{name}.") for f in found["failing"]) for found in every]
                    for (dose,), every in by(of, "dose").items()
                }
            )
            for name in ("joint", "marginals")
        )
        told.append(f"{others}, {n} a side: `joint` {_dose(joint)}, `marginals` {_dose(marginals)}")
        ways.add(int(np.sign((marginals or np.inf) - (joint or np.inf)) if joint != marginals else 0))
    outcome: Outcome = "cannot be told here"
    if 1 in ways and -1 not in ways:
        outcome = "reproduced"
    elif -1 in ways and 1 not in ways:
        outcome = "not reproduced"
    return Here("least dose that is found: " + "; ".join(told), outcome)


def _dose(dose: float | None) -> str:
    return "none" if dose is None else f"{dose:.0%}"


class _Shopper(NamedTuple):
    """One simulator of one set, and the whole comparison that it stands in."""

    set: str
    made: str
    """How: prompted, icl, sft."""
    model: str
    found: Mapping[str, Any]
    comparison: Mapping[str, Any]
    name: str


def _spoken_by_models(rows: Rows) -> list[_Shopper]:
    """Return the shoppers of comparisons whose words are a model's alone; of a set's comparisons the last."""
    last = {
        row["asked"]["set"]: row["found"]
        for row in rows["simulators"]
        if row["asked"]["what"] == "comparison"
    }
    return [
        _Shopper(of, *_made(name), found=found, comparison=comparison, name=name)
        for of, comparison in last.items()
        for name, found in comparison["simulators"].items()
        if name != OTHER_PEOPLE and " (" in name and not name.startswith("hybrid")
    ]


def _made(name: str) -> tuple[str, str]:
    made, _, model = name.partition(" (")
    return made, model.rstrip(")")


def _human_likeness(rows: Rows) -> Here:
    told, verdicts = [], []
    for one in _spoken_by_models(rows):
        hls = one.found["hls"]
        if hls["estimate"] is None:
            continue
        told.append(f"{one.set}, {one.name}: {with_interval(hls)} {hls['verdict']}")
        verdicts.append(hls["verdict"])
    outcome: Outcome = "cannot be told here"
    if verdicts and all(verdict == "different" for verdict in verdicts):
        outcome = "reproduced"
    elif "aligned" in verdicts:
        outcome = "not reproduced"
    return Here("; ".join(told) or "none was judged", outcome)


def _nearer(made: str) -> Callable[[Rows], Here]:
    """Judge whether a shopper that learned from people is nearer to others than the prompted one of the same model."""
    return _against_prompted(made, "mean_distance", lambda found: found["mean_distance"])


def _reacts_more(made: str) -> Callable[[Rows], Here]:
    return _against_prompted(made, "reaction ratio", lambda found: found["reactions"]["ratio"], larger=True)


def _against_prompted(
    made: str, what: str, measure: Callable[[Mapping[str, Any]], Any], *, larger: bool = False
) -> Callable[[Rows], Here]:
    """Compare two shoppers' intervals: one is beyond the other only where the intervals do not overlap."""

    def judge(rows: Rows) -> Here:
        models = _spoken_by_models(rows)
        told, ways = [], []
        for one in models:
            prompted = next(
                (o for o in models if (o.set, o.model, o.made) == (one.set, one.model, "prompted")), None
            )
            if one.made != made or prompted is None:
                continue
            ours, theirs = measure(one.found), measure(prompted.found)
            if not (ours and theirs and ours["interval"] and theirs["interval"]):
                continue
            told.append(f"{one.set}, {one.model}: {with_interval(ours)}, prompted {with_interval(theirs)}")
            below = ours["interval"][1] < theirs["interval"][0]
            above = ours["interval"][0] > theirs["interval"][1]
            ways.append((above - below) if larger else (below - above))
        outcome: Outcome = "cannot be told here"
        if 1 in ways and -1 not in ways:
            outcome = "reproduced"
        elif -1 in ways and 1 not in ways:
            outcome = "not reproduced"
        return Here("; ".join(told) or f"no {what} of both", outcome)

    return judge


def _transfer(rows: Rows) -> Here:
    """Judge whether what was trained on the fine-tuned shopper catches the prompted one oftener than the reverse."""
    told, ways = [], []
    models = _spoken_by_models(rows)
    for one in models:
        other = next(
            (o for o in models if (o.set, o.model, o.made) == (one.set, one.model, "prompted")), None
        )
        if one.made != "sft" or other is None:
            continue
        transfer = one.comparison["transfer"]
        there = transfer.get(one.name, {}).get(other.name)
        back = transfer.get(other.name, {}).get(one.name)
        if there is None or back is None:
            continue
        of_there, of_back = (
            proportion_limits(round(share * n), n)
            for share, n in ((there, other.found["n"]), (back, one.found["n"]))
        )
        told.append(
            f"{one.set}, {one.model}: {there:.2f} [{of_there[0]:.2f}, {of_there[1]:.2f}] and {back:.2f} "
            f"[{of_back[0]:.2f}, {of_back[1]:.2f}]"
        )
        ways.append((of_there[0] > of_back[1]) - (of_there[1] < of_back[0]))
    outcome: Outcome = "cannot be told here"
    if ways and all(way == 1 for way in ways):
        outcome = "reproduced"
    elif -1 in ways:
        outcome = "not reproduced"
    return Here("; ".join(told) or "no shopper of both kinds was judged", outcome)


SATISFACTION = ("CRSArena", "RecLLMSim")
CLAIMS = (
    Claim("Two halves of people are indistinguishable", "yes", "people", _halves),
    Claim(
        "People are less satisfied with a worse agent", ".38 to .23 of them", "paper",
        _shifts("satisfaction", -1, *SATISFACTION),
    ),
    Claim(
        "… are more frustrated (as rules read it)", ".06 to .16", "paper", _shifts("frustration", 1, "CRSArena"),
    ),
    Claim("… accept less of what is recommended", "10.8 % less", "paper", _shifts("accepted", -1, *SATISFACTION)),
    Claim("… criticise more (as rules read it)", "yes", "paper", _shifts("act_feedback_negative", 1, "CRSArena")),
    Claim(
        "… ask for clarification more (as rules read it)", "yes", "paper",
        _shifts("act_ask_clarification", 1, "CRSArena"),
    ),
    Claim(
        "A third party hardly knows how satisfied the user was (tau of .3 at most)", "Kendall's tau .155", "paper",
        _hardly_agrees("third_party"),
    ),
    Claim("No shopper that a model speaks for passes for people: HLS", "mean .004", "simulators", _human_likeness),
    Claim("ICL is nearer to people's habits than Prompted", "yes", "simulators", _nearer("icl")),
    Claim("SFT is nearer to people's habits than Prompted", "yes", "simulators", _nearer("sft")),
    Claim(
        "What was trained on SFT catches Prompted, and not the reverse", ".978 and .041", "simulators", _transfer,
    ),
    Claim("ICL reacts more than Prompted", "yes", "simulators", _reacts_more("icl")),
    Claim("SFT reacts more than Prompted", "yes", "simulators", _reacts_more("sft")),
    Claim(
        "First words do not depend on the agent, whom nobody has met (arXiv 2605.11519)", "by design", "firsts",
        _first_words,
    ),
    Claim(
        "Marginals that match prove little: test jointly too (arXiv 2609.07305)", "yes", "doses", _joint,
    ),
)  # fmt: skip
