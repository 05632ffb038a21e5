"""What a study is about, where nobody says it: what its catalogue, or its shoppers' needs, speak of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from convsim._settings import is_domain
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation
from convsim.text.language import tell_language
from convsim.text.small_talk import languages_of, stated_words

MIN_NEEDS = 10
MIN_PROPORTION = 1 / 3
"""Of the needs, that hold a word before it counts as what they speak of."""
MIN_CATEGORY = 0.1
"""Of the items, that are of a category before it is named."""
MOST_NEEDS = 2_000
MOST_CATEGORIES = 3


def domain_of_catalogue(catalogue: Catalogue) -> str | None:
    """Name a catalogue's commonest categories, such as ``films and books``; None where its items have none."""
    counts = Counter(" ".join(item.text_of("category").split()).lower() for item in catalogue.items)
    named = [
        category
        for category, n in counts.most_common(MOST_CATEGORIES)
        if category and n >= MIN_CATEGORY * len(catalogue)
    ]
    return _joined(named)


def domain_of_needs(needs: Iterable[str]) -> str | None:
    """Name the word that most needs hold, a third of them at least, such as ``movies``; None where there is none.

    Words that wish for anything (``wish_words.txt``), stop words and small talk are left out; needs that say the same
    count once.
    """
    said = list(dict.fromkeys(needs))[:MOST_NEEDS]
    if len(said) < MIN_NEEDS:
        return None
    languages = languages_of(tell_language(said))
    counts: Counter[str] = Counter()
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for need in said:
        words = {word for word in stated_words(need, languages) if word.isalpha() and len(word) > 1}
        words = {word for word in words if _singular(word) not in _wish_words()}
        counts.update({_singular(word) for word in words})
        for word in words:
            forms[_singular(word)][word] += 1
    found = [word for word, n in counts.most_common(1) if n >= MIN_PROPORTION * len(said)]
    return _joined([_several(forms[word]) for word in found])


def domain_of_records(conversations: Iterable[Conversation]) -> str | None:
    """Return the domain that all conversations state themselves, as tau2's do, such as ``airline``; else None."""
    stated = {str(conversation.metadata.get("domain") or "") for conversation in conversations}
    return _joined([*stated]) if len(stated) == 1 else None


def _joined(names: Sequence[str]) -> str | None:
    """Join names that may stand in a prompt, the first ones where all are too long."""
    kept = [name for name in names if is_domain(name)]
    while kept:
        *before, last = kept
        said = f"{', '.join(before)} and {last}" if before else last
        if is_domain(said):
            return said
        kept = before
    return None


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _several(forms: Counter[str]) -> str:
    """Return the plural of a word where a tenth of those who name it write that."""
    return max(
        (form for form, n in forms.items() if 10 * n >= forms.total()), key=lambda form: (len(form), form)
    )


@cache
def _wish_words() -> frozenset[str]:
    lines = files("convsim.text").joinpath("wish_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(_singular(line) for line in lines if line and not line.startswith("#"))
