"""Prompts of a team's own: a folder whose files stand in for ours, each filled in by a process within bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic_core import to_jsonable_python

from convsim._files import write_set
from convsim._inputs import check_path, read_input
from convsim._templates import Prompts
from convsim._text import listed, nearest, one_line
from convsim.errors import InputError, ModelError
from convsim.models.chat_template import ChatTemplate, RefusedChatError

MAX_BYTES = 256 << 10
ENDING = ".txt.j2"
SHOPPERS, AGENTS = "convsim.shoppers", "convsim.agents"
FILES: Mapping[str, str] = {
    "chat": SHOPPERS, "transcript": SHOPPERS, "opening": SHOPPERS, "decide": SHOPPERS, "choose_item": SHOPPERS,
    "told": SHOPPERS, "intent": SHOPPERS, "ending": SHOPPERS, "commands": SHOPPERS,
    "recommend": AGENTS,
}  # fmt: skip
"""The prompts that may be a team's own, and the package that asks with each."""
TRIMS: Mapping[str, bool] = {SHOPPERS: False, AGENTS: True}
"""Whether the line break after a block, and the spaces before one, are dropped in a package's prompts."""

Values = Mapping[str, object]


@cache
def our_prompts(package: str) -> Prompts:
    """Return convsim's own prompts of a package."""
    return Prompts(package, trim=TRIMS[package])


def our_file(name: str) -> bytes:
    """Return the file of one of convsim's own prompts."""
    return files(FILES[name]).joinpath("prompts", f"{name}{ENDING}").read_bytes()


def our_files() -> dict[str, bytes]:
    """Return the files of all of convsim's own prompts, by name."""
    return {f"{name}{ENDING}": our_file(name) for name in FILES}


def export_prompts(folder: Path | str) -> Path:
    """Write convsim's own prompts into a folder, to be changed, and return it; files that are there stay as they are.

    ``make_shopper("prompted", prompts=folder)`` uses them; what is deleted from the folder is taken from convsim again.

    Raises:
        InputError: The folder cannot be written to, or is no path.
    """
    path = check_path("export_prompts", folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        missing = {name: content for name, content in our_files().items() if not (path / name).exists()}
        write_set(path, missing)
    except OSError as error:
        raise InputError(f"{path}: prompts cannot be written there: {error.strerror or error}") from None
    return path


class OwnPrompts:
    """The prompts of a package: those of a folder, and ours where it has none.

    The files are read once. One that says what ours says is ours. Each other is filled in by a process of its own, with
    the bounds of a model's chat template, and is tried once with every one of its ``samples``.

    Args:
        package: Whose prompts these are.
        folder: The team's files, called as ours are; None takes ours.
        samples: By prompt of the package, values such as it will be given.

    Raises:
        InputError: There is no such folder, a file in it is called like none of ours, cannot be read, is no template,
            or asks for a variable that there is not.
    """

    def __init__(self, package: str, folder: Path | str | None, *, samples: Mapping[str, Sequence[Values]]):
        self._package, self._ours = package, our_prompts(package)
        self._own: dict[str, ChatTemplate] = {}
        self._hashes: dict[str, str] = {}
        for name, path in {} if folder is None else _files_in(Path(folder)):
            content = _content(path)
            if FILES[name] == package and content != our_file(name):
                self._own[name] = _checked(path, content, trims=TRIMS[package], samples=samples[name])
                self._hashes[name] = hashlib.sha256(content).hexdigest()

    def render(self, name: str, **values: object) -> str:
        """Fill in a prompt; white space around it is dropped.

        Raises:
            ModelError: A prompt of the folder fails with these values, or runs out of a bound.
        """
        own = self._own.get(name)
        if own is None:
            return self._ours.render(name, **values)
        try:
            return own.render(to_jsonable_python(values)).strip()
        except RefusedChatError as error:
            raise ModelError(f"the prompt {name}{ENDING} fails: {one_line(error)}") from error

    def hashes(self, *names: str) -> dict[str, str]:
        """Return the SHA-256 of each prompt's file, ours or the folder's."""
        return {
            **self._ours.hashes(*names),
            **{name: self._hashes[name] for name in names if name in self._hashes},
        }


def _files_in(folder: Path) -> Sequence[tuple[str, Path]]:
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(
            f"prompts {folder}: cannot be read as a folder ({error.strerror}); make one with convsim prompts export"
        ) from None
    known = {f"{name}{ENDING}": name for name in FILES}
    for path in inside:
        if path.name not in known:
            meant = nearest(path.name, known)
            raise InputError(
                f"prompts {folder}: {one_line(path.name)} is not the name of a prompt; "
                + (f"did you mean {meant}?" if meant else f"known: {', '.join(known)}")
            )
    return [(known[path.name], path) for path in inside]


def _content(path: Path) -> bytes:
    try:
        content = read_input(path, MAX_BYTES)
        content.decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: the prompt cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: the prompt must be UTF-8 text, but is not") from None
    if not content.strip():
        raise InputError(f"{path}: the prompt is empty; delete the file to take ours")
    return content


def _checked(path: Path, content: bytes, *, trims: bool, samples: Sequence[Values]) -> ChatTemplate:
    """Make a template of a prompt's file; raises InputError for one that cannot be filled in with ``samples``."""
    made = ChatTemplate(content.decode("utf-8"), named="it", is_prompt=True, trims=trims)
    known = sorted({name for sample in samples for name in sample})
    try:
        if unknown := sorted(made.variables - set(known)):
            meant = nearest(unknown[0], known)
            raise InputError(
                f"{path}: the prompt has no variable {one_line(unknown[0])!r}; it has {listed(known, len(known))}"
                + (f"; did you mean {meant!r}?" if meant else "")
            )
        for sample in samples:
            made.render(to_jsonable_python(sample))
    except ModelError as error:
        raise InputError(f"{path}: the prompt cannot be filled in: {one_line(error)}") from None
    return made
