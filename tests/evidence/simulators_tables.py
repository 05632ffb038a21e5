"""The page's section on simulators against people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.evidence.sets import CRSARENA, LLM_USERS, PEOPLE, SIMMC
from tests.evidence.simulators import OTHER_PEOPLE, PLACES, PLANS, SHOWN, STEPS
from tests.evidence.tables import as_table, with_interval

QUESTIONS = ("ending", "decision", "item", "act")
HEADLINES = ("habits", "words", "coherence", "diversity")
Found = Mapping[str, Any]


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say; of a set's comparisons the last."""
    of = {
        what: {row["asked"]["set"]: row["found"] for row in rows if row["asked"]["what"] == what}
        for what in ("comparison", "LLM users")
    }
    probes = [(row["asked"], row["found"]) for row in rows if row["asked"]["what"] == "probe"]
    parts = [_intro()]
    for name, found in of["comparison"].items():
        about = {asked["shopper"]: probe for asked, probe in probes if asked["set"] == name}
        parts += [f"### {name}", *_of_set(found, about), *_not_run(name, found)]
    for found in of["LLM users"].values():
        parts += [f"### {LLM_USERS.name}", _of_llm_users(found)]
    return "\n\n".join(parts)


def _intro() -> str:
    return f"""## Simulators against people

Half of a set's users teach, the other half judge, in {SIMMC.name} and {CRSARENA.name}. Every shopper meets the same
agent: it says what the set's own agents said after much the same words, and does not react to more. `resample` says
people's messages again, `hybrid hazard` too, after a learned policy; `prompted`, `icl` (with three people's
conversations in the prompt) and `sft` ({STEPS} steps of four conversations) speak by the model in brackets, whose
words in `hybrid hazard, prompted` and `hybrid hazard, sft` follow the policy (learned of {SIMMC.name} alone: in
{CRSARENA.name} nobody says how it ended). The models are small: what is said here of `prompted` is said of them, not of
large ones. *{OTHER_PEOPLE}* are those who teach, in a simulator's place: what a perfect one gets."""


def _of_set(found: Found, probes: Mapping[str, Found]) -> Iterable[str]:
    people, simulators = found["people"], found["simulators"]
    yield _overall(people, simulators)
    yield _failing(simulators)
    yield _transfer(found)
    if found["control"] is not None:
        yield _reactions(simulators, found["control"])
    yield _cost(simulators)
    if probes:
        yield _probes(probes)


def _not_run(name: str, found: Found) -> Iterable[str]:
    """Say which shoppers of the plan are missing."""
    asked = [shopper.name for plan in PLANS if plan.set == name for shopper in plan.shoppers]
    if missing := [shopper for shopper in asked if shopper not in found["simulators"]]:
        yield f"Planned and not run to their end: {', '.join(missing)}."


def _overall(people: Found, simulators: Mapping[str, Found]) -> str:
    lines = [
        [
            name,
            f"{one['n']} ({one['failures']})",
            with_interval(one["mean_distance"]),
            _number(one["floor"]),
            with_interval(one["hls"]),
            f"{one['judged']['aligned']}, {one['judged']['different']}, {one['judged']['undecided']}",
            *(one.get("headlines", {}).get(headline, "-") for headline in HEADLINES),
            f"{one['messages']:.1f}",
            f"{one['words']:.1f}",
        ]
        for name, one in simulators.items()
    ]
    table = as_table(
        [
            "shopper", "conversations (failed)", "mean distance (PLSA)", "people's 95 %", "HLS",
            "aligned, different, undecided", *HEADLINES, "messages", "words a message",
        ],
        lines,
    )  # fmt: skip
    return f"""{table}

The mean distance is Kolmogorov and Smirnov's, over all habits; *people's 95 %* is what two groups of people of these
sizes stay below in 95 of 100 cases. HLS is .5 where nothing gives the shopper away. People who judge send
{people["messages"]:.1f} messages of {people["words"]:.1f} words. Findings are of all judged ones; of fewer
conversations, more are undecided.

{_ordered(simulators)}"""


def _ordered(simulators: Mapping[str, Found]) -> str:
    """Say in which order distance and HLS put the simulators, and of whom nothing fails."""
    judged = {
        name: one
        for name, one in simulators.items()
        if one["mean_distance"]["estimate"] is not None and one["hls"]["estimate"] is not None
    }
    by_distance = sorted(judged, key=lambda name: judged[name]["mean_distance"]["estimate"])
    by_hls = sorted(judged, key=lambda name: -judged[name]["hls"]["estimate"])
    clean = [name for name, one in judged.items() if not one.get("failing")]
    apart = [name for name, one in judged.items() if one["mean_distance"]["estimate"] > (one["floor"] or 1)]
    return f"""By distance, the nearest first: {_several(by_distance)}. By HLS: {_several(by_hls)}.
None of these findings fails of: {_several(clean)}. Farther than two groups of people: {_several(apart)}."""


def _several(names: Iterable[str]) -> str:
    return "; ".join(names) or "nobody"


def _failing(simulators: Mapping[str, Found]) -> str:
    lines = []
    for name, one in simulators.items():
        failing = one.get("failing", [])
        others = sorted({f.split(".")[0] for f in failing} - {*SHOWN})
        lines.append(
            [
                name,
                *(_metrics(f for f in failing if f.startswith(f"{validator}.")) for validator in SHOWN),
                ", ".join(f"`{other}`" for other in others) or "-",
            ]
        )
    table = as_table(["shopper", *SHOWN, "other validators"], lines)
    return f"Findings that fail, by validator:\n\n{table}"


def _metrics(failing: Iterable[str]) -> str:
    return ", ".join(f"`{f.split('.', 1)[1]}`" for f in failing) or "-"


def _transfer(found: Found) -> str:
    transfer, alarms = found["transfer"], found["false_alarms"]
    names = [name for name in found["simulators"] if name in transfer]
    table = as_table(
        ["classifier trained on", *names, "people who judge"],
        [
            [
                trained,
                *(_number(transfer[trained].get(applied)) for applied in names),
                _number(alarms[trained]),
            ]
            for trained in names
        ],
    )
    return f"""Which proportion of a shopper's conversations is called simulated by a classifier that was trained to
tell people from the shopper of the row, and has seen none of them (but for the words of *{OTHER_PEOPLE}*, which
`resample` and `hybrid hazard` say again):

{table}"""


def _reactions(simulators: Mapping[str, Found], control: str) -> str:
    lines = []
    for name, one in simulators.items():
        of = one["reactions"]
        ratio, agreement = of["ratio"], of["agreement"]
        known = ratio is not None and ratio["estimate"] is not None
        lines.append(
            [
                name,
                with_interval(ratio) if known else "-",
                ratio["verdict"] or "-" if ratio else "-",
                with_interval(agreement),
                agreement["verdict"] or "-",
                ", ".join(f"{n} {verdict}" for verdict, n in of["counts"].items()) or "-",
                _metrics(of["failing"]),
            ]
        )
    table = as_table(
        ["shopper", "reaction ratio", "verdict", "same direction", "verdict", "metrics", "failing"], lines
    )
    unknown = sorted(
        {
            one["reactions"]["ratio"]["reason"].split(" (")[0]
            for one in simulators.values()
            if one["reactions"]["ratio"] and one["reactions"]["ratio"]["estimate"] is None
        }
    )
    why = f" Where there is no ratio: {'; '.join(unknown)}." if unknown else ""
    return f"""Reactions, from the worse agents (`{control}`) to the better one; all else is of the worse alone, whom
three times as many people met:

{table}

Simulated shoppers do not rate, so that what people say of satisfaction has no counterpart in them. What fails of
*{OTHER_PEOPLE}*, too, tells nothing of a shopper.{why}"""


def _cost(simulators: Mapping[str, Found]) -> str:
    lines = [
        [
            name,
            _number(one["cpu_s"]),
            *(_whole(one["cost"][of]) for of in ("requests", "input_tokens", "output_tokens")),
        ]
        for name, one in simulators.items()
        if name != OTHER_PEOPLE
    ]
    table = as_table(["shopper", "processor seconds", "requests", "tokens read", "tokens written"], lines)
    return f"A conversation costs, on the machine that held them, starting and loading included:\n\n{table}"


def _probes(probes: Mapping[str, Found]) -> str:
    asked = [
        question
        for question in QUESTIONS
        if any(one["questions"].get(question, {}).get("estimate") is not None for one in probes.values())
    ]
    lines = []
    for name, one in probes.items():
        cells = []
        for question in asked:
            of = one["questions"].get(question)
            cells.append(
                f"{of['estimate']:.2f} against {of['baseline']:.2f}: {of['verdict']}"
                if of and of["estimate"] is not None and of["baseline"] is not None
                else "-"
            )
        lines.append([name, f"{one['n']} ({one['failed']})", *cells])
    table = as_table(["shopper", "places (failed answers)", *asked], lines)
    return f"""`probe` asks at {PLACES} places at which a person of the judging half moved what the shopper would do
there; its score against that of a baseline that knows the turn and nothing else (Brier score: less is better):

{table}"""


def _of_llm_users(found: Found) -> str:
    return f"""{PEOPLE.name}'s LLM users of the same tasks against half of its people, and the other half beside them.
Their words are the set's own translation into Chinese, which is a giveaway of its own.

{_overall(found["people"], found["simulators"])}

{_failing(found["simulators"])}"""


def _number(of: float | None) -> str:
    return "-" if of is None else f"{of:.2f}"


def _whole(of: float | None) -> str:
    return "-" if of is None else f"{of:,.0f}"
