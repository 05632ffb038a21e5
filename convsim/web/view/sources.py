"""What is looked at: run folders, also those that come later, files of conversations, and the sides of a scorecard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convsim._inputs import open_input
from convsim._logs import MAX_LINE_BYTES
from convsim._text import one_line
from convsim.errors import ConvsimError, InputError
from convsim.evaluation.scorecard import Scorecard, SideSummary
from convsim.io import CONVERSATIONS, MANIFEST, PROMPTS, read
from convsim.io.growth import planned_n
from convsim.io.jsonl import conversation_of, line_of, parse_json
from convsim.io.manifest import read_manifest
from convsim.io.problems import MalformedError
from convsim.report.document import FINDINGS, read_scorecard
from convsim.report.html.conversation_scores import scores_of
from convsim.report.html.giveaways import find_giveaways
from convsim.report.html.transcripts import located

MAX_CHILDREN = 1_000
"""Entries of a folder in which runs are looked for."""
MAX_WARNINGS = 20


@dataclass(frozen=True)
class Judged:
    """What a scorecard says of one side's conversations."""

    scores: Mapping[str, float] = field(default_factory=dict)
    """Human-likeness, from 0 to 1, by id."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Giveaway words, and the side that each speaks for."""


@dataclass(frozen=True)
class Source:
    """One run, or one file of conversations."""

    name: str
    path: Path
    """What was named, as an absolute path: a run folder or a file."""
    file: Path
    """convsim JSONL, which may grow."""
    prompts: Path | None
    """Where a recorded run keeps its prompts; it may not be there."""
    judged: Judged = Judged()
    planned: int | None = None
    """Conversations that a run is for."""


@dataclass(frozen=True)
class _Card:
    """A scorecard, and what it says of either side."""

    whole: Scorecard
    simulated: Judged
    real: Judged

    @classmethod
    def of(cls, card: Scorecard) -> _Card:
        words = {word.feature: word.side for word in find_giveaways(card.findings)}
        simulated, real = scores_of(card.findings, "simulated"), scores_of(card.findings, "real")
        return cls(card, Judged(simulated, words), Judged(real, words))


class Sources:
    """Finds what there is under the folders and files that were named, again and again.

    Files of other formats than convsim's JSONL are read once, and written as that into ``own``.
    """

    def __init__(self, named: Sequence[Path], own: Path):
        """Look at everything once.

        Args:
            named: Run folders, folders of them, folders of scorecards, and files of conversations.
            own: An empty folder to write into.

        Raises:
            InputError: A path leads nowhere, or to nothing that can be shown.
        """
        self._named, self._own = [Path(path) for path in named], own
        self._read: dict[Path, Path] = {}
        self._ours: set[Path] = set()
        self._cards: dict[Path, tuple[object, _Card | None]] = {}
        self._plans: dict[Path, tuple[object, int | None]] = {}
        self.warnings: dict[str, None] = {}
        """What cannot be shown, each once."""
        for path in self._named:
            self._check(path)

    def _check(self, path: Path) -> None:
        """Check that something can be shown of a path that was named."""
        if not path.exists():
            raise InputError(
                f"{path}: there is no such file or folder; convsim simulate --out {path} makes a run"
            )
        if path.is_dir():
            if is_run(path) or (path / FINDINGS).is_file():
                if (path / FINDINGS).is_file():
                    read_scorecard(path)
                return
            inside = _children(path)
            if not inside:
                raise InputError(
                    f"{path}: is empty; convsim simulate --out {path} makes a run, or name a folder with one"
                )
            if any(is_run(each) or (each / FINDINGS).is_file() for each in inside):
                return
        self._followed(path.resolve())

    def current(self) -> list[Source]:
        """Return what there is now, each file once, with a name of its own."""
        found: dict[Path, None] = {}
        cards: list[tuple[Path, _Card]] = []
        for path in map(Path.resolve, self._named):
            folders = [path]
            if path.is_dir() and not is_run(path) and path not in self._read:
                folders += self._inside(path)
            for each in folders:
                if each.is_file() or is_run(each) or each in self._read:
                    found[each] = None
                beside = each if each.is_dir() else each.parent
                if (card := self._card(beside / FINDINGS)) is not None:
                    cards.append((beside, card))
                    if beside == each and not is_run(each):
                        found.update(dict.fromkeys(self._sides(beside, card.whole)))
        return list(self._made(found, cards))

    def _inside(self, folder: Path) -> list[Path]:
        try:
            return [each for each in _children(folder) if is_run(each) or (each / FINDINGS).is_file()]
        except InputError as error:  # it has gone since it was named
            self._warn(str(error))
            return []

    def _made(self, found: Iterable[Path], cards: Sequence[tuple[Path, _Card]]) -> Iterator[Source]:
        paths = list(found)
        for path in paths:
            try:
                file = self._followed(path)
            except (ConvsimError, OSError) as error:
                self._warn(str(error))
                continue
            run = path.is_dir() and file.parent == path
            yield Source(
                name=_name(path, paths), path=path, file=file, prompts=path / PROMPTS if run else None,
                judged=_judged(path, cards), planned=self._planned(path) if run else None,
            )  # fmt: skip

    def _followed(self, path: Path) -> Path:
        """Return the JSONL file to follow; raises InputError for what holds no conversation."""
        if path in self._read:
            return self._read[path]
        if is_run(path):
            return path / CONVERSATIONS
        if path in self._ours or (path.is_file() and _is_ours(path)):
            self._ours.add(path)
            return path
        transcripts = read(path, skip_bad_lines=True)
        for warning in transcripts.warnings:
            self._warn(f"{path.name}: {warning}")
        if transcripts.skipped:
            self._warn(f"{path.name}: {transcripts.skipped} lines are not conversations and are left out")
        written = self._own / f"{len(self._read)}.jsonl"
        with written.open("wb") as out:
            for conversation in transcripts:
                out.write(line_of(conversation) + b"\n")
        self._read[path] = written
        return written

    def _planned(self, folder: Path) -> int | None:
        """Return how many conversations a run is for; its manifest is read where it is new or has changed."""
        mark = _mark(folder / MANIFEST)
        if folder not in self._plans or self._plans[folder][0] != mark:
            self._plans[folder] = mark, _planned(folder)
        return self._plans[folder][1]

    def _card(self, file: Path) -> _Card | None:
        """Read a scorecard where it is new or has changed; None where there is none that can be read."""
        if (mark := _mark(file)) is None:
            return None
        if file not in self._cards or self._cards[file][0] != mark:
            try:
                self._cards[file] = mark, _Card.of(read_scorecard(file))
            except InputError as error:
                self._warn(str(error))
                self._cards[file] = mark, None
        return self._cards[file][1]

    def _sides(self, folder: Path, card: Scorecard) -> Iterator[Path]:
        for summary in (card.simulated, card.real):
            if summary is not None and summary.path is not None:
                path = located(summary.path, folder)
                if path.exists():
                    yield path.resolve()
                else:
                    self._warn(f"{folder / FINDINGS}: {one_line(summary.path)} is not there any more")

    def _warn(self, said: str) -> None:
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings[said] = None


def is_run(path: Path) -> bool:
    """Tell whether a folder is that of a run, which may have no conversation yet."""
    return path.is_dir() and ((path / MANIFEST).is_file() or (path / CONVERSATIONS).is_file())


def _children(folder: Path) -> list[Path]:
    try:
        inside = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from None
    return inside[:MAX_CHILDREN]


def _is_ours(path: Path) -> bool:
    """Tell whether the first line of a file is a conversation as convsim writes it."""
    try:
        with open_input(path) as file:
            line = file.readline(MAX_LINE_BYTES)
        conversation_of(parse_json(line))
    except (OSError, MalformedError):
        return False
    return True


def _name(path: Path, others: Sequence[Path]) -> str:
    """Return the end of a path that no other has."""
    for n in range(1, len(path.parts)):
        name = "/".join(path.parts[-n:])
        if sum("/".join(each.parts[-n:]) == name for each in others) == 1:
            return name
    return str(path)


def _planned(folder: Path) -> int | None:
    try:
        manifest = read_manifest(folder)
    except ConvsimError:
        return None
    plan, n = manifest["plan"], planned_n(manifest)
    arms = plan.get("arms") if isinstance(plan, dict) else None
    return n * len(arms) if n is not None and isinstance(arms, list) else None


def _judged(path: Path, cards: Sequence[tuple[Path, _Card]]) -> Judged:
    """Return what the last scorecard says that judged this path."""
    for folder, card in reversed(cards):
        if _names(card.whole.simulated, path, folder):
            return card.simulated
        if _names(card.whole.real, path, folder):
            return card.real
    return Judged()


def _mark(file: Path) -> tuple[int, int, int] | None:
    """Return what changes with a file; None where there is none."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _names(summary: SideSummary | None, path: Path, folder: Path) -> bool:
    if summary is None or summary.path is None:
        return False
    try:
        return located(summary.path, folder).resolve() in (path, path / CONVERSATIONS)
    except (OSError, ValueError):
        return False
