"""What is learned of decisions, items and acts on small numbers, beside scikit-learn and hand calculations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Label
from convsim.shoppers.policies.choosing import Choice, fit_choice
from convsim.shoppers.policies.evaluation import cross_fit, reciprocal_rank
from convsim.shoppers.policies.logistic import STRENGTHS, fit_logistic, fit_multinomial
from convsim.shoppers.policies.model import fit_model
from convsim.shoppers.policies.monotone import direction_shown
from convsim.shoppers.policies.points import find_points
from convsim.shoppers.policies.table import Table
from tests.unit.shoppers.policies.known import DEPENDS, NULL, simulated_world


def test_a_logistic_regression_is_scikit_learns_at_one_of_the_strengths() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5))
    happened = rng.random(400) < 1 / (1 + np.exp(-x[:, 0]))
    found, gains = fit_logistic(x, happened, np.arange(400) // 4, rng)
    assert gains.mean() > 0.05
    others = [LogisticRegression(C=c, tol=1e-8, max_iter=5_000).fit(x, happened) for c in STRENGTHS]
    assert any(np.allclose(found.weights, other.coef_[0], atol=1e-4) for other in others)
    assert np.allclose(
        found.probability(x), 1 / (1 + np.exp(-(found.intercept + x @ found.weights))), atol=1e-12
    )


def test_noise_is_held_down_and_a_wrong_sign_is_left_out() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 20))
    happened = rng.random(300) < 0.3
    held, gains = fit_logistic(x, happened, np.arange(300), rng)
    assert gains.mean() < 0.01
    assert np.abs(held.weights).max() < 0.1
    depends = rng.random(300) < 1 / (1 + np.exp(-2 * x[:, 0]))
    signed, _ = fit_logistic(x, depends, np.arange(300), rng, signs={0: -1})
    assert signed.weights[0] == 0
    free, _ = fit_logistic(x, depends, np.arange(300), rng, signs={0: 1})
    assert free.weights[0] > 0.5


def test_acts_that_are_rare_are_not_learned_and_messages_with_several_count_in_parts() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 2))
    acts = [("ask", "say") if value > 0 else ("thank",) for value in x[:, 0]]
    acts[0] = (*acts[0], "rare")
    found = fit_multinomial(x, acts, np.arange(300), rng)
    assert found is not None
    names, told = found
    assert names == ("ask", "say", "thank")
    right, wrong = told.probability(np.asarray([[2.0, 0], [-2.0, 0]]))
    assert right[0] == pytest.approx(right[1], abs=0.02)
    assert right[2] < 0.1 < 0.9 < wrong[2]
    two = fit_multinomial(x, [(act[-1],) for act in acts], np.arange(300), rng)
    assert two is not None
    assert two[1].probability(x).sum(axis=1) == pytest.approx(1)
    assert two[1].probability(np.asarray([[-2.0, 0]]))[0, two[0].index("thank")] > 0.9
    assert fit_multinomial(x, [("say",)] * 300, np.arange(300), rng) is None


def test_a_choice_among_items_is_learned_by_its_likelihood() -> None:
    rng = np.random.default_rng(3)
    weights = np.asarray([1.5, 0.0, *[0.0] * 8])
    choices = []
    for _ in range(800):
        x = rng.normal(size=(4, 10))
        x -= x.mean(axis=0)
        told = np.exp(x @ weights)
        choices.append(Choice(x, np.eye(4)[rng.choice(4, p=told / told.sum())]))
    found = fit_choice(choices, range(800), rng)
    assert found is not None
    np.testing.assert_allclose(found.weights / found.scales, weights, atol=0.2)
    assert fit_choice(choices[:19], range(19), rng) is None
    assert fit_choice(choices[:60], [0] * 60, rng) is None  # of one user alone: nobody to hold out


def test_a_choice_that_is_chance_is_seldom_learned() -> None:
    rng = np.random.default_rng(5)
    learned = 0
    for _ in range(20):
        by_chance = [Choice(rng.normal(size=(4, 10)), np.eye(4)[rng.integers(4)]) for _ in range(60)]
        learned += fit_choice(by_chance, [row // 3 for row in range(60)], rng) is not None
    assert learned <= 3


@pytest.mark.parametrize(
    ("scores", "taken", "expected"),
    [
        ([3, 2, 1], [0, 1, 0], 1 / 2),
        ([1, 1, 1], [1, 0, 0], (1 + 1 / 2 + 1 / 3) / 3),
        ([1, 1, 1], [1, 1, 0], 2 / 3 + 1 / 3 / 2),
        ([5, 1, 1], [0, 1, 0], (1 / 2 + 1 / 3) / 2),
    ],
)
def test_a_reciprocal_rank_is_that_expected_over_the_orders_of_ties(
    scores: list[float], taken: list[int], expected: float
) -> None:
    assert reciprocal_rank(np.asarray(scores, float), np.asarray(taken, bool)) == pytest.approx(expected)


def table_of(conversations: list[Conversation]) -> Table:
    return Table.of(find_points(conversations, language="en", infer_endings=False).points, "en")


def test_a_direction_that_people_show_is_held_and_one_that_they_do_not_is_not() -> None:
    shown, none = (
        table_of(simulated_world(truth, n_users=40, seed=4).conversations) for truth in (DEPENDS, NULL)
    )
    held = direction_shown("end", "fit_best", 1, table=shown, happened=shown.ended)
    assert held.constrained
    assert (held.correlation or 0) > 0.1
    assert not direction_shown("end", "fit_best", -1, table=shown, happened=shown.ended).constrained
    free = direction_shown("end", "fit_best", 1, table=none, happened=none.ended)
    assert not free.constrained
    unknown = direction_shown("end", "replies_empty", 1, table=none, happened=none.ended)
    assert (unknown.p_value, unknown.constrained) == (None, False)


def test_one_kind_of_decision_alone_is_refused() -> None:
    table = table_of(simulated_world(DEPENDS, n_users=20, seed=5).conversations)
    for rows, what in ((table.ended, "goes on after a reply"), (~table.ended, "ends a conversation")):
        with pytest.raises(InputError, match=f"one kind of decision alone: nobody {what}"):
            fit_model("hazard", table.take(np.flatnonzero(rows)), language="en", seed=1)


def test_where_all_who_end_are_held_out_together_that_is_said() -> None:
    table = table_of(simulated_world(DEPENDS, n_users=20, seed=5).conversations)
    first_to_end = table.units[table.ended][0]
    few = table.take(np.flatnonzero(~table.ended | (table.units == first_to_end)))
    with pytest.raises(
        InputError, match="without some of these there is one kind of decision alone: nobody ends"
    ):
        cross_fit("hazard", few, language="en", seed=1)


def test_where_nobody_accepts_the_policy_never_accepts_and_acts_are_learned_where_labels_name_them() -> None:
    conversations = simulated_world(DEPENDS, n_users=30, seed=6).conversations

    def left(c: Conversation) -> Conversation:
        labels = [
            {"acts": Label(value=["ask" if n % 4 else "greet"], source="rules:1")}
            for n in range(len(c.messages))
        ]
        said = [
            m.but(action="leave" if m.action == "accept" else m.action, accepted=(), labels=label)
            if m.role == "user"
            else m
            for m, label in zip(c.messages, labels, strict=True)
        ]
        return c.but(messages=said, ending="left")

    table = table_of([left(c) for c in conversations])
    model = fit_model("hazard", table, language="en", seed=1)
    assert model.accept == 0.0
    assert model.forecast(table.features)[:, 1].tolist() == [0.0] * len(table.points)
    assert model.act_names == ("ask", "greet")
    acts = model.next_act(table.features)
    assert acts is not None
    assert acts.sum(axis=1) == pytest.approx(1)


def test_who_accepts_does_not_depend_on_features_where_that_does_not_help_for_others() -> None:
    depends, null = (
        fit_model(
            "hazard",
            table_of(simulated_world(truth, n_users=100, seed=7).conversations),
            language="en",
            seed=1,
        )
        for truth in (DEPENDS, NULL)
    )
    assert not isinstance(depends.accept, float)
    assert null.accept == pytest.approx(0.57, abs=0.1)
