"""What a judge asks and what it makes of good answers, with a scripted model."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from convsim.annotation.definitions import ActDefinition, definitions
from convsim.annotation.judge import Judge, judge, prompts
from convsim.errors import InputError, ModelError
from convsim.models import Asked, Scripted
from convsim.schema import Annotator, Completion
from convsim.schema.conversation import Conversation, Fault, Item, Message
from tests.judges import EXPERIENCE, chat_lines, verdict

SAID = ("red boots", "How about these?", "no, red ones", "And these?", "great, I take them")


def talk(*texts: str) -> Conversation:
    roles = ("user", "assistant")
    said = [Message.model_validate({"role": roles[n % 2], "content": text}) for n, text in enumerate(texts)]
    return Conversation(id="c", messages=tuple(said))


def is_of_message(asked: Asked) -> bool:
    return "acts" in (asked.json_schema or {})["properties"]


def recording(
    keep: list[Asked], answer: Callable[[Asked], str] | None = None, *, name: str = "m"
) -> Scripted:
    """A model that keeps what it is asked, and says that nothing shows unless told otherwise."""

    def answers(asked: Asked) -> str:
        keep.append(asked)
        if answer is not None:
            return answer(asked)
        return verdict("inform_preference") if is_of_message(asked) else verdict()

    return Scripted(answers=answers, name=name)


def last_text(asked: Asked) -> str:
    return str(chat_lines(asked.messages[-1].content)[-1]["text"])


async def test_each_user_message_and_the_whole_conversation_get_their_labels() -> None:
    def answer(asked: Asked) -> str:
        if not is_of_message(asked):
            return verdict(satisfaction=1, purchase_intent=1)
        if last_text(asked) == SAID[4]:
            return verdict("feedback_positive", "accept_recommendation", satisfaction=1, purchase_intent=1)
        return verdict("refine", frustration=1)

    annotator: Annotator = Judge(recording([], answer))
    given = await annotator.annotate(talk(*SAID))
    assert sorted(given.messages) == [0, 2, 4]
    assert given.messages[4]["acts"].value == ["accept_recommendation", "feedback_positive"]
    assert given.messages[4]["acts"].scale is None
    assert {n: given.messages[2][n].value for n in EXPERIENCE} == {
        "satisfaction": 0, "frustration": 1, "confusion": 0, "purchase_intent": 0
    }  # fmt: skip
    assert given.messages[2]["frustration"].scale == (0, 1)
    assert {n: label.value for n, label in given.conversation.items()} == {
        "satisfaction": 1, "frustration": 0, "confusion": 0, "purchase_intent": 1
    }  # fmt: skip
    labels = [*given.conversation.values(), *(x for of in given.messages.values() for x in of.values())]
    assert {label.source for label in labels} == {annotator.source}
    assert all(label.metadata == {} for label in labels)


async def test_what_the_answers_cost_is_summed_and_an_unknown_price_stays_unknown() -> None:
    asked: list[Asked] = []

    class Priced(Scripted):
        async def _answer(self, asked: Asked) -> Completion:
            return (await super()._answer(asked)).but(output_tokens=7, cost_usd=0.25)

    model = recording(asked)
    given = await Judge(Priced(answers=model.answers)).annotate(talk(*SAID))
    assert given.usage.input_tokens == sum(len(a.words.split()) for a in asked)
    assert (given.usage.output_tokens, given.usage.cost_usd) == (4 * 7, 4 * 0.25)
    assert (await Judge(recording([])).annotate(talk(*SAID))).usage.cost_usd is None


async def test_nothing_that_comes_after_a_message_moves_what_is_asked_about_it() -> None:
    everything: list[Asked] = []
    judge = Judge(recording(everything), votes=2, temperature=0.5)
    await judge.annotate(talk(*SAID))
    about = {last_text(asked): asked for asked in everything if is_of_message(asked)}
    for place in (0, 2, 4):
        shown = chat_lines(about[SAID[place]].messages[-1].content)
        assert [line["text"] for line in shown] == list(SAID[: place + 1])
        cut: list[Asked] = []
        await Judge(recording(cut), votes=2, temperature=0.5).annotate(talk(*SAID[: place + 1]))
        alone = {a.key for a in cut if is_of_message(a) and last_text(a) == SAID[place]}
        full = {a.key for a in everything if is_of_message(a) and last_text(a) == SAID[place]}
        assert alone == full
        assert len(full) == 2


async def test_the_judge_is_shown_words_and_titles_and_nothing_else() -> None:
    label = {"satisfaction": {"value": "HIDDEN", "source": "self"}}
    fields = dict.fromkeys(
        ("task", "agent", "arm", "fault", "user", "shopper", "simulator", "source"), "HIDDEN"
    )
    told = Conversation.model_validate(
        {
            "id": "HIDDEN", **fields, "severity": 0.7, "labels": label, "ending": "accepted", "note": "HIDDEN",
            "persona": {"id": "HIDDEN", "need": "HIDDEN"},
            "messages": [
                {"role": "system", "content": "HIDDEN"},
                {"role": "user", "content": "boots", "labels": label, "action": "accept", "accepted": ["HIDDEN"]},
                {"role": "tool", "content": "HIDDEN"},
                Message(
                    role="assistant",
                    content="these",
                    faults=(Fault(name="HIDDEN", severity=0.7, acted=True, detail="HIDDEN"),),
                    items=(Item(id="HIDDEN", title="Alder Boot", price=9.0, attributes={"x": "HIDDEN"}),),
                ),
                {"role": "user", "content": "ok"},
            ],
        }
    )  # fmt: skip
    asked: list[Asked] = []
    given = await Judge(recording(asked)).annotate(told)
    assert sorted(given.messages) == [1, 4]
    assert chat_lines(asked[-1].messages[-1].content) == [
        {"from": "user", "text": "boots"},
        {"from": "agent", "text": "these", "shows": ["Alder Boot"]},
        {"from": "user", "text": "ok"},
    ]
    assert not any("HIDDEN" in a.words or "0.7" in a.words for a in asked)


async def test_the_prompt_states_every_definition_with_its_examples() -> None:
    asked: list[Asked] = []
    await Judge(recording(asked)).annotate(talk("hi"))
    system = next(a for a in asked if is_of_message(a)).messages[0].content
    stated = definitions()
    texts = [text for act in stated.acts for text in (act.name, act.definition, *act.examples)]
    texts += [text for f in stated.experience for text in (f.name, f.question, *f.yes, *f.no)]
    assert [text for text in texts if text not in system] == []


async def test_a_conversation_without_a_user_is_not_asked_about_and_has_no_label() -> None:
    asked: list[Asked] = []
    alone = Conversation(id="c", messages=(Message(role="assistant", content="Hello?"),))
    given = await Judge(recording(asked)).annotate(alone)
    assert (asked, dict(given.messages), dict(given.conversation)) == ([], {}, {})


async def test_requests_about_one_conversation_overlap_within_bounds() -> None:
    busy, most = 0, 0

    class Busy(Scripted):
        async def _answer(self, asked: Asked) -> Completion:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            said = await super()._answer(asked)
            busy -= 1
            return said

    model = Busy(answers=recording([]).answers, seconds=0.001)
    await Judge(model).annotate(talk(*["boots"] * 60))
    assert most == judge.AT_ONCE


async def test_one_failure_is_the_conversations_and_no_group_of_errors() -> None:
    def answer(asked: Asked) -> str:
        if last_text(asked) == SAID[2]:
            raise ModelError("the server went away")
        return verdict("refine") if is_of_message(asked) else verdict()

    with pytest.raises(ModelError, match=r"^the server went away$"):
        await Judge(recording([], answer)).annotate(talk(*SAID))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"form": "prose"}, "form must be schema or choices"),
        ({"votes": 0}, "votes must be a whole number from 1 to 99"),
        ({"votes": 3}, "3 votes at temperature 0 are all the same; set temperature"),
        ({"temperature": -1}, "temperature must be a number from 0"),
        ({"seed": "one"}, "seed must be a whole number"),
        ({"max_characters": 5}, "max_characters must be a whole number from 100"),
        ({"max_message_characters": 5}, "max_message_characters must be a whole number from 100"),
        ({"max_tokens": 0}, "max_tokens must be a whole number from 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_that_cannot_be_used_is_refused_before_anything_is_asked(setting, said) -> None:
    with pytest.raises(InputError, match=f"^judge: {said}"):
        Judge(recording([]), **setting)


def test_the_source_names_the_model_and_changes_with_what_is_asked() -> None:
    plain = Judge(recording([], name="llama:8b"))
    assert plain.source.startswith("judge:llama:8b:")
    assert len(plain.source.rpartition(":")[2]) == 8
    drawn = Judge(recording([], name="llama:8b"), temperature=0.5)
    others = [
        drawn,
        Judge(drawn.model, temperature=0.5, votes=3),
        Judge(drawn.model, form="choices"),
        Judge(drawn.model, max_characters=500),
        Judge(drawn.model, max_message_characters=500),
    ]
    assert len({plain.source, *(other.source for other in others)}) == 6
    assert Judge(drawn.model, temperature=0.5, seed=9).source == drawn.source


def test_another_prompt_or_another_definition_is_another_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = Judge(recording([]))
    before = annotator.source, annotator.prompt_hashes
    shutil.copytree(Path(prompts.__file__).with_name("prompts"), tmp_path / "prompts")
    with monkeypatch.context() as patched:
        patched.setattr("convsim._templates.files", lambda _: tmp_path)
        assert (annotator.source, annotator.prompt_hashes) == before
        with (tmp_path / "prompts" / "message.txt.j2").open("a") as file:
            file.write("Be strict.\n")
        assert annotator.source != before[0]
        changed = annotator.prompt_hashes
    assert {name for name in changed if changed[name] != before[1][name]} == {"judge_message"}
    stated = definitions()
    act = ActDefinition(name="thank", definition="Thanks anybody.", examples=("ty", "thanks"))
    edited = stated.model_copy(update={"acts": (act, *stated.acts[1:])})
    monkeypatch.setattr(prompts, "definitions", lambda: edited)
    assert annotator.source != before[0]
