"""Word lists and phrases, as plain files of a language: convsim's own, and a team's."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError

from convsim._cache import folder_digest
from convsim._inputs import read_input, read_toml
from convsim._text import one_line
from convsim.errors import InputError
from convsim.text.language import ENGLISH, known_codes, meant_code
from convsim.text.phrases import Finds, Phrases, WordList

SHIPPED = Path(__file__).parent / "lexicon"
LISTS = frozenset({"thanks", "please", "sorry", "praise", "first_person", "stop_words", "ordinary_talk"})
"""Files of a language with one entry a line."""
COMPLAINTS, QUESTIONS, CONDUCT, ENDINGS, SPELLINGS = (
    "complaints",
    "questions",
    "conduct",
    "endings",
    "spellings",
)
"""Files of a language that are TOML: phrases by what went wrong, by what is asked for, by what a user does, by how they
end a conversation, and how short forms are read."""
FILES = frozenset(
    {f"{name}.txt" for name in LISTS}
    | {f"{name}.toml" for name in (COMPLAINTS, QUESTIONS, CONDUCT, ENDINGS, SPELLINGS)}
)
MAX_BYTES = 1 << 20
COMMENT, ORDINARY = "# ", "- "
"""Begin a line that is a comment, and one that holds an entry and is none: such talk is taken out first."""
ALL = ""
"""All complaints of a language together."""


def read_lexicon(name: str, language: str = ENGLISH) -> frozenset[str]:
    """Return the entries of convsim's own ``lexicon/<language>/<name>.txt``."""
    return frozenset(_read_lines(SHIPPED / language / f"{name}.txt")[0])


def read_character_class(name: str) -> re.Pattern[str]:
    """Return a pattern that matches any one character listed in ``lexicon/<name>.txt``, whatever the language."""
    return re.compile(f"[{re.escape(''.join(sorted(_read_lines(SHIPPED / f'{name}.txt')[0])))}]")


@dataclass(frozen=True)
class Lexicon:
    """The word lists of every language: convsim's own, and those of a folder, which take their place.

    The folder is laid out as convsim's own: ``<language>/thanks.txt``, the language by its ISO 639 code.
    """

    folder: Path | None = None
    digest: str = ""
    """Of the folder's files, as they are to be read: one that was edited is read anew by whoever has the new digest."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the word lists of a folder as it is now.

        Raises:
            InputError: There is none, or a language or a file in it is not known or cannot be read.
        """
        cls(folder).check()
        return cls(folder, folder_digest(folder))

    def check(self) -> None:
        """Read every file of the folder.

        Raises:
            InputError: There is none, or a language or a file in it is not known or cannot be read.
        """
        if self.folder is None:
            return
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: there is no such folder of word lists")
        languages = [path for path in sorted(self.folder.iterdir()) if path.is_dir()]
        if not languages:
            raise InputError(f"{self.folder}: holds no folder of a language, such as de with de/thanks.txt")
        for language in languages:
            if language.name not in known_codes():
                meant = meant_code(language.name)
                nearest = f"; did you mean {meant}" if meant else ", such as de"
                raise InputError(f"{language}: is not a language's ISO 639 code{nearest}")
            for file in sorted(language.iterdir()):
                _check_name(file)
                _reader_of(file)(file)

    def words(self, name: str, language: str | None) -> WordList | None:
        """Return ``<language>/<name>.txt`` as what is looked for; None where there is none."""
        return _word_list(self, name, language) if language else None

    def entries(self, name: str, language: str | None) -> frozenset[str] | None:
        """Return the entries of ``<language>/<name>.txt``; None where there is none."""
        file = self._file(f"{name}.txt", language)
        return frozenset(_read_lines(file)[0]) if file else None

    def complaints(self, language: str | None) -> Mapping[str, Finds]:
        """Return what is looked for by the names of ``<language>/complaints.toml``, and ``ALL`` for all together."""
        return _complaints(self, language) if language else {}

    def questions(self, language: str | None) -> Mapping[str, WordList]:
        """Return what is looked for by the names of ``<language>/questions.toml``; nothing where there is none."""
        return _by_name(self, QUESTIONS, language) if language else {}

    def conduct(self, language: str | None) -> Mapping[str, WordList]:
        """Return what is looked for by the names of ``<language>/conduct.toml``; nothing where there is none."""
        return _by_name(self, CONDUCT, language) if language else {}

    def endings(self, language: str | None) -> Mapping[str, WordList]:
        """Return what is looked for by the names of ``<language>/endings.toml``; nothing where there is none."""
        return _by_name(self, ENDINGS, language) if language else {}

    def _file(self, name: str, language: str | None) -> Path | None:
        folders = [SHIPPED] if self.folder is None else [self.folder, SHIPPED]
        paths = [folder / language / name for folder in folders if language]
        return next((path for path in paths if path.is_file()), None)


@lru_cache(maxsize=1_024)
def _word_list(lexicon: Lexicon, name: str, language: str) -> WordList | None:
    file = lexicon._file(f"{name}.txt", language)
    if file is None:
        return None
    entries, ordinary = _read_lines(file)
    return WordList(entries, ordinary=ordinary)


@lru_cache(maxsize=256)
def _complaints(lexicon: Lexicon, language: str) -> Mapping[str, Finds]:
    lists: Mapping[str, Collection[str]] = {}
    if file := lexicon._file(f"{COMPLAINTS}.toml", language):
        lists = _read_phrases(file)
    if not lists:
        return {}
    ordinary = lexicon.entries("ordinary_talk", language) or ()
    wanted = {ALL: sorted({phrase for phrases in lists.values() for phrase in phrases}), **lists}
    if language != ENGLISH:
        return {name: WordList(phrases, ordinary=ordinary) for name, phrases in wanted.items()}
    spellings = read_spellings(lexicon)
    return {
        name: Phrases(phrases, ordinary=ordinary, spellings=spellings) for name, phrases in wanted.items()
    }


@lru_cache(maxsize=256)
def _by_name(lexicon: Lexicon, table: str, language: str) -> Mapping[str, WordList]:
    file = lexicon._file(f"{table}.toml", language)
    return {name: WordList(phrases) for name, phrases in _read_phrases(file).items()} if file else {}


def read_phrase_lists(name: str = COMPLAINTS, language: str = ENGLISH) -> dict[str, list[str]]:
    """Return the lists of convsim's own ``lexicon/<language>/<name>.toml``, by their names."""
    return _read_phrases(SHIPPED / language / f"{name}.toml")


def read_spellings(lexicon: Lexicon | None = None) -> dict[str, str]:
    """Return what ``en/spellings.toml`` reads each short or careless form as."""
    file = (lexicon or Lexicon())._file(f"{SPELLINGS}.toml", ENGLISH)
    return _read_spellings(file) if file else {}


def _check_name(file: Path) -> None:
    if file.name not in FILES:
        close = get_close_matches(file.name, sorted(FILES), n=1)
        nearest = f"did you mean {close[0]}" if close else f"there are {', '.join(sorted(FILES))}"
        raise InputError(f"{file}: is not a word list; {nearest}")


def _read_lines(path: Path) -> tuple[list[str], list[str]]:
    """Return a list's entries, and the ordinary talk that holds an entry and is none."""
    try:
        lines = read_input(path, MAX_BYTES).decode("utf-8").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {one_line(error)}") from None
    said = [line.rstrip() for line in lines if line.strip() and not line.startswith(COMMENT)]
    ordinary = [line.removeprefix(ORDINARY) for line in said if line.startswith(ORDINARY)]
    entries = [line for line in said if not line.startswith(ORDINARY)]
    if not entries:
        raise InputError(f"{path}: has no entry; write one word or phrase a line")
    return entries, ordinary


def _read_phrases(path: Path) -> dict[str, list[str]]:
    """Return lists of phrases by their names."""
    try:
        lists = TypeAdapter(dict[str, list[str]]).validate_python(read_toml(path))
    except ValidationError:
        raise InputError(
            f'{path}: each list must be texts in brackets, such as general = ["so useless"]'
        ) from None
    if blank := [name for name, phrases in lists.items() if not all(phrase.strip() for phrase in phrases)]:
        raise InputError(f"{path}: the list {blank[0]} has an empty phrase")
    if not any(lists.values()):
        raise InputError(f"{path}: has no phrase")
    return lists


def _read_spellings(path: Path) -> dict[str, str]:
    try:
        return TypeAdapter(dict[str, str]).validate_python(read_toml(path))
    except ValidationError:
        raise InputError(
            f'{path}: each line must be a word and its reading, such as dont = "do not"'
        ) from None


def _reader_of(file: Path) -> Callable[[Path], object]:
    if file.suffix == ".txt":
        return _read_lines
    return _read_spellings if file.stem == SPELLINGS else _read_phrases
