"""Conversations are held look by look until a headline is decided, and nothing is looked at twice."""

import json
from dataclasses import replace

import numpy as np
import pytest

from convsim.errors import InputError, StudyError
from convsim.evaluation.looks import TakenLook
from convsim.evaluation.until_decided import UntilDecided, least_for
from convsim.io import read
from convsim.schema import AgentReply, BaseValidator, UserMove, Verdict
from convsim.schema.conversation import Conversation, LearnedFrom, Message, Usage
from convsim.simulation import Study
from tests.doubles import people
from tests.made_up_talk import sentence


class Talker:
    """Says two sentences of made-up words; of ``repeats`` seeds each says what another does."""

    name = "talker"
    learned_from: LearnedFrom | None = None

    def __init__(self, repeats: int = 10**9):
        self.repeats = repeats

    async def speak(self, conversation, persona, *, seed):
        said = sum(message.role == "user" for message in conversation.messages)
        if said == 2:
            return UserMove(action="leave")
        return UserMove(action="say", text=sentence(np.random.default_rng([seed % self.repeats, said]), 12))


class Agent:
    name = "agent"

    async def reply(self, conversation, *, seed):
        return AgentReply(content="this one?", usage=Usage(input_tokens=1, output_tokens=1, cost_usd=0.01))


def humans(n: int = 60, **more) -> list[Conversation]:
    rng = np.random.default_rng(5)
    return [
        Conversation(
            id=f"h{i}", user=f"u{i}",
            messages=tuple(
                message
                for _ in range(2)
                for message in (
                    Message(role="user", content=sentence(rng, 12)), Message(role="assistant", content="this one?")
                )
            ),
            **more,
        )
        for i in range(n)
    ]  # fmt: skip


def study(shopper=None, n: int = 40, **changes) -> Study:
    fields = {"seed": 1, "n": n, "max_turns": 3, **changes}
    return Study(shopper or Talker(repeats=500), Agent(), people(500), **fields)


def asked(**changes) -> UntilDecided:
    fields = {"study": study(), "people": humans(), "headline": "diversity", "at_most": 90, **changes}
    return UntilDecided(**fields)


def test_who_repeats_is_found_different_at_the_first_look_and_no_more_is_held(tmp_path):
    seen: list[TakenLook] = []
    ended = asked(study=study(Talker(repeats=5))).prepared(tmp_path).run(on_look=seen.append)
    assert ended.how == "decided"
    assert [(look.n, look.verdict) for look in seen] == [(40, "different")]
    assert len(ids(tmp_path)) == 40
    assert seen[0].cost_usd == pytest.approx(40 * 2 * 0.01)


@pytest.mark.parametrize(
    ("headline", "arms"),
    [("habits", ("good",)), ("words", ("good",)), ("coherence", ("good",)), ("reactions", ("good", "bad"))],
)
def test_each_headline_is_judged_by_its_own_validator(tmp_path, headline, arms):
    both = [each.but(id=f"{arm}{each.id}", arm=arm) for arm in arms for each in humans(40)]
    one = asked(headline=headline, study=study(arms=arms), people=both, at_most=40)
    ended = one.prepared(tmp_path).run()
    [look] = ended.question.looks
    assert (look.n_simulated, ended.question.arms) == (40 * len(arms), arms)
    assert look.verdict not in ("failed", "copies")
    assert look.reason


class Quick(BaseValidator):
    """Finds from 60 conversations on that they are different."""

    name = "copies"
    alpha: float

    def validate(self, real, simulated, *, seed):
        verdict: Verdict = "different" if len(simulated) >= 60 else "undecided"
        yield self.finding("diversity", verdict=verdict, reason=f"{self.alpha:g}", estimate=len(simulated))


@pytest.fixture(scope="module")
def quick():
    """Put a validator that takes no time in the place of those that are installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "convsim.evaluation.until_decided.make", lambda group, name, **settings: Quick(**settings)
        )
        yield


def recorded(folder) -> dict:
    question: dict
    [question] = json.loads((folder / "looks.json").read_text())["questions"]
    for look in question["looks"]:
        look.pop("at")
    return question


def ids(folder) -> list[str]:
    return [c.id for c in read(folder).conversations]


@pytest.fixture(scope="module")
def whole(quick, tmp_path_factory):
    """A run that nothing cut short, and how it ended."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, asked().prepared(folder).run()


def test_looks_go_on_to_the_planned_sizes_and_the_run_is_what_a_larger_study_would_hold(whole, tmp_path):
    folder, ended = whole
    question = recorded(folder)
    looks = question["looks"]
    assert [look["n"] for look in looks] == [look["n"] for look in question["planned"]][: len(looks)]
    assert [look["verdict"] for look in looks] == ["undecided", "different"]
    rates = [f"{planned['error_rate']:g}" for planned in question["planned"]]
    assert [look["reason"] for look in looks] == rates[: len(looks)]
    study(n=looks[-1]["n"]).run(tmp_path)
    assert sorted(ids(folder)) == sorted(ids(tmp_path))
    assert ended.question.looks[-1].n_simulated == looks[-1]["n"]


def test_the_same_again_takes_no_look_and_holds_nothing(whole):
    folder, ended = whole
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = asked().prepared(folder).run(lambda study, growth: pytest.fail("nothing is to be held"))
    assert (again.how, again.question) == (ended.how, ended.question)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("at", range(2))
def test_cut_short_anywhere_it_goes_on_with_the_same_looks(whole, tmp_path, at):
    calls = iter(range(100))

    def cut(study, growth):
        if next(calls) == at:
            replace(study, budget_usd=0.2, concurrency=1).run(tmp_path, add=growth)
            raise KeyboardInterrupt
        return study.run(tmp_path, add=growth)

    with pytest.raises(KeyboardInterrupt):
        asked().prepared(tmp_path).run(cut)
    asked().prepared(tmp_path).run()
    assert recorded(tmp_path) == recorded(whole[0])
    assert sorted(ids(tmp_path)) == sorted(ids(whole[0]))


def test_a_look_that_was_taken_counts_even_if_its_telling_was_cut_short(whole, tmp_path):
    def fail(look):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked().prepared(tmp_path).run(on_look=fail)
    seen: list[TakenLook] = []
    asked().prepared(tmp_path).run(on_look=seen.append)
    assert [look.n for look in seen] == [look["n"] for look in recorded(whole[0])["looks"]][1:]
    assert recorded(tmp_path) == recorded(whole[0])


def test_a_spent_budget_ends_it_before_a_decision_and_the_same_call_goes_on(whole, tmp_path):
    poor = asked(study=study(budget_usd=0.8, concurrency=1))
    first = poor.prepared(tmp_path).run()
    assert first.how == "budget"
    assert [look.n for look in first.question.looks] == [40]
    stopped = asked(study=study(budget_usd=0.1, concurrency=1)).prepared(tmp_path).run()
    assert (stopped.how, stopped.outcome.stop) == ("stopped", "budget")
    asked().prepared(tmp_path).run()
    assert recorded(tmp_path) == recorded(whole[0])


def test_looks_that_were_planned_otherwise_and_other_people_are_refused(whole):
    for change in ({"at_most": 200}, {"people": humans(50)}, {"study": study(seed=2)}):
        with pytest.raises(StudyError, match="looks are fixed before the first"):
            asked(**change).prepared(whole[0])


def test_an_undecided_last_look_ends_it_and_it_is_not_taken_again(quick, tmp_path):
    last = asked(at_most=40)
    ended = last.prepared(tmp_path).run()
    assert (ended.how, ended.question.looks[-1].verdict) == ("undecided", "undecided")
    again = last.prepared(tmp_path).run(lambda study, growth: pytest.fail("nothing is to be held"))
    assert (again.how, again.question) == ("undecided", ended.question)


def test_a_run_that_is_larger_already_is_looked_at_from_there_and_as_it_was_planned(quick, tmp_path):
    study(n=40).run(tmp_path)
    study(n=40).run(tmp_path, add=15)
    ended = asked(at_most=60).prepared(tmp_path).run()
    assert (ended.question.first, ended.question.looks[0].n_simulated) == (55, 55)


LEARNED = LearnedFrom(sha256="a" * 64, conversations=(humans()[3].fingerprint,), arms=())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"people": humans(29)}, "diversity: 29 people are too few .* needs more people, at least 30"),
        ({"people": [each.but(user="u") for each in humans()]}, "diversity: 1 people are too few"),
        ({"study": study(n=20)}, "--n 20: a first look needs at least 30 conversations per arm"),
        ({"at_most": 39}, "--at-most 39 is less than the 40 conversations per arm of the first look"),
        ({"control": "good"}, "--control and --treatment are for reactions, not for diversity"),
        ({"headline": "reactions"}, "reactions need two arms"),
        (
            {"headline": "reactions", "study": study(arms=("good", "bad")), "control": "fair"},
            "the study has no arm 'fair'; it has: good, bad",
        ),
        (
            {"headline": "reactions", "study": study(arms=("good", "bad")), "control": "bad", "treatment": "bad"},
            "control and treatment are the same arm, 'bad'",
        ),
        (
            {
                "headline": "reactions", "study": study(arms=("good", "bad")),
                "people": humans(arm="good") + [each.but(id=f"b{each.id}") for each in humans(39, arm="bad")],
            },
            "reactions: 39 people in an arm are too few .* at least 40",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_can_decide_nothing_is_refused_before_anything_is_held(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        asked(**change).prepared(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_shopper_is_not_judged_on_people_that_it_learned_from(tmp_path):
    shopper = Talker()
    shopper.learned_from = LEARNED
    with pytest.raises(InputError, match=r"not judged on people that it learned from: .*--judged-on"):
        asked(study=study(shopper)).prepared(tmp_path / "run")


class Mute(Quick):
    """Finds nothing."""

    def validate(self, real, simulated, *, seed):
        return []


def test_a_headline_that_these_conversations_do_not_have_ends_it_with_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "convsim.evaluation.until_decided.make", lambda group, name, **settings: Mute(**settings)
    )
    with pytest.raises(InputError, match=r"diversity cannot be judged: copies finds no diversity in these"):
        asked().prepared(tmp_path).run()


def test_the_least_that_is_asked_for_is_what_the_validators_need():
    from convsim_validators.counterfactual.ratio_decision import MIN_UNITS
    from convsim_validators.metric_tests.all_metrics import MIN_PEOPLE

    assert [least_for(headline) for headline in ("habits", "reactions")] == [MIN_PEOPLE, MIN_UNITS]
