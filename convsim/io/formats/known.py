"""The formats that are told by content, in the order in which they are asked; a new one is a line here.

convsim's own and plain OpenAI messages come first, as ever, and after them the whole documents of ``convsim.io.
documents`` and whatever readers are installed are asked; only then those of ``FORMATS``.
"""

from __future__ import annotations

from convsim.io.formats.assistant_sets import CRS_KNOWLEDGE, MG_SHOPDIAL, RECLLMSIM, SIMULATOR_ARENA
from convsim.io.formats.chat_apps import AI_SDK, RESPONSES
from convsim.io.formats.chat_sets import ARENA, PAIRED, PAIRED_PEOPLE, SHAREGPT, WILDCHAT
from convsim.io.formats.chatgpt import CHATGPT
from convsim.io.formats.contract import AnyFormat
from convsim.io.formats.dialogue_sets import CCPE, CONVOKIT, MULTIWOZ, SGD, TASKMASTER
from convsim.io.formats.film_sets import INSPIRED, OPENDIALKG, REDIAL
from convsim.io.formats.intercom import INTERCOM
from convsim.io.formats.langfuse import LANGFUSE
from convsim.io.formats.langsmith import LANGSMITH
from convsim.io.formats.openai_messages import CONVSIM, MESSAGES, OPENAI
from convsim.io.formats.openinference import OPENINFERENCE
from convsim.io.formats.otel import OTEL
from convsim.io.formats.rasa import RASA
from convsim.io.formats.tau_bench import TAU_BENCH

FIRST: tuple[AnyFormat, ...] = (CRS_KNOWLEDGE, CONVSIM, OPENAI)
FORMATS: tuple[AnyFormat, ...] = (
    TAU_BENCH,
    MESSAGES,
    OPENINFERENCE,
    OTEL,
    LANGFUSE,
    LANGSMITH,
    RESPONSES,
    AI_SDK,
    CHATGPT,
    SHAREGPT,
    WILDCHAT,
    ARENA,
    PAIRED,
    PAIRED_PEOPLE,
    RASA,
    INTERCOM,
    CONVOKIT,
    REDIAL,
    INSPIRED,
    OPENDIALKG,
    RECLLMSIM,
    MG_SHOPDIAL,
    SIMULATOR_ARENA,
    MULTIWOZ,
    SGD,
    TASKMASTER,
    CCPE,
)
BY_NAME = {format.name: format for format in (*FIRST, *FORMATS)}
