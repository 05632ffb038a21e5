"""Metrics of consistency: whether one user stays one person, from the first message to the last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import nan
from typing import TYPE_CHECKING, NamedTuple

from convsim.metrics.language import NeedsLanguage, needs_conduct, nowhere
from convsim.schema import Columns, Metric
from convsim.schema.conversation import Conversation, Message
from convsim.text.english import english
from convsim.text.language import ENGLISH
from convsim.text.lexicons import read_character_class
from convsim.text.stated import Stated, stated_in
from convsim.text.words import words

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

FAMILY = "consistency"
MAX_NUMBERS = 50
"""Of a message that are looked at."""
MAX_CHARACTERS = 4_000
_NUMBER = re.compile(r"\d{1,15}(?:[.,]\d{1,15})*")
_QUESTION = read_character_class("question_marks")


def numbers_in(text: str) -> set[str]:
    """Return the numbers that stand in a text in digits of any script, "1,000" as "1000" and "20.50" as "20.5"."""
    found = _NUMBER.findall(text[:MAX_CHARACTERS])[:MAX_NUMBERS]
    return {_plain(number) for number in found}


def _plain(number: str) -> str:
    whole, _, part = number.replace(",", "").partition(".")
    whole = "".join(str(int(digit)) for digit in whole).lstrip("0") or "0"
    part = "".join(str(int(digit)) for digit in part if digit.isdigit()).rstrip("0")
    return f"{whole}.{part}" if part else whole


def _of_each(columns: Columns, value: Callable[[Conversation], float]) -> FloatArray:
    import numpy as np

    return np.fromiter(map(value, columns.conversations), np.float64, columns.n)


def numbers_kept(conversation: Conversation) -> float:
    """Return the proportion of the numbers in later user messages that anybody has said before; NaN without any."""
    heard: set[str] = set()
    kept = said = 0
    first = True
    for message in conversation.messages:
        if message.role not in ("user", "assistant"):
            continue
        numbers = numbers_in(message.content)
        if message.role == "user":
            if not first:
                kept, said = kept + len(numbers & heard), said + len(numbers)
            first = False
        heard |= numbers
    return kept / said if said else nan


def numbers_answered(conversation: Conversation) -> float:
    """Return the proportion of the user's numbers that the agent's next reply says again, if it says any number."""
    pending: set[str] = set()
    answered = said = 0
    for message in conversation.messages:
        if message.role == "user":
            pending |= numbers_in(message.content)
        elif message.role == "assistant" and pending:
            numbers = numbers_in(message.content)
            if numbers:
                answered, said = answered + len(numbers & pending), said + len(pending)
            pending = set()
    return answered / said if said else nan


NUMBERS_KEPT = Metric(
    name="numbers_kept",
    unit="proportion of numbers",
    level="conversation",
    description=(
        "Proportion of the numbers in the user's messages after the first that the user or the agent has said before; "
        "undefined without a number in these."
    ),
    source="convsim: a budget, a size or a price is said again as it was.",
    measure=lambda columns: _of_each(columns, numbers_kept),
    moved_by_agent="another agent names other prices",
    judged_by=FAMILY,
)
NUMBERS_ANSWERED = Metric(
    name="numbers_answered",
    unit="proportion of numbers",
    level="conversation",
    description=(
        "Proportion of the user's numbers that the agent's next reply says again, over the replies that hold a number; "
        "undefined without such a reply. What an agent takes up is what the user had said."
    ),
    source="convsim: a number that nobody answers is one that was put in afterwards.",
    measure=lambda columns: _of_each(columns, numbers_answered),
    moved_by_agent="another agent repeats other numbers",
    judged_by=FAMILY,
)


def contradictions(conversation: Conversation) -> float:
    """Return the proportion of restated wishes that contradict the last one of their kind; NaN if none is restated."""
    before: dict[str, object] = {}
    restated = contradicted = 0
    for message in conversation.user_messages:
        corrects = _corrects(message)
        for kind, value in _wishes(stated_in(message.content)):
            if kind in before:
                restated += 1
                contradicted += value != before[kind] and not corrects
            before[kind] = value
    return contradicted / restated if restated else nan


def _wishes(said: Stated) -> Iterator[tuple[str, object]]:
    if said.budget.ceiling is not None:
        yield "price", said.budget.ceiling
    if said.sizes:
        yield "size", said.sizes
    if said.colors:
        yield "color", said.colors


def _corrects(message: Message) -> bool:
    lowered = f" {' '.join(words(message.content))} "
    return any(f" {phrase} " in lowered for phrase in english().correcting)


CONTRADICTIONS = Metric(
    name="contradictions",
    unit="proportion of restated wishes",
    level="conversation",
    description=(
        "Proportion of the price limits, sizes and colors that the user states again which are others than before, "
        "without a word of correction ('actually', 'instead'); undefined where none is stated again."
    ),
    source="convsim; after CoCoEval, arXiv 2603.17094, on contradictions of simulated users.",
    measure=lambda columns: _of_each(columns, contradictions),
    undefined_for=NeedsLanguage((ENGLISH,)),
    judged_by=FAMILY,
)


def _measure_need_kept(columns: Columns) -> FloatArray:
    import numpy as np
    from scipy.sparse import csr_matrix

    exchanged = columns.exchanged
    n_messages = len(columns.user_texts)
    place = np.arange(n_messages) - columns.first_of[columns.user_of]
    count = np.bincount(columns.user_of, minlength=columns.n)
    later = (place >= np.maximum(1, (count[columns.user_of] + 1) // 2)).astype(np.float32)
    members = csr_matrix((later, (columns.user_of, np.arange(n_messages))), shape=(columns.n, n_messages))
    talk = csr_matrix(members @ (exchanged.user + exchanged.heard))
    talk.eliminate_zeros()
    talk.data[:] = 1
    has = columns.first_of >= 0
    need = csr_matrix(exchanged.user[np.where(has, columns.first_of, 0)]) if n_messages else talk
    square = exchanged.weights**2
    shared = np.asarray(need.multiply(talk) @ square, np.float64)
    lengths = np.asarray((need @ square) * (talk @ square), np.float64)
    cosines = np.full(columns.n, nan)
    np.divide(shared, np.sqrt(lengths), out=cosines, where=(lengths > 0) & has)
    return cosines


NEED_KEPT = Metric(
    name="need_kept",
    unit="cosine",
    level="conversation",
    description=(
        "Cosine between the words of the user's first message and those that both sides say in the second half of the "
        "conversation, each word once, stop words out, weighed by how few of the side's conversations hold it; "
        "undefined with fewer than two user messages, or where either has no such word."
    ),
    source="convsim; after Abdulhai et al. (2025), Consistently simulating human personas, arXiv 2511.00222.",
    measure=_measure_need_kept,
    moved_by_agent="another agent speaks of other things",
    judged_by=FAMILY,
)


class _Style(NamedTuple):
    """How one message is typed; each part lies between 0 and 1."""

    small_start: float
    open_end: float
    question: float
    length: float


def _style(text: str) -> _Style:
    stripped = text.strip()
    letters = next((c for c in stripped if c.isalpha()), "")
    n_words = len(words(stripped))
    return _Style(
        float(letters.islower()), float(stripped[-1:].isalnum()), float(bool(_QUESTION.search(stripped))),
        n_words / (n_words + 8),
    )  # fmt: skip


def style_drift(conversation: Conversation) -> float:
    """Return how far the second half of the user's messages is typed otherwise than the first; NaN below two."""
    said = [_style(m.content) for m in conversation.user_messages if m.content.strip()]
    if len(said) < 2:
        return nan
    half = (len(said) + 1) // 2
    means = [
        [sum(part) / len(part) for part in zip(*side, strict=True)] for side in (said[:half], said[half:])
    ]
    apart = [abs(a - b) for a, b in zip(*means, strict=True)]
    return float(sum(apart) / len(apart))


STYLE_DRIFT = Metric(
    name="style_drift",
    unit="mean absolute difference",
    level="conversation",
    description=(
        "How far the second half of the user's messages is typed otherwise than the first: mean over four traits (a "
        "small letter at the start, no mark at the end, a question mark, length) of the absolute difference of their "
        "means; undefined with fewer than two messages with words."
    ),
    source="convsim; after Abdulhai et al. (2025), arXiv 2511.00222: line-to-line consistency.",
    measure=lambda columns: _of_each(columns, style_drift),
    judged_by=FAMILY,
)


def _measure_assent(columns: Columns) -> FloatArray:
    lists = columns.lexicon.conduct(columns.language.of_lists)
    if not lists:
        return nowhere(columns)
    heard = columns.heard
    agrees = [nan] * len(columns.user_texts)
    for row, (text, said) in enumerate(zip(columns.user_texts, columns.user_words, strict=True)):
        if said and heard[row, 0] < heard[row, 1]:
            agrees[row] = float(lists["assent"](text, said) and not lists["refusal"](text, said))
    return columns.mean_over_user(agrees)


ASSENT = Metric(
    name="assent",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user messages after an agent's that agree and refuse nothing "
        "(lexicon/<language>/conduct.toml); undefined without such a message."
    ),
    source="convsim: simulated users agree with everything; people refuse, prefer and go on looking.",
    measure=_measure_assent,
    undefined_for=needs_conduct("assent", "refusal"),
    moved_by_agent="another agent proposes other things",
    judged_by=FAMILY,
)


def _measure_coaching(columns: Columns) -> FloatArray:
    lists = columns.lexicon.conduct(columns.language.of_lists)
    if not lists:
        return nowhere(columns)
    return columns.mean_over_user(
        float(lists["coaching"](text, said)) if said else nan
        for text, said in zip(columns.user_texts, columns.user_words, strict=True)
    )


COACHING = Metric(
    name="coaching",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user's messages with words that tell the agent how to do its work "
        "(lexicon/<language>/conduct.toml): to check, to verify, to compare, to sum up."
    ),
    source="convsim; after USR-8 (Microsoft Foundry, 2026), which marks users who coach the agent.",
    measure=_measure_coaching,
    undefined_for=needs_conduct("coaching"),
    judged_by=FAMILY,
)


def leaves_unanswered(conversation: Conversation) -> float:
    """Return 1 if a question of the agent's is the last that is said, 0 if not; NaN where the agent says nothing."""
    spoken: Sequence[Message] = [m for m in conversation.messages if m.role in ("user", "assistant")]
    if not any(m.role == "assistant" for m in spoken):
        return nan
    while spoken and spoken[-1].role == "user" and not spoken[-1].content.strip():
        spoken = spoken[:-1]
    last = spoken[-1]
    return float(last.role == "assistant" and bool(_QUESTION.search(last.content[-80:])))


LEAVES_UNANSWERED = Metric(
    name="leaves_unanswered",
    unit="proportion of conversations",
    level="conversation",
    description=(
        "1 if the agent's last words ask something and the user says nothing more, else 0; undefined where the agent "
        "says nothing."
    ),
    source="convsim: people answer what has to be confirmed, or say that they go.",
    measure=lambda columns: _of_each(columns, leaves_unanswered),
    moved_by_agent="another agent ends with a question more often",
    judged_by=FAMILY,
)
