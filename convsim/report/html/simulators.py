"""Each simulator of a comparison as its page shows it: number, colour, verdicts, links and a few transcripts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from convsim._text import path_of
from convsim.evaluation import SimulatorReport
from convsim.io.run_folder import CONVERSATIONS
from convsim.report.answers import answers
from convsim.report.comparison.order import distance_of, kind_of_simulator, seeds_of
from convsim.report.comparison.tables import settings_line
from convsim.report.html.chat import Chat, chat
from convsim.report.html.conversation_scores import scores_of
from convsim.report.html.figures.canvas import N_SERIES
from convsim.report.html.giveaways import find_giveaways
from convsim.report.html.sections import taking_part
from convsim.report.html.text import name
from convsim.report.tables import Kind, number
from convsim.schema.conversation import Conversation

Transcripts = Mapping[str, Sequence[Conversation]]
"""Conversations by the path that a side or a run names."""
MAX_SET_TO = 400
"""Characters of what a simulator was set to."""
MAX_SIMULATORS = 40
"""So many have their transcripts in the page."""
WHICH = ("least like a person", "in the middle", "most like a person")
REPORTS = ("{stem}.html", "{stem}/report.html")
"""Where the report of a file may lie, beside it or beside the comparison."""


@dataclass(frozen=True)
class Link:
    """A file beside the page."""

    href: str
    """Relative to the page, each part quoted."""
    words: str


@dataclass(frozen=True)
class ShownSimulator:
    """One simulator."""

    number: int
    name: str
    kind: Kind | None
    headlines: Sequence[tuple[str, Kind, str]]
    """Family, kind and verdict in words."""
    n: str
    distance: str
    hls: str
    cost: str
    seeds: str
    set_to: str
    """Its shopper and what that was set to; empty where no plan states it."""
    runs: Sequence[tuple[str, str, str]]
    """Of pooled runs: name, seed and distance."""
    links: Sequence[Link]
    chats: Sequence[tuple[str, Chat]]
    """Which conversation it is, and the conversation."""
    tells: Sequence[str]
    """Its strongest giveaway words; none where its words do not give it away."""

    @property
    def color(self) -> str:
        """The class of its colour in all pictures and tables."""
        return f"s{(self.number - 1) % N_SERIES + 1}"


def shown_simulators(
    order: Sequence[SimulatorReport], costs: Sequence[str], transcripts: Transcripts, folder: Path | None
) -> list[ShownSimulator]:
    """Prepare the simulators of a page.

    Args:
        order: The simulators in the order of their numbers.
        costs: What a conversation of each costs, as it is written.
        transcripts: Their conversations; those of a simulator may be missing.
        folder: Where the page will lie; files are linked to only where this is known.
    """
    return [
        _shown(number, each, cost, transcripts if number <= MAX_SIMULATORS else {}, folder)
        for number, (each, cost) in enumerate(zip(order, costs, strict=True), start=1)
    ]


def _shown(
    number_: int, each: SimulatorReport, cost: str, transcripts: Transcripts, folder: Path | None
) -> ShownSimulator:
    found = [
        (answer.name, answer.kind, answer.words)
        for card in (each.validation, each.counterfactual)
        if card is not None
        for answer in answers(card)
    ]
    giveaways = find_giveaways(each.validation.findings) if each.validation else []
    told = any(family == "words" and kind == "different" for family, kind, _ in found)
    return ShownSimulator(
        number=number_,
        name=name(each.name),
        kind=kind_of_simulator(each),
        headlines=found,
        n=f"{each.side.n:,}",
        distance=distance_of(each),
        hls=number(each.hls.estimate, figures=2),
        cost=cost,
        seeds=seeds_of(each),
        set_to=_set_to(each),
        runs=[
            (name(run.name), str(run.seed), number(run.mean_distance.estimate, figures=2))
            for run in each.seeds
        ],
        links=[*_links(each, folder)] if folder is not None else [],
        chats=[*_chats(each, transcripts, {word.feature: word.side for word in giveaways})],
        tells=[name(word.feature, limit=40) for word in giveaways if told and word.side == "simulated"][:6],
    )


def _set_to(each: SimulatorReport) -> str:
    settings = settings_line(each)
    return (
        name(f"{', '.join(each.shoppers)}: {settings}".removeprefix(": "), limit=MAX_SET_TO)
        if settings
        else ""
    )


def _links(each: SimulatorReport, folder: Path) -> Iterator[Link]:
    """Yield the report and the transcripts of a simulator's file or of its runs, those that are there."""
    paths = [run.path for run in each.seeds] or ([str(each.side.path)] if each.side.path else [])
    for path in paths:
        source = path_of(path)
        several = f" of {name(source.name, limit=40)}" if len(paths) > 1 else ""
        places = _reports(each.name, source, folder)
        report = next((place for place in places if _is_file(place)), None)
        if report is not None and (href := _relative(report, folder)):
            yield Link(href, f"report{several}")
        told = source / CONVERSATIONS if _is_file(source / CONVERSATIONS) else source
        if _is_file(told) and (href := _relative(told, folder)):
            yield Link(href, f"transcripts{several}")


def _reports(called: str, source: Path, folder: Path) -> Iterator[Path]:
    """Yield where a simulator's own report may lie: in its run folder, beside its file, beside the comparison."""
    if source.is_dir():
        yield source / "report.html"
    else:
        yield from (source.parent / place.format(stem=source.stem) for place in REPORTS)
    if not {"/", "\\", "\0"} & {*called} and called not in (".", "..", "comparison"):
        yield from (folder / place.format(stem=called) for place in REPORTS)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or a null character: no path of any file
        return False


def _relative(path: Path, folder: Path) -> str | None:
    """Write the way from the page to a file; None where there is none, as to another drive."""
    try:
        way = os.path.relpath(path.absolute(), folder.absolute())
        return "/".join(quote(part) for part in Path("./", way).as_posix().split("/"))
    except (ValueError, UnicodeEncodeError):
        return None


def _chats(
    each: SimulatorReport, transcripts: Transcripts, features: Mapping[str, str]
) -> Iterator[tuple[str, Chat]]:
    """Yield three conversations: from both ends of human-likeness and its middle; the first where nothing is scored."""
    paths = [run.path for run in each.seeds] or ([str(each.side.path)] if each.side.path else [])
    held = [conversation for path in paths for conversation in transcripts.get(path, ())]
    known = taking_part(held, each.side)
    scores = scores_of(each.validation.findings, "simulated") if each.validation else {}
    ranked = sorted(((scores[c.id], c.id, c) for c in known if c.id in scores), key=lambda found: found[:2])
    if ranked:
        places = dict.fromkeys((0, len(ranked) // 2, len(ranked) - 1))
        picked = [(which, ranked[at][2], ranked[at][0]) for which, at in zip(WHICH, places, strict=False)]
        yield from (
            (which, _own(chat(one, score=score, features=features), each.name))
            for which, one, score in picked
        )
    else:
        yield from (
            ("", _own(chat(one, score=None, features=features), each.name)) for one in known[: len(WHICH)]
        )


def _own(shown: Chat, simulator: str) -> Chat:
    """Give a conversation a place of its own in a page where several simulators may have the same ids."""
    return replace(shown, key=f"{simulator}\0{shown.key}")
