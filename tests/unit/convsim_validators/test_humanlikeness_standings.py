"""``HumanLikeness.compare``: relative human-likeness, and which simulators a discriminator catches."""

import numpy as np
import pytest

from convsim.schema import Corpus
from convsim.schema.persona import Persona
from convsim_validators import HumanLikeness
from tests.corpora import corpus

PLAIN = [f"word{i}" for i in range(40)]


def texts(seed: int, n: int, *extra: str) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join([*rng.choice(PLAIN, 12), *extra]) for _ in range(n)]


def side(said: list[str], prefix: str, **columns) -> Corpus:
    return corpus({"x": [0.0] * len(said)}, texts=said, prefix=prefix, **columns)


def compare(real: Corpus, **simulated: Corpus):
    standings = HumanLikeness(n_resamples=99).compare(real, simulated, seed=3)
    assert len({(s.metric, s.simulator, s.against) for s in standings}) == len(standings)
    return {(s.metric, s.simulator, s.against): s for s in standings}


def test_relative_hls_is_hls_over_what_the_same_classifier_gives_people():
    real, simulated = side(texts(1, 60), "r"), side(texts(2, 40, "zeta"), "s")
    standing = compare(real, s=simulated)["relative_hls", "s", None]
    found = HumanLikeness(n_resamples=99).validate(real, simulated, seed=3)[0]
    scores = found.details["conversation_scores"]
    assert isinstance(scores, dict)
    hls, people = (np.mean(list(scores[which].values())) for which in ("simulated", "real"))
    assert standing.details["hls"] == found.estimate == pytest.approx(hls)
    assert standing.estimate == pytest.approx(hls / people)
    assert standing.interval[0] <= standing.estimate <= standing.interval[1]
    assert (standing.n_real, standing.n_simulated) == (60, 40)


def test_a_discriminator_catches_what_it_learned_and_what_shares_its_tell_alone():
    said = compare(
        side(texts(1, 60), "r"),
        a=side(texts(2, 40, "zeta", "zeta", "zeta"), "a"),
        b=side(texts(3, 40, "zeta", "zeta", "zeta"), "b"),
        c=side(texts(4, 40, "theta", "theta", "theta"), "c"),
    )
    caught = {key[1:]: standing.estimate for key, standing in said.items() if key[0] == "generalisation"}
    assert len(caught) == 9
    for simulator, against in (("a", "a"), ("b", "a"), ("a", "b"), ("c", "c")):
        assert caught[simulator, against] == 1
    for simulator, against in (("c", "a"), ("c", "b"), ("a", "c"), ("b", "c")):
        assert caught[simulator, against] < 0.5
    assert said["generalisation", "a", "a"].details["false_alarms"] == 0
    assert said["generalisation", "a", "a"].details["mean_probability_human"] < 0.2


def test_the_interval_is_wilsons_with_half_as_many_for_the_own_simulator():
    tell = ("zeta",) * 6
    said = compare(
        side(texts(1, 60), "r"), a=side(texts(2, 40, *tell), "a"), b=side(texts(3, 40, *tell), "b")
    )
    # Wilson's lower limit of n out of n is n / (n + z²), z² = 3.8415.
    assert said["generalisation", "b", "a"].interval == pytest.approx((40 / 43.8415, 1), abs=1e-4)
    assert said["generalisation", "a", "a"].interval == pytest.approx((20 / 23.8415, 1), abs=1e-4)


def test_the_interval_counts_units_and_not_their_conversations():
    tell = ("zeta",) * 6
    users = [f"u{i // 4}" for i in range(40)]
    said = compare(
        side(texts(1, 60), "r"),
        a=side(texts(2, 40, *tell), "a"),
        b=side(texts(3, 40, *tell), "b", users=users),
    )
    assert said["generalisation", "b", "a"].interval == pytest.approx((10 / 13.8415, 1), abs=1e-4)


def test_a_copy_under_another_name_is_judged_like_the_original():
    # Each text is one word of its own that a judge which saw it would know.
    real = side([f"human{i} human{i} hello" for i in range(40)], "r")
    said = [f"private{i} private{i} hello" for i in range(40)]
    found = compare(real, a=side(said, "a"), copy=side(said, "b"))
    original, copied = (found["generalisation", name, "a"] for name in ("a", "copy"))
    assert copied.estimate == original.estimate
    assert copied.details == pytest.approx(original.details)


def private(word: str, times: int, *, zeta: int, each: int = 1) -> list[str]:
    """Sixty words that only a judge that met them can know, and a tell: ``zeta`` of ten conversations say "zeta"."""
    said = [" ".join([f"{word}{i}"] * times) for i in range(60) for _ in range(each)]
    return [f"{text} {'zeta' if row % 10 < zeta else 'theta'}" for row, text in enumerate(said)]


def pairs(prefix: str) -> list[str]:
    return [f"{prefix}{i}" for i in range(60) for _ in range(2)]


def test_no_judge_that_met_a_persona_is_asked_of_another_simulator_with_it():
    personas = [Persona(id=f"p{i}", need="a coat") for i in range(60)]
    real = side(private("human", 2, zeta=3, each=2), "r", users=pairs("u"))
    first, second = private("need", 2, zeta=7), private("need", 3, zeta=7)
    known = compare(real, a=side(first, "a", personas=personas), b=side(second, "b", personas=personas))
    strangers = compare(real, a=side(first, "a"), b=side(second, "b"))
    own = human(known, "a", "a")
    assert human(known, "b", "a") == pytest.approx(own, abs=0.03)
    assert human(strangers, "b", "a") < own - 0.1


def test_no_judge_that_met_a_user_is_asked_of_a_simulated_conversation_of_that_user():
    users = [f"u{i}" for i in range(60)]
    people, again = private("need", 2, zeta=3), private("need", 3, zeta=7)
    other = side(private("robot", 2, zeta=7, each=2), "a", users=pairs("s"))
    known = compare(side(people, "r", users=users), a=other, b=side(again, "b", users=users))
    strangers = compare(side(people, "r"), a=other, b=side(again, "b"))
    own = human(known, "a", "a")
    assert human(known, "b", "a") == pytest.approx(own, abs=0.03)
    assert human(strangers, "b", "a") > own + 0.1


def test_people_are_judged_by_what_has_not_learned_from_them():
    people, robots = private("human", 2, zeta=3, each=2), private("robot", 2, zeta=7, each=2)
    simulated = side(robots, "a", users=pairs("s"))
    # Three of ten people say what simulators say; who had met a user's word would know that user all the same.
    known = compare(side(people, "r", users=pairs("u")), a=simulated)["generalisation", "a", "a"]
    assert known.details["false_alarms"] == pytest.approx(0.3, abs=0.05)
    strangers = compare(side(people, "r"), a=simulated)["generalisation", "a", "a"]
    assert strangers.details["false_alarms"] < 0.24


def human(said, simulator: str, against: str):
    return said["generalisation", simulator, against].details["mean_probability_human"]


def test_texts_that_people_said_too_are_kept_and_counted():
    shared = texts(7, 5)
    real = side([*texts(1, 40), *shared], "r")
    said = compare(
        real, a=side([*texts(2, 30), *(t.upper() for t in shared)], "a"), b=side(texts(3, 30), "b")
    )
    standing = said["relative_hls", "a", None]
    assert (standing.n_real, standing.n_simulated) == (45, 35)
    assert standing.details["n_shared_texts_simulated"] == 5
    assert said["relative_hls", "b", None].details["n_shared_texts_simulated"] == 0
    # Each text stands on both sides of one fold, so that nothing tells a copy from what it copies.
    everything = compare(side(texts(1, 40), "r"), a=side(texts(1, 40), "a"))["relative_hls", "a", None]
    assert everything.estimate == pytest.approx(1.0)


def test_too_small_a_simulator_has_reasons_and_costs_the_others_nothing():
    real, a = side(texts(1, 40), "r"), side(texts(2, 30, "zeta"), "a")
    said = compare(real, tiny=side(texts(3, 9), "t"), a=a, nothing=corpus({}))
    for (metric, *pair), standing in said.items():
        small = "tiny" in pair or "nothing" in pair
        assert (standing.estimate is None) == (standing.interval is None) == small, (metric, pair)
        assert ("at least 10" in standing.reason) == small
    alone = compare(real, a=a)["relative_hls", "a", None]
    assert said["relative_hls", "a", None] == alone


def test_texts_without_a_word_in_common_leave_nothing_to_learn_from():
    real = side([f"human{i}" for i in range(20)], "r")
    said = compare(real, a=side([f"robot{i}" for i in range(20)], "a"))
    assert {standing.estimate for standing in said.values()} == {None}
    assert all("no word or habit" in standing.reason for standing in said.values())


def test_no_simulators_have_no_standings():
    assert compare(side(texts(1, 20), "r")) == {}
