"""Kinds of behaviour: which a simulator has, lacks or adds, with their words and a conversation of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from convsim._text import plain
from convsim.report.tables import percent
from convsim.schema import Finding
from convsim.schema.conversation import Conversation
from convsim.schema.details import CrowdDetails, KindOfBehaviour

TITLE = "Kinds of behaviour"
STATUSES = {
    "missed": "People do this, the simulator hardly ever",
    "invented": "The simulator does this, people hardly ever",
    "captured": "Both do this",
}
"""In the order in which they are shown, and how they are named."""
MAX_KINDS = 40
N_SHOWN = 6
"""Of each status, on the page."""
MAX_WORDS = 200
MAX_EXCERPT = 160
MAX_ID = 60


@dataclass(frozen=True)
class ShownExample:
    """A conversation of a kind as the page shows it."""

    who: str
    id: str
    excerpt: str
    """How the user begins; empty where the conversation is not at hand."""
    href: str | None
    """The conversation's place in the page; None where it is not there."""


@dataclass(frozen=True)
class ShownKind:
    """A kind as the page shows it."""

    habits: str
    words: Sequence[str]
    people: float
    simulated: float
    examples: Sequence[ShownExample]


def kinds_of(findings: Iterable[Finding]) -> Sequence[KindOfBehaviour]:
    """Return the kinds that a finding lists; none where no finding does."""
    for finding in findings:
        if isinstance(finding.details, CrowdDetails) and finding.details.clusters:
            return finding.details.clusters[:MAX_KINDS]
    return ()


def page_kinds(
    findings: Iterable[Finding],
    real: Sequence[Conversation],
    simulated: Sequence[Conversation],
    anchors: Mapping[str, str],
) -> Mapping[str, Sequence[ShownKind]]:
    """Prepare the page's section: kinds, the first of each status, by its name and number; empty where there are none.

    Args:
        findings: Of a card.
        real: The people's conversations, as far as they are at hand.
        simulated: The simulated ones.
        anchors: By id, where the page shows a simulated conversation as a whole.
    """
    listed = kinds_of(findings)
    ids = {("people", kind.real) for kind in listed} | {("simulated", kind.simulated) for kind in listed}
    said = {
        (who, each.id): each
        for who, of_side in (("people", real), ("simulated", simulated))
        for each in of_side
        if (who, each.id) in ids
    }
    shown: dict[str, Sequence[ShownKind]] = {}
    for status, title in STATUSES.items():
        of_status = [kind for kind in listed if kind.status == status]
        if of_status:
            more = f", the first {N_SHOWN}" if len(of_status) > N_SHOWN else ""
            shown[f"{title} ({len(of_status)}{more})"] = [
                _shown(kind, said, anchors) for kind in of_status[:N_SHOWN]
            ]
    return shown


def marked(findings: Iterable[Finding], escaped: Callable[[str], str]) -> str:
    """Write the kinds that one side lacks as a table in Markdown; empty where there are none.

    Args:
        findings: Of a card.
        escaped: Makes text harmless in a cell of a table.
    """
    listed = [kind for kind in kinds_of(findings) if kind.status in ("missed", "invented")]
    if not listed:
        return ""
    rows = [
        [
            kind.status, _habits(kind), ", ".join(kind.words), percent(kind.share_real), percent(kind.share_simulated),
            "; ".join(f"{who} {name}" for who, name in (("people", kind.real), ("simulated", kind.simulated)) if name),
        ]
        for kind in listed
    ]  # fmt: skip
    lines = [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    head = "| kind | habits | words | people | simulated | for example |\n|---|---|---|---:|---:|---|"
    return f"\n**{TITLE} that one side lacks**\n\n{head}\n" + "\n".join(lines) + "\n\n"


def _habits(kind: KindOfBehaviour) -> str:
    said = plain("; ".join(kind.habits), limit=MAX_WORDS).replace("_", " ")
    return said or "no habit stands out"


def _shown(
    kind: KindOfBehaviour, said: Mapping[tuple[str, str], Conversation], anchors: Mapping[str, str]
) -> ShownKind:
    return ShownKind(
        habits=_habits(kind),
        words=[plain(word, limit=MAX_ID) for word in kind.words],
        people=kind.share_real,
        simulated=kind.share_simulated,
        examples=[
            _example(who, name, said.get((who, name)), anchors)
            for who, name in (("people", kind.real), ("simulated", kind.simulated))
            if name is not None
        ],
    )


def _example(
    who: str, name: str, conversation: Conversation | None, anchors: Mapping[str, str]
) -> ShownExample:
    opening = next((each.content for each in conversation.user_messages), "") if conversation else ""
    return ShownExample(
        who=who,
        id=plain(name, limit=MAX_ID),
        excerpt=" ".join(plain(opening, limit=MAX_EXCERPT).split()),
        href=anchors.get(name) if who == "simulated" else None,
    )
