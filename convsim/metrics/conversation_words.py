"""Metric: how long a conversation is, both sides together."""

from convsim.schema import Metric

CONVERSATION_WORDS = Metric(
    name="conversation_words",
    unit="words",
    level="conversation",
    description="Words of the user and of the agent, what the agent says before the user speaks included.",
    source="convsim: a plain count.",
    moved_by_agent="it counts the agent's words too",
    measure=lambda columns: (
        columns.sum_over_user(columns.user_word_counts) + columns.sum_over_agent(columns.agent_word_counts)
    ),
)
