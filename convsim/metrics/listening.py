"""Metrics of listening: whether what the user says has to do with what the agent has just said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.language import needs_questions, nowhere
from convsim.schema import Columns, Metric
from convsim.text.lexicons import read_character_class
from convsim.text.phrases import WordList
from convsim.text.words import words

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

FAMILY = "coherence"
OTHER_AGENT = "another agent says other words, which are taken up more or less easily"


def _measure_echo(columns: Columns) -> FloatArray:
    return columns.mean_over_user(columns.exchanged.cosines())


ECHO = Metric(
    name="echo",
    unit="cosine",
    level="turn",
    description=(
        "Mean over the user messages after an agent's of the cosine between the words of the message and those that "
        "the agent has said since the user last spoke, each word once, stop words out, and weighed by how few of the "
        "side's conversations hold it. Messages on either side without such a word are left out; undefined without any."
    ),
    source=(
        "convsim; after lexical alignment in dialogue: Pickering and Garrod (2004), Toward a mechanistic psychology of "
        "dialogue, Behavioral and Brain Sciences 27(2)."
    ),
    measure=_measure_echo,
    moved_by_agent=OTHER_AGENT,
    judged_by=FAMILY,
)


def _measure_word_uptake(columns: Columns) -> FloatArray:
    import numpy as np

    exchanged = columns.exchanged
    taken = np.full(exchanged.user.shape[0], nan)
    answers = exchanged.answers
    shared = exchanged.user[answers].multiply(exchanged.introduced[answers])
    taken[answers] = np.asarray(shared.sum(axis=1)).ravel() > 0
    return columns.mean_over_user(taken)


WORD_UPTAKE = Metric(
    name="word_uptake",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user messages after an agent's that use a word which nobody had said in the conversation "
        "before that agent's message, stop words aside. Items are no part of it: item_uptake asks of their titles and "
        "attributes. Undefined without a message after an agent's where both hold such a word."
    ),
    source=(
        "convsim; after Brennan and Clark (1996), Conceptual pacts and lexical choice in conversation, Journal of "
        "Experimental Psychology: Learning, Memory, and Cognition 22(6)."
    ),
    measure=_measure_word_uptake,
    moved_by_agent=OTHER_AGENT,
    judged_by=FAMILY,
)

_SENTENCE = re.compile(r"[^.!?。！？\n]*[?？]")
"""A question: what stands before its mark, back to the end of the sentence before."""
_MARK = read_character_class("question_marks")
MAX_CHARACTERS = 4_000
"""Of an agent's message, from its end, in which its last question is looked for."""


def _last_question(text: str) -> str | None:
    """Return the last sentence with a question mark, without its mark; None where there is none."""
    if not _MARK.search(text):
        return None
    found = _SENTENCE.findall(text[-MAX_CHARACTERS:])
    return found[-1].strip(" ?？") if found else None


def answer_fits(
    question: str, answer: str, lists: Mapping[str, WordList], stop_words: frozenset[str]
) -> bool:
    """Tell whether a message has the form that a question asks for.

    A choice ("black or brown?") asks for a word of the question or of neither, either, both; a number for a number or a
    size; what, which, why for a word that says something; all else for yes or no.

    Args:
        question: The agent's last question.
        answer: What the user says next.
        lists: ``<language>/questions.toml``.
        stop_words: Of the same language.
    """
    asked, said = words(question), words(answer)
    content = set(said) - stop_words
    if _holds(lists, "choice", question, asked):
        return bool(content & set(asked)) or _holds(lists, "choice_answer", answer, said)
    if _holds(lists, "number", question, asked):
        return any(c.isdigit() for c in answer) or _holds(lists, "number_answer", answer, said)
    if _holds(lists, "open", question, asked):
        return any(not _holds(lists, "yes_no_answer", word, [word]) for word in content)
    return _holds(lists, "yes_no_answer", answer, said)


def _holds(lists: Mapping[str, WordList], name: str, text: str, said: Sequence[str]) -> bool:
    return name in lists and lists[name](text, said)


def _measure_answers(columns: Columns) -> FloatArray:
    lists = columns.lexicon.questions(columns.language.of_lists)
    if not lists:
        return nowhere(columns)
    stop_words = columns.lexicon.entries("stop_words", columns.language.of_lists) or frozenset()
    fits = [nan] * len(columns.user_texts)
    for row, (start, end) in enumerate(columns.heard.tolist()):
        if start == end or columns.user_is_empty[row]:
            continue
        question = _last_question(columns.agent_texts[end - 1])
        if question:
            fits[row] = float(answer_fits(question, columns.user_texts[row], lists, stop_words))
    return columns.mean_over_user(fits)


ANSWERS = Metric(
    name="answers",
    unit="proportion of questions",
    level="turn",
    description=(
        "Proportion of the agent's questions after which the user's next message has the form of an answer to the last "
        "one asked (lexicon/<language>/questions.toml): yes or no; one of the choices; a number or a size; after what, "
        "which or why a word that says something. Form alone is judged, not whether the answer is true. Undefined "
        "without a question that a message with words follows."
    ),
    source=(
        "convsim; after Graesser and Person (1994), Question asking during tutoring, American Educational Research "
        "Journal 31(1), on kinds of questions."
    ),
    measure=_measure_answers,
    undefined_for=needs_questions(),
    moved_by_agent="another agent asks other questions",
    judged_by=FAMILY,
)
