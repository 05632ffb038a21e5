"""Only part of what the user said reaches the agent: ConvApparel's bad agent encodes only part of it in its query."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from convsim.agents.faults.draws import Draws
from convsim.agents.faults.heard import Heard
from convsim.agents.faults.hooks import NOT_DRAWN, Done, Hearing, NotDone, Scene, listed

WORD = re.compile(r"\S+\s*")


def _alter(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
    """Leave words out of every user message, at severity 1 all but one of each."""
    texts: dict[int, str] = {}
    lost: list[str] = []
    for place, text in reversed(list(heard.said())):
        words = WORD.findall(text)
        gone = set(_unheard(words, place, scene.draws))
        if gone:
            texts[place] = "".join(word for at, word in enumerate(words) if at not in gone).rstrip()
            lost += [words[at].strip() for at in sorted(gone)]
    if not texts:
        several = any(len(text.split()) > 1 for _, text in heard.said())
        return NotDone(NOT_DRAWN if several else "no message of two words was said")
    return Done(heard.rewritten(texts), f"not heard: {listed(lost, separator=' ')}")


def _unheard(words: list[str], place: int, draws: Draws) -> Iterator[int]:
    """Yield which words are lost; the word of the highest number never is."""
    nth: Counter[str] = Counter()
    numbers: list[float] = []
    for word in words:
        written = word.strip().lower()
        numbers.append(draws.uniform(place, written, nth[written]))
        nth[written] += 1
    kept = max(range(len(words)), key=numbers.__getitem__, default=0)
    return (at for at, number in enumerate(numbers) if number < draws.severity and at != kept)


PARTIAL_QUERY = Hearing("partial_query", "word", _alter)
