"""A calibration: who is drawn, that groups share nobody, and how its document sums a table up."""

import asyncio

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.evaluation.adversaries import ADVERSARIES
from convsim.evaluation.calibrating import calibrate, needed_validators
from convsim.evaluation.calibration import Calibration, Trial
from convsim.evaluation.scorecard import SideSummary
from convsim.report.calibration import calibration_to_markdown, notes, summary_of
from convsim.schema import BaseValidator, Corpus, Finding
from convsim.schema.conversation import Conversation, Message


class Watching(BaseValidator):
    """Finds every simulator different that says a word, and keeps what it was shown."""

    name = "watching"

    def __init__(self, word: str = "", *, raising: bool = False) -> None:
        self.word, self.raising = word, raising
        self.seen: list[tuple[list[Conversation], list[Conversation]]] = []

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        if self.raising:
            raise RuntimeError("out of order")
        self.seen.append((list(real.conversations), list(simulated.conversations)))
        said = any(self.word in c.first_words for c in simulated.conversations)
        return [
            Finding(
                validator=self.name, metric="word", question="Is it said?", unit="-", n_real=len(real),
                n_simulated=len(simulated), seed=seed, verdict="different" if said and self.word else "aligned",
                reason="it is said" if said else "it is not said", version="1", source="a test",
            )
        ]  # fmt: skip


def people(n: int, *, each: int = 1) -> list[Conversation]:
    return [
        Conversation(
            id=f"{user}-{k}",
            user=f"u{user}",
            messages=(Message(role="user", content=f"person {user} talk {k}"),),
        )
        for user in range(n)
        for k in range(each)
    ]


def who(side: list[Conversation]) -> list[str]:
    return [c.first_words.split()[1] for c in side]


def test_two_disjoint_groups_of_people_are_drawn_one_conversation_of_each():
    watching = Watching()
    calibrate(
        people(20, each=3),
        seed=1,
        sizes=[8, 10],
        n_null_runs=3,
        adversaries=["other_people"],
        validators=watching,
    )
    assert [len(real) for real, _ in watching.seen] == [8, 8, 8, 10, 10, 10]
    for real, others in watching.seen:
        assert len(set(who(real))) == len(real)
        assert not set(who(real)) & set(who(others))
    assert len({tuple(who(real)) for real, _ in watching.seen[:3]}) == 3


def test_copies_are_made_of_the_people_who_are_judged_against():
    watching = Watching()
    calibrate(
        people(20), seed=1, sizes=[8], n_runs=1, n_null_runs=1, adversaries=["copies_cut_by_a_character"],
        validators=watching,
    )  # fmt: skip
    real, copies = watching.seen[-1]
    assert who(copies) == who(real)


def test_neither_the_order_of_the_file_nor_other_adversaries_move_a_draw():
    def drawn(side, *adversaries):
        watching = Watching()
        calibrate(
            side, seed=1, sizes=[8], n_runs=1, n_null_runs=1, adversaries=adversaries, validators=watching
        )
        return [[c.fingerprint for c in each] for each in watching.seen[-1]]

    crowd = people(20)
    mixed = [crowd[int(at)] for at in np.random.default_rng(0).permutation(20)]
    assert drawn(crowd, "title_case") == drawn(mixed, "emoji", "title_case")


def test_what_is_caught_is_counted_by_run_and_told_as_it_goes():
    told: list[Trial] = []
    found = calibrate(
        people(40), seed=1, sizes=[8], n_runs=3, n_null_runs=2, adversaries=["title_case", "numbers_redrawn"],
        validators=Watching("Person"), on_trial=told.append,
    )  # fmt: skip
    null, title, numbers = found.trials
    assert tuple(told) == found.trials
    assert (null.n_runs, null.caught, null.caught_by_any) == (2, {}, 0)
    assert (title.n_runs, title.caught, title.caught_by_any) == (3, {"watching": 3}, 3)
    assert numbers.caught == {}
    assert [trial.adversary for trial in found.passed(8)] == ["numbers_redrawn"]


def test_an_adversary_that_has_nothing_to_work_with_is_told_and_not_tried():
    found = calibrate(
        people(20), seed=1, sizes=[8], n_runs=2, adversaries=["tasks_permuted"], validators=Watching()
    )
    assert found.trials[1].n_runs == 0
    assert found.trials[1].left_out.startswith("these conversations lack several tasks")
    assert f"Not tried (8 a side: {found.trials[1].left_out}): tasks_permuted." in notes(found)


def test_a_validator_that_raises_is_told_once():
    found = calibrate(
        people(20),
        seed=1,
        sizes=[8],
        n_null_runs=3,
        adversaries=["other_people"],
        validators=Watching(raising=True),
    )
    assert found.failed == ("watching: the validator failed: RuntimeError: out of order",)


def test_simulated_people_are_no_people():
    with pytest.raises(InputError, match="real conversations name a simulator"):
        calibrate([c.but(simulator="s") for c in people(20)], seed=1, sizes=[8])


def test_the_default_validators_are_asked_and_those_that_must_catch_one():
    assert {"marginals", "humanlikeness", "copies", "transitions"} <= set(needed_validators([]))
    assert "counterfactual" not in needed_validators([*ADVERSARIES.values()])


def test_in_a_running_loop_it_is_refused_with_a_line():
    async def called():
        calibrate(people(20), seed=1, sizes=[8])

    with pytest.raises(InputError, match="event loop"):
        asyncio.run(called())


def document() -> Calibration:
    def trial(name, n_runs, **more):
        return Trial(adversary=name, line="…", n=100, n_runs=n_runs, **more)

    return Calibration(
        real=SideSummary.of(people(2), path=None, sha256=None),
        n_people=300,
        seed=0,
        n_runs=5,
        validators=("joint", "copies"),
        sizes=(100,),
        warnings=("<b>bold</b> | @somebody",),
        trials=(
            trial("other_people", 20, caught={"joint": 1}, caught_by_any=1),
            trial("seen", 5, must_catch=("joint",), caught={"joint": 4}, caught_by_any=5),
            trial("seen_by_another", 5, must_catch=("joint",), caught={"copies": 5}, caught_by_any=5),
            trial("unseen", 5, must_catch=("joint", "endings"), caught={"joint": 3}, caught_by_any=3),
        ),
    )


def test_four_of_five_runs_are_enough_and_three_are_not():
    assert summary_of(document()) == [
        "100 a side: 2 of 3 adversaries are caught in 80% of runs, and 1 not: unseen; other people are in 1 of 20."
    ]
    assert [*notes(document())] == [
        "100 a side, not caught by the validator that must catch it: seen_by_another by joint, unseen by joint.",
        "Not judged by endings: no validator of that name ran.",
    ]


def test_markdown_has_a_matrix_and_escapes_what_comes_from_files():
    page = calibration_to_markdown(document())
    assert "| adversary | joint | copies | by any | headline |" in page
    assert "| seen\\_by\\_another | **0/5** | 5/5 | 5/5 | 0/5 |" in page
    assert "| other\\_people | 1/20 | · | 1/20 | 0/20 |" in page
    assert "<b>" not in page
    assert "@somebody" not in page
