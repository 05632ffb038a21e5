"""``check``: which conversations and labels are compared, and what is said where nothing can be."""

import json
import math

import numpy as np
import pytest

from convsim.annotation.agreement import AgreementReport, check
from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Label, Message
from convsim.schema.persona import Persona
from tests.labelled import labelled_messages, labelled_sessions

HALF = [0, 1] * 10


def sessions(**values):
    return labelled_sessions("satisfaction", {name.replace("_x_", ":"): v for name, v in values.items()})


def checked(
    conversations, reference=None, *, source="rules:1", against="self", **settings
) -> AgreementReport:
    reference = conversations if reference is None else reference
    return check(conversations, reference, source=source, against=against, seed=3, **settings)


def test_two_files_are_matched_by_id_and_what_has_no_partner_is_counted():
    annotated = sessions(rules_x_1=HALF)[:15]
    reference = sessions(self=HALF)[5:]
    result = checked(annotated, reference)
    assert (result.n_conversations, result.entries[0].n) == (10, 10)
    assert [w.split(" ")[0] for w in result.warnings] == ["5", "5"]
    assert result.entries[0].accuracy.estimate == 1.0


def test_the_order_of_the_files_does_not_matter():
    annotated, reference = sessions(rules_x_1=HALF), sessions(self=HALF[::-1])
    assert checked(annotated, reference) == checked(annotated, reference[::-1])


def test_conversations_of_one_id_but_other_words_are_left_out():
    annotated, reference = sessions(rules_x_1=HALF), sessions(self=HALF)
    other = reference[0].model_copy(update={"messages": (Message(role="user", content="something else"),)})
    result = checked(annotated, [other, *reference[1:]])
    assert result.n_conversations == 19
    assert "different text" in result.warnings[0]


def test_no_overlap_is_an_error():
    reference = labelled_sessions("satisfaction", {"self": HALF}, prefix="d")
    with pytest.raises(InputError, match="no conversation in common"):
        checked(sessions(rules_x_1=HALF), reference)


def test_an_id_that_occurs_twice_is_an_error():
    annotated = sessions(rules_x_1=HALF)
    with pytest.raises(InputError, match="'c0'"):
        checked([*annotated, annotated[0]], sessions(self=HALF))


def test_a_source_that_gave_no_label_is_an_error_that_lists_those_that_did():
    with pytest.raises(InputError, match=r"'judge:x'; found: 'rules:1', 'self'"):
        checked(sessions(self=HALF, rules_x_1=HALF), source="judge:x")


def test_two_sources_without_a_label_in_common_are_an_error():
    first = labelled_sessions("satisfaction", {"self": HALF})
    second = labelled_sessions("frustration", {"rules:1": HALF})
    with pytest.raises(InputError, match=r"no labels in common: 'frustration' by the first, 'satisfaction'"):
        checked(second, first)


def test_a_source_is_not_checked_against_itself_in_one_file_but_may_be_in_two():
    conversations = sessions(self=HALF)
    with pytest.raises(InputError, match="with itself"):
        checked(conversations, source="self")
    assert checked(conversations, list(conversations), source="self").entries[0].accuracy.estimate == 1


def test_too_few_resamples_are_an_error():
    with pytest.raises(InputError, match="at least 9"):
        checked(sessions(self=HALF, rules_x_1=HALF), n_resamples=1)


def test_conversations_that_the_annotator_left_unlabelled_are_counted():
    result = checked(sessions(self=HALF, rules_x_1=[*HALF[:12], *[None] * 8]))
    assert result.n_unlabelled == 8
    assert (result.entries[0].n, result.entries[0].n_unlabelled) == (12, 8)


def test_acts_that_do_not_exist_are_an_error_that_names_them():
    values = {"third_party": [["inform"]] * 10, "rules:1": [["inform", "infrom"]] * 10}
    conversations = labelled_messages("acts", values, per_conversation=2)
    with pytest.raises(InputError, match=r"'infrom' \(10 times\); the acts are: inform, close"):
        checked(conversations, against="third_party", acts=("inform", "close"))
    assert checked(conversations, against="third_party").entries


def test_labels_of_messages_and_of_the_session_are_entries_of_their_own():
    message = Message(role="user", content="hello", labels=_both(1, 1))
    one = Conversation(id="a", messages=(message, message), labels=_both(1, 0))
    result = checked([one])
    assert result.for_label("satisfaction", "message").n == 2
    assert result.for_label("satisfaction", "conversation").n == 1
    assert result.for_label("frustration", "message") is None


def test_labels_of_the_agents_messages_take_no_part():
    agent = Message(role="assistant", content="hi", labels=_both(1, 0))
    user = Message(role="user", content="hello", labels=_both(1, 1))
    result = checked([Conversation(id="a", messages=(user, agent))])
    assert result.for_label("satisfaction", "message").accuracy.estimate == 1.0


def _both(mine, theirs, scale=(0, 1)):
    labels = (
        Label(value=mine, source="rules:1", scale=scale),
        Label(value=theirs, source="self", scale=scale),
    )
    return {"satisfaction": labels}


def test_on_two_scales_only_the_order_is_compared():
    first = labelled_sessions("satisfaction", {"rules:1": HALF}, scale=(0, 1))
    second = labelled_sessions("satisfaction", {"self": [1 + 4 * v for v in HALF]}, scale=(1, 5))
    entry = checked(first, second).entries[0]
    assert entry.kendall_tau_b.estimate == pytest.approx(1.0)
    for undefined in (entry.accuracy, entry.kappa, entry.alpha, entry.macro_f1):
        assert undefined.estimate is None
        assert "the scales differ" in undefined.reason
    assert entry.confusion.reference == (1, 5)
    assert entry.confusion.annotated == (0, 1)
    assert entry.majority_accuracy is None


def test_the_rarer_of_two_scales_is_left_out_and_counted():
    many = labelled_sessions("satisfaction", {"self": HALF, "rules:1": HALF})
    few = labelled_sessions("satisfaction", {"self": [3, 4], "rules:1": [3, 5]}, scale=(1, 5), prefix="d")
    entry = checked([*many, *few]).entries[0]
    assert (entry.n, entry.n_left_out, entry.scale_annotated) == (20, 2, (0, 1))


def test_what_one_class_leaves_undefined_is_null_with_a_reason():
    entry = checked(sessions(self=[1] * 20, rules_x_1=[1] * 20)).entries[0]
    for undefined in (entry.kendall_tau_b, entry.kappa, entry.alpha):
        assert (undefined.estimate, undefined.interval) == (None, None)
        assert undefined.reason
    assert entry.accuracy.estimate == 1.0
    assert entry.accuracy.interval is None
    assert "no spread" in entry.accuracy.reason


def test_a_constant_annotator_has_no_tau_and_a_kappa_of_zero():
    entry = checked(sessions(self=HALF, rules_x_1=[1] * 20)).entries[0]
    assert entry.kendall_tau_b.estimate is None
    assert entry.kappa.estimate == 0.0
    assert (entry.accuracy.estimate, entry.majority_accuracy) == (0.5, 0.5)
    zero = next(c for c in entry.classes if c.name == "0")
    assert "never" in zero.precision.reason
    assert (zero.recall.estimate, zero.f1.estimate) == (0.0, 0.0)


def test_few_units_have_numbers_but_no_interval():
    entry = checked(sessions(self=HALF[:7], rules_x_1=[1, *HALF[1:7]])).entries[0]
    assert entry.accuracy.estimate == pytest.approx(6 / 7)
    assert entry.accuracy.interval is None
    assert "7 users, personas or conversations" in entry.accuracy.reason


def test_intervals_draw_users_or_else_personas_where_they_are_known():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(20) < 0.5, 10)
    truth = rng.integers(0, 2, 200)
    said = np.where(right, truth, 1 - truth)
    widths: list[float] = []
    tens = [f"{i // 10}" for i in range(200)]
    alone, of_users = (
        labelled_sessions("satisfaction", {"self": truth, "rules:1": said}, users=users)
        for users in (None, tens)
    )
    of_personas = [c.but(persona=Persona(id=ten, need="a coat")) for c, ten in zip(alone, tens, strict=True)]
    for made in (alone, of_users, of_personas):
        interval = checked(made).entries[0].accuracy.interval
        assert interval is not None
        widths.append(interval[1] - interval[0])
    # Ten conversations of a user are all right or all wrong: the standard error is the root of 10 times larger.
    assert widths[1] / widths[0] == pytest.approx(math.sqrt(10), rel=0.2)
    assert widths[2] == widths[1]


def test_an_interval_that_draws_users_holds_the_true_accuracy_as_often_as_it_says():
    """Forty users of five sessions, right or wrong together: intervals over sessions would be far too narrow."""
    held = 0
    for trial in range(100):
        rng = np.random.default_rng(trial)
        right = np.repeat(rng.random(40) < 0.7, 5)
        truth = rng.integers(0, 2, 200)
        said = np.where(right, truth, 1 - truth)
        users = [f"u{i // 5}" for i in range(200)]
        made = labelled_sessions("satisfaction", {"self": truth, "rules:1": said}, users=users)
        low, high = checked(made, n_resamples=199).entries[0].accuracy.interval or (1, 0)
        held += low <= 0.7 <= high
    assert 0.89 <= held / 100 <= 0.99


def test_the_interval_of_a_share_is_the_binomials():
    said = [1] * 60 + [0] * 40
    interval = checked(sessions(self=[1] * 100, rules_x_1=said)).entries[0].accuracy.interval
    half = 1.96 * math.sqrt(0.6 * 0.4 / 100)
    assert interval == pytest.approx((0.6 - half, 0.6 + half), abs=0.02)


def test_many_values_are_no_classes():
    values = list(np.linspace(0, 1, 150))
    entry = checked(sessions(self=values, rules_x_1=values)).entries[0]
    assert "101" in entry.kendall_tau_b.reason
    assert entry.confusion is None


def test_hostile_names_of_acts_stay_data():
    values = {"third_party": [["a\x1b[31m"], ["b"]] * 10, "rules:1": [["b"], ["b"]] * 10}
    entry = checked(labelled_messages("acts", values, per_conversation=1), against="third_party").entries[0]
    assert [c.name for c in entry.classes] == ["a\x1b[31m", "b"]


def test_the_published_levels_stand_beside_and_say_whether_they_compare():
    made = labelled_sessions("satisfaction", {"self": HALF, "judge:m:abc": HALF})
    published = checked(made, source="judge:m:abc").entries[0].published
    assert {(p.between, p.value, p.comparable) for p in published} == {
        (("judge", "self"), 0.165, True),
        (("third_party", "self"), 0.155, False),
        (("judge", "third_party"), 0.579, False),
    }


def test_the_document_is_json_without_nan_and_reads_back():
    result = checked(sessions(self=HALF, rules_x_1=[1] * 20))
    document = json.loads(result.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert document["schema"] == "convsim.annotation.agreement/1"
    assert AgreementReport.model_validate(document) == result


def test_the_same_seed_gives_the_same_document():
    made = sessions(self=HALF, rules_x_1=HALF[::-1])
    assert checked(made).to_json() == checked(made).to_json()
