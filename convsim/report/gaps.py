"""What to change first, in words: a line a gap, with what moves it and the conversations that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from convsim._text import plain
from convsim.evaluation import Scorecard
from convsim.report.tables import number
from convsim.schema import Example, Gap
from convsim.schema.conversation import Conversation

TITLE = "What to change first"
N_SHOWN = 3
"""Gaps on a screen."""
MAX_WORDS = 400
MAX_EXCERPT = 160
MAX_ID = 60


def sentence(gap: Gap) -> str:
    """Write a gap in a line: what differs and, behind a full stop, what moves it."""
    words = " ".join(plain(gap.words, limit=MAX_WORDS).split())
    knob = f" To change: {plain(gap.knob, limit=MAX_WORDS).replace('`', '')}." if gap.knob else ""
    return f"{words.rstrip('.')}.{knob}"


def shown_by(gap: Gap) -> str:
    """Name the simulator's conversations that show a gap; empty where there are none."""
    ids = [plain(each.conversation, limit=MAX_ID) for each in gap.examples if each.side == "simulated"]
    return ", ".join(ids)


def lines(card: Scorecard, limit: int | None = N_SHOWN) -> list[str]:
    """Write the first gaps, a line each, numbered; empty where there are none."""
    return [f"{place}. {sentence(gap)}" for place, gap in enumerate(card.gaps[:limit], start=1)]


def words(card: Scorecard) -> list[str]:
    """Write the first gaps in a few words each, without what moves them; empty where there are none."""
    said = [f"{place}. {plain(gap.words, limit=MAX_WORDS)}" for place, gap in enumerate(card.gaps, start=1)]
    return [f"{TITLE}:", *said[:N_SHOWN]] if said else []


def screen(card: Scorecard) -> Iterator[Text]:
    """Yield the part of the terminal's screen."""
    if card.gaps:
        yield Text(f"\n{TITLE}", style="bold")
        yield from map(Text, lines(card))
        if len(card.gaps) > N_SHOWN:
            yield Text(f"and {len(card.gaps) - N_SHOWN} more in the report", style="dim")


def marked(card: Scorecard, escaped: Callable[[str], str]) -> str:
    """Write all gaps as a list in Markdown, each with the conversations that show it; empty where there are none.

    Args:
        card: What was found.
        escaped: Makes text harmless in Markdown.
    """
    if not card.gaps:
        return ""
    listed = []
    for gap in card.gaps:
        shown = f" Shown by: {escaped(shown_by(gap))}." if shown_by(gap) else ""
        listed.append(f"1. {escaped(sentence(gap))}{shown}\n")
    return f"\n**{TITLE}**\n\n{''.join(listed)}"


@dataclass(frozen=True)
class ShownExample:
    """An example as the page shows it."""

    who: str
    id: str
    value: str
    excerpt: str
    """What was said in the message that shows the gap; empty where the conversation is not at hand."""
    href: str | None
    """The conversation's place in the page; None where it is not there."""


@dataclass(frozen=True)
class ShownGap:
    """A gap as the page shows it."""

    words: str
    knob: str
    share: str
    examples: Sequence[ShownExample]


def page_gaps(
    card: Scorecard,
    real: Sequence[Conversation],
    simulated: Sequence[Conversation],
    anchors: Mapping[str, str],
) -> list[ShownGap]:
    """Prepare the page's section.

    Args:
        card: What was found.
        real: The people's conversations, as far as they are at hand.
        simulated: The simulated ones.
        anchors: By id, where the page shows a simulated conversation as a whole.
    """
    wanted = {(each.side, each.conversation) for gap in card.gaps for each in gap.examples}
    said = {
        (side, c.id): c
        for side, of_side in (("people", real), ("simulated", simulated))
        for c in of_side
        if (side, c.id) in wanted
    }
    return [
        ShownGap(
            words=plain(gap.words, limit=MAX_WORDS),
            knob=plain(gap.knob or "", limit=MAX_WORDS).replace("`", ""),
            share=f"{100 * gap.share:.0f} % of the distance listed here" if gap.share is not None else "",
            examples=[
                _example(each, said.get((each.side, each.conversation)), anchors) for each in gap.examples
            ],
        )
        for gap in card.gaps
    ]


def _example(example: Example, conversation: Conversation | None, anchors: Mapping[str, str]) -> ShownExample:
    excerpt = ""
    if conversation is not None and example.message is not None:
        of_this = conversation.messages[example.message : example.message + 1]
        excerpt = " ".join(plain(of_this[0].content, limit=MAX_EXCERPT).split()) if of_this else ""
    return ShownExample(
        who="people" if example.side == "people" else "simulated",
        id=plain(example.conversation, limit=MAX_ID),
        value=number(example.value),
        excerpt=excerpt,
        href=anchors.get(example.conversation) if example.side == "simulated" else None,
    )
