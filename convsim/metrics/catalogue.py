"""Every metric, in the order in which tables show them."""

from collections.abc import Mapping

from convsim.metrics.accepted import ACCEPTED
from convsim.metrics.agent_words_per_turn import AGENT_WORDS_PER_TURN
from convsim.metrics.conversation_words import CONVERSATION_WORDS
from convsim.metrics.item_uptake import ITEM_UPTAKE
from convsim.metrics.left import LEFT
from convsim.metrics.turns import TURNS
from convsim.metrics.user_characters_per_word import USER_CHARACTERS_PER_WORD
from convsim.metrics.user_complaints import USER_COMPLAINTS
from convsim.metrics.user_digits import USER_DIGITS
from convsim.metrics.user_empty import USER_EMPTY
from convsim.metrics.user_first_person import USER_FIRST_PERSON
from convsim.metrics.user_lowercase_start import USER_LOWERCASE_START
from convsim.metrics.user_mattr import USER_MATTR
from convsim.metrics.user_no_final_punctuation import USER_NO_FINAL_PUNCTUATION
from convsim.metrics.user_please import USER_PLEASE
from convsim.metrics.user_questions import USER_QUESTIONS
from convsim.metrics.user_repeats import USER_REPEATS
from convsim.metrics.user_restates import USER_RESTATES
from convsim.metrics.user_sorry import USER_SORRY
from convsim.metrics.user_thanks import USER_THANKS
from convsim.metrics.user_words_first_message import USER_WORDS_FIRST_MESSAGE
from convsim.metrics.user_words_per_turn import USER_WORDS_PER_TURN
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
