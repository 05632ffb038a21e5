"""What ``plan`` says of power holds: so often are the sides found alike where nothing differs.

People are drawn anew from one population, planned with, and held against a simulator that is drawn from it too.
"""

import numpy as np
import pytest

from convsim.schema import Corpus
from convsim.stats.discriminator import cross_fit_repeatedly
from convsim.stats.scores import REPEATS, score
from convsim.stats.sides import Sides
from convsim.stats.view import logistic_regression
from convsim_validators import Counterfactual, HumanLikeness, Marginals
from convsim_validators.humanlikeness.features import words
from tests.corpora import corpus

N_DRAWS = 40
"""One standard error of a share is at most .046."""


def people(rng: np.random.Generator, n: int, prefix: str, a_user: int = 1) -> Corpus:
    """Draw conversations with twelve habits that hang together, of users with ``a_user`` conversations each."""
    n_users = -(-n // a_user)
    factor = np.repeat(rng.normal(size=n_users), a_user)[:n]

    def habit(weight: float) -> np.ndarray:
        own = 0.5**0.5 * (np.repeat(rng.normal(size=n_users), a_user)[:n] + rng.normal(size=n))
        return np.asarray(weight * factor + (1 - weight**2) ** 0.5 * own)

    columns = {f"words_{k}": np.exp(habit(0.6)) for k in range(3)}
    columns |= {f"counts_{k}": np.floor(np.exp(1 + 0.6 * habit(0.4))) for k in range(3)}
    columns |= {f"seldom_{k}": np.maximum(0, habit(0.3) - 0.8) for k in range(2)}
    columns |= {f"half_{k}": (habit(0.3) > 0.4).astype(float) for k in range(2)}
    columns |= {f"rare_{k}": (habit(0.3) > 1.6).astype(float) for k in range(2)}
    users = [f"{prefix}{row // a_user}" for row in range(n)] if a_user > 1 else None
    return corpus(columns, prefix=prefix, users=users)


@pytest.mark.parametrize(
    ("n", "n_simulated", "a_user"), [(60, 300, 1), (100, 100, 1), (150, 750, 1), (200, 600, 4), (250, 250, 1)]
)
def test_the_power_that_is_planned_is_the_share_that_is_decided(
    n: int, n_simulated: int, a_user: int
) -> None:
    validator = Marginals(n_resamples=199)
    planned: dict[str, list[float]] = {}
    decided: dict[str, list[bool]] = {}
    for draw in range(N_DRAWS):
        rng = np.random.default_rng([draw, n, n_simulated])
        real, simulated = people(rng, n, "r", a_user), people(rng, n_simulated, "s")
        for found in validator.plan(real, n_simulated=[n_simulated], seed=draw):
            planned.setdefault(found.metric, []).append(found.at[0].power)
        for finding in validator.validate(real, simulated, seed=draw):
            decided.setdefault(finding.metric, []).append(finding.verdict == "aligned")
    said = {name: float(np.mean(powers)) for name, powers in planned.items()}
    held = {name: float(np.mean(verdicts)) for name, verdicts in decided.items()}
    print(n, n_simulated, a_user, {k: (round(said[k], 2), round(held[k], 2)) for k in said})
    metrics = [name for name in said if name != "all_metrics"]
    assert abs(np.mean([said[name] - held[name] for name in metrics])) < 0.05
    for name in metrics:
        assert abs(said[name] - held[name]) < 0.2, name
    assert abs(said["all_metrics"] - held["all_metrics"]) < 0.1


def treated(rng: np.random.Generator, n: int, prefix: str, shift: float) -> Corpus:
    """Draw ``n`` conversations an arm with eight habits that hang together, all moved by ``shift`` in the treated."""
    arm = np.repeat([0.0, 1.0], n)
    factor = rng.normal(size=2 * n)
    columns = {
        f"habit_{k}": 0.5 * factor + 0.75**0.5 * rng.normal(size=2 * n) + shift * (k + 1) / 4 * arm
        for k in range(8)
    }
    return corpus(columns, arms=["good"] * n + ["bad"] * n, prefix=prefix)


@pytest.mark.parametrize(("n", "n_simulated", "shift"), [(60, 60, 0.4), (100, 500, 0.25), (200, 200, 0.25)])
def test_the_power_of_reactions_that_is_planned_is_the_share_that_is_decided(
    n: int, n_simulated: int, shift: float
) -> None:
    validator = Counterfactual(control="good", treatment="bad", n_resamples=9)
    reach = {"like_people": 1.0, "half_reaction": 0.5, "no_reaction": 0.0}
    planned: dict[str, list[float]] = {truth: [] for truth in reach}
    decided: dict[str, list[bool]] = {truth: [] for truth in reach}
    for draw in range(N_DRAWS):
        rng = np.random.default_rng([draw, n, n_simulated])
        real = treated(rng, n, "r", shift)
        for found in validator.plan(real, n_simulated=[2 * n_simulated], seed=draw):
            planned[found.truth].append(found.at[0].power)
            simulated = treated(rng, n_simulated, "s", reach[found.truth] * shift)
            [ratio] = [
                finding
                for finding in validator.validate(real, simulated, seed=draw)
                if finding.metric == "reaction_ratio"
            ]
            decided[found.truth].append(ratio.verdict in found.verdicts)
    for truth in reach:
        said, held = float(np.mean(planned[truth])), float(np.mean(decided[truth]))
        print(n, n_simulated, shift, truth, round(said, 2), round(held, 2))
        assert abs(said - held) < 0.15, (truth, said, held)


VOCABULARY = np.array([f"w{word}" for word in range(600)])


def texts(rng: np.random.Generator, n_users: int, prefix: str, a_user: int, kept: int) -> Corpus:
    """Draw texts by Zipf's law, each user with words of their own taste; ``kept`` conversations of each user."""
    said, users = [], []
    for user in range(n_users):
        weights = np.exp((0.5 if a_user > 1 else 0) * rng.normal(size=600)) / np.arange(1, 601)
        for _ in range(kept):
            said.append(" ".join(rng.choice(VOCABULARY, rng.integers(8, 40), p=weights / weights.sum())))
            users.append(f"{prefix}{user}")
    return corpus({}, texts=said, users=users, prefix=prefix)


@pytest.mark.parametrize(("n_users", "a_user", "n_simulated"), [(100, 1, 100), (150, 1, 600), (80, 3, 400)])
def test_the_power_of_words_that_is_planned_is_the_share_that_is_decided(
    n_users: int, a_user: int, n_simulated: int
) -> None:
    planned, decided = [], []
    for draw in range(N_DRAWS):
        rng = np.random.default_rng([draw, n_users, a_user, n_simulated])
        real = texts(rng, n_users, "r", a_user, kept=a_user)
        simulated = texts(rng, n_simulated, "s", a_user, kept=1)
        [found] = HumanLikeness().plan(real, n_simulated=[n_simulated], seed=draw)
        planned.append(found.at[0].power)
        decided.append(_is_alike(Sides.of(real, simulated), draw))
    said, held = float(np.mean(planned)), float(np.mean(decided))
    print(n_users, a_user, n_simulated, round(said, 2), round(held, 2))
    assert abs(said - held) < 0.15


def _is_alike(sides: Sides, seed: int) -> bool:
    """Judge the view of words alone, as ``HumanLikeness`` does: all of its findings would take four times as long."""
    view = words([*sides.real.user_texts, *sides.simulated.user_texts], len(sides.real), sides.group)
    repeats = cross_fit_repeatedly(sides.rows(view.features), logistic_regression, repeats=REPEATS, seed=seed)
    scores = score(repeats, n_resamples=199, seed=seed)
    return scores.interval("auc", 0.9)[1] <= 0.6 and scores.interval("auc", 0.95)[1] >= 0.5
