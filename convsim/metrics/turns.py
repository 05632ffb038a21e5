"""Metric: how many turns a conversation takes."""

from convsim.schema import Metric

TURNS = Metric(
    name="turns",
    unit="turns",
    level="conversation",
    description="Turns: runs of user messages, empty ones included, each with the agent's answer to it.",
    source="Meshi et al. (2026), ConvApparel, arXiv 2602.16938: population-level statistical alignment.",
    measure=lambda columns: columns.turns.astype(float),
)
