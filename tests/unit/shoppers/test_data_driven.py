"""Shoppers that learn from real conversations: what they may see, what they record, what they say."""

import json

import pytest

from convsim.errors import InputError, ModelError
from convsim.models.scripted import Asked
from convsim.schema.conversation import Conversation, Ending, LearnedFrom
from convsim.shoppers import ICL, Replay, Resample
from convsim.simulation import Assembly
from convsim.simulation.config import StudyConfig
from convsim.simulation.personas import draw_personas
from tests.unit.shoppers.logs import (
    EMPTY,
    agent,
    boots,
    drawn_from,
    logged,
    model,
    persona,
    shown,
    user,
)

OWN = logged("own", "rain boots", "rain boots in red", by="ann")
SAME_USER = logged("same-user", "rain boots again", by="ann")
OTHERS = [logged(f"other-{i}", f"snow shoes {i}", f"cheaper {i}", by=f"u{i}") for i in range(6)]
LOGS = [OWN, SAME_USER, *OTHERS]


async def asked_by_icl(conversation=EMPTY, someone=None, real=LOGS, **settings):
    asked: list[Asked] = []
    move = await ICL(model(["red"], keep=asked), real, **settings).speak(
        conversation, someone or drawn_from(OWN), seed=1
    )
    return asked, move


@pytest.mark.parametrize("style", ["chat", "transcript"])
async def test_icl_shows_others_conversations_and_records_which(style):
    asked, move = await asked_by_icl(style=style)
    by_fingerprint = {c.fingerprint: c for c in LOGS}
    used = [by_fingerprint[fingerprint] for fingerprint in move.retrieved]
    assert len(used) == 3
    assert len({c.id for c in used}) == 3
    for source in OTHERS:
        assert (source.messages[0].content in asked[-1].words) == (source in used)


@pytest.mark.parametrize("style", ["chat", "transcript"])
async def test_icl_never_shows_the_personas_own_conversation_or_user_though_most_alike(style):
    asked, move = await asked_by_icl(style=style, k=6)
    assert not {OWN.fingerprint, SAME_USER.fingerprint} & {*move.retrieved}
    assert "in red" not in asked[-1].words
    assert "boots again" not in asked[-1].words
    stranger, _ = await asked_by_icl(style=style, someone=persona())
    assert "in red" in stranger[-1].words


async def test_icl_never_shows_a_label():
    asked, _ = await asked_by_icl(shown(*boots(2)), k=8)
    assert len(asked) == 2
    assert not any("LABELLED" in a.words or "frustration" in a.words for a in asked)


async def test_icl_retrieves_by_what_is_known_so_far():
    real = [
        logged("a", "something", "no heels", answers=["shiny sandals with heels"]),
        logged("b", "something", "too thick", answers=["a thick wool coat"]),
    ]
    now = shown().but(messages=(user("something"), agent("another wool coat, thick")))
    _, move = await asked_by_icl(now, persona(need="something"), real, k=1)
    assert move.retrieved == (real[1].fingerprint,)


async def test_icl_finds_k_conversations_even_where_the_likest_places_are_all_of_one():
    long = logged("long", *["rain boots"] * 60)
    _, move = await asked_by_icl(EMPTY, persona(), [long, *OTHERS], k=3)
    assert len(move.retrieved) == 3


@pytest.mark.parametrize("shopper", ["icl", "resample", "replay"])
def test_one_arm_alone_is_learned_from_when_asked(shopper, tmp_path):
    logs = [logged(f"{arm}-{i}", f"{arm} words {i}", arm=arm) for arm in ("good", "bad") for i in range(4)]
    file = tmp_path / "real.jsonl"
    file.write_text("".join(c.to_json() + "\n" for c in logs))
    config = StudyConfig.model_validate(
        {
            "study": {"n": 4},
            "data": {"real": file, "learn_arm": "good"},
            "shopper": {"name": shopper},
            "model": {"name": "scripted", "answers": ["red"]},
        }
    )
    study = Assembly(config).study()
    good = {c.fingerprint for c in logs if c.arm == "good"}
    assert {*study.shopper.learned_from.conversations} == good
    assert study.shopper.learned_from.sha256
    assert {p.id for p in study.personas} == {f"good-{i}" for i in range(4)}


async def move_of(shopper, conversation=EMPTY, someone=None, seed=1):
    return await shopper.speak(conversation, someone or drawn_from(OWN), seed=seed)


async def test_resample_says_real_words_of_others_and_never_the_personas_own_or_its_users():
    shopper = Resample(LOGS, k=50)
    now = [
        await move_of(shopper, conversation, seed=s) for conversation in (EMPTY, shown()) for s in range(60)
    ]
    said = {m.text for m in now if m.text}
    assert said <= {m.content for c in OTHERS for m in c.user_messages}
    assert len(said) > 6
    own = {OWN.fingerprint, SAME_USER.fingerprint}
    assert all(len(m.retrieved) == 1 and not own & {*m.retrieved} for m in now)


async def test_resample_is_the_same_for_one_seed_and_varies_over_seeds():
    shopper = Resample(LOGS)
    first = [await move_of(shopper, seed=s) for s in range(20)]
    assert first == [await move_of(Resample(LOGS), seed=s) for s in range(20)]
    assert len({m.text for m in first}) > 1


async def test_a_first_move_is_never_empty_and_never_an_end():
    hasty = logged("hasty", "", "", by="h").but(messages=(user(""), agent("rain boots"), user("ok boots")))
    bye = logged("bye", by="b").but(messages=(user("rain boots bye", action="leave"),), ending="left")
    shopper = Resample([hasty, bye, *OTHERS], k=3)
    for seed in range(80):
        move = await move_of(shopper, EMPTY, persona(), seed=seed)
        assert move.action == "say"
        assert move.text.strip()


async def test_later_moves_end_where_real_users_ended():
    said = "How about these?"
    endings: dict[Ending, str] = {"accepted": "accept", "left": "leave"}
    ended = [logged(ending, "rain boots", ending=ending, answers=[said]) for ending in endings]
    moves = [await move_of(Resample(ended, k=2), shown(*boots(2)), persona(), seed=s) for s in range(20)]
    assert {m.action for m in moves} == {"accept", "leave"}
    assert all(m.text == "" for m in moves)
    assert all(m.accepted == (("b0",) if m.action == "accept" else ()) for m in moves)


@pytest.mark.parametrize("ending", ["turn_limit", "agent_ended"])
async def test_a_log_that_its_user_did_not_end_is_no_example_of_ending(ending):
    cut = logged("cut", "boots", "boots", ending=ending)
    now = shown(*boots(1), need="boots")
    assert all([(await move_of(Resample([cut]), now, persona(), seed=s)).action == "say" for s in range(20)])


async def test_resample_without_any_other_user_is_an_error_with_its_reason():
    with pytest.raises(ModelError, match="no other user's move"):
        await move_of(Resample([OWN, SAME_USER]))


async def replayed(source, agent_items=(), turns=6):
    """Let a replay shopper talk with an agent that always shows the same items."""
    shopper, someone, held, moves = Replay([source, *OTHERS]), drawn_from(source), EMPTY, []
    for _ in range(turns):
        moves.append(await move_of(shopper, held, someone))
        if moves[-1].action != "say":
            break
        held = held.but(
            messages=(*held.messages, user(moves[-1].text), agent("quite another answer", *agent_items))
        )
    return moves


@pytest.mark.parametrize(("ending", "action"), [("left", "leave"), ("accepted", "accept")])
async def test_replay_says_a_users_own_messages_in_order_and_ends_as_they_did(ending, action):
    source = logged("own", "rain boots", "red ones", "cheaper", ending=ending)
    moves = await replayed(source, boots(2))
    assert [m.text for m in moves] == ["rain boots", "red ones", "cheaper", ""]
    assert [m.action for m in moves] == ["say", "say", "say", action]
    assert all(m.retrieved == (source.fingerprint,) for m in moves)


async def test_replay_accepts_what_stands_at_the_same_place_in_the_present_carousel():
    items = boots(3)
    source = logged("own", "boots").but(
        messages=(user("boots"), agent("here", *items), user("the third", action="accept", accepted=["b2"])),
        ending="accepted",
    )
    moves = await replayed(source, tuple(item.but(id=f"new-{item.id}") for item in items))
    assert (moves[-1].action, moves[-1].text, moves[-1].accepted) == ("accept", "the third", ("new-b2",))


async def test_replay_says_one_run_of_messages_a_turn():
    source = logged("own").but(
        messages=(user("hi"), user("rain boots"), agent("these?"), user("no")), ending="left"
    )
    assert [m.text for m in await replayed(source)] == ["hi\nrain boots", "no", ""]


async def test_replay_of_somebody_unknown_is_an_error_that_says_what_to_do():
    with pytest.raises(ModelError, match="draw personas from the same file"):
        await move_of(Replay(OTHERS), EMPTY, persona())


@pytest.mark.parametrize("make", [Resample, Replay, lambda real, sha256: ICL(model(), real, sha256=sha256)])
def test_it_names_the_file_and_every_conversation_that_it_learned_from(make):
    learned = make(LOGS, sha256="f00d").learned_from
    assert learned.sha256 == "f00d"
    assert {*learned.conversations} == {c.fingerprint for c in LOGS}


def test_the_hash_is_called_file_on_disk():
    held = LOGS[0].but(learned_from=LearnedFrom.of([LOGS[1]], sha256="f00d"))
    assert json.loads(held.to_json())["learned_from"] == {
        "arms": ["good"],
        "file": "f00d",
        "conversations": [LOGS[1].fingerprint],
    }
    assert Conversation.model_validate_json(held.to_json()) == held


@pytest.mark.parametrize("k", [0, -1, "three", 1.5, True])
@pytest.mark.parametrize("make", [Resample, lambda real, k: ICL(model(), real, k=k)])
def test_a_k_that_is_no_number_of_conversations_is_refused(make, k):
    with pytest.raises(InputError, match="k must be a whole number from 1"):
        make(LOGS, k=k)


def test_personas_are_drawn_without_replacement_by_seed_and_know_only_the_beginning():
    drawn = draw_personas(LOGS, 5, seed=4)
    assert drawn == draw_personas(LOGS, 5, seed=4)
    assert drawn != draw_personas(LOGS, 5, seed=5)
    assert len({p.id for p in drawn}) == 5
    first = {c.id: c.messages[0].content for c in LOGS}
    assert all(p.need == first[p.id] for p in drawn)
    assert not any(p.known_afterwards() or "LABELLED" in p.model_dump_json() for p in drawn)
