"""In which language a side of a comparison is written: its script first, then a detector, for the side as a whole."""

from __future__ import annotations

import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from convsim._inputs import read_toml

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MIN_LETTERS = 100
"""Of a side; with fewer the detector errs too often, and nothing can be told."""
MAX_LETTERS_ASSUMED = 1_000
"""Of a side in Latin letters whose language cannot be told: with fewer it is read as English."""
MIN_LETTERS_APART = 50
"""Of a conversation, before it counts as another language than its side's."""
SURE = 0.9
"""The detector's probability from which a conversation counts as another language than its side's."""
LIKELY = 0.5
"""The detector's probability from which the language of a whole side counts as told."""
MIXED = 0.9
"""Below this proportion of its letters in one language, a side is mixed."""
MAX_TEXTS = 500
MAX_CHARACTERS = 400
"""What is read of a side: so many conversations, and so much of each."""
ENGLISH = "en"


class _Writing(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    without_spaces: frozenset[str]
    without_final_marks: frozenset[str]


class _LeftOut(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    codes: frozenset[str]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    names: Mapping[str, str]
    scripts: Mapping[str, str]
    read_as: Mapping[str, str]
    left_out: _LeftOut
    writing: _Writing


@cache
def _table() -> _Table:
    return _Table.model_validate(read_toml(Path(__file__).parent / "languages.toml"))


def name_of(code: str) -> str:
    """Return a language's English name; the code itself where it has none here."""
    return _table().names.get(code, code)


def known_codes() -> frozenset[str]:
    """Return the codes of the languages that have a name here."""
    return frozenset(_table().names)


def meant_code(said: str) -> str | None:
    """Return the code that somebody meant who wrote a language's name, or nearly its code; None where none is near."""
    by_name = {name.lower(): code for code, name in _table().names.items()} | {
        code: code for code in known_codes()
    }
    close = get_close_matches(said.lower(), by_name, n=1)
    return by_name[close[0]] if close else None


class Language(BaseModel):
    """What a side is written in; ``code`` is None where that cannot be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str | None = None
    """ISO 639: of a mixed side, the language with most letters."""
    assumed: bool = False
    """The side says too little to tell, but its letters are Latin: it is read as English."""
    proportions: Mapping[str, float] = {}
    """The proportion of the letters in each language."""
    n_letters: int = 0
    has_case: bool = True
    """Whether most letters are of a script with capitals."""

    @property
    def of_lists(self) -> str:
        """Whose word lists are looked at: English ones where nothing is told, so that a text without words has none."""
        return self.code or ENGLISH

    @property
    def mixed(self) -> bool:
        """Whether no language has nine letters in ten."""
        return bool(self.proportions) and max(self.proportions.values()) < MIXED

    @property
    def has_spaces(self) -> bool:
        """Whether words are written with spaces between them."""
        return self.code not in _table().writing.without_spaces

    @property
    def has_final_marks(self) -> bool:
        """Whether sentences are written with a mark at their end."""
        return self.code not in _table().writing.without_final_marks

    @property
    def problem(self) -> str | None:
        """Why it is no one language, or cannot be told; None where it is told or assumed."""
        if self.mixed:
            return f"the messages are in several languages: {self._parts()}"
        if self.code is not None:
            return None
        if not self.n_letters:
            return "no message has a letter, so there is no language"
        return f"their language cannot be told from {self.n_letters} letters"

    def __str__(self) -> str:
        if self.mixed:
            return f"mixed: {self._parts()}"
        if self.code is None:
            return f"not told: {self.n_letters} letters"
        if self.assumed:
            return f"not told: {self.n_letters} letters, read as {name_of(self.code)}"
        return name_of(self.code)

    def _parts(self) -> str:
        most = sorted(self.proportions.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{name_of(code)} {part:.0%}" for code, part in most[:3])


def tell_language(texts: Iterable[str]) -> Language:
    """Tell the language of a side from its users' texts, one a conversation; their order changes nothing.

    The side's language is that of all texts together. A conversation long enough, of which the detector is sure that it
    is another, counts for that one; where those sum to over a tenth of the letters, the side is mixed.
    """
    said = [text for text in texts if text and not text.isspace()]
    return _told(tuple(text[:MAX_CHARACTERS] for text in _sample(said)))


def tell_languages(texts: Sequence[str]) -> list[str | None]:
    """Tell the language of each of a side's texts; None of all where not even that of the side can be told.

    A text counts for the side's language, unless it is long enough and the detector is sure that it is another, as in
    ``tell_language``.
    """
    side = tell_language(texts)
    if side.code is None or len(side.proportions) < 2:
        return [side.code] * len(texts)
    return [_apart_from(side.code, text[:MAX_CHARACTERS]) for text in texts]


@lru_cache(maxsize=32)
def _told(read: tuple[str, ...]) -> Language:
    found = Counter("".join(read))
    letters = {letter: n for letter, n in found.items() if letter.isalpha()}
    n_letters = sum(letters.values())
    cased = sum(n for letter, n in letters.items() if letter != letter.title() or letter != letter.lower())
    known = {"n_letters": n_letters, "has_case": 2 * cased >= n_letters}
    if not n_letters:
        return Language()
    script = _scripts("".join(read)).most_common(1)[0][0]
    main, probability = _language_of("\n".join(sorted(read)))
    told_by_script = script in _table().scripts
    if not told_by_script and (n_letters < MIN_LETTERS or probability < LIKELY):
        assumed = script == "LATIN" and n_letters < MAX_LETTERS_ASSUMED
        return Language(code=ENGLISH if assumed else None, assumed=assumed, **known)
    counted: Counter[str] = Counter()
    for text in read:
        counted[_apart_from(main, text)] += sum(map(str.isalpha, text))
    proportions = {code: n / counted.total() for code, n in sorted(counted.items()) if n}
    return Language(
        code=max(proportions, key=lambda code: proportions[code]), proportions=proportions, **known
    )


def _apart_from(main: str, text: str) -> str:
    """Return the language of one text of a side that is written in ``main``."""
    if sum(map(str.isalpha, text)) < MIN_LETTERS_APART:
        return main
    apart, probability = _language_of_one(text)
    return apart if probability >= SURE else main


@lru_cache(maxsize=2_048)
def _language_of_one(text: str) -> tuple[str, float]:
    """Return what ``_language_of`` does; kept, for a conversation stands on several sides of one comparison."""
    return _language_of(text)


def _sample(texts: Sequence[str]) -> Sequence[str]:
    """Return at most so many texts, chosen by what they say, so that their order does not matter."""
    if len(texts) <= MAX_TEXTS:
        return texts
    return sorted(texts, key=lambda text: (zlib.crc32(text.encode(errors="replace")), text))[:MAX_TEXTS]


def _language_of(text: str) -> tuple[str, float]:
    """Return a text's language and how probable it is; what its script tells is certain."""
    scripts = _scripts(text)
    if not scripts:
        return "", 0.0
    script = scripts.most_common(1)[0][0]
    if script == "CJK" and 20 * (scripts["HIRAGANA"] + scripts["KATAKANA"]) >= scripts["CJK"]:
        script = "HIRAGANA"
    if code := _table().scripts.get(script):
        return code, 1.0
    code, probability = _detector().classify(text)
    return _table().read_as.get(code, code), probability


def _scripts(text: str) -> Counter[str]:
    """Count a text's letters by script, which a character's Unicode name begins with."""
    scripts: Counter[str] = Counter()
    for character, n in Counter(text).items():
        if character.isalpha():
            scripts[_script(character)] += n
    return scripts


@lru_cache(maxsize=16_384)
def _script(letter: str) -> str:
    first = unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
    if first in ("FULLWIDTH", "HALFWIDTH"):
        return _script(unicodedata.normalize("NFKC", letter)[0])
    return first


@cache
def _detector() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(set(identifier.labels) - _table().left_out.codes)
    return identifier
