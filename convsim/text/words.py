"""What a word is, in any script."""

from __future__ import annotations

import re
import unicodedata

# Python's \w leaves out combining marks and joiners, which would cut words of Hindi, Thai and Persian up.
_MARKS = "\u200c\u200d" + "".join(
    c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in {"Mn", "Mc"}
)
MARK = re.compile(f"[{_MARKS}]")
"""A combining mark or joiner: it continues a word and does not count as a character."""

# The possessive loop (*+) keeps a message of millions of hyphens from piling up backtracking states.
WORD = re.compile(rf"\w[\w{_MARKS}]*(?:['’-]\w[\w{_MARKS}]*)*+")
"""A word: a run of letters, digits or underscores, with apostrophes and hyphens inside.

Scripts written without spaces are not segmented: a run of them is one word.
"""


def words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, with typewriter apostrophes."""
    return WORD.findall(text.lower().replace("’", "'"))
