"""What to change first: which metrics are listed, how they are told, and which conversations show them."""

import re
from functools import partial

import numpy as np
import pytest

from convsim.evaluation import validate
from convsim.evaluation.gap_examples import examples, message_that_shows
from convsim.evaluation.gaps import MAX_GAPS, find_gaps
from convsim.evaluation.knobs import knobs
from convsim.metrics import FAMILY_METRICS, METRICS, measure_both
from convsim.schema import Finding
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.shoppers import ICL, SFT, Prompted, Resample
from convsim.simulation.config import DataSection, StudySection
from convsim_validators import Marginals
from tests.corpora import corpus

N = 60


def sides(n=N, seed=0, **moved):
    """Six metrics of standard normal numbers; ``moved`` maps simulated ones."""
    rng = np.random.default_rng(seed)
    real = {f"m{k}": rng.normal(size=n) for k in range(6)}
    simulated = {f"m{k}": rng.normal(size=n) for k in range(6)}
    for name, change in moved.items():
        simulated[name] = change(simulated[name])
    return corpus(real, prefix="r"), corpus(simulated, prefix="s")


def gaps_of(both, **settings):
    real, simulated = both
    return find_gaps(real, simulated, Marginals(n_resamples=99, **settings).validate(real, simulated, seed=1))


def conversation(*said, id="c", ending="unknown"):
    messages = [Message(role="user", content=text) for text in said]
    return Conversation(id=id, messages=tuple(messages), ending=ending)


def test_the_metric_that_adds_most_to_the_distance_stands_first():
    found = gaps_of(sides(m1=lambda x: x + 1, m4=lambda x: x - 3))
    assert [(gap.name, gap.direction) for gap in found] == [("m4", "less"), ("m1", "more")]
    assert found[0].contribution > found[1].contribution > 0
    assert sum(gap.share for gap in found) == pytest.approx(1)


def test_two_samples_of_one_population_have_nothing_to_change():
    assert [len(gaps_of(sides(seed=seed))) for seed in range(8)] == [0] * 8


def test_values_that_vary_too_little_are_told_by_their_spread():
    [gap] = gaps_of(sides(n=150, m2=lambda x: x / 4))
    assert gap.direction == "narrower"
    ratio = gap.real / gap.simulated
    assert 3 < ratio < 5
    assert gap.words == f"All alike in m2: people vary {ratio:.1f} times as much"


def test_a_simulator_that_always_says_the_same_amount_is_told_without_dividing_by_nothing():
    [gap] = gaps_of(sides(m2=lambda x: 0 * x))
    assert gap.simulated == 0
    assert gap.words == "All alike in m2: people vary, it does not at all"


def test_a_metric_that_is_not_listed_gets_no_advice():
    [gap] = gaps_of(sides(m1=lambda x: x + 3))
    assert gap.knob is None
    assert gap.words.startswith("M1: more than people: ")


def test_at_most_ten_are_listed():
    rng = np.random.default_rng(3)
    real = {f"m{k}": rng.normal(size=N) for k in range(14)}
    simulated = {f"m{k}": rng.normal(2 + k / 10, size=N) for k in range(14)}
    found = gaps_of((corpus(real, prefix="r"), corpus(simulated, prefix="s")))
    assert len(found) == MAX_GAPS == 10
    contributions = [gap.contribution for gap in found]
    assert contributions == sorted(contributions, reverse=True)


def test_lengths_and_proportions_are_told_with_both_levels():
    rng = np.random.default_rng(4)
    people = {
        "user_words_per_turn": rng.poisson(6, N) + 1.0,
        "user_thanks": rng.choice([0, 0.5], N, p=[0.9, 0.1]),
    }
    shopper = {
        "user_words_per_turn": rng.poisson(20, N) + 1.0,
        "user_thanks": rng.choice([0, 1], N, p=[0.1, 0.9]),
    }
    both = [
        corpus(columns, prefix=prefix, shares=["user_thanks"])
        for columns, prefix in ((people, "r"), (shopper, "s"))
    ]
    found = {gap.name: gap for gap in gaps_of(both)}
    real, simulated = (side["user_words_per_turn"].mean() for side in (people, shopper))
    assert found["user_words_per_turn"].words == (
        f"Messages are {simulated / real:.1f} times as long: {simulated:.1f} words a turn, people {real:.1f}"
    )
    assert "max_tokens" in found["user_words_per_turn"].knob
    of_people, of_shopper = people["user_thanks"].mean(), shopper["user_thanks"].mean()
    assert (
        found["user_thanks"].words
        == f"More messages say thanks: {100 * of_shopper:.0f} %, people {100 * of_people:.1f} %"
    )


def test_examples_lie_on_the_side_of_the_gap_and_are_no_freaks():
    values = np.arange(101.0)
    both = corpus({"m": values / 10}, prefix="r"), corpus({"m": values}, prefix="s")
    shown = examples(*both, "m", "more", which="first")
    assert [(each.side, each.value) for each in shown] == [
        ("simulated", 80.0), ("simulated", 79.0), ("simulated", 81.0), ("people", 5.0),
    ]  # fmt: skip
    assert [each.value for each in examples(*both, "m", "less", which="first")][:3] == [20.0, 19.0, 21.0]


def test_where_all_are_alike_the_person_shown_is_not():
    both = corpus({"m": np.arange(101.0)}, prefix="r"), corpus({"m": np.full(101, 30.0)}, prefix="s")
    shown = examples(*both, "m", "narrower", which="first")
    assert [each.value for each in shown] == [30.0, 30.0, 30.0, 90.0]


def test_conversations_that_were_shown_already_come_last_among_equals():
    both = corpus({"m": np.zeros(9)}, prefix="r"), corpus({"m": np.ones(9)}, prefix="s")
    shown = examples(*both, "m", "more", which="first", known={"s0", "s1"})
    assert [each.conversation for each in shown] == ["s2", "s3", "s4", "r0"]


@pytest.mark.parametrize(
    ("metric", "said", "largest", "expected"),
    [
        ("user_words_per_turn", ("hi", "a much longer message than that", "ok"), True, 1),
        ("user_thanks", ("red boots", "no", "thanks a lot"), True, 2),
        ("user_repeats", ("red boots", "no", "red boots", "bye"), True, 2),
        ("user_no_final_punctuation", ("no mark", "a mark.", "none"), False, 1),
    ],
)
def test_the_message_that_is_shown_is_the_one_that_shows_it(metric, said, largest, expected):
    shown = message_that_shows(conversation(*said), METRICS[metric], "most", largest=largest)
    assert shown == expected


def test_nothing_is_to_be_changed_where_a_simulator_copied_the_people_it_is_judged_on():
    people = [conversation(f"size {k}", "no", id=f"r{k}").but(user=f"u{k}") for k in range(40)]
    simulated = [
        conversation("could you please show me something", f"{k} thanks", id=f"s{k}") for k in range(40)
    ]
    learned = {"conversations": [people[0].fingerprint]}
    copied = [*simulated[:-1], simulated[-1].but(learned_from=learned)]
    judge = partial(
        validate,
        seed=0,
        validators=Marginals(n_resamples=99),
        metrics=["user_words_per_turn", "user_thanks"],
    )
    assert {gap.name for gap in judge(people, simulated).gaps} == {
        "user_words_per_turn",
        "user_thanks",
    }
    card = judge(people, copied)
    assert card.gaps == ()
    assert all(f.verdict == "undecided" for f in card.findings)
    assert judge(people, copied, allow_overlap=True).gaps


def finding(validator, metric, verdict, details):
    return Finding(
        validator=validator, metric=metric, question="?", unit="-", verdict=verdict, reason="r", n_real=50,
        n_simulated=20, seed=0, version="1", source="s", details=details,
    )  # fmt: skip


def test_headlines_beyond_habits_that_fail_have_a_line_each():
    found = [
        finding(
            "humanlikeness", "hls", "different",
            {"accuracy": 0.9, "auc": 0.9, "tells": {
                "simulated": [{"feature": "certainly", "n_real": 0, "n_simulated": 15}], "human": []}},
        ),
        finding("copies", "diversity", "aligned", {"similarity_real": 0.1, "similarity_simulated": 0.1}),
        finding("counterfactual", "reaction_ratio", "over_reacts", {}),
    ]  # fmt: skip
    real, simulated = sides()
    words, reactions = find_gaps(real, simulated, found)
    assert words.words == "Its words give it away: “certainly” (75 %, people 0 %)"
    assert (words.kind, words.knob) == ("headline", knobs().family["words"].more)
    assert reactions.words == "It reacts more to a worse agent than people do"
    assert reactions.knob == knobs().family["reactions"].more


def settings_named():
    return sorted(
        {
            named
            for family in knobs().family.values()
            for text in (family.more, family.less, family.narrower, family.wider)
            for named in re.findall("`(.*?)`", text or "")
        }
    )


def exists(named):
    from importlib.resources import files

    if named.endswith(".txt.j2"):
        return files("convsim.shoppers").joinpath("prompts", named).is_file()
    if named.startswith("persona."):
        return named.removeprefix("persona.") in Persona.model_fields
    section, key, value = re.fullmatch(r'\[(\w+)\] (\w+)(?: = "(\w+)")?', named).groups()
    shoppers = (Prompted, ICL, SFT, Resample)
    if section == "shopper" and key == "name":
        return value in {shopper.name for shopper in shoppers}
    fields = {
        "shopper": {field for shopper in shoppers for field in shopper.__dataclass_fields__},
        "study": set(StudySection.model_fields),
        "data": set(DataSection.model_fields),
    }[section]
    return key in fields and value in (None, "transcript")


def test_every_setting_that_is_recommended_is_there():
    assert len(settings_named()) > 8
    assert [named for named in settings_named() if not exists(named)] == []


def test_a_setting_that_is_not_there_would_be_noticed():
    assert not exists("[shopper] creativity")
    assert not exists("persona.mood")
    assert not exists("speak.txt.j2")


def test_every_built_in_metric_of_users_is_told_in_words_and_has_a_knob():
    judged = {name for name, metric in {**METRICS, **FAMILY_METRICS}.items() if metric.role == "metric"}
    assert set(knobs().metric) == judged
    for name, wording in knobs().metric.items():
        assert knobs().family[wording.family].more, name
        told = wording.more.format(real="1", simulated="2", times="2")
        assert "{" not in told


def test_measured_conversations_name_the_message_by_its_place_among_all():
    talk = Conversation(
        id="s0",
        messages=(
            Message(role="assistant", content="Hello"),
            Message(role="user", content="boots"),
            Message(role="assistant", content="Here"),
            Message(role="user", content="are there any that are cheaper than these"),
        ),
    )
    both = measure_both([talk.but(id="r0")], [talk])
    [shown, person] = examples(*both, "user_words_per_turn", "more", which="most")
    assert (shown.side, shown.conversation, shown.message) == ("simulated", "s0", 3)
    assert (person.side, person.conversation, person.message) == ("people", "r0", 3)
