"""Do people's first words depend on an agent whom nobody had met yet? The test against who was given which agent.

The agents' names are dealt anew in ways in which first words cannot depend on them, and in one in which they can: among
the conversations of one brief, so that each agent keeps the briefs that it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from convsim.errors import InputError
from convsim.schema import Corpus
from convsim.schema.conversation import Conversation
from convsim.stats.decision import ALPHA
from convsim.stats.kernel import discrepancies, embed
from convsim.stats.multiplicity import permutation_p_value
from convsim_validators.counterfactual.first_message import independence_findings
from convsim_validators.counterfactual.openings import Openings
from convsim_validators.counterfactual.two_arm import Arms
from tests.evidence.kept import Kept
from tests.evidence.sets import AGENTS, PEOPLE, halves, read
from tests.evidence.tables import as_table, by

N_DEALT = 99
N_SHUFFLED = 999
N_HALVED = 199
NOBODY = Corpus([], pd.DataFrame(), {})
GROUPS: dict[str, Callable[[Conversation], str]] = {
    "freely": lambda _: "",
    "within a task": lambda c: str(c.task),
    "within a user": lambda c: str(c.user),
    "within a user's task": lambda c: f"{c.user} {c.task}",
    "within a brief": lambda c: brief_of(c),
}
"""Among which conversations the agents' names are dealt anew."""
TABLES = {"task": GROUPS["within a task"], "brief": GROUPS["within a brief"], "user": GROUPS["within a user"]}


def brief_of(conversation: Conversation) -> str:
    """Return which of the set's briefs a user was given: the task and the number that end the conversation's name."""
    found = re.search(r"([a-z]+)[-_/](\d+)(\.json)?$", conversation.id)
    if found is None:
        raise InputError(f"{PEOPLE.name}: {conversation.id!r} does not end with a task and a number")
    return f"{found[1]}-{found[2]}"


def shuffled(values: Sequence[str], groups: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Deal values anew among those of one group."""
    dealt, of = np.asarray(values, object), np.asarray(groups, object)
    for group in sorted({*groups}):
        rows = np.flatnonzero(of == group)
        dealt[rows] = rng.permutation(dealt[rows])
    return [str(value) for value in dealt]


def run(data: Path, out: Path, runs: int) -> None:
    """Test all pairs of agents ``runs`` times a way of dealing; and the names as they are."""
    kept = Kept(out / "firsts.jsonl")
    people = read(data, PEOPLE).conversations
    for of in TABLES:
        kept.row({"table": of}, partial(_table, people, of))
    for control, treatment in combinations(AGENTS, 2):
        for within in ("task", "brief"):
            asked = {"control": control, "treatment": treatment, "within": within}
            kept.row(asked, partial(_as_it_is, people, Arms(control, treatment), within))
    for seed in range(runs):
        for how in GROUPS:
            kept.row({"dealt": how, "seed": seed}, partial(_dealt, people, how, seed))
        kept.row({"halves": seed}, partial(_halved, data, seed))


def _table(people: Sequence[Conversation], of: str) -> dict[str, Any]:
    from scipy.stats import chi2_contingency

    rows, row_of = np.unique([TABLES[of](c) for c in people], return_inverse=True)
    arms, arm_of = np.unique([str(c.arm) for c in people], return_inverse=True)
    counts = np.zeros((len(rows), len(arms)), np.int64)
    np.add.at(counts, (row_of, arm_of), 1)
    found = chi2_contingency(counts)
    proportions = counts / counts.sum(axis=1, keepdims=True)
    row, arm = np.unravel_index(int(proportions.argmax()), counts.shape)
    return {
        "chi_squared": float(found.statistic),
        "df": int(found.dof),
        "p_value": float(found.pvalue),
        "largest": {
            "row": str(rows[row]),
            "arm": str(arms[arm]),
            "n": int(counts[row, arm]),
            "of": int(counts[row].sum()),
        },
    }


def _corpus(conversations: Sequence[Conversation]) -> Corpus:
    return Corpus(list(conversations), pd.DataFrame(index=range(len(conversations))), {})


def _dealt(people: Sequence[Conversation], how: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, list(GROUPS).index(how)])
    arms = shuffled([str(c.arm) for c in people], [GROUPS[how](c) for c in people], rng)
    side = _corpus([c.but(arm=arm, agent=arm) for c, arm in zip(people, arms, strict=True)])
    rejected = []
    for pair in combinations(AGENTS, 2):
        found, _ = independence_findings(side, NOBODY, arms=Arms(*pair), n_resamples=N_DEALT, seed=seed)
        rejected.append(found.verdict == "different")
    return {"rejected": rejected}


def _halved(data: Path, seed: int) -> dict[str, Any]:
    """Put one half of the people in the simulator's place; whether its own test rejects, and what is said of it."""
    dealt = halves(data, PEOPLE, seed)
    sides = _corpus(dealt.a), _corpus(dealt.b)
    alone, said = [], []
    for pair in combinations(AGENTS, 2):
        _, found = independence_findings(*sides, arms=Arms(*pair), n_resamples=N_HALVED, seed=seed)
        alone.append(found.p_value is not None and found.p_value <= ALPHA)
        said.append(found.verdict == "different")
    return {"alone": alone, "said": said}


def _as_it_is(people: Sequence[Conversation], arms: Arms, within: str) -> dict[str, Any]:
    """Shuffle the two agents' names within tasks, or briefs, whoever the user is; and the shifts within these."""
    group = TABLES[within]
    met = [c.but(task=group(c)) for c in people if c.arm in arms]
    openings = Openings.of(_corpus(met), arms)
    embedded, _ = embed(openings.texts)
    rng = np.random.default_rng(0)
    dealt = np.stack([_shuffled_rows(openings, rng) for _ in range(N_SHUFFLED)])
    observed = discrepancies(embedded, openings.treated[None, :], openings.task_of)[0]
    under_null = discrepancies(embedded, dealt, openings.task_of)
    return {
        "p_value": permutation_p_value(float(observed), under_null),
        "shift": {name: _shift(met, arms, value) for name, value in VALUES.items()},
    }


def _shuffled_rows(openings: Openings, rng: np.random.Generator) -> Any:
    treated = openings.treated.copy()
    for task in range(openings.task_of.max() + 1):
        rows = np.flatnonzero(openings.task_of == task)
        treated[rows] = rng.permutation(treated[rows])
    return treated


def _satisfaction(conversation: Conversation) -> float | None:
    rated = [label.value for label in conversation.labels.get("satisfaction", ())]
    return float(rated[0]) if rated and isinstance(rated[0], int | float) else None


VALUES: dict[str, Callable[[Conversation], float | None]] = {
    "satisfaction": _satisfaction,
    "user messages": lambda c: float(len([*c.user_messages])),
}


def _shift(met: Sequence[Conversation], arms: Arms, of: Callable[[Conversation], float | None]) -> float:
    """Return the treated less the control mean, averaged over tasks by their conversations."""
    rows = [(str(c.task), c.arm == arms.treatment, value) for c in met if (value := of(c)) is not None]
    table = pd.DataFrame(rows, columns=["task", "treated", "value"])
    means = table.pivot_table(index="task", columns="treated", values="value").dropna()
    weights = table.groupby("task").size().loc[means.index]
    return float(np.average(means[True] - means[False], weights=weights))


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    tables = {row["asked"]["table"]: row["found"] for row in rows if "table" in row["asked"]}
    largest = tables["brief"]["largest"]
    chi = as_table(
        ["agent by", "chi-squared", "degrees of freedom", "p"],
        [[of, f"{t['chi_squared']:.0f}", str(t["df"]), f"{t['p_value']:.2g}"] for of, t in tables.items()],
    )
    dealt = {
        how: [float(np.mean(row["rejected"])) for row in found]
        for (how,), found in by([row for row in rows if "dealt" in row["asked"]], "dealt").items()
    }
    real, low = _real([row for row in rows if "within" in row["asked"]])
    changed = as_table(
        ["names dealt anew", "times", "pairs whose first words depend on the agent"],
        [[how, str(len(said)), _over(said)] for how, said in dealt.items()],
    )
    split = [row["found"] for row in rows if "halves" in row["asked"]]
    alone, said = ([float(np.mean(row[name])) for row in split] for name in ("alone", "said"))
    return f"""## Do people's first words know an agent whom nobody had met yet?

{PEOPLE.name}'s people were given briefs in four tasks. Were agents left to chance, briefs, tasks and users would share
them evenly. Of the {largest["of"]} conversations of `{largest["row"]}`, {largest["n"]} were with {largest["arm"]}.

{chi}

What `first_message_real` says of all people, six pairs of agents, at the level .05, when agents' names are dealt anew
(intervals are over dealings, since the pairs of one hang together).
Dealt freely, within users or within tasks, first words cannot know them; dealt within a brief, each agent keeps the
briefs that it has:

{changed}

{_held(dealt)}
With the names as they are, shuffled among the conversations of one task, {low["task"]} of {len(real)} pairs have a p of
at most .05; among those of one brief, {low["brief"]}. Shifts are the second agent's mean less the
first one's, averaged over tasks, or briefs:

{as_table(["agents", *HEAD], real)}

Who is given such briefs says other words to each agent without knowing it, a perfect simulator as well. Therefore
`first_message_simulated` is undecided where people's first words may lean the same way, unless the simulator's are
shown to go another, or its personas met both agents. With one half of the people in the simulator's place,
{len(split)} times, the test of that half alone finds a dependence in {_over(alone)} of the cards;
{_over(said)} say that the simulator knows the agent."""


Z, Z_OF_FOUR = 1.96, 2.5
"""Standard errors to the limits of a 95 % interval, and of four that hold together."""


def _limits(proportions: Sequence[float], z: float = Z) -> tuple[float, float, float]:
    """Return a mean over dealings or halvings, whose six pairs hang together, with its interval over these."""
    half = z * float(np.std(proportions, ddof=1)) / len(proportions) ** 0.5
    middle = float(np.mean(proportions))
    return middle, max(0.0, middle - half), middle + half


def _over(proportions: Sequence[float]) -> str:
    middle, low, high = _limits(proportions)
    return f"{middle:.0%} [{low:.0%}, {high:.0%}]"


def _held(dealt: dict[str, list[float]]) -> str:
    low = {how: _limits(said, Z_OF_FOUR)[1] for how, said in dealt.items()}
    *by_chance, inherited = GROUPS
    eager = [how for how in by_chance if low[how] > 0.05]
    level = "That the test goes beyond its level where agents are dealt by chance is not shown (four ways together)"
    if eager:
        level = f"The test goes beyond its level where names are dealt {' or '.join(eager)}"
    finds = "finds" if low[inherited] > 0.05 else "does not find"
    return f"{level}; it {finds} the briefs where these are what differs."


HEAD = [
    f"{what} within {group}s"
    for what in ("p", *(f"shift in {name}" for name in VALUES))
    for group in ("task", "brief")
]


def _real(rows: list[dict[str, Any]]) -> tuple[list[list[str]], dict[str, int]]:
    found = {key: of[0] for key, of in by(rows, "control", "treatment", "within").items()}
    low = {
        group: sum(of["p_value"] <= 0.05 for key, of in found.items() if key[2] == group)
        for group in ("task", "brief")
    }
    lines = []
    for control, treatment in dict.fromkeys(key[:2] for key in found):
        pair = [found[control, treatment, group] for group in low]
        shifts = [f"{of['shift'][name]:+.2f}" for name in VALUES for of in pair]
        lines.append([f"{control} to {treatment}", *(f"{of['p_value']:.3f}" for of in pair), *shifts])
    return lines, low
