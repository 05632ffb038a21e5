"""Where personas come from: a file, the instructions of an archive, or the first messages of real users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue, ValidationError

from convsim._inputs import read_toml
from convsim._text import complaint, one_line, refusal
from convsim.errors import StudyError
from convsim.io import Transcripts
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.seeds import generator
from convsim.shoppers.needs import FIRST_MESSAGES, Needs

MAX_BYTES = 16 << 20


def read_personas(path: Path) -> list[Persona]:
    """Read ``[[persona]]`` tables.

    Raises:
        StudyError: No such file, not TOML, no personas, ids that stand twice, or a wrong field.
    """
    document = read_toml(path, what="the file of personas", limit=MAX_BYTES, error=StudyError)
    if unknown := document.keys() - {"persona"}:
        raise StudyError(f"{path}: {one_line(min(unknown))}: {refusal(min(unknown), ['persona'])}")
    tables = document.get("persona")
    if not isinstance(tables, list) or not tables:
        raise StudyError(f"{path}: expected [[persona]] tables with id and need, but found none")
    personas: list[Persona] = []
    for number, table in enumerate(tables, start=1):
        try:
            personas.append(Persona.model_validate(table))
        except ValidationError as error:
            raise StudyError(f"{path}: persona {number}: {complaint(error)}") from error
    twice = [name for name, times in Counter(p.id for p in personas).items() if times > 1]
    if twice:
        raise StudyError(f"{path}: the persona id {min(twice)!r:.80} occurs twice")
    return personas


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


def draw_personas(real: Sequence[Conversation], n: int, *, seed: int) -> list[Persona]:
    """Draw personas without replacement from real conversations; a need is what its user stated first.

    Each remembers in ``metadata`` which conversation and user it was drawn from, so that no shopper is shown these.
    Greetings are skipped, and conversations whose user states nothing in the first messages, or only once the agent had
    shown items, are left out. Only what the user knew before the agent showed anything enters.

    Raises:
        StudyError: No conversation states a need.
    """
    spoken = stated_needs(real)
    if not spoken:
        raise StudyError(
            f"personas cannot be drawn: none of the {len(real)} conversations states a need in its user's first "
            f"{FIRST_MESSAGES} messages; give a file of them with --personas"
        )
    order = generator(seed, "personas").permutation(len(spoken))[:n]
    return [
        Persona(id=c.id, task=c.task, need=first, metadata=_origin(c))
        for c, first in (spoken[int(index)] for index in order)
    ]


def _origin(conversation: Conversation) -> dict[str, JsonValue]:
    user = {} if conversation.user is None else {"drawn_from_user": conversation.user}
    return {"drawn_from": conversation.id, **user}
