"""Labels are compared where one annotator gave them on one scale, and refused in words where not."""

from convsim.evaluation import validate
from convsim.schema.conversation import Conversation, Label, Message


def side(prefix: str, source: str | None, n: int = 24) -> list[Conversation]:
    labels = (
        {}
        if source is None
        else {"satisfaction": lambda i: (Label(value=i % 2, source=source, scale=(0, 1)),)}
    )
    return [
        Conversation(
            id=f"{prefix}{i}",
            messages=(Message(role="user", content=f"{prefix} wants {i} boots"),),
            labels={name: of(i) for name, of in labels.items()},
        )
        for i in range(n)
    ]


def finding(real: list[Conversation], simulated: list[Conversation]):
    card = validate(real, simulated, seed=1, validators=["marginals"])
    found = [f for f in card.findings if f.metric == "satisfaction"]
    return (found[0] if found else None), card


def test_labels_of_one_source_are_compared():
    found, _ = finding(side("a", "self"), side("b", "self"))
    assert found.estimate == 0
    assert found.details["label_source"] == "self"


def test_labels_of_two_sources_are_undecided_and_both_are_named():
    found, card = finding(side("a", "self"), side("b", "rules:1"))
    assert (found.verdict, found.estimate, found.p_value) == ("undecided", None, None)
    assert "self" in found.reason
    assert "rules:1" in found.reason
    assert not any("only the" in warning for warning in card.warnings)


def test_labels_of_one_side_alone_are_a_warning_and_no_finding():
    found, card = finding(side("a", "self"), side("b", None))
    assert found is None
    assert "labels that only the real conversations have (not compared): satisfaction" in card.warnings


def test_what_others_said_of_a_user_is_no_habit_to_be_told_apart_by():
    card = validate(
        side("a", "self", 40),
        [c.but(labels={}) for c in side("a ", "self", 40)],
        seed=1,
        validators=["humanlikeness"],
    )
    behaviour = next(f for f in card.findings if f.metric == "hls_behaviour")
    assert "satisfaction" not in str(behaviour.details.get("tells"))
