"""What a word is, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from convsim.text.folding import APOSTROPHES, HYPHENS, UNSEEN, typed
from convsim.text.segment import PARTS, UNSPACED, has_kana, segmented

# Python's \w leaves out combining marks and joiners, which would cut words of Hindi, Thai and Persian up.
_MARKS = "\u200c\u200d" + "".join(
    c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in {"Mn", "Mc"}
)
MARK = re.compile(f"[{_MARKS}]")
"""A combining mark or joiner: it continues a word and does not count as a character."""

# The possessive loop (*+) keeps a message of millions of hyphens from piling up backtracking states.
_INSIDE = re.escape(f"'{APOSTROPHES}-{HYPHENS}")
WORD = re.compile(rf"\w[\w{_MARKS}{UNSEEN}]*(?:[{_INSIDE}]\w[\w{_MARKS}{UNSEEN}]*)*+")
"""A run of letters, digits or underscores, with apostrophes and hyphens inside: a word where words have spaces between.

What is written without spaces is one run; ``words`` parts it.
"""
_CHARACTER = re.compile(rf".[{_MARKS}]*")


def words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, as a keyboard has them (``typed``).

    Chinese, Japanese and Thai are parted by a segmenter (extra ``cjk``); without one, and in other scripts that are
    written without spaces, each character is a word: enough for n-grams, but no count of words.
    """
    text = typed(text)
    runs = WORD.findall(text.lower())
    if text.isascii() or not UNSPACED.search(text):
        return runs
    japanese = has_kana(text)
    return [run[start:end] for run in runs for start, end in _parted(run, japanese=japanese)]


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word of ``text`` starts and ends, as ``words`` parts them."""
    japanese = not text.isascii() and has_kana(text)
    for match in WORD.finditer(text):
        for start, end in _parted(match[0], japanese=japanese):
            yield match.start() + start, match.start() + end


def _parted(run: str, *, japanese: bool) -> Iterator[tuple[int, int]]:
    """Yield where the words of a run start and end: the run itself, or its parts that are written without spaces."""
    if run.isascii() or not UNSPACED.search(run):
        yield 0, len(run)
        return
    for part in PARTS.finditer(run):
        if not UNSPACED.match(part[0]):
            yield from ((part.start() + m.start(), part.start() + m.end()) for m in WORD.finditer(part[0]))
            continue
        found = segmented(part[0], japanese=japanese)
        at = part.start()
        for word in _CHARACTER.findall(part[0]) if found is None else found:
            yield at, at + len(word)
            at += len(word)
