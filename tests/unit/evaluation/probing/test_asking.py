"""Answers: kept as they come, asked once, and a failure is never a move."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from convsim.errors import InputError, ModelError, StudyError
from convsim.evaluation.probing.asking import ANSWERS, Asked, Kept, ask_all, keeping
from convsim.evaluation.probing.places import find_places
from convsim.io import Manifest
from convsim.schema import Decision, NoMoveError, UserMove
from convsim.schema.conversation import Usage
from tests.doubles import Told, say
from tests.unit.shoppers.logs import logged

LOGS = [logged(f"c{n}", "rain boots please", "cheaper ones", by=f"u{n}") for n in range(6)]
PLACES = find_places(LOGS).places
MANIFEST: Manifest = {"plan": {"probe": "told"}}


def ask(shopper, kept, *, draws=3, with_words=False, seed=1, concurrency=4):
    asked = [Asked(place, shopper) for place in PLACES]
    seen: list[int] = []
    asyncio.run(
        ask_all(
            asked, kept, draws=draws, with_words=with_words, seed=seed, concurrency=concurrency, on_change=seen.append
        )
    )  # fmt: skip
    return seen


@dataclass
class Decides:
    """A shopper that decides without words, and tells probabilities where it is told to."""

    probabilities: dict[str, float] | None = None
    name: str = "decides"
    learned_from: None = None
    decided: list[tuple[int, bool]] = field(default_factory=list)
    spoken: int = 0

    async def decide(self, conversation, persona, *, seed, with_item=False):
        self.decided.append((seed, with_item))
        return Decision(action="say", probabilities=self.probabilities, usage=Usage(input_tokens=2))

    async def speak(self, conversation, persona, *, seed):
        self.spoken += 1
        return say("words")


def test_each_place_is_asked_with_draws_of_its_own():
    shopper, kept = Told(lambda turn: say()), Kept()
    seen = ask(shopper, kept)
    assert len(kept.answers) == len(shopper.seeds) == len(set(shopper.seeds)) == 3 * len(PLACES)
    assert seen == list(range(1, len(PLACES) + 1))
    assert [answer.draw for answer in kept.of(PLACES[0])] == [0, 1, 2]


def test_who_decides_without_words_is_not_made_to_speak_unless_words_are_asked():
    silent = Decides()
    ask(silent, Kept())
    assert (len(silent.decided), silent.spoken) == (3 * len(PLACES), 0)
    speaking, kept = Decides(), Kept()
    ask(speaking, kept, with_words=True)
    assert (len(speaking.decided), speaking.spoken) == (3 * len(PLACES), len(PLACES))
    assert [answer.text for answer in kept.of(PLACES[0])] == ["words", "", ""]


def test_who_tells_probabilities_is_asked_once():
    shopper, kept = Decides(probabilities={"say": 0.75, "leave": 0.25}), Kept()
    ask(shopper, kept)
    assert len(shopper.decided) == len(PLACES)
    [answer] = kept.of(PLACES[0])
    assert answer.probabilities == {"say": 0.75, "leave": 0.25}
    assert answer.usage.input_tokens == 2


def test_a_move_may_tell_probabilities_too():
    move = UserMove(action="leave", probabilities={"say": 0.5, "leave": 0.5})
    kept = Kept()
    ask(Told(lambda turn: move), kept)
    assert len(kept.answers) == len(PLACES)
    with pytest.raises(ValueError, match="must add up to 1"):
        UserMove(action="leave", probabilities={"say": 0.5})


def test_an_item_is_asked_for_only_where_people_took_one_of_several():
    took = LOGS[0].messages[2].but(action="accept", accepted=["b1"])
    conversation = LOGS[0].but(messages=(*LOGS[0].messages[:2], took))
    [place] = find_places([conversation]).places
    shopper = Decides()
    asyncio.run(
        ask_all(
            [Asked(place, shopper)], Kept(), draws=1, with_words=False, seed=1, concurrency=1, on_change=lambda n: None
        )
    )  # fmt: skip
    assert [with_item for _, with_item in shopper.decided] == [True]


def fails(error):
    def moves(turn):
        if turn == 1:
            raise error
        return say()

    return Told(moves)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelError("the server is away"), "the server is away"),
        (ValueError("mine"), "the shopper raised ValueError: mine"),
        (SystemExit(4), "the shopper raised SystemExit: 4"),
    ],
)
def test_what_a_shopper_raises_is_the_reason_of_one_answer_and_no_move(error, reason):
    kept = Kept()
    ask(fails(error), kept)
    failed = [answer for answer in kept.answers.values() if answer.failure is not None]
    assert {answer.failure for answer in failed} == {reason}
    assert all(answer.action is None for answer in failed)
    assert len(failed) == 3 * sum(place.turn == 1 for place in PLACES)


def test_what_a_failed_move_cost_counts():
    kept = Kept()
    ask(fails(NoMoveError("slipped", usage=Usage(output_tokens=7), counts={})), kept)
    assert {a.usage.output_tokens for a in kept.answers.values() if a.failure} == {7}


def test_an_input_error_ends_it_with_what_is_kept():
    kept = Kept()
    with pytest.raises(InputError, match="no key"):
        ask(fails(InputError("no key")), kept, concurrency=1)


def test_where_nothing_but_the_same_failure_happens_it_stops():
    def moves(turn):
        raise ModelError(f"refused request {turn}")

    kept = Kept()
    ask(Told(moves), kept, concurrency=1)
    assert kept.stopped
    assert len(kept.answers) == 5


def test_the_same_call_goes_on_and_asks_nothing_twice(tmp_path):
    out, shopper = tmp_path / "out", Told(lambda turn: say())
    with keeping(out, MANIFEST, retry_failed=False) as kept:
        ask(shopper, kept, draws=2)
    with (out / ANSWERS).open("ab") as file:
        file.write(b'{"place": "half a li')
    with keeping(out, MANIFEST, retry_failed=False) as kept:
        assert len(kept.answers) == 2 * len(PLACES)
        ask(shopper, kept, draws=2)
    assert len(shopper.seeds) == 2 * len(PLACES)
    lines = (out / ANSWERS).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 * len(PLACES)
    assert all(json.loads(line)["action"] == "say" for line in lines)


def test_failed_answers_are_asked_again_where_that_is_wanted(tmp_path):
    with keeping(tmp_path / "out", MANIFEST, retry_failed=False) as kept:
        ask(fails(ModelError("away")), kept)
    with keeping(tmp_path / "out", MANIFEST, retry_failed=False) as kept:
        assert any(answer.failure for answer in kept.answers.values())
    with keeping(tmp_path / "out", MANIFEST, retry_failed=True) as kept:
        assert not any(answer.failure for answer in kept.answers.values())
        ask(Told(lambda turn: say()), kept)
    with keeping(tmp_path / "out", MANIFEST, retry_failed=False) as kept:
        assert len(kept.answers) == 3 * len(PLACES)
        assert not any(answer.failure for answer in kept.answers.values())


def test_another_probe_and_somebody_elses_lines_are_refused(tmp_path):
    out = tmp_path / "out"
    with keeping(out, MANIFEST, retry_failed=False):
        pass
    with pytest.raises(StudyError, match="was made with another plan"), keeping(
        out, {"plan": {"probe": "other"}}, retry_failed=False
    ):  # fmt: skip
        pass
    (out / ANSWERS).write_text('{"what": 1}\n', encoding="utf-8")
    with (
        pytest.raises(InputError, match="is no answer of a probe"),
        keeping(out, MANIFEST, retry_failed=False),
    ):
        pass
