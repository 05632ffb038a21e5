"""Shoppers that decide without words: as a move of the same seed does, with probabilities where the model tells."""

import pytest

from convsim.errors import ModelError
from convsim.models import Scripted
from convsim.schema import Choice, Completion, Decider, NoMoveError
from convsim.shoppers import ICL, SFT, Prompted, Resample
from tests.unit.shoppers.logs import ACCEPT, EMPTY, LEAVE, SAY, boots, logged, model, persona, shown
from tests.unit.shoppers.trained import Opening, trained_folder

LOGS = [logged(f"c{n}", f"rain boots {n}", by=f"u{n}") for n in range(4)]
HERE = shown(*boots(3))


class Telling(Scripted):
    """A model that chooses the last option, and tells how likely each was."""

    async def choose(self, messages, options, *, temperature, seed):
        said = Completion(text=options[-1], finish_reason="stop", input_tokens=5)
        rest = 0.4 / (len(options) - 1)
        return Choice(
            index=len(options) - 1, completion=said, probabilities=(*[rest] * (len(options) - 1), 0.6)
        )


def test_those_that_ask_a_model_are_deciders_and_those_that_look_up_are_none(tmp_path):
    assert isinstance(Prompted(model()), Decider)
    assert isinstance(ICL(model(), LOGS), Decider)
    assert isinstance(SFT(Opening(path=trained_folder(tmp_path))), Decider)
    assert not isinstance(Resample(LOGS), Decider)


@pytest.mark.parametrize(("option", "action"), [(SAY, "say"), (ACCEPT, "accept"), (LEAVE, "leave")])
async def test_a_decision_is_the_move_of_the_same_seed_without_its_words(option, action):
    def chooses(asked):
        return asked.options[-1] if option not in asked.options else option

    prompted = Prompted(model(["red ones"] * 9, chooses=chooses))
    move = await prompted.speak(HERE, persona(), seed=3)
    decided = await prompted.decide(HERE, persona(), seed=3)
    assert (decided.action, move.action) == (action, action)
    assert decided.item == (move.accepted[0] if move.accepted else None)
    assert decided.probabilities is None


async def test_probabilities_are_told_where_the_model_tells_them():
    decided = await Prompted(Telling(answers=[])).decide(HERE, persona(), seed=3, with_item=True)
    assert decided.probabilities == {"say": 0.2, "accept": 0.2, "leave": 0.6}
    assert decided.items == {"b0": 0.2, "b1": 0.2, "b2": 0.6}
    assert (decided.action, decided.item, decided.usage.input_tokens) == ("leave", "b2", 10)


async def test_one_item_is_taken_for_sure_and_a_first_move_is_to_say_something():
    decided = await Prompted(Telling(answers=[])).decide(shown(*boots(1)), persona(), seed=3, with_item=True)
    assert decided.items == {"b0": 1.0}
    first = await Prompted(Telling(answers=[])).decide(EMPTY, persona(), seed=3, with_item=True)
    assert (first.action, first.items, first.usage.input_tokens) == ("say", None, 0)


async def test_a_model_that_does_not_decide_is_an_error_with_what_it_cost():
    def chooses(asked):
        if "buy" in asked.options:
            return "buy"
        raise ModelError("away")

    with pytest.raises(NoMoveError, match="away") as raised:
        await Prompted(model(chooses=chooses)).decide(HERE, persona(), seed=3)
    assert raised.value.usage.input_tokens > 0


class TellingOpening(Opening):
    """Tells the weights of its openings as probabilities."""

    async def draw_opening(self, messages, openings, *, seed):
        choice = await super().draw_opening(messages, openings, seed=seed)
        weights = [self.weights.get(opening, 0.0) for opening in openings]
        return choice.but(probabilities=tuple(weight / sum(weights) for weight in weights))


async def test_a_trained_shopper_tells_moves_and_items_with_one_draw(tmp_path):
    weights = {"say:": 2.0, "leave:": 1.0, "accept 1:": 0.25, "accept 3:": 0.75}
    trained = SFT(TellingOpening(path=trained_folder(tmp_path), weights=weights))
    decided = await trained.decide(HERE, persona(), seed=1)
    assert decided.probabilities == {"say": 0.5, "leave": 0.25, "accept": 0.25}
    assert decided.items == {"b0": 0.25, "b1": 0.0, "b2": 0.75}
    move = await trained.speak(HERE, persona(), seed=1)
    assert move.action == decided.action


async def test_a_trained_shopper_without_probabilities_draws_as_it_moves(tmp_path):
    weights = {"accept 2:": 1.0}
    trained = SFT(Opening(path=trained_folder(tmp_path), weights=weights, says=[""]))
    decided = await trained.decide(HERE, persona(), seed=1)
    assert (decided.action, decided.item, decided.items, decided.probabilities) == (
        "accept",
        "b1",
        None,
        None,
    )
    first = await trained.decide(EMPTY, persona(), seed=1)
    assert (first.action, first.probabilities) == ("say", {"say": 1.0})
    nothing = SFT(Opening(path=trained_folder(tmp_path), weights={"leave:": 1.0}))
    assert (await nothing.decide(shown(), persona(), seed=1)).action == "leave"
