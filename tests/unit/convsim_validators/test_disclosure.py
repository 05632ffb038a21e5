"""What disclosure says of all its metrics together, and of sides that show nothing."""

from collections.abc import Sequence

import pytest

from convsim.metrics import measure_both
from convsim.schema import Finding
from convsim.schema.conversation import Conversation, Message
from convsim.schema.details import ManyMetricsDetails
from convsim_validators import Disclosure

KINDS = ["leather", "suede", "canvas", "rubber", "velvet", "wool"]
COLORS = ["red", "black", "brown", "green"]


def talks(n: int, *said: str) -> list[Conversation]:
    """Hold ``n`` conversations of these messages, user first; ``KIND`` and ``COLOR`` differ from one to the next."""
    return [
        Conversation(
            id=f"{number}",
            messages=tuple(
                Message(
                    role="assistant" if place % 2 else "user",
                    content=text.replace("KIND", KINDS[number % 6]).replace("COLOR", COLORS[number % 4]),
                )
                for place, text in enumerate(said)
            ),
        )
        for number in range(n)
    ]


def compare(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> dict[str, Finding]:
    found = Disclosure(n_resamples=99).validate(*measure_both(real, simulated), seed=0)
    return {finding.metric: finding for finding in found}


def test_it_says_how_much_is_told_by_each_turn_and_who_tells_it_at_once():
    people = talks(40, "KIND boots please", "Which color?", "COLOR with laces", "Here.", "thanks")
    simulated = talks(40, "COLOR KIND boots with laces", "Which color?", "yes", "Here.", "thanks")
    found = compare(people, simulated)
    together = found["all_disclosure"]
    assert isinstance(together.details, ManyMetricsDetails)
    # Two of four new words, then all; and all at once.
    assert together.details.told_by_turn == {"real": (0.5, 1, 1, 1, 1), "simulated": (1, 1, 1, 1, 1)}
    for metric in ("told_first", "told_at", "acknowledgements"):
        assert found[metric].verdict == "different", metric


@pytest.mark.parametrize(
    "said",
    [
        ["KIND boots in COLOR please, for walking in the winter"],
        ["yes thanks", "Hello.", "ok", "Hello.", "yes"],
        ["", "Which?", " ", "Here."],
        [],
    ],
    ids=["one turn", "nothing told", "empty messages", "no messages"],
)
def test_what_could_not_have_varied_is_undecided_with_a_reason(said):
    found = compare(talks(20, *said), talks(20, *said))
    for metric in (
        "told_first",
        "told_at",
        "wishes_first",
        "volunteered",
        "foreknown_title",
        "foreknown_words",
    ):
        assert found[metric].verdict == "undecided", metric
        assert found[metric].reason.startswith(("not recorded in the real or simulated", "undefined on both"))
    together = found["all_disclosure"].details
    assert not together.get("told_by_turn")


def test_fewer_than_eight_people_decide_nothing():
    said = ("KIND boots please", "Which color?", "COLOR with laces", "Here.", "thanks")
    found = compare(talks(5, *said), talks(40, *said))
    assert {finding.verdict for finding in found.values()} == {"undecided"}
    assert all(finding.reason for finding in found.values())


def test_two_languages_are_not_compared():
    people = talks(30, "KIND boots please for the long winter walks", "Which color?", "COLOR with laces")
    others = talks(
        30, "Ich suche bequeme Stiefel für lange Spaziergänge im Winter", "Welche Farbe?", "Schwarz, bitte"
    )
    found = compare(people, others)
    assert {finding.verdict for finding in found.values()} == {"undecided"}
    assert "compares sides of one language" in found["hedging"].reason
