"""Turns the labels of another scheme into our acts, by a file that says which correspond."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue, ValidationError

from convsim._inputs import read_toml
from convsim._text import one_line, wrong
from convsim.annotation.definitions import OTHER, definitions
from convsim.errors import InputError
from convsim.schema.conversation import Message
from convsim.schema.record import UNKNOWN_KEY, Record

Acts = str | Annotated[tuple[str, ...], Field(strict=False)]


class ActMap(Record):
    """Which of our acts the values of another scheme's label correspond to."""

    model_config = ConfigDict(strict=True)

    label: str = Field(min_length=1)
    """The name of that label on user messages."""
    acts: Mapping[str, Acts] = Field(min_length=1, strict=False)
    """The act, or acts, that each value corresponds to."""
    min_votes: int = Field(default=2, ge=1)
    """Where a value is given with the number of people who gave it: from how many on it counts."""
    ignored: tuple[str, ...] = Field(default=(), strict=False)
    """Values that correspond to none of our acts."""
    merged: Mapping[str, str] = Field(default_factory=dict)
    """Our acts that the scheme does not tell from another of ours."""
    unseen: tuple[str, ...] = Field(default=(), strict=False)
    """Our acts that the scheme says nothing of."""

    def acts_of(self, message: Message, *, source: str) -> Sequence[str] | None:
        """Return the acts of a message by the label that ``source`` gave; None where it tells none.

        Raises:
            InputError: The label is not of this scheme; see ``acts_of``.
        """
        for label in message.labels.get(self.label, ()):
            if label.source == source:
                return acts_of(label.value, self, min_votes=self.min_votes) or None
        return None

    def as_seen(self, acts: Iterable[str]) -> list[str]:
        """Return our own acts as the scheme tells them apart, so that both can be compared; none if it sees none."""
        seen = {self.merged.get(act, act) for act in acts if act not in self.unseen}
        return sorted(seen - {OTHER} or seen)


def read_map(path: Path | str) -> ActMap:
    """Read a file that says which acts another scheme's labels correspond to.

    Raises:
        InputError: No such file, no TOML, an unknown key, or an act that does not exist.
    """
    content = read_toml(Path(path), what="the map")
    try:
        made = ActMap.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_problem(error)}") from error
    _check(path, made)
    return made


def acts_of(label_value: JsonValue, act_map: ActMap, *, min_votes: int = 2) -> list[str]:
    """Return the acts that a label's value corresponds to, sorted; none where it tells none.

    Args:
        label_value: A text, a list of texts, or for each text how many people chose it.
        act_map: The correspondence.
        min_votes: From how many people on a choice counts.

    Raises:
        InputError: A value that the map does not know, or none of these shapes.
    """
    acts: set[str] = set()
    for name in _names(label_value, act_map.label, min_votes):
        if name in act_map.acts:
            given = act_map.acts[name]
            acts.update((given,) if isinstance(given, str) else given)
        elif name not in act_map.ignored:
            known = ", ".join(sorted({*act_map.acts, *act_map.ignored}))
            raise InputError(
                f"the map has no {one_line(name)!r} for the label {act_map.label!r}; it has {known}; "
                "add it under [acts] or to ignored"
            )
    return sorted(acts - {OTHER} or acts)


def _names(value: JsonValue, label: str, min_votes: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return [name for name in value if isinstance(name, str)]
    if isinstance(value, dict):
        votes = {
            name: n for name, n in value.items() if isinstance(n, int | float) and not isinstance(n, bool)
        }
        if len(votes) == len(value):
            return [name for name, n in votes.items() if n >= min_votes]
    raise InputError(
        f"the label {label!r} must be a text, a list of texts or a number of votes for each text, "
        f"but is {one_line(value)}"
    )


def _check(path: Path | str, made: ActMap) -> None:
    given = [act for acts in made.acts.values() for act in ((acts,) if isinstance(acts, str) else acts)]
    known = definitions().act_names
    for act in (*given, *made.merged, *made.merged.values(), *made.unseen):
        if act not in known:
            raise InputError(f"{path}: there is no act {one_line(act)!r}; the acts are: {', '.join(known)}")
    for act in given:
        if act in made.merged or act in made.unseen:
            raise InputError(f"{path}: {act!r} is under [acts], but also listed as missing from the scheme")
    for act, other in made.merged.items():
        if other in made.merged or other in made.unseen:
            raise InputError(f"{path}: [merged] takes {act!r} for {other!r}, which the scheme lacks too")


def _problem(error: ValidationError) -> str:
    found = error.errors()[0]
    key = one_line(".".join(map(str, found["loc"])))
    if found["type"] == UNKNOWN_KEY:
        return f"{key}: {found['msg']}"
    if found["type"] == "missing":
        return f"a map needs {key!r}"
    return f"{key}: {one_line(wrong(found))}"
