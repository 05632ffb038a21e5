"""Simulators ranked by convsim and by a blind judge: raters of known skill in the arena, and how many votes it takes.

A simulator here is held-out people among whom a known share are LLM users: the share is the truth. A rater tells an LLM
user from a person with a known probability and guesses between two people, so that the odds of being right grow with
the share.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.stats import kendalltau

import convsim
from convsim.schema.conversation import Conversation
from tests.evidence.doses import dosed
from tests.evidence.kept import Kept
from tests.evidence.scripted_raters import Rater, first_words, rate, results, served, simulator_of, skills
from tests.evidence.sets import LLM_USERS, PEOPLE, halves, read

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 1.0)
NAMES = tuple(f"{share:.0%}".replace("%", " LLM") for share in SHARES)
N_PEOPLE, N_EACH = 200, 100
SKILLS = (0.6, 0.75, 0.9)
N_PAIRS = 10
"""Pairs of each simulator in an arena; every rater judges all of them."""
N_RATERS = 10
CONVSIM = {"mean_distance": 1, "hls": -1}
"""Scores of convsim, and whether a larger one means farther from people."""
VOTES, PER_PAIR = (10, 20, 50, 100, 200, 400), (1, 3, 10)
"""Votes on each simulator, and how many of them are on the same pair."""
PAIRS_A_RATER = 5
"""Pairs of each simulator that one rater judges, where votes are drawn."""
N_DRAWN = 400


def run(data: Path, out: Path, runs: int) -> None:
    """Compare and rate the simulators of ``runs`` halvings of the people; then ask how many votes are needed."""
    kept = Kept(out / "raters.jsonl")
    for seed in range(runs):
        scores = kept.row({"compared": seed}, partial(_compared, data, seed))["found"]
        for skill in SKILLS:
            kept.row({"rated": seed, "skill": skill}, partial(_rated, data, seed, skill))
        for skill in SKILLS:
            kept.row({"needed": seed, "skill": skill}, partial(_needed, scores["mean_distance"], seed, skill))


@cache
def sides(data: Path, seed: int) -> tuple[list[Conversation], dict[str, list[Conversation]]]:
    """Return people, and the simulators by name."""
    dealt = halves(data, PEOPLE, seed)
    others = read(data, LLM_USERS).conversations
    rng = np.random.default_rng([seed, 21])
    real = [dealt.a[i] for i in rng.permutation(len(dealt.a))[:N_PEOPLE]]
    simulators = {}
    for name, share in zip(NAMES, SHARES, strict=True):
        drawn = dosed(dealt.b, others, share, N_EACH, np.random.default_rng([seed, round(100 * share)]))
        simulators[name] = [c.but(simulator=name) for c in drawn]
    return real, simulators


def _compared(data: Path, seed: int) -> dict[str, Any]:
    real, simulators = sides(data, seed)
    found = convsim.compare(
        real, simulators, seed=seed, before=False, cache=False, validators=["marginals", "humanlikeness"]
    )
    frame = found.to_frame().loc[list(NAMES)]
    scores = {score: [float(value) for value in frame[score]] for score in CONVSIM}
    taus = {score: tau([way * value for value in scores[score]], SHARES) for score, way in CONVSIM.items()}
    return {**scores, "tau": taus}


def tau(scores: Sequence[float], truth: Sequence[float]) -> float:
    """Return Kendall's tau-b of two rankings; 0 where one has no order at all."""
    found = float(kendalltau(scores, truth).statistic)
    return 0.0 if np.isnan(found) else found


def matched_by_task(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Leave out agents: LLM users have none by name, and the arena pairs those first who met the same one."""
    return [c.but(arm=None, agent=None) for c in conversations]


def _rated(data: Path, seed: int, skill: float) -> dict[str, Any]:
    real, simulators = sides(data, seed)
    bots = frozenset(first_words(c) for c in read(data, LLM_USERS).conversations)
    rng = np.random.default_rng([seed, round(100 * skill)])
    raters = [Rater(float(own), bots) for own in skills(skill, N_RATERS, rng)]
    n = N_PAIRS * len(NAMES)
    with TemporaryDirectory() as folder:
        of_people, *of_simulators = (Path(folder) / f"{name.split()[0]}.jsonl" for name in ("real", *NAMES))
        for path, conversations in zip(
            (of_people, *of_simulators), (real, *simulators.values()), strict=True
        ):
            convsim.write(path, matched_by_task(conversations))
        database = Path(folder) / "arena.sqlite"
        with served(of_people, of_simulators, database, n=n, seed=seed) as port:
            n_requests = rate(port, raters, n=n, seed=seed)
        card, answers = results(database, Path(folder) / "answers.jsonl")
    found = {f["metric"]: f for f in card["findings"]}
    return {
        "votes": [[a["rater"], NAMES.index(simulator_of(a)), int(a["right"])] for a in answers],
        "accuracy": [found[f"accuracy: {name}"]["estimate"] for name in NAMES],
        "verdicts": [found[f"accuracy: {name}"]["verdict"] for name in NAMES],
        "agreement": found["agreement"]["estimate"],
        "n_requests": n_requests,
    }


def drawn_accuracies(
    n_votes: int, per_pair: int, skill: float, rng: np.random.Generator, spread: float = 0.5
) -> np.ndarray[Any, Any]:
    """Draw each simulator's proportion of right votes, as the arena has it; ``per_pair`` raters see the same pairs.

    Returns:
        Shape (simulators,).
    """
    n_pairs = max(1, n_votes // per_pair)
    n_groups = -(-n_pairs // PAIRS_A_RATER)
    own = skills(skill, n_groups * per_pair, rng, spread).reshape(n_groups, per_pair)
    own = own.repeat(PAIRS_A_RATER, axis=0)[:n_pairs]
    is_bot = rng.random((len(SHARES), n_pairs)) < np.asarray(SHARES)[:, None]
    right = np.where(is_bot[:, :, None], own, 0.5)
    accuracy: np.ndarray[Any, Any] = (rng.random(right.shape) < right).mean(axis=(1, 2))
    return accuracy


def _needed(distances: Sequence[float], seed: int, skill: float) -> dict[str, Any]:
    """By simulation: how often the votes' rank agrees with convsim's, one-sided at .05, and Kendall's tau."""
    rng = np.random.default_rng([seed, round(100 * skill), 1])
    cells = []
    for per_pair in PER_PAIR:
        for n_votes in VOTES:
            drawn = [drawn_accuracies(n_votes, per_pair, skill, rng) for _ in range(N_DRAWN)]
            tests = [kendalltau(accuracy, distances, alternative="greater") for accuracy in drawn]
            cells.append(
                {
                    "per_pair": per_pair,
                    "votes": n_votes,
                    "tau_truth": mean(tau(list(accuracy), SHARES) for accuracy in drawn),
                    "tau_convsim": mean(float(np.nan_to_num(test.statistic)) for test in tests),
                    "agrees": mean(float(test.pvalue <= 0.05) for test in tests),
                }
            )
    return {"cells": cells}
