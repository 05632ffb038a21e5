"""Where personas come from: a file, the instructions of an archive, or the first messages of real users."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import JsonValue, ValidationError

from convsim._inputs import check_path, read_input, read_toml
from convsim._settings import check_whole
from convsim._text import complaint, one_line, refusal
from convsim.errors import StudyError
from convsim.io import MalformedError, Source, Transcripts, read_source
from convsim.io.jsonl import parse_json
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import LEARNED_FROM, Persona
from convsim.seeds import generator
from convsim.shoppers.needs import FIRST_MESSAGES, Needs

MAX_BYTES = 16 << 20
BOM = b"\xef\xbb\xbf"
TABLE = re.compile(rb"\s*\[\[\s*persona\s*\]\]")


def read_personas(path: Path | str) -> list[Persona]:
    """Read ``[[persona]]`` tables of a TOML file, or a persona a line of a ``.jsonl`` file.

    Raises:
        StudyError: No such file, not TOML or JSON, no personas, ids that stand twice, a key that is not known, or a
            wrong field; with the line.
        InputError: ``path`` is no path.
    """
    path = check_path("read_personas", path)
    personas: list[Persona] = []
    lines: dict[str, int] = {}
    for line, content in _lines_of(path) if path.suffix.lower() == ".jsonl" else _tables_of(path):
        where = f"{path}:{line}: persona {len(personas) + 1}"
        try:
            persona = Persona.model_validate(content)
            if stated := persona.metadata.get(LEARNED_FROM):
                LearnedFrom.model_validate(stated)
        except ValidationError as error:
            said = complaint(error, with_value=True)
            raise StudyError(f"{where}: {said}") from error
        if persona.id in lines:
            raise StudyError(
                f"{where}: the persona id {persona.id!r:.80} occurs twice: also on line {lines[persona.id]}"
            )
        lines[persona.id] = line
        personas.append(persona)
    if not personas:
        expected = "a persona a line" if path.suffix.lower() == ".jsonl" else "[[persona]] tables"
        raise StudyError(f"{path}: expected {expected} with id and need, but found none")
    return personas


def _tables_of(path: Path) -> Iterator[tuple[int, object]]:
    document = read_toml(path, what="the file of personas", limit=MAX_BYTES, error=StudyError)
    if unknown := document.keys() - {"persona"}:
        raise StudyError(f"{path}: {one_line(min(unknown))}: {refusal(min(unknown), ['persona'])}")
    tables = document.get("persona")
    if not isinstance(tables, list):
        return
    begin = [
        number for number, line in enumerate(read_input(path, MAX_BYTES).split(b"\n"), 1) if TABLE.match(line)
    ]
    # A text of several lines may look like the head of a table: then no line is named but the first.
    known = begin if len(begin) == len(tables) else [1] * len(tables)
    yield from zip(known, tables, strict=True)


def _lines_of(path: Path) -> Iterator[tuple[int, object]]:
    try:
        content = read_input(path, MAX_BYTES)
    except OSError as error:
        raise StudyError(f"{path}: the file of personas cannot be read: {error.strerror or error}") from None
    for number, line in enumerate(content.removeprefix(BOM).split(b"\n"), start=1):
        if line.strip():
            try:
                yield number, parse_json(line)
            except MalformedError as error:
                raise StudyError(f"{path}:{number}: {error}") from None


def instructed_personas(archive: Transcripts) -> list[Persona]:
    """Make a persona of each task's instructions in a ConvApparel archive; arms with the same ones share it.

    Raises:
        StudyError: The archive contains no instructions.
    """
    needs: dict[str, str] = {}
    for task, text in archive.instructions.items():
        if text.strip():
            needs.setdefault(text.strip(), task.removesuffix("_bad").removesuffix("_good"))
    if not needs:
        raise StudyError(f"{archive.path}: contains no instructions to make personas from")
    return [Persona(id=f"instructions-{task}", task=task, need=need) for need, task in needs.items()]


def stated_needs(real: Sequence[Conversation]) -> list[tuple[Conversation, str]]:
    """Return each conversation whose user states a need at its beginning, with that need, in their order."""
    needs = Needs.of(real)
    return [(c, need) for c in real if (need := needs.stated(c))]


def draw_personas(real: Source, n: int, *, seed: int) -> list[Persona]:
    """Draw personas without replacement from real conversations; a need is what its user stated first.

    Each remembers in ``metadata`` which conversation and user it was drawn from, so that no shopper is shown these.
    Greetings are skipped, and conversations whose user states nothing in the first messages, or only once the agent had
    shown items, are left out. Only what the user knew before the agent showed anything enters.

    Raises:
        StudyError: No conversation states a need.
        InputError: ``real`` is a path that cannot be read, or holds something else than conversations; or ``n`` is
            below 1, or it or the seed no whole number.
    """
    check_whole("draw_personas", "n", n, least=1)
    check_whole("draw_personas", "seed", seed)
    people = read_source(real)
    spoken = stated_needs(people)
    if not spoken:
        raise StudyError(
            f"personas cannot be drawn: none of the {len(people)} conversations states a need in its user's first "
            f"{FIRST_MESSAGES} messages, before the agent names anything; give a file of them with --personas"
        )
    order = generator(seed, "personas").permutation(len(spoken))[:n]
    return [
        Persona(id=c.id, task=c.task, need=first, metadata=_origin(c))
        for c, first in (spoken[int(index)] for index in order)
    ]


def _origin(conversation: Conversation) -> dict[str, JsonValue]:
    user = {} if conversation.user is None else {"drawn_from_user": conversation.user}
    return {"drawn_from": conversation.id, **user}
