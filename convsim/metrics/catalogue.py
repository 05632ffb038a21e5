"""Every metric, in the order in which tables show them."""

from collections.abc import Mapping

from convsim.metrics.complaints import USER_COMPLAINTS
from convsim.metrics.consistency import (
    ASSENT,
    COACHING,
    CONTRADICTIONS,
    LEAVES_UNANSWERED,
    NEED_KEPT,
    NUMBERS_ANSWERED,
    NUMBERS_KEPT,
    STYLE_DRIFT,
)
from convsim.metrics.disclosure import (
    ACKNOWLEDGEMENTS,
    CLARIFYING_QUESTIONS,
    HEDGING,
    INFORMATION_QUESTIONS,
    LENGTH_VARIATION,
    SHORT_MESSAGES,
    TOLD_AT,
    TOLD_FIRST,
    VOLUNTEERED,
    WISHES_FIRST,
)
from convsim.metrics.foreknowledge import FOREKNOWN_TITLE, FOREKNOWN_WORDS
from convsim.metrics.instructions import OBEDIENCE
from convsim.metrics.items import ACCEPTS_DEALBREAKER, ITEM_UPTAKE, MENTIONS
from convsim.metrics.length import (
    AGENT_WORDS_PER_TURN,
    CONVERSATION_WORDS,
    TURNS,
    USER_WORDS_FIRST_MESSAGE,
    USER_WORDS_PER_TURN,
)
from convsim.metrics.listening import ANSWERS, ECHO, WORD_UPTAKE
from convsim.metrics.outcome import ACCEPTED, LEFT
from convsim.metrics.politeness import USER_PLEASE, USER_SORRY, USER_THANKS
from convsim.metrics.repetition import USER_REPEATS, USER_RESTATES
from convsim.metrics.style import (
    USER_CHARACTERS_PER_WORD,
    USER_DIGITS,
    USER_EMPTY,
    USER_FIRST_PERSON,
    USER_LOWERCASE_START,
    USER_MATTR,
    USER_NO_FINAL_PUNCTUATION,
    USER_QUESTIONS,
)
from convsim.metrics.violations import REACTION_LATENCY
from convsim.schema import Metric

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        TURNS,
        ACCEPTED,
        LEFT,
        USER_WORDS_PER_TURN,
        USER_WORDS_FIRST_MESSAGE,
        CONVERSATION_WORDS,
        USER_CHARACTERS_PER_WORD,
        USER_MATTR,
        USER_QUESTIONS,
        USER_THANKS,
        USER_PLEASE,
        USER_SORRY,
        USER_LOWERCASE_START,
        USER_NO_FINAL_PUNCTUATION,
        USER_DIGITS,
        USER_FIRST_PERSON,
        USER_REPEATS,
        USER_COMPLAINTS,
        USER_RESTATES,
        USER_EMPTY,
        ITEM_UPTAKE,
        AGENT_WORDS_PER_TURN,
    )
}
RELATION_METRICS: Mapping[str, Metric] = {
    **MENTIONS,
    **OBEDIENCE,
    ACCEPTS_DEALBREAKER.name: ACCEPTS_DEALBREAKER,
}
"""What metamorphic relations measure beside those: too special for every table."""
COHERENCE_METRICS: Mapping[str, Metric] = {
    metric.name: metric for metric in (ECHO, WORD_UPTAKE, ANSWERS, REACTION_LATENCY)
}
"""What the validator `coherence` judges."""
CONSISTENCY_METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        NUMBERS_KEPT,
        NUMBERS_ANSWERED,
        CONTRADICTIONS,
        NEED_KEPT,
        STYLE_DRIFT,
        ASSENT,
        COACHING,
        LEAVES_UNANSWERED,
    )
}
"""What the validator `consistency` judges."""
DISCLOSURE_METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        TOLD_FIRST,
        TOLD_AT,
        WISHES_FIRST,
        VOLUNTEERED,
        SHORT_MESSAGES,
        ACKNOWLEDGEMENTS,
        LENGTH_VARIATION,
        CLARIFYING_QUESTIONS,
        INFORMATION_QUESTIONS,
        HEDGING,
        FOREKNOWN_TITLE,
        FOREKNOWN_WORDS,
    )
}
"""What the validator `disclosure` judges."""
FAMILY_METRICS: Mapping[str, Metric] = {
    **COHERENCE_METRICS,
    **CONSISTENCY_METRICS,
    **DISCLOSURE_METRICS,
}
"""What validators other than `marginals` judge, and measure when they run."""
