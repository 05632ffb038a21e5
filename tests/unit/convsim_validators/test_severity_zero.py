"""Does a wrapped agent at severity 0 reply as the bare agent does, wherever both heard the same?"""

import json

from convsim.metrics import measure
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona
from convsim_validators.relations.relations import Relations
from tests.corpora import EMPTY

FAULT = "ignored_constraint"
FINDER = Relations(n_resamples=99)


def exchange(
    number: int, reply: str, fault: str | None, *, items: tuple[str, ...] = ("i1",), opening="hello"
):
    said = Message(role="assistant", content=reply, items=tuple(Item(id=item) for item in items))
    return Conversation(
        id=f"{fault}-{number}-{reply}-{opening}",
        persona=Persona(id=f"p{number}", need="a coat"),
        fault=fault,
        severity=None if fault is None else 0.0,
        messages=(Message(role="user", content=opening), said, Message(role="user", content="and then?")),
    )


def severity_zero(*conversations: Conversation):
    [found] = [
        f for f in FINDER.validate(EMPTY, measure(conversations), seed=7) if f.metric == "severity_zero"
    ]
    return found.verdict, found.estimate, found.details["n_pairs"]


def test_identical_replies_at_severity_0_are_aligned():
    pairs = [exchange(i, "a coat", fault) for i in range(3) for fault in (None, FAULT)]
    assert severity_zero(*pairs) == ("aligned", 1.0, 3)


def test_one_reply_that_differs_at_severity_0_is_different():
    pairs = [exchange(i, "a coat", fault) for i in range(3) for fault in (None, FAULT)]
    assert severity_zero(*pairs[:-1], exchange(2, "a coat ", FAULT)) == ("different", 2 / 3, 3)
    assert severity_zero(*pairs[:-1], exchange(2, "a coat", FAULT, items=("i2",)))[0] == "different"


def test_replies_after_other_histories_are_not_compared():
    other = exchange(0, "a hat", FAULT, opening="good day")
    assert severity_zero(exchange(0, "a coat", None), other) == ("undecided", None, 0)
    assert severity_zero(exchange(0, "a coat", None), exchange(1, "a hat", FAULT))[0] == "undecided"
    assert severity_zero()[0] == "undecided"


def test_repeats_at_severity_0_match_whatever_their_order():
    bare = [exchange(0, reply, None) for reply in ("a coat", "a hat")]
    assert severity_zero(*bare, exchange(0, "a hat", FAULT), exchange(0, "a coat", FAULT))[:2] == (
        "aligned",
        1.0,
    )
    assert severity_zero(*bare, exchange(0, "a hat", FAULT)) == ("aligned", 1.0, 1)
    assert severity_zero(*bare, exchange(0, "a scarf", FAULT))[0] == "different"


def test_the_built_in_relations_run_on_measured_conversations_and_their_findings_are_json():
    pairs = [exchange(i, "a coat", fault) for i in range(9) for fault in (None, FAULT)]
    degraded = [c.but(severity=1.0, id=f"{c.id}-1") for c in pairs if c.fault]
    findings = Relations(n_resamples=99).validate(EMPTY, measure([*pairs, *degraded]), seed=1)
    for finding in findings:
        json.dumps(finding.model_dump(mode="json"), allow_nan=False)
    found = {finding.metric: finding for finding in findings}
    assert found["complains_when_a_wish_is_ignored"].details["n_personas"] == 9
    assert f"thanks_no_more@{FAULT}" in found


def test_one_broken_wrapper_among_many_that_are_whole_is_found():
    bare = [exchange(i, f"coat {i}", None) for i in range(3)]
    whole = [exchange(i, f"coat {i}", f"fault{k}") for k in range(9) for i in range(3)]
    broken = [exchange(i, "BROKEN", "rude_text") for i in range(3)]
    assert severity_zero(*bare, *whole)[0] == "aligned"
    assert severity_zero(*bare, *whole, *broken)[:2] == ("different", 27 / 30)
