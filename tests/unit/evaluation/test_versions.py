"""What got better and what got worse from one version of a simulator to the next."""

import random
from functools import partial

import pytest

from convsim.errors import InputError
from convsim.evaluation import compare
from convsim.evaluation.versions import moved_together
from convsim.report.comparison import comparison_to_markdown
from convsim.report.versions import change_row, worse_lines
from convsim.schema import Finding
from convsim.schema.conversation import Conversation, Message
from convsim.schema.versions import Versions
from convsim.stats.change import Moved
from convsim_validators import Marginals

TALK = (
    "i",
    "want",
    "the",
    "red",
    "dress",
    "for",
    "a",
    "party",
    "it",
    "should",
    "not",
    "be",
    "too",
    "long",
    "in",
    "my",
)
METRICS = ["user_words_per_turn", "user_thanks", "user_digits"]


def talks(prefix, *, words, thanks, n=45, seed=0):
    """Conversations of two messages; ``words`` is the middle of their length, ``thanks`` how many say it."""
    draw = random.Random(f"{prefix}{seed}")
    made = []
    for k in range(n):
        said = []
        for _ in range(2):
            length = draw.randint(words - 2, words + 2)
            said.append(" ".join(draw.choices(TALK, k=length)) + " thanks" * (draw.random() < thanks))
        said[0] += " 7" * (draw.random() < 0.5)
        messages = tuple(Message(role="user", content=text) for text in said)
        made.append(Conversation(id=f"{prefix}{k}", messages=messages))
    return made


PEOPLE = talks("people", words=5, thanks=0.1)
CHATTY = talks("chatty", words=12, thanks=0.1)
POLITE = talks("polite", words=5, thanks=0.9)
side_by_side = partial(compare, PEOPLE, seed=1, validators=Marginals(n_resamples=99), metrics=METRICS)


def courses(versions):
    return {f"{each.kind} {each.name}": each.course for each in versions.moved}


def test_of_two_simulators_the_second_is_the_later_version():
    comparison = side_by_side({"old": CHATTY, "new": POLITE})
    [versions] = comparison.versions
    assert (versions.before, versions.after, versions.by) == ("old", "new", "conversations")
    found = courses(versions)
    assert found["metric user_words_per_turn"] == "better"
    assert found["metric user_thanks"] == "worse"
    assert found["metric user_digits"] == "no_change"
    assert [each.name for each in versions.worse if each.kind == "metric"] == ["user_thanks"]
    moved = next(each for each in versions.moved if each.name == "user_words_per_turn")
    assert moved.before > 0.9
    assert moved.after < 0.5
    assert moved.levels is not None
    assert moved.levels[0] > 20 > moved.levels[1]
    text = comparison_to_markdown(comparison)
    assert "### what got better, what got worse: from old to new" in text
    assert "| metric user\\_thanks |" in text
    assert "user\\_digits" not in text.split("### what got better")[1].split("###")[0]


def test_the_other_way_round_better_is_worse():
    [versions] = side_by_side({"old": POLITE, "new": CHATTY}).versions
    assert courses(versions)["metric user_words_per_turn"] == "worse"
    assert courses(versions)["metric user_thanks"] == "better"


def test_two_that_are_no_versions_of_one_another_say_nothing_of_a_change():
    assert side_by_side({"close": CHATTY, "naive": POLITE}, before=False).versions == ()


def test_more_than_two_have_no_version_before_unless_one_is_named():
    three = {"a": CHATTY, "b": POLITE, "c": talks("third", words=5, thanks=0.1)}
    assert side_by_side(three).versions == ()
    named = side_by_side(three, before="b").versions
    assert [(each.before, each.after) for each in named] == [("b", "a"), ("b", "c")]
    assert courses(named[1])["metric user_thanks"] == "better"


def test_a_version_before_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(InputError, match="no simulator is called 'x'; there are a, b"):
        side_by_side({"a": CHATTY, "b": POLITE}, before="x")


def test_few_conversations_decide_no_change():
    [versions] = side_by_side({"old": CHATTY[:20], "new": POLITE[:20]}).versions
    assert versions.moved == ()
    assert versions.note == (
        "45 people, 20 and 20 simulated users or conversations: a change of habits is judged from 30 each"
    )


def finding(validator, metric, estimate, interval, floor=None):
    return Finding(
        validator=validator, metric=metric, question="?", unit="-", verdict="undecided", reason="r", n_real=50,
        n_simulated=50, seed=0, version="1", source="s", estimate=estimate, interval=interval,
        noise_floor={"mean": floor, "q95": floor} if floor is not None else None,
    )  # fmt: skip


def test_headlines_are_held_against_what_people_would_have():
    before = [
        finding("humanlikeness", "hls", 0.45, (0.43, 0.47)),
        finding("coherence", "all_coherence", 0.30, (0.28, 0.32), floor=0.1),
        finding("counterfactual", "reaction_ratio", 1.4, (1.2, 1.6)),
    ]
    after = [
        finding("humanlikeness", "hls", 0.30, (0.28, 0.32)),
        finding("coherence", "all_coherence", 0.12, (0.10, 0.14), floor=0.1),
        finding("counterfactual", "reaction_ratio", 0.6, (0.4, 0.8)),
    ]
    moved = {each.name: each for each in moved_together(before, after, None, {})}
    ends = {name: (round(each.before, 3), round(each.after, 3)) for name, each in moved.items()}
    assert ends == {"words": (0.05, 0.2), "coherence": (0.2, 0.02), "reactions": (0.4, 0.4)}
    assert {name: each.course for name, each in moved.items()} == {
        "words": "worse", "coherence": "better", "reactions": "no_change",
    }  # fmt: skip


def test_a_change_that_many_metrics_would_show_by_chance_is_none():
    # p = .01 alone; times the ten metrics and the two families of headlines and metrics, .2.
    metrics = {f"m{k}": Moved(0.0, 2.575829, 1.0) if k == 0 else Moved(0.0, 0.1, 1.0) for k in range(10)}
    moved = {each.name: each for each in moved_together([], [], Moved(0.0, 1.0, 1.0), metrics)}
    assert moved["m0"].course == "no_change"
    assert moved["m0"].p_adjusted == pytest.approx(0.2, abs=1e-4)
    [alone] = moved_together([], [], None, {"m0": metrics["m0"]})
    assert alone.course == "worse"
    assert alone.p_adjusted == pytest.approx(0.01, abs=1e-5)


def test_what_is_worse_is_listed_with_its_values():
    versions = Versions(
        before="a", after="b", by="conversations", n_paired=0,
        moved=[{
            "kind": "metric", "name": "turns\x1b", "course": "worse", "before": 0.1, "after": 0.42, "unit": "u",
            "change": 0.1664, "interval": (0.1, 0.2), "p_value": 1e-9, "p_adjusted": 1e-8, "levels": (3, 6, 2.5),
            "levels_unit": "turns",
        }],
    )  # fmt: skip
    [line] = worse_lines(versions)
    assert (
        "worse; distance from people 0.1 before, 0.42 now (p < 0.0001); mean 3 → 6 turns, people 2.5" in line
    )
    assert "\x1b" not in line
    assert change_row(versions.moved[0])[3:7] == ("0.166", "[0.1, 0.2]", "< 0.0001", "worse")
