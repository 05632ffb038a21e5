"""Weights of simulators and personas: what is found, what is said, and what is refused."""

import json
from typing import Any

import numpy as np
import pytest

import convsim
from convsim.errors import InputError
from convsim.report.tuning import tuned_line, tuning_lines, tuning_to_markdown
from convsim.schema.conversation import LearnedFrom
from convsim_validators import Marginals
from tests.populations import crowd, talker

METRICS = ["turns", "user_words_per_turn", "user_no_final_punctuation", "user_words_first_message"]
QUICK: dict[str, Any] = {"seed": 3, "validators": (), "metrics": METRICS}


def people(n: int = 240, *, wordy: float = 0.6):
    return crowd(np.random.default_rng(1), n, wordy=wordy, prefix="h")


def runs(n: int = 120, **wordy: float):
    rng = np.random.default_rng(2)
    shares = wordy or {"wordy": 1.0, "curt": 0.0}
    return {name: crowd(rng, n, wordy=share, prefix=name, simulated=True) for name, share in shares.items()}


@pytest.fixture(scope="module")
def mixed():
    return convsim.tune(people(), runs(), **QUICK)


def test_the_weights_of_two_populations_are_those_of_the_people(mixed):
    weights = {part.name: part.weight for part in mixed.parts}
    assert weights["wordy"] == pytest.approx(0.6, abs=0.1)
    assert sum(weights.values()) == pytest.approx(1)
    assert mixed.outcome == "gained"
    assert mixed.after.estimate < mixed.before.estimate
    assert mixed.gain.interval[0] > 0
    # Kish by hand: 120 conversations of each.
    assert mixed.effective_size == pytest.approx(120 / sum(weight**2 for weight in weights.values()))


def test_one_line_says_what_was_found(mixed):
    line = tuned_line(mixed)
    assert line.startswith("tuned: distance to held-out people 0.")
    assert "-> 0." in line
    assert "weights: wordy 0." in line
    assert "conversations)" in line


def test_what_is_printed_fits_80_columns_and_what_is_written_is_read_back(mixed):
    assert max(map(len, tuning_lines(mixed))) <= 80
    assert convsim.Tuning.model_validate(json.loads(mixed.to_json())) == mixed


def test_names_from_outside_are_text_in_markdown(mixed):
    named = mixed.but(parts=[part.but(name=f"<b>|{part.name}") for part in mixed.parts])
    assert "<b>" not in tuning_to_markdown(named)
    assert "&lt;b&gt;\\|wordy" in tuning_to_markdown(named)


def test_nothing_is_gained_where_all_runs_are_alike():
    found = convsim.tune(people(wordy=1.0), runs(first=1.0, second=1.0, third=1.0), **QUICK)
    assert found.outcome == "nothing_gained"
    assert found.gain.interval[0] <= 0
    assert tuned_line(found).startswith("nothing gained: ")


def test_all_weight_on_one_run_is_no_mixture():
    found = convsim.tune(people(wordy=0.0), runs(near=0.0, far=1.0), **QUICK)
    assert found.outcome == "one"
    assert [part.weight for part in found.parts] == [1.0, 0.0]
    assert tuned_line(found).startswith("no mixture: all weight lies on near")


def of_personas(n: int, each: int, *, wordy: float):
    rng = np.random.default_rng(5)
    return [
        talker(
            rng,
            f"s{i}-{k}",
            wordy=i < wordy * n,
            simulated=True,
            persona=f"{'w' if i < wordy * n else 'c'}{i}",
        )
        for i in range(n)
        for k in range(each)
    ]


@pytest.mark.parametrize("over", ["personas", "tasks"])
def test_personas_that_are_like_people_get_more_weight(over):
    found = convsim.tune(people(wordy=0.7), [of_personas(40, 4, wordy=0.3)], over=over, **QUICK)
    wordy = sum(part.weight for part in found.parts if part.name.startswith("w"))
    assert found.outcome == "gained"
    assert 0.5 < wordy < 0.85  # from .3 towards .7, held back by what divergence costs
    assert found.effective_size < 160
    if over == "tasks":
        assert {task: len(members) for task, members in found.members.items()} == {"w": 12, "c": 28}


def test_validators_are_asked_of_a_sample_drawn_by_the_weights():
    found = convsim.tune(people(), runs(), **{**QUICK, "validators": Marginals(n_resamples=49)})
    assert found.sampled is not None
    assert [each.name for each in found.sampled.headlines] == ["habits", "all"]
    # All 60 of the judged half of the heavier run, and of the other one in proportion.
    assert found.sampled.n == pytest.approx(60 / found.heaviest.weight, abs=1)


def test_the_same_seed_finds_the_same(mixed):
    assert convsim.tune(people(), runs(), **QUICK) == mixed


@pytest.mark.parametrize(
    ("real", "simulated", "more", "said"),
    [
        (people(58), runs(), {}, "at least 30 are needed in each half"),
        (people(), {"one": runs()["curt"]}, {"over": "runs"}, "one run is no mixture"),
        (people(), runs(n=12), {}, "wordy has 12 conversations"),
        (people(), runs(), {"over": "personas"}, "takes one run, but 2 are given"),
        (people(), [runs()["curt"]], {}, "0 personas are recorded"),
        (people(), [runs()["curt"], people()], {}, "simulated conversations are copies of real ones"),
    ],
)
def test_what_cannot_be_tuned_is_refused(real, simulated, more, said):
    with pytest.raises(InputError, match=said):
        convsim.tune(real, simulated, **QUICK, **more)


def test_a_run_that_learned_from_these_people_is_refused():
    real = people()
    told = LearnedFrom.of(real[:5], sha256=None)
    copied = {name: [c.but(learned_from=told) for c in each] for name, each in runs().items()}
    with pytest.raises(InputError, match=r"wordy: 120 simulated .* learned from these people"):
        convsim.tune(real, copied, **QUICK)


def test_weights_that_collapse_are_refused_with_what_they_collapse_on():
    # One persona alone is like these people.
    with pytest.raises(InputError, match=r"collapse.*'w0' has \d+% of the weight"):
        convsim.tune(people(wordy=1.0), [of_personas(20, 6, wordy=0.05)], **QUICK)
