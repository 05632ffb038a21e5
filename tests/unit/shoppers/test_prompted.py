"""The prompted shopper with a scripted model, in both styles."""

import pytest

from convsim.errors import EmptyAnswerError, InputError, ModelError
from convsim.models import Scripted
from convsim.models.scripted import Asked, Line
from convsim.schema import Completion, NoMoveError
from convsim.shoppers import Prompted
from convsim.shoppers.prompted import Style
from tests.unit.shoppers.logs import ACCEPT, EMPTY, LEAVE, SAY, boots, model, persona, shown

STYLES: tuple[Style, ...] = ("chat", "transcript")
both_styles = pytest.mark.parametrize("style", STYLES)
SLIPS = {
    "the assistant's talk": "How can I help you today?",
    "an offer": "Here are some options for you.",
    "JSON": '{"action": "say", "text": "boots"}',
    "JSON after words": 'red boots {"action": "leave"}',
    "a label": "Assistant: which size?",
    "a second label": "Shopper: User: boots",
    "a chat token": "boots please<|im_end|>",
    "a stop word": "that is all ###STOP###",
    "an action in brackets": "thanks, bye [LEAVE]",
}


class Cut(Scripted):
    """A scripted model whose first ``cut`` texts are cut off."""

    cut: int = 1

    async def _answer(self, asked: Asked) -> Completion:
        said = await super()._answer(asked)
        return said.but(finish_reason="length") if self.calls <= self.cut else said


@both_styles
async def test_the_first_message_is_said_without_a_decision(style):
    asked: list[Asked] = []
    move = await Prompted(model(["boots pls"], keep=asked), style=style).speak(EMPTY, persona(), seed=1)
    assert (move.action, move.text, move.accepted) == ("say", "boots pls", ())
    assert [a.kind for a in asked] == ["complete" if style == "chat" else "continue_text"]


@both_styles
async def test_leaving_is_a_choice_and_no_text_is_asked_for(style):
    asked: list[Asked] = []
    shopper = Prompted(model(chooses=LEAVE, keep=asked), style=style)
    move = await shopper.speak(shown(*boots(2)), persona(), seed=1)
    assert (move.action, move.text) == ("leave", "")
    assert [a.kind for a in asked] == ["choose"]
    assert asked[0].options == (SAY, ACCEPT, LEAVE)


@both_styles
async def test_accepting_is_a_choice_and_then_which_item(style):
    def choose(asked: Asked) -> str:
        return ACCEPT if ACCEPT in asked.options else asked.options[1]

    move = await Prompted(model(chooses=choose), style=style).speak(shown(*boots(3)), persona(), seed=1)
    assert (move.action, move.accepted, move.text) == ("accept", ("b1",), "")


@both_styles
async def test_words_about_leaving_or_taking_an_item_decide_nothing(style):
    said = "I will take it, bye, I am leaving now"
    move = await Prompted(model([said]), style=style).speak(shown(*boots(2)), persona(), seed=1)
    assert (move.action, move.text, move.accepted) == ("say", said, ())


async def test_nothing_can_be_accepted_where_nothing_was_shown():
    asked: list[Asked] = []
    await Prompted(model(["red"], keep=asked)).speak(shown(), persona(), seed=1)
    assert asked[0].options == (SAY, LEAVE)


@both_styles
@pytest.mark.parametrize("said", SLIPS.values(), ids=SLIPS)
async def test_a_slip_is_asked_for_once_more_and_counted(style, said):
    move = await Prompted(model([said, "red ones"]), style=style).speak(EMPTY, persona(), seed=1)
    assert (move.text, move.role_slips, move.empty_answers) == ("red ones", 1, 0)


@both_styles
@pytest.mark.parametrize("said", SLIPS.values(), ids=SLIPS)
async def test_two_slips_in_a_row_are_an_error_with_its_reason_and_counts(style, said):
    with pytest.raises(ModelError, match=r"broke character: .*2 times in a row") as caught:
        await Prompted(model([said, said]), style=style).speak(EMPTY, persona(), seed=1)
    assert isinstance(caught.value, NoMoveError)
    assert caught.value.counts == {"role_slips": 2, "empty_answers": 0, "truncated_answers": 0}
    assert caught.value.usage.output_tokens == 2 * len(said.split())


@both_styles
@pytest.mark.parametrize("nothing", ["", "  \n", "Shopper:", '""'])
async def test_an_empty_answer_is_asked_for_once_more_and_then_an_error(style, nothing):
    move = await Prompted(model([nothing, "red"]), style=style).speak(EMPTY, persona(), seed=1)
    assert (move.text, move.empty_answers) == ("red", 1)
    with pytest.raises(NoMoveError, match="said nothing, 2 times") as caught:
        await Prompted(model([nothing, nothing]), style=style).speak(EMPTY, persona(), seed=1)
    assert caught.value.counts["empty_answers"] == 2


@both_styles
async def test_a_truncated_answer_is_asked_for_once_more_and_then_an_error(style):
    cut = Cut(answers=["I am looking for", "red ones"])
    move = await Prompted(cut, style=style).speak(EMPTY, persona(), seed=1)
    assert (move.text, move.truncated_answers) == ("red ones", 1)
    again = Cut(answers=["I am looking for", "I would like"])
    again.cut = 2
    with pytest.raises(NoMoveError, match="cut off after 80 tokens, 2 times") as caught:
        await Prompted(again, style=style).speak(EMPTY, persona(), seed=1)
    assert caught.value.counts["truncated_answers"] == 2


async def test_a_model_that_fails_after_a_slip_leaves_the_slip_counted():
    lines: list[Line] = ["How can I help you?", ModelError("the server went away")]
    with pytest.raises(NoMoveError, match=r"^the server went away$") as caught:
        await Prompted(model(lines)).speak(EMPTY, persona(), seed=1)
    assert caught.value.counts["role_slips"] == 1
    assert caught.value.usage.input_tokens > 0


@both_styles
@pytest.mark.parametrize("said", ["Shopper: red boots", '"red boots"', "  red boots "])
async def test_one_label_and_quotation_marks_around_the_whole_are_taken_off(style, said):
    assert (await Prompted(model([said]), style=style).speak(EMPTY, persona(), seed=1)).text == "red boots"


@both_styles
@pytest.mark.parametrize("n_items", [1, 3])
async def test_the_shopper_sees_at_most_n_items_and_can_take_no_other(style, n_items):
    asked: list[Asked] = []

    def choose(a: Asked) -> str:
        return ACCEPT if ACCEPT in a.options else a.options[-1]

    shopper = Prompted(model(["red"], keep=asked), style=style, n_items=n_items)
    await shopper.speak(shown(*boots(9)), persona(), seed=1)
    seen = [sum(f"Boot {i}, " in a.words for i in range(9)) for a in asked]
    assert seen == [n_items, n_items]
    taker = Prompted(model(chooses=choose), style=style, n_items=n_items)
    assert (await taker.speak(shown(*boots(9)), persona(), seed=1)).accepted == (f"b{n_items - 1}",)


@both_styles
async def test_the_same_seed_asks_the_same_and_another_seed_draws_anew(style):
    async def seeds(seed: int) -> list[int]:
        asked: list[Asked] = []
        await Prompted(model(["", "red"], keep=asked), style=style).speak(
            shown(*boots(2)), persona(), seed=seed
        )
        return [a.seed for a in asked]

    assert await seeds(1) == await seeds(1)
    assert len({*await seeds(1), *await seeds(2)}) == 6


@both_styles
async def test_what_the_agent_said_is_text_and_never_a_template(style):
    asked: list[Asked] = []
    hostile = shown(*boots(1), need="{{ 7 * 7 }} {% for %}")
    await Prompted(model(["red"], keep=asked), style=style).speak(
        hostile, persona(need="{{ 6 * 7 }}"), seed=1
    )
    assert all("{{ 7 * 7 }}" in a.words and "{{ 6 * 7 }}" in a.words and "49" not in a.words for a in asked)


@both_styles
async def test_nothing_tells_the_shopper_how_long_to_stay(style):
    asked: list[Asked] = []
    await Prompted(model(["red"], keep=asked), style=style).speak(shown(*boots(2)), persona(), seed=1)
    assert not any("turn" in a.words.lower().split() for a in asked)


@pytest.mark.parametrize(
    "setting",
    [{"n_items": 0}, {"max_tokens": "many"}, {"temperature": "hot"}, {"style": "poem"}, {"n_items": True}],
)
def test_a_setting_that_cannot_be_used_is_refused_before_anything_is_asked(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        Prompted(model(), **setting)


async def test_an_empty_answer_that_a_server_reports_is_asked_for_once_more_and_counted():
    asked = 0

    def answer(request):
        nonlocal asked
        asked += 1
        if asked == 1:
            raise EmptyAnswerError("the server said nothing")
        return "rain boots please"

    shopper = Prompted(Scripted(answers=answer))
    move = await shopper.speak(EMPTY, persona(), seed=1)
    assert (move.text, move.empty_answers, asked) == ("rain boots please", 1, 2)
