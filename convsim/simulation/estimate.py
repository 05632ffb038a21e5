"""What a study's language models will read, write and cost at most, before any of them is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.errors import InputError
from convsim.lifting import with_parts_of
from convsim.models.prices import Price
from convsim.models.served import Served

if TYPE_CHECKING:
    from convsim.simulation.study import Study

WORDS_A_TURN = 12
TOKENS_A_PROMPT = 350
SHOPPER_CALLS = 2
"""Of a turn: to decide, and to say it."""
AGENT_TOKENS_A_PROMPT, AGENT_TOKENS_A_TURN = 800, 80


@dataclass(frozen=True)
class Estimate:
    """Calls, tokens and dollars of a whole study at the turn limit; no price is None, never 0."""

    conversations: int
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    unpriced: tuple[str, ...] = ()
    """Models behind servers whose price is not known."""


def estimated(study: Study, *, output_tokens: int = 0, n: int | None = None) -> Estimate:
    """Estimate a study.

    Args:
        study: The study.
        n: Conversations per arm that are to be held, where these are not all of the study's.
        output_tokens: What an answer of the shopper's model was seen to take, where it was: thinking takes more.
    """
    conversations = (study.n if n is None else n) * len(study.arms)
    turns = conversations * study.max_turns
    uses: list[tuple[object, float, float, float]] = []
    written = max(WORDS_A_TURN * 2, SHOPPER_CALLS * output_tokens)
    for shopper, model, share in _shoppers(study):
        if model is not None:
            calls = share * SHOPPER_CALLS
            uses.append((_model_of(shopper), calls, calls * TOKENS_A_PROMPT, share * written))
    if (asked := _model_of(study.agent)) is not None:
        uses.append((asked, 1, AGENT_TOKENS_A_PROMPT, AGENT_TOKENS_A_TURN))
    asked_in_all = [part for part in with_parts_of(model for model, *_ in uses) if isinstance(part, Served)]
    unpriced = [model for model in asked_in_all if model.price is None]
    costs = [
        price.of(round(read * turns), round(written * turns))
        for model, _, read, written in uses
        if isinstance(price := getattr(model, "price", None), Price)
    ]
    return Estimate(
        conversations,
        calls=round(sum(calls for _, calls, _, _ in uses) * turns),
        input_tokens=round(sum(read for _, _, read, _ in uses) * turns),
        output_tokens=round(sum(written for _, _, _, written in uses) * turns),
        cost_usd=None if unpriced else sum(costs),
        unpriced=tuple(dict.fromkeys(model.name for model in unpriced)),
    )


def _shoppers(study: Study) -> list[tuple[object, str | None, float]]:
    """Return each shopper of a study with its model's name and its share of the conversations."""
    total = sum(each.weight for each in study.mixture)
    mixed = [(each.shopper, each.model, each.weight / total) for each in study.mixture]
    return [*mixed] or [(study.shopper, study.model, 1.0)]


def said_of(plan: Estimate) -> str:
    """Say an estimate in a line."""
    tokens = f"about {plan.input_tokens} tokens in and {plan.output_tokens} out, at the turn limit"
    if plan.unpriced:
        return f"{tokens}; the price of {plan.unpriced[0]} is not known (model.prices)"
    return f"{tokens}: ${plan.cost_usd:.2f}" if plan.cost_usd else tokens


def check_budget(study: Study) -> None:
    """Refuse a budget that nothing can be counted against.

    Raises:
        InputError: There is a budget, and a model behind a server has no known price.
    """
    if study.budget_usd is not None and (names := estimated(study).unpriced):
        raise InputError(
            f"--budget-usd: the price of {names[0]!r} is not known, so no cost can be counted against it; write its "
            f'price into a file, [[price]] model = "{names[0]}" input = … output = … (dollars per '
            "million tokens; 0 where it is free), and set model.prices to that file"
        )


def _model_of(part: object) -> object:
    """Return the model that a shopper or an agent asks, an agent's inner one too; None where there is none."""
    inner = getattr(part, "agent", None)
    model = getattr(part, "model", None)
    return model if model is not None or inner is None else _model_of(inner)
