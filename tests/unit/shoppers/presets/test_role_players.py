"""The presets of OSim-8B and Ditto-8B: flipped roles, one call a move, an end mark in words."""

from __future__ import annotations

import pytest

from convsim.models import Scripted
from convsim.schema import NoMoveError
from convsim.shoppers import Ditto, OSim, Prompted
from tests.unit.shoppers.logs import EMPTY, boots, persona, shown

both = pytest.mark.parametrize("kind", [OSim, Ditto])


@both
async def test_the_shopper_is_the_assistant_and_is_told_when_it_is_done(kind: type[OSim]) -> None:
    model = Scripted(answers=["in red?"])
    move = await kind(model, domain="clothes").speak(shown(*boots(1)), persona(), seed=1)
    assert (move.action, move.text) == ("say", "in red?")
    assert model.last is not None
    system, own, heard = model.last.messages
    assert (own.role, own.content) == ("assistant", "rain boots")
    assert (heard.role, heard.content) == ("user", "How about these?\n- Boot 0, 30 (red)")
    prompted = Prompted(model, style="chat", domain="clothes").asked(shown(*boots(1)), persona())
    assert not isinstance(prompted, str)
    assert system.content.startswith(prompted[0].content)
    assert system.content.endswith("write ###STOP### and nothing else.")
    assert (model.last.temperature, model.last.max_tokens, model.calls) == (1.0, 256, 1)


@both
async def test_the_first_message_is_asked_for_by_the_opening(kind: type[OSim]) -> None:
    model = Scripted(answers=["boots pls"])
    await kind(model).speak(EMPTY, persona(), seed=1)
    assert model.last is not None
    assert [m.role for m in model.last.messages] == ["system", "user"]


@both
@pytest.mark.parametrize("mark", ["###STOP###", "<|endconversation|>"])
async def test_a_mark_ends_the_conversation_as_the_last_words_say(kind: type[OSim], mark: str) -> None:
    for text, action, accepted in (
        (mark, "leave", ()),
        (f"bye {mark}", "leave", ()),
        (f"i'll take boot 1. {mark}", "accept", ("b1",)),
    ):
        move = await kind(Scripted(answers=[text])).speak(shown(*boots(2)), persona(), seed=1)
        assert (move.action, move.accepted) == (action, accepted)
        assert mark not in move.text


async def test_nothing_and_the_other_side_s_words_fail_and_are_never_said() -> None:
    for text, reason in (("", "said nothing"), ("How can I help you?", "broke character")):
        with pytest.raises(NoMoveError, match=f"osim on scripted {reason}"):
            await OSim(Scripted(answers=[text] * 2)).speak(shown(*boots(1)), persona(), seed=1)


async def test_own_prompts_stand_in_for_ours(tmp_path) -> None:
    (tmp_path / "ending.txt.j2").write_text("Stop with ###STOP### about {{ persona.need }}.")
    own = OSim(Scripted(answers=["red?"]), prompts=tmp_path)
    assert own.asked(shown(), persona())[0].content.endswith("Stop with ###STOP### about rain boots.")
    ours = OSim(Scripted(answers=["red?"])).prompt_hashes
    assert [name for name in ours if ours[name] != own.prompt_hashes[name]] == ["ending"]
