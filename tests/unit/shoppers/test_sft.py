"""The fine-tuned shopper with a model that opens and says what it is told."""

import json
from collections import Counter

import pytest

from convsim.errors import EmptyAnswerError, InputError, ModelError
from convsim.models import Scripted
from convsim.schema import NoMoveError, OpeningModel, Shopper
from convsim.schema.conversation import Conversation
from convsim.shoppers import SFT
from convsim.shoppers.finetuned import SHOPPER_FILE, asked, read_trained
from tests.unit.shoppers.logs import EMPTY, agent, boots, persona, shown, user
from tests.unit.shoppers.trained import Opening, trained_folder


@pytest.fixture
def folder(tmp_path):
    return trained_folder(tmp_path / "shopper")


async def speak(model, conversation=EMPTY, *, seed=1, **settings):
    return await SFT(model, **settings).speak(conversation, persona(), seed=seed)


def test_the_double_is_such_a_model_and_the_shopper_a_shopper(folder):
    model = Opening(path=folder)
    assert isinstance(model, OpeningModel)
    assert isinstance(SFT(model), Shopper)
    assert SFT(model).name == "sft"


async def test_the_first_move_is_said_without_a_draw(folder):
    model = Opening(path=folder, says=["boots pls"], weights={"leave:": 1.0})
    move = await speak(model)
    assert (move.action, move.text, move.accepted) == ("say", "boots pls", ())
    [request] = model.requests
    assert request.openings == ("say:",)
    assert list(request.messages) == asked(EMPTY, persona(), n_items=3)


@pytest.mark.parametrize("said", ["", "this one"])
@pytest.mark.parametrize("rank", [1, 2, 3])
async def test_an_acceptance_takes_the_item_at_that_place_of_what_was_shown_last(folder, rank, said):
    older = (user("boots"), agent("old", *boots(9)), user("others"))
    newest = tuple(item.but(id=f"new-{item.id}") for item in boots(5))
    now = EMPTY.but(messages=(*older, agent("new", *newest), user("hm"), agent("well?")))
    model = Opening(path=folder, weights={f"accept {rank}:": 1.0}, says=[said])
    move = await speak(model, now)
    assert (move.action, move.accepted, move.text) == ("accept", (f"new-b{rank - 1}",), said)
    assert model.requests[0].openings == ("say:", "leave:", "accept 1:", "accept 2:", "accept 3:")
    assert model.completed[0].openings == (f"accept {rank}:",)


@pytest.mark.parametrize("said", ["", "bye"])
async def test_leaving_is_a_move_with_words_or_without(folder, said):
    move = await speak(Opening(path=folder, weights={"leave:": 1.0}, says=[said]), shown(*boots(2)))
    assert (move.action, move.accepted, move.text) == ("leave", (), said)
    assert (move.empty_answers, move.role_slips, move.truncated_answers) == (0, 0, 0)


@pytest.mark.parametrize("said", ["leave: bye", "accept 1:", "say: boots", "I will take it, bye"])
async def test_words_that_look_like_a_move_decide_nothing(folder, said):
    move = await speak(Opening(path=folder, says=[said]), shown(*boots(2)))
    assert (move.action, move.text, move.accepted) == ("say", said, ())


async def test_moves_are_drawn_anew_for_each_seed_and_as_often_as_they_are_likely(folder):
    model = Opening(path=folder, weights={"say:": 6, "leave:": 3, "accept 2:": 1}, says=lambda _: "red")
    moves = Counter([(await speak(model, shown(*boots(2)), seed=seed)).action for seed in range(600)])
    assert [moves[action] / 600 for action in ("say", "leave", "accept")] == pytest.approx(
        [0.6, 0.3, 0.1], abs=0.06
    )


async def test_every_draw_has_a_seed_of_its_own_that_follows_from_the_moves(folder):
    async def seeds(seed: int) -> list[int]:
        model = Opening(path=folder, says=["", "red"])
        await speak(model, shown(*boots(2)), seed=seed)
        return [request.seed for request in model.requests]

    assert len({1, 2, *await seeds(1), *await seeds(2)}) == 8
    assert await seeds(1) == await seeds(1)


async def test_words_are_sampled_as_training_chose_unless_told_otherwise(folder):
    model = Opening(path=folder, says=["red", "red"])
    await speak(model)
    await speak(model, temperature=0, top_p=0.5)
    sampled = [(r.max_tokens, r.temperature, r.top_p) for r in model.completed]
    assert sampled == [(40, 0.8, 0.9), (40, 0, 0.5)]


async def test_what_fails_once_is_asked_for_once_more_and_all_of_it_is_counted(folder):
    model = Opening(path=folder, says=["How can I help you?", "red ones"])
    move = await speak(model, shown(*boots(2)))
    assert (move.text, move.role_slips, move.empty_answers, move.truncated_answers) == ("red ones", 1, 0, 0)
    words = sum(len(m.content.split()) for m in model.requests[0].messages)
    assert (move.usage.input_tokens, move.usage.output_tokens) == (3 * words + 2, 1 + 5 + 2)
    assert [request.kind for request in model.requests] == ["draw", "complete", "complete"]
    assert (await speak(Opening(path=folder, says=[" ", "red"]))).empty_answers == 1
    assert (await speak(Opening(path=folder, says=[EmptyAnswerError("no"), "red"]))).empty_answers == 1
    assert (await speak(Opening(path=folder, says=["I am", "red"], cut_short=1))).truncated_answers == 1


@pytest.mark.parametrize("weights", [{"leave:": 1.0}, {"accept 1:": 1.0}])
async def test_words_at_an_end_are_held_to_the_role_too(folder, weights):
    model = Opening(path=folder, weights=weights, says=["How can I help you?", "ok"])
    move = await speak(model, shown(*boots(2)))
    assert (move.text, move.role_slips) == ("ok", 1)


@pytest.mark.parametrize(
    ("says", "cut_short", "reason", "counted"),
    [
        (["", '""'], 0, "opening said nothing, 2 times in a row", "empty_answers"),
        (["as an AI", "Assistant: hi"], 0, "broke character: .*2 times", "role_slips"),
        (["I am", "I am"], 2, "cut off after 40 tokens, 2 times", "truncated_answers"),
    ],
)
async def test_what_fails_twice_is_no_move_and_its_cost_is_kept(folder, says, cut_short, reason, counted):
    model = Opening(path=folder, says=says, cut_short=cut_short)
    with pytest.raises(NoMoveError, match=reason) as caught:
        await speak(model, shown(*boots(2)))
    none = {"role_slips": 0, "empty_answers": 0, "truncated_answers": 0}
    assert caught.value.counts == {**none, counted: 2}
    words = sum(len(m.content.split()) for m in model.requests[0].messages)
    assert caught.value.usage.input_tokens == 3 * words + 2


async def test_a_model_that_fails_is_no_move_whose_draw_still_counts(folder):
    model = Opening(path=folder, says=[ModelError("out of memory")])
    with pytest.raises(NoMoveError, match=r"^out of memory$") as caught:
        await speak(model, shown(*boots(2)))
    assert caught.value.usage.output_tokens == 1


def long_talk(turns: int, *, first: str = "user") -> Conversation:
    said = [message for n in range(turns) for message in (user(f"u{n} boots"), agent(f"a{n} these"))]
    return EMPTY.but(messages=tuple(said if first == "user" else [agent("Hello"), *said]))


@pytest.mark.parametrize("first", ["user", "agent"])
@pytest.mark.parametrize("limit", [1, 20, 30, 45, 60])
async def test_of_a_long_talk_the_newest_whole_messages_that_fit_are_read(tmp_path, limit, first):
    folder = trained_folder(tmp_path, max_prompt_tokens=limit)
    now = long_talk(12, first=first)
    model = Opening(path=folder)
    await speak(model, now)
    whole = asked(now, persona(), n_items=3)
    for request in model.requests:
        read = list(request.messages)
        assert read[0] == whole[0]
        assert read[1:] == whole[1 - len(read) :]
        assert [m.role for m in read[1:]] == ["user", *["assistant", "user"] * ((len(read) - 2) // 2)]
        assert len(read) >= 2
        assert await model.count_tokens(read) <= limit or len(read) == 2
        longer = [whole[0], *whole[len(whole) - len(read) - 1 :]]
        assert await model.count_tokens(longer) > limit


async def test_a_talk_that_fits_is_read_whole(tmp_path):
    now = long_talk(12)
    words = sum(len(m.content.split()) for m in asked(now, persona(), n_items=3))
    for limit, is_whole in ((words, True), (words - 1, False)):
        model = Opening(path=trained_folder(tmp_path, max_prompt_tokens=limit))
        await speak(model, now)
        assert (list(model.requests[0].messages) == asked(now, persona(), n_items=3)) is is_whole


@pytest.mark.parametrize(
    "messages", [(agent("long " * 99),), (user("no"), agent("long " * 99)), (user("long " * 99),)]
)
async def test_what_was_said_last_is_read_whatever_its_length(tmp_path, messages):
    model = Opening(path=trained_folder(tmp_path, max_prompt_tokens=20))
    await speak(model, EMPTY.but(messages=(*long_talk(3).messages, *messages)))
    assert model.requests[0].messages[0].role == "system"
    assert messages[-1].content.strip() in model.requests[0].messages[-1].content


async def test_as_many_items_are_seen_as_training_showed(tmp_path):
    model = Opening(path=trained_folder(tmp_path, n_items=2))
    await speak(model, shown(*boots(9)))
    assert [f"Boot {n}," in model.requests[0].messages[-1].content for n in range(4)] == [True] * 2 + [
        False
    ] * 2
    assert model.requests[0].openings == ("say:", "leave:", "accept 1:", "accept 2:")


def test_what_it_learned_from_and_what_it_is_asked_with_are_on_record(folder):
    shopper = SFT(Opening(path=str(folder)))
    assert shopper.learned_from.sha256 == "f" * 64
    assert shopper.learned_from.conversations == ("a" * 16, "b" * 16)
    assert shopper.learned_from.arms == ("good",)
    before = shopper.prompt_hashes
    assert {*before} == {"sft", "opening", "shopper.json"}
    trained_folder(folder, temperature=0.7)
    after = SFT(Opening(path=folder)).prompt_hashes
    assert {name for name in before if before[name] != after[name]} == {"shopper.json"}


def test_a_model_on_a_server_is_refused_and_told_what_to_give():
    with pytest.raises(InputError, match=r"needs a trained shopper's folder, but has 'scripted'.*--model"):
        SFT(Scripted(answers=["x"]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "setting",
    [{"temperature": -1}, {"temperature": "hot"}, {"top_p": 0}, {"top_p": 1.1}, {"top_p": "much"}, {"top_p": True}],
    ids=str,
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_refused_before_anything_is_asked(folder, setting):
    with pytest.raises(InputError, match=f"sft: {next(iter(setting))} must be"):
        SFT(Opening(path=folder), **setting)


def test_a_folder_without_the_record_is_no_trained_shopper(tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "model.gguf"):
        with pytest.raises(InputError, match=r"is not a trained shopper: .*convsim train.*--model"):
            SFT(Opening(path=path))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "Invalid JSON"),
        (b"{", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON: recursion limit"),
        (b"[]", "must be an object"),
        (b"{}", "learned_from: is missing"),
    ],
    ids=["empty", "half", "no text", "deep", "a list", "nothing"],
)
def test_a_record_that_is_none_is_refused(folder, text, problem):
    (folder / SHOPPER_FILE).write_bytes(text)
    with pytest.raises(InputError, match=rf"shopper\.json: {problem}"):
        read_trained(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "convsim.shopper/2"}, {"schema": 1}, {"learned_from": "everything"}, {"learned_from": None},
        {"n_items": 0}, {"n_items": 2.5}, {"n_items": True}, {"max_prompt_tokens": 0}, {"max_tokens": "40"},
        {"max_tokens": None}, {"temperature": -0.1}, {"temperature": float("nan")}, {"temperature": float("inf")},
        {"top_p": 0}, {"top_p": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_field_of_the_record_is_named(folder, changes):
    trained_folder(folder, **changes)
    with pytest.raises(InputError, match=rf"shopper\.json: {next(iter(changes))}: "):
        read_trained(folder)


def test_a_key_that_the_record_does_not_have_is_refused_and_nulls_are_left_out(folder):
    with pytest.raises(InputError, match=r"shopper\.json: compressed: no such key"):
        read_trained(trained_folder(folder, compressed="int8"))
    assert read_trained(trained_folder(folder, temperature=None, top_p=None)).top_p == 1.0


def test_a_record_that_cannot_be_one_for_its_size_is_not_read(folder):
    with (folder / SHOPPER_FILE).open("r+b") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(InputError, match="is larger than 64 MiB"):
        read_trained(folder)


def test_a_record_that_cannot_be_opened_is_one_line(folder):
    (folder / SHOPPER_FILE).unlink()
    (folder / SHOPPER_FILE).mkdir()
    with pytest.raises(InputError, match=r"shopper\.json: cannot be read \(Is a directory\)"):
        read_trained(folder)


def test_the_record_reads_what_it_writes(folder):
    trained = read_trained(folder)
    (folder / SHOPPER_FILE).write_text(json.dumps(trained.model_dump(mode="json", by_alias=True)))
    assert read_trained(folder) == trained
