import numpy as np
import pandas as pd
import pytest

from convsim.errors import InputError
from convsim.schema import Corpus
from convsim.schema.details import CrowdDetails
from convsim_validators import Diversity
from convsim_validators.diversity import diversity as module
from tests.corpora import metric
from tests.made_up_talk import one_word, side, swapped, talk

FEW = 99
NAMES = (
    "coverage", "text_coverage", "forward_kl", "backward_kl", "habit_spread", "openings", "effective_number",
    "near_duplicates", "persona_icc",
)  # fmt: skip


def crowd(said, values, prefix: str, **users) -> Corpus:
    made = side(said, prefix, **users)
    names = [f"x{number}" for number in range(values.shape[1])]
    table = pd.DataFrame(values, columns=names, index=[c.id for c in made.conversations])
    return Corpus(made.conversations, table, {name: metric(name) for name in names})


def people(seed: int, n: int, prefix: str = "r", **users) -> Corpus:
    rng = np.random.default_rng(seed)
    return crowd(talk(rng, n, n_messages=2), rng.normal(size=(n, 4)), prefix, **users)


def judged(real: Corpus, simulated: Corpus, **settings):
    found = Diversity(n_resamples=FEW, **settings).validate(real, simulated, seed=1)
    return {finding.metric: finding for finding in found}


def repeated(seed: int, n: int, times: int, prefix: str = "s") -> Corpus:
    rng = np.random.default_rng(seed)
    said, values = talk(rng, n, n_messages=2), rng.normal(size=(n, 4))
    again = swapped(rng, [each for each in said for _ in range(times)], one_word(rng))
    return crowd(again, np.repeat(values, times, axis=0), prefix)


def test_other_people_are_not_different_and_are_alike_where_nobody_repeats_another():
    found = judged(people(1, 80), people(2, 80, "s"))
    assert tuple(found) == NAMES
    assert not [name for name, each in found.items() if each.verdict == "different"]
    assert found["near_duplicates"].verdict == found["openings"].verdict == "aligned"
    assert found["coverage"].details["level_real"] > 0.9


def test_ten_people_eight_times_over_are_told_with_numbers_and_examples():
    found = judged(people(1, 80), repeated(2, 10, 8))
    for name in ("coverage", "text_coverage", "effective_number", "near_duplicates"):
        each = found[name]
        assert each.verdict == "different"
        assert each.reason == each.details["giveaway"]
        assert [example["side"] for example in each.details["examples"]] == ["simulated"] * 3 + ["people"]
        assert all(example["conversation"].startswith("s") for example in each.details["examples"][:3])
    assert "nearly repeat another's words, 0% of people's" in found["near_duplicates"].reason
    # Ten people are worth ten, whatever a word is exchanged.
    assert 8 < found["effective_number"].details["level_simulated"] < 20
    spaces = found["text_coverage"].details["spaces"]
    assert spaces["recall"]["simulated"] < spaces["recall"]["real"]


def test_a_crowd_of_the_middle_of_people_is_told_with_the_habits_that_vary_least():
    rng = np.random.default_rng(6)
    values = rng.normal(size=(80, 4))
    values[:, 2] /= 5
    found = judged(people(1, 80), crowd(talk(rng, 80), values, "s"))["habit_spread"]
    assert found.verdict == "different"
    assert "; the least varied: x2 (" in found.reason
    assert found.details["level_simulated"] < found.details["level_real"]
    assert found.details["examples"][3]["side"] == "people"


def test_the_crowd_that_is_more_varied_than_people_is_not_different():
    assert not [
        name for name, each in judged(repeated(2, 10, 8, "r"), people(1, 80, "s")).items()
        if each.verdict == "different" and name in ("effective_number", "habit_spread", "near_duplicates", "openings")
    ]  # fmt: skip


def test_kinds_that_one_side_lacks_are_listed_with_words_and_an_example_of_the_other():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(80, 4))
    values[:20] += 8  # people who do much of everything
    real = crowd(
        [["plenty of everything"] * 2 if row < 20 else said for row, said in enumerate(talk(rng, 80))],
        values,
        "r",
    )
    found = judged(real, crowd(talk(rng, 80), rng.normal(size=(80, 4)), "s"))
    details = found["forward_kl"].details
    assert isinstance(details, CrowdDetails)
    assert found["forward_kl"].verdict == "different"
    first = details.clusters[0]
    assert first.status == "missed"
    assert (first.share_real, first.share_simulated) == (0.25, 0)
    assert {"plenty", "everything"} <= set(first.words)
    assert all(habit.startswith("more x") for habit in first.habits)
    assert first.real in {f"r{row}" for row in range(20)}
    assert first.simulated is None
    assert found["forward_kl"].reason.startswith("25% of people, but 0% of simulated shoppers")
    assert sum(kind.share_real for kind in details.clusters) == pytest.approx(1)


def test_neither_order_nor_made_up_ids_change_anything():
    def numbers(real, simulated):
        return [(f.estimate, f.p_value, f.interval, f.verdict) for f in judged(real, simulated).values()]

    real, simulated = people(1, 30), people(2, 30, "s")
    turned = real.take(np.arange(30)[::-1])
    renamed = [each.but(id=f"z{29 - row}") for row, each in enumerate(simulated.conversations)]
    other = Corpus(renamed, simulated.table.set_axis([c.id for c in renamed]), simulated.metrics)
    assert numbers(turned, other) == numbers(real, simulated)


@pytest.mark.parametrize("n", [7, 10])
def test_few_users_decide_nothing_and_the_reason_says_how_many_would(n):
    found = judged(people(1, n), people(2, 30, "s"))
    least = 8 if n == 7 else 12
    assert found["coverage"].verdict == "undecided"
    assert f"{n} real and 30 simulated users; at least {least}" in found["coverage"].reason
    assert found["coverage"].estimate is None


def test_likeness_is_not_judged_of_few():
    few = judged(people(1, 40), people(2, 40, "s"))["openings"]
    assert few.verdict == "undecided"
    assert few.reason.endswith("likeness is judged from 60")
    assert few.details["needs"] == {"side": "people", "more": 20}


@pytest.mark.parametrize("said", ["", "yes please"])
def test_what_could_not_have_varied_is_not_alike(said):
    same = [[said]] * 70
    found = judged(crowd(same, np.ones((70, 2)), "r"), crowd(same, np.ones((70, 2)), "s"))
    assert {each.verdict for each in found.values()} == {"undecided"}
    assert "no habit was measured that varies" in found["coverage"].reason
    assert "all users say the same words, or none" in found["effective_number"].reason
    assert "first messages that differ are needed" in found["openings"].reason


def test_of_users_who_come_once_nothing_is_known_of_how_they_stay_themselves():
    found = judged(people(1, 20), people(2, 40, "s", users=[f"u{row // 2}" for row in range(40)]))[
        "persona_icc"
    ]
    assert found.verdict == "undecided"
    assert "0 real and 20 simulated users or personas have two conversations or more" in found.reason


def test_personas_that_never_vary_are_told():
    rng = np.random.default_rng(5)
    users = [f"u{row // 3}" for row in range(120)]
    steady = np.repeat(rng.normal(size=(40, 4)), 3, axis=0) + rng.normal(size=(120, 4)) / 10
    found = judged(people(1, 120, users=users), crowd(talk(rng, 120), steady, "s", users=users))[
        "persona_icc"
    ]
    assert found.verdict == "different"
    assert found.details["level_simulated"] > 0.9
    assert "lies between simulated shoppers" in found.reason


def test_of_many_conversations_whole_users_are_looked_at_and_that_is_said(monkeypatch):
    monkeypatch.setattr(module, "MAX_CONVERSATIONS", 30)
    real = people(1, 60, users=[f"u{row // 2}" for row in range(60)])
    found = judged(real, people(2, 20, "s"))["near_duplicates"]
    assert (found.n_real, found.n_simulated) == (30, 20)
    assert found.details["n_units_real"] == 15
    assert found.details["sampled"].startswith("whole users at random")


def test_text_in_any_script_and_without_an_agent_is_compared():
    rng = np.random.default_rng(7)
    letters = [list("красныеботинкидляснега"), list("我想买一双红色的靴子"), list("أريدحذاءأحمر")]
    said = [["".join(rng.choice(letters[row % 3], 12)), "\u200d\ufe0f 👟"] for row in range(60)]
    found = judged(
        crowd(said[:30], rng.normal(size=(30, 2)), "r"), crowd(said[30:], rng.normal(size=(30, 2)), "s")
    )
    assert all(np.isfinite(each.estimate) for name, each in found.items() if name != "persona_icc")


def test_a_side_without_conversations_has_no_finding():
    assert judged(people(1, 20), people(2, 20, "s").take([])) == {}


def test_a_margin_beyond_one_is_refused():
    with pytest.raises(InputError, match="coverage_margin"):
        Diversity(coverage_margin=2)
