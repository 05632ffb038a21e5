"""What a study's language models will read, write and cost at most, before any of them is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.errors import InputError
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
    uses: list[tuple[object, int, int, int]] = []
    if study.model is not None:
        written = max(WORDS_A_TURN * 2, SHOPPER_CALLS * output_tokens)
        uses.append((_model_of(study.shopper), SHOPPER_CALLS, SHOPPER_CALLS * TOKENS_A_PROMPT, written))
    if (model := _model_of(study.agent)) is not None:
        uses.append((model, 1, AGENT_TOKENS_A_PROMPT, AGENT_TOKENS_A_TURN))
    unpriced = [model for model, *_ in uses if isinstance(model, Served) and model.price is None]
    costs = [
        price.of(read * turns, written * turns)
        for model, _, read, written in uses
        if isinstance(price := getattr(model, "price", None), Price)
    ]
    return Estimate(
        conversations,
        calls=sum(calls for _, calls, _, _ in uses) * turns,
        input_tokens=sum(read for _, _, read, _ in uses) * turns,
        output_tokens=sum(written for _, _, _, written in uses) * turns,
        cost_usd=None if unpriced else sum(costs),
        unpriced=tuple(dict.fromkeys(model.name for model in unpriced)),
    )


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
