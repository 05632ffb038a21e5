"""What a manifest and a trace state of a study: who talks to whom, under which arms, with which prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from convsim._tracing import Value
from convsim.schema import Agent, Shopper
from convsim.simulation.loop import Arm

if TYPE_CHECKING:
    from convsim.simulation.study import Study

MIXTURE = "mixture"
"""Stands for the shopper in the plan of a study that has several."""


def plan_of(study: Study) -> dict[str, JsonValue]:
    """Return what tells a study from others, as its manifest states it."""
    return {
        "study": study.name,
        **_of_shoppers(study),
        "agent": study.agent.name,
        "arms": [_stated(arm) for arm in study.conditions],
        "n": study.n,
        "max_turns": study.max_turns,
        "seed": study.seed,
        **_domain_of(study.shopper, study.agent),
        "prompts": {**_prompts(study), **_agent_prompt(study.agent)},
        "personas": [*(persona.id for persona in study.personas)],
        **({} if study.opening is None else {"opening": study.opening}),
        **study.provenance,
    }


def variant_of(study: Study) -> dict[str, JsonValue]:
    """Return what a shopper says that it is, for people who compare runs; each one's of a mixture, by its name.

    It stands beside the plan, whose hashes and settings hold it already: no plan differs in it.
    """
    if not study.mixture:
        return {**_variant(study.shopper)}
    return {
        f"{each.name}.{key}": value for each in study.mixture for key, value in _variant(each.shopper).items()
    }


def _variant(shopper: Shopper) -> Mapping[str, str]:
    """Return the ``variant`` of a shopper that has one; anybody's shopper may have something else of that name."""
    found = getattr(shopper, "variant", None)
    if not isinstance(found, Mapping):
        return {}
    return {key: value for key, value in found.items() if isinstance(key, str) and isinstance(value, str)}


def told_of(study: Study) -> dict[str, Value]:
    """Return what a trace says of a study."""
    return {
        "convsim.study.name": study.name,
        "convsim.shopper": MIXTURE if study.mixture else study.shopper.name,
        "convsim.model": study.model,
        "gen_ai.agent.name": study.agent.name,
        "convsim.arms": [arm.name for arm in study.conditions],
        "convsim.n": study.n,
        "convsim.seed": study.seed,
    }


def _of_shoppers(study: Study) -> dict[str, JsonValue]:
    """Say who speaks, in what proportions, and how often as whom."""
    weights = study.persona_weights
    weighted: dict[str, JsonValue] = {} if weights is None else {"persona_weights": dict(weights)}
    if not study.mixture:
        return {"shopper": study.shopper.name, "model": study.model, **weighted}
    return {"shopper": MIXTURE, "mixture": [each.stated() for each in study.mixture], **weighted}


def _prompts(study: Study) -> Mapping[str, str]:
    """Return the hashes of the one shopper's prompts; those of a mixture stand with its components."""
    return {} if study.mixture else getattr(study.shopper, "prompt_hashes", {})


def _stated(arm: Arm) -> JsonValue:
    """Say an arm in a manifest: its name alone, or with what degrades its agent."""
    if arm.fault is None:
        return arm.name
    return {"name": arm.name, "agent": arm.agent.name, "fault": arm.fault, "severity": arm.severity}


def _domain_of(shopper: Shopper, agent: Agent) -> dict[str, JsonValue]:
    """Say what the prompts speak of, where a prompt says it."""
    stated = [getattr(part, "domain", None) for part in (shopper, agent)]
    domain = next((each for each in stated if isinstance(each, str)), None)
    return {} if domain is None else {"domain": domain}


def _agent_prompt(agent: Agent) -> dict[str, JsonValue]:
    prompt_hash = getattr(agent, "prompt_hash", None)
    return {} if prompt_hash is None else {"agent": str(prompt_hash)}
