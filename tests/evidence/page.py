"""Writes validators/EVIDENCE.md from what the experiments kept."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from convsim.stats.proportions import wilson_limits
from tests.evidence.reactions import SHOWN
from tests.evidence.sets import PEOPLE, SETS

Z = 1.96
FOUND = 0.8
"""The proportion of runs in which a dose is found, from which it counts as the resolution."""


def page(out: Path) -> str:
    """Return the page as Markdown; experiments that were not run are said."""
    parts = [_intro()]
    for name, part in (
        ("people", _people), ("reactions", _reactions), ("orders", _orders), ("mixtures", _mixtures),
        ("doses", _doses),
    ):  # fmt: skip
        path = out / f"{name}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        parts.append(part(rows) if rows else f"## {name}\n\nNot run.")
        if rows:
            minutes = sum(row["cpu_s"] for row in rows) / 60
            parts[-1] += (
                f"\n\n`python -m tests.evidence {name} --data FOLDER --out OUT`: {minutes:.0f} minutes of a processor."
            )
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _share(happened: Sequence[bool]) -> str:
    n, k = len(happened), sum(happened)
    low, high = (float(limit) for limit in wilson_limits(np.asarray(k / n), np.asarray(n), Z))
    return f"{k} of {n} [{max(0.0, low):.2f}, {high:.2f}]"


def _by(rows: Iterable[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row["asked"][name] for name in names)].append(row["found"])
    return groups


def _intro() -> str:
    sets = _table(
        ["set", "what it is", "where it is published", "units"],
        [[of.name, of.about, of.home, of.by + "s"] for of in SETS],
    )
    return f"""# Evidence

What convsim's verdicts say of real people, and of simulators whose truth is known because they are made of people.
`python -m tests.evidence page --out OUT` writes this page from what the experiments kept; each section has its
command. None of the sets is in the repository: get them, and put them, or links to them, into one folder; convsim
reads them as they are published. Intervals are 95 %; of proportions Wilson's.

{sets}"""


def _people(rows: list[dict[str, Any]]) -> str:
    groups = _by(rows, "set")
    lines = []
    for (name,), found in groups.items():
        counts = [row["verdicts"] for row in found]
        total = [sum(c.values()) for c in counts]
        failing = sum(len(row["failing"]) for row in found)
        lines.append(
            [
                name,
                " and ".join(str(n) for n in found[0]["n"]),
                str(len(found)),
                _share([bool(row["failing"]) for row in found]),
                f"{failing} of {sum(total)}",
                f"{mean(c.get('aligned', 0) / t for c, t in zip(counts, total, strict=True)):.2f}",
                ", ".join(_headlines(found)),
            ]
        )
    names = sorted({f for row in rows for f in row["found"]["failing"]})
    table = _table(
        [
            "set",
            "conversations a side",
            "runs",
            "cards with a failing finding",
            "failing findings",
            "proportion aligned",
            "headlines",
        ],
        lines,
    )
    which = f"Failing were: {', '.join(f'`{name}`' for name in names)}." if names else "No finding failed."
    return f"""## People against people

Random halves of one set's people (kept whole by user, where users are known), one half in the simulator's place: what a
perfect simulator is called at these sizes. Nothing should fail; the level is .05 a family, so a few may.

{table}

{which}"""


def _headlines(found: list[dict[str, Any]]) -> list[str]:
    names = [name for name in found[0]["headlines"] if name != "all"]
    told = []
    for name in names:
        verdicts = [row["headlines"].get(name, "undecided") for row in found]
        told.append(f"{name} aligned {verdicts.count('aligned')}/{len(verdicts)}")
    return told


def _reactions(rows: list[dict[str, Any]]) -> str:
    lines = []
    for (control, treatment), found in _by(rows, "control", "treatment").items():
        known = [row for row in found if row["ratio"] is not None]
        ratios = ", ".join(
            f"{r['ratio']:.2f} [{r['interval'][0]:.2f}, {r['interval'][1]:.2f}]" for r in known
        )
        established = [len(row["established"]) for row in found]
        aligned = sum(v == "aligned" for row in found for v in row["of_established"].values())
        lines.append(
            [
                f"{control} to {treatment}",
                str(len(found)),
                *(", ".join(_mean_shifts(found, name)) for name in SHOWN),
                f"{mean(established):.1f}",
                f"{aligned} of {sum(established)}",
                ratios or "-",
                _share([bool(row["failing"]) for row in found]),
                ", ".join(f"`{name}`" for name in sorted({name for row in found for name in row["failing"]}))
                or "-",
            ]
        )
    verdicts = [row["found"]["verdict"] for row in rows if row["found"]["ratio"] is not None]
    decided = sum(verdict != "undecided" for verdict in verdicts)
    table = _table(
        [
            "agents",
            "runs",
            *(f"shift in {name}" for name in SHOWN),
            "shifts of people established",
            "of these reacts as people",
            "reaction ratio",
            "cards with a failing finding",
            "which",
        ],
        lines,
    )
    return f"""## Reactions of people against reactions of other people

{PEOPLE.name}: one half of the people in the simulator's place of the third pillar, for every pair of the four agents:
what a perfect simulator gets. The ratio is 1 where it reacts as far as people.

{table}

Shifts are those of people and of the other people, on average. A ratio is given where people shift clearly enough over
all metrics: in {len(verdicts)} of {len(rows)} cards; its verdict is decided in {decided}.
`first_message_simulated` asks whether first words depend on the agent, whom nobody had met yet; where it fails of
people, who met which agent may not have been left to chance in these logs, or the test is too eager: which of both has
not been looked into."""


def _mean_shifts(found: Sequence[dict[str, Any]], name: str) -> list[str]:
    sides = ("people", "simulated")
    return [f"{mean(row['shifts'][name][side] for row in found):+.2f}" for side in sides]


def _orders(rows: list[dict[str, Any]]) -> str:
    lines, shares, errors, truths, ratios = [], [], [], [], []
    for (share,), found in sorted(_by(rows, "share").items()):
        of = [row["reaction"]["ratio"] for row in found if row["reaction"]["ratio"] is not None]
        lines.append(
            [
                f"{share:.0%}",
                str(len(found)),
                f"{mean(row['truth'] for row in found):.2f}",
                *(
                    _share([row["verdict"] == verdict for row in found])
                    for verdict in ("aligned", "different")
                ),
                f"{mean(row['kept'] for row in found if row['kept'] is not None):.2f}",
                f"{mean(row['level_error'] for row in found):.3f}",
                f"{mean(of):.2f}" if of else "-",
                _share([bool(row["reaction"]["failing"]) for row in found]),
            ]
        )
    for row in rows:
        found = row["found"]
        shares.append(row["asked"]["share"])
        errors.append(found["level_error"])
        truths.append(found["truth"])
        ratios.append(found["reaction"]["ratio"])
    known = [at for at, ratio in enumerate(ratios) if ratio is not None]
    of_error = spearmanr(errors, truths).statistic
    of_ratio = spearmanr([ratios[at] for at in known], [truths[at] for at in known]).statistic
    table = _table(
        [
            "names permuted", "runs", "correlation with all people's levels", "`rank` aligned", "`rank` different",
            "pairs kept", "level error (points)", "reaction ratio", "counterfactual card fails",
        ],
        lines,
    )  # fmt: skip
    return f"""## Does a nearer simulator rank agents more like people do?

{PEOPLE.name}. A simulator here is the held-out half of the people; in a known share of its conversations the agents'
names are dealt anew. Its words are people's, so that nothing else is wrong. The truth is the correlation of its mean
satisfaction with each agent with that of all people.

{table}

Over all simulators, Spearman's correlation of the truth with `rank`'s level error is {of_error:.2f} (right: negative),
with the reaction ratio {of_ratio:.2f} (right: positive)."""


def _mixtures(rows: list[dict[str, Any]]) -> str:
    lines = []
    for (name,), every in _by(rows, "set").items():
        found = [row for row in every if "refused" not in row]
        off = mean(abs(row["weights"]["little"] - row["right"]["little"]) for row in found)
        lines.append(
            [
                name,
                f"{len(found)} of {len(every)}",
                *(f"{mean(row[of] for row in found):.3f}" for of in ("before", "equal", "after")),
                _share([row["outcome"] == "gained" for row in found]),
                f"{off:.2f}",
            ]
        )
    table = _table(
        [
            "set",
            "runs that had 60 people",
            "nearest alone",
            "equal mixture",
            "tuned",
            "a gain is shown",
            "weights off by",
        ],
        lines,
    )
    return f"""## Does tuning on half of the people come nearer to the other half?

The simulators are held-out people parted at the median of their messages: those who say little, and a quarter of those
who say much. Each alone is wrong; mixed by the right weights they are people. Distances are those from people whom the
weights were not learned from.

{table}"""


def _doses(rows: list[dict[str, Any]]) -> str:
    groups = _by(rows, "n", "dose")
    sizes, doses = (sorted({key[at] for key in groups}) for at in (0, 1))
    names = sorted({f.split(".")[0] for row in rows for f in row["found"]["failing"]})
    cells: dict[str, dict[int, dict[float, list[bool]]]] = {
        name: {
            n: {
                dose: [any(f.startswith(f"{name}.") for f in row["failing"]) for row in groups[n, dose]]
                for dose in doses
            }
            for n in sizes
        }
        for name in names
    }
    lines = [[f"`{name}`", *(_least(cells[name][n], doses) for n in sizes)] for name in names]
    anything = {n: {dose: [bool(row["failing"]) for row in groups[n, dose]] for dose in doses} for n in sizes}
    lines.append(["any of them", *(_least(anything[n], doses) for n in sizes)])
    table = _table(["validator", *(f"{n} a side" for n in sizes)], lines)
    full = _table(
        ["validator", "a side", *(f"{dose:.0%}" for dose in doses)],
        [
            [
                f"`{name}`",
                str(n),
                *(f"{sum(cells[name][n][dose])}/{len(cells[name][n][dose])}" for dose in doses),
            ]
            for name in names
            for n in sizes
        ],
    )
    return f"""## Resolution: the least dose that is found

{PEOPLE.name}: held-out people among whom a share is LLM users of the same tasks, against other people. A dose is found
from where a failing finding is there in {FOUND:.0%} of the runs, at it and above. LLM users' words are a translation,
which is a giveaway of its own: other simulators may need a larger dose.

{table}

In how many runs each validator had a failing finding, by dose (0 %: people against people):

{full}"""


def _least(by_dose: dict[float, list[bool]], doses: Sequence[float]) -> str:
    least = None
    for dose in reversed(doses):
        if dose == 0 or mean(by_dose[dose]) < FOUND:
            break
        least = dose
    return "not found" if least is None else f"{least:.0%}"
