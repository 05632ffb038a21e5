"""Made-up shoppers who type in ways of their own, and changes of how messages are typed that leave words alone."""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from numpy.random import Generator

from convsim.schema import Corpus
from tests.made_up_talk import Messages, side

N_WORDS = 8
LETTERS = "abcdefghilmnoprstuvé"
Change = Callable[[str], str]


def word(rng: Generator) -> str:
    return "".join(rng.choice(list(LETTERS), int(rng.integers(2, 8))))


def typist(rng: Generator, n_messages: int, careful_share: float = 0.6) -> Messages:
    """Say made-up words; a careful typist begins with a capital and ends in a full stop, most of the time."""
    careful, excited = rng.random() < careful_share, rng.random() < 0.3
    said = []
    for _ in range(n_messages):
        words = [word(rng) for _ in range(max(2, int(rng.poisson(N_WORDS))))]
        if rng.random() < 0.4:
            words[1] += "'s"
        text = " ".join(words)
        if rng.random() < (0.9 if careful else 0.2):
            text = text[0].upper() + text[1:]
        mark = (
            "!" if excited and rng.random() < 0.5 else "." if rng.random() < (0.8 if careful else 0.2) else ""
        )
        said.append(text + mark)
    return said


def typists(
    rng: Generator,
    n_units: int,
    prefix: str,
    *,
    each: int = 1,
    n_messages: int = 4,
    careful_share: float = 0.6,
    change: Change | None = None,
) -> Corpus:
    """Hold ``each`` conversations of every typist, whose ways last; ``change`` is made to every message."""
    said: list[Sequence[str]] = []
    for _ in range(n_units):
        messages = typist(rng, each * n_messages, careful_share)
        said += [messages[start : start + n_messages] for start in range(0, len(messages), n_messages)]
    if change is not None:
        said = [[change(message) for message in messages] for messages in said]
    return side(said, prefix, users=[f"{prefix}{row // each}" for row in range(len(said))])


def title(text: str) -> str:
    return re.sub(r"[^\W\d_][\w']*", lambda found: found[0][0].upper() + found[0][1:], text)


def after_first_word(text: str) -> str:
    first, *rest = text.split(" ")
    return " ".join([f"{first}!", *rest])


def as_a_list(text: str) -> str:
    first, *rest = text.split(" ")
    return " ".join([f"- **{first}**", *rest])


WAYS: Mapping[str, Change] = {
    "title_case": title,
    "typographic_apostrophe": lambda text: text.replace("'", "’"),
    "long_dash": lambda text: text.replace(" ", " — ", 1),
    "exclamation_within": after_first_word,
    "bold": as_a_list,
    "emoji": lambda text: f"😊 {text}",
    "all_lower": str.lower,
    "ends_in_stop": lambda text: text.rstrip("."),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "no_break_space": lambda text: text.replace(" ", "\u00a0", 1),
    "entity": lambda text: html.escape(text),
    "carriage_return": lambda text: text.replace(" ", "\r\n", 1),
}
"""What a simulator may do to every message, by a format that it then differs in."""
