"""Control: how much the agent writes in a turn."""

from convsim.schema import Metric
from convsim.schema.columns import ratio

AGENT_WORDS_PER_TURN = Metric(
    name="agent_words_per_turn",
    unit="words",
    level="turn",
    description=(
        "Words of the agent's answers over turns; what it says before the user first speaks belongs to none. "
        "Undefined without a turn."
    ),
    source="convsim: it is the agent's, and tells whether both sides met the same one.",
    measure=lambda columns: ratio(
        columns.sum_over_agent(columns.agent_word_counts * columns.agent_in_turn), columns.turns
    ),
    role="control",
)
