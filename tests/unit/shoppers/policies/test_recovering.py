"""Where the policy behind the logs is known, it is found again; where nothing depends on anything, that is said."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from convsim.schema.arrays import FloatArray, IntArray
from convsim.shoppers.policies.evaluation import CrossFitted, Evaluation, cross_fit, evaluate
from convsim.shoppers.policies.model import KINDS, Kind
from convsim.shoppers.policies.points import find_points
from convsim.shoppers.policies.table import Table
from tests.unit.shoppers.policies.known import DEPENDS, NULL, Truth, simulated_world

MARGIN = 0.02
"""Nats by which the log loss may lie above that of who knows the truth: about one parameter in a hundred decisions."""


@cache
def held_out(truth: Truth, kind: Kind) -> tuple[Table, FloatArray, CrossFitted, Evaluation]:
    world = simulated_world(truth, n_users=300, seed=21)
    found = find_points(world.conversations, language="en", infer_endings=False).points
    table = Table.of(found, "en", histories=kind == "ssm")
    assert table.moves.tolist() == world.moves
    told = cross_fit(kind, table, language="en", seed=5)
    return table, np.asarray(world.told), told, evaluate(table, told, language="en", seed=5)


def log_loss(told: FloatArray, moves: IntArray) -> float:
    return float(-np.log(told[np.arange(len(moves)), moves]).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_known_policy_is_found_again(kind: Kind) -> None:
    table, oracle, told, evaluation = held_out(DEPENDS, kind)
    assert log_loss(told.moves, table.moves) < log_loss(oracle, table.moves) + MARGIN
    assert np.abs(told.moves - oracle).mean() < 0.04
    assert evaluation.better
    slope, interval = evaluation.calibration_slope.estimate, evaluation.calibration_slope.interval
    assert slope == pytest.approx(1, abs=0.15)
    assert interval is not None
    assert interval[0] < 1.05 and interval[1] > 0.95  # noqa: PT018
    assert evaluation.accept_slope.estimate == pytest.approx(1, abs=0.15)
    by_name = {score.of: score.log_loss.estimate or 9.0 for score in evaluation.decisions}
    assert by_name["policy"] < min(loss for name, loss in by_name.items() if name != "policy")
    assert evaluation.lines()[-1].startswith("better than the base rate by turn")
    assert (evaluation.accept_difference.interval or (0, 0))[1] < 0
    assert not any(
        line.startswith("whether who ends accepts is told no better") for line in evaluation.lines()
    )


def test_which_item_is_taken_is_found_again() -> None:
    *_, evaluation = held_out(DEPENDS, "hazard")
    items = evaluation.items
    assert items.n > 300
    assert items.policy.interval is not None
    assert items.random.interval is not None
    assert items.policy.interval[0] > items.random.interval[1] + 0.05
    *_, null = held_out(NULL, "hazard")
    assert null.items.policy.estimate == pytest.approx(null.items.random.estimate, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_depends_on_what_is_seen_the_policy_is_no_better_than_rates_by_turn_and_says_so(
    kind: Kind,
) -> None:
    table, oracle, told, evaluation = held_out(NULL, kind)
    assert not evaluation.better
    assert log_loss(told.moves, table.moves) < log_loss(oracle, table.moves) + MARGIN
    assert evaluation.lines()[-1].startswith("this policy is no better than the base rate by turn")
    assert evaluation.lines()[-2].startswith(
        "whether who ends accepts is told no better than by the base rate"
    )
    assert not any(np.isnan(told.moves).ravel())
