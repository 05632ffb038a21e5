"""Validations that many tests share: each is computed once a session, by whichever process asks first, and kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from filelock import FileLock

from convsim._files import write_set, write_whole
from convsim._text import listed, shown
from convsim.cli.deliver import FINDINGS, taking
from convsim.cli.report import PAGE
from convsim.errors import InputError
from convsim.testing.arguments import Telling

if TYPE_CHECKING:
    from convsim.evaluation import Gate, Scorecard
    from convsim.io import Source

ASKED, JUNIT, SUMMARY = "asked.json", "junit.xml", "summary.md"
NAME = re.compile(r"\w[\w.-]{0,79}", re.ASCII)
UNNAMED = "validation"
"""The name of a validation that is given none."""


class SharedReports:
    """What the fixture ``convsim_report`` gives: validations by name, with a page and findings of each.

    Args:
        shared: Folder that all processes of the session share, and no other session.
        out: Folder in which pages and findings are kept; None keeps them in ``shared``.
    """

    def __init__(self, shared: Path, out: Path | None = None):
        self._shared, self._out = shared, out
        self._cards: dict[str, tuple[str, Scorecard, Sequence[object]]] = {}
        self._functions: list[tuple[object, str, Sequence[object]]] = []

    @property
    def pages(self) -> Mapping[str, Path]:
        """The page of each validation that this process asked for, by its name."""
        return {name: (self._out or self._shared) / name / PAGE for name in self._cards}

    def validate(
        self,
        real: Source,
        simulated: Source | Callable[[], Source],
        *,
        name: str = UNNAMED,
        seed: int = 0,
        gate: Gate | None = None,
        **settings: object,
    ) -> Scorecard:
        """Return what ``convsim.validate`` finds; the same arguments again, in any process, compute nothing.

        Args:
            real: The people's conversations.
            simulated: The simulated ones, or a function that makes them: it is called only where they are judged.
            name: Names the folder of its page; one of its own for each validation of a session. Arguments are told by
                their content, a function by its code and what it encloses; where an object cannot be told so, a name
                must be given, and stands for one and the same object.
            seed: Random seed.
            gate: A gate, whose margins the validators have, and whose result the page shows.
            settings: Further arguments of ``convsim.validate``.

        Raises:
            InputError: The name is no file name, or belongs to a validation with other arguments; or an argument cannot
                be told by its content, and no name is given; or as ``convsim.validate``.
        """
        from convsim.evaluation import validate

        if isinstance(real, Iterator):
            real = list(real)
        if isinstance(simulated, Iterator):
            simulated = list(simulated)
        asked = {"real": real, "simulated": simulated, "seed": seed, "gate": gate, **settings}
        if gate is not None and "validators" not in settings:
            settings["validators"] = gate.validators()

        def judged() -> Scorecard:
            made = simulated() if callable(simulated) else simulated
            card = validate(real, made, seed=seed, **settings)  # type: ignore[arg-type]
            return card if gate is None else card.but(gate=gate.judge(card))

        return self.once(name, judged, asked=asked)

    def once(
        self, name: str, judged: Callable[[], Scorecard], *, asked: Mapping[str, object] | None = None
    ) -> Scorecard:
        """Return the scorecard that ``judged`` makes, such as one of ``convsim.counterfactual``, made once a session.

        Args:
            name: As of ``validate``.
            judged: Makes it.
            asked: What it depends on, by name: the same in each process, or it is refused.

        Raises:
            InputError: As of ``validate``.
        """
        if NAME.fullmatch(name) is None:
            raise InputError(
                f"convsim_report: name {shown(name)} must be up to 80 letters, digits, . _ and -: it names a folder"
            )
        told, untold = self._telling(asked or {})
        if untold and name == UNNAMED:
            raise InputError(
                f"convsim_report: {shown(untold[0])} cannot be told by its content from another such object; give this "
                "validation a name of its own, name=…"
            )
        if name not in self._cards:
            self._cards[name] = (*self._read_or_made(name, judged, told), untold)
        before, card, objects = self._cards[name]
        others = [] if before == told else _differing(json.loads(before), json.loads(told))
        if others or any(one is not other for one, other in zip(objects, untold, strict=True)):
            said = f" ({listed(others, 5)})" if others else ""
            raise InputError(
                f"convsim_report: {name!r} is a validation with other arguments{said}; give this one another name"
            )
        return card

    def _telling(self, asked: Mapping[str, object]) -> tuple[str, Sequence[object]]:
        """Tell arguments as JSON, and return the objects that cannot be told; a function as it was when first given."""
        told: dict[str, object] = {}
        untold: list[object] = []
        for key, value in asked.items():
            said = next((each[1:] for each in self._functions if each[0] is value), None)
            if said is None:
                telling = Telling()
                said = json.dumps(telling.tell(value)), telling.untold
                if isinstance(value, FunctionType):
                    self._functions.append((value, *said))
            told[key] = json.loads(said[0])
            untold.extend(said[1])
        return json.dumps(told, indent=2), untold

    def _read_or_made(self, name: str, judged: Callable[[], Scorecard], told: str) -> tuple[str, Scorecard]:
        from convsim.report.document import read_scorecard

        folder = self._shared / name
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not (folder / ASKED).is_file():
                made = judged()
                files = {FINDINGS: made.to_json(), PAGE: _page(made, folder)}
                if self._out is not None:
                    with taking(self._out / name, force=False):
                        write_set(self._out / name, files)
                write_set(folder, {**files, ASKED: told})
            return (folder / ASKED).read_text(encoding="utf-8"), read_scorecard(folder)


def write_together(out: Path, names: Iterable[str]) -> None:
    """Write one JUnit and one summary of all validations of a session beside their folders in ``out``."""
    from convsim.cli.gating import check_junit
    from convsim.report.document import read_scorecard
    from convsim.report.junit import document, suites_of
    from convsim.report.summary import scorecard_summary

    cards = {name: read_scorecard(out / name) for name in names}
    suites = [suite for name, card in cards.items() for suite in suites_of(card, None, f"{name}: ")]
    check_junit(out / JUNIT)
    write_whole(out / JUNIT, document(suites))
    write_whole(out / SUMMARY, "\n".join(scorecard_summary(card) for card in cards.values()))


def _page(card: Scorecard, folder: Path) -> str:
    from convsim.report.html import find_transcripts, to_html

    people = find_transcripts(card.real, "real", near=folder) if card.real else None
    shoppers = find_transcripts(card.simulated, "simulated", near=folder)
    notes = (*(people.notes if people else ()), *shoppers.notes)
    return to_html(
        card, people.conversations if people else None, shoppers.conversations, notes=notes, near=folder
    )


def _differing(before: Mapping[str, object], told: Mapping[str, object]) -> list[str]:
    return [key for key in {**before, **told} if before.get(key, ...) != told.get(key, ...)]
