"""What a judge does with answers that are no labels, over a real server on loopback."""

import json
from collections.abc import Callable
from itertools import chain, repeat

import pytest
from pytest_httpserver import HTTPServer

from convsim.annotation import annotate
from convsim.annotation.judge import Judge
from convsim.errors import ModelError
from tests.judges import Body, is_of_message, model_that, verdict
from tests.unit.annotation.test_judge import talk

GOOD = verdict("inform_preference", confusion=1)


def without(name: str) -> str:
    return json.dumps({key: value for key, value in json.loads(GOOD).items() if key != name})


def changed(**fields: object) -> str:
    return json.dumps(json.loads(GOOD) | fields)


BAD = {
    "prose": ("The user seems quite happy with it.", "Invalid JSON"),
    "half of the JSON": (GOOD[:30], "Invalid JSON"),
    "two answers": (GOOD + GOOD, "Invalid JSON"),
    "a label too few": (without("frustration"), "frustration: is missing"),
    "no acts": (without("acts"), "acts: is missing"),
    "a label too many": (changed(boredom=1), "boredom: is not known"),
    "an act that does not exist": (changed(acts=["shout"]), "acts.0: must be"),
    "acts that are no list": (changed(acts="thank"), "acts: must be a list"),
    "an empty list of acts": (changed(acts=[]), "must list at least one act"),
    "an act twice": (changed(acts=["thank", "thank"]), "must list each act once"),
    "an act beside other": (changed(acts=["other", "thank"]), "must not list 'other' beside 'thank'"),
    "taking what it would not have": (
        changed(acts=["accept_recommendation"], purchase_intent=0),
        "'accept_recommendation' contradicts purchase_intent 0",
    ),
    "a value off its scale": (changed(satisfaction=4), "satisfaction: must be 0 or 1"),
    "a value in words": (changed(satisfaction="yes"), "satisfaction: must be 0 or 1"),
    "no value": (changed(satisfaction=None), "satisfaction: must be 0 or 1"),
}
bad_answers = pytest.mark.parametrize(("answer", "problem"), BAD.values(), ids=BAD)


def in_turn(*answers: str, keep: list[Body] | None = None) -> Callable[[Body], str]:
    """Answer about a message with ``answers`` in turn, the last again and again; about the whole with labels."""
    queue = chain(answers, repeat(answers[-1]))

    def answer(body: Body) -> str:
        if not is_of_message(body):
            return verdict()
        if keep is not None:
            keep.append(body)
        return next(queue)

    return answer


@bad_answers
async def test_an_answer_that_is_no_label_is_asked_for_once_more(httpserver: HTTPServer, answer, problem):
    asked: list[Body] = []
    given = await Judge(model_that(httpserver, in_turn(answer, GOOD, keep=asked))).annotate(talk("boots"))
    assert given.messages[0]["acts"].value == ["inform_preference"]
    assert given.messages[0]["confusion"].value == 1
    assert len(asked) == 2
    assert problem in asked[1]["messages"][-1]["content"]
    assert given.usage.input_tokens == 300


@bad_answers
async def test_two_such_answers_are_an_error_of_one_line_and_never_a_label(
    httpserver: HTTPServer, answer, problem
):
    asked: list[Body] = []
    with pytest.raises(ModelError) as caught:
        await Judge(model_that(httpserver, in_turn(answer, keep=asked))).annotate(talk("boots"))
    said = str(caught.value)
    assert problem in said
    assert "asked twice" in said
    assert "\n" not in said
    assert len(asked) == 2


async def test_a_label_named_twice_contradicts_itself(httpserver: HTTPServer):
    twice = GOOD[:-1] + ', "confusion": 0}'
    with pytest.raises(ModelError, match=r"^m-1 gave 'confusion' twice in one answer$"):
        await Judge(model_that(httpserver, in_turn(twice))).annotate(talk("boots"))


async def test_words_and_a_fence_around_the_answer_are_left_away(httpserver: HTTPServer):
    answer = f"Here are the labels:\n```json\n{GOOD}\n```"
    given = await Judge(model_that(httpserver, in_turn(answer))).annotate(talk("boots"))
    assert given.messages[0]["confusion"].value == 1


async def test_the_whole_conversation_is_asked_for_experience_alone(httpserver: HTTPServer):
    def answer(body: Body) -> str:
        return GOOD

    with pytest.raises(ModelError, match="ConversationLabels: acts: is not known"):
        await Judge(model_that(httpserver, answer)).annotate(talk("boots"))


def test_conversations_that_cannot_be_judged_stay_unlabelled_and_are_counted(httpserver: HTTPServer):
    def answer(body: Body) -> str:
        if not is_of_message(body):
            return verdict()
        return GOOD if '"good"' in str(body["messages"]) else "I would rather not."

    judge = Judge(model_that(httpserver, answer))
    done = annotate([talk(text).but(id=text) for text in ("good", "bad", "worse")], judge)
    assert (done.n_labelled, done.n_failed) == (1, 2)
    assert [bool(c.labels) for c in done.conversations] == [True, False, False]
    assert done.conversations[1].messages[0].labels == {}
    [reason] = done.reasons
    assert "does not fit the schema MessageLabels" in reason


async def test_the_choices_form_works_on_a_server_too(httpserver: HTTPServer):
    def answer(body: Body) -> str:
        asked = body["messages"][-1]["content"]
        chosen = "thank" if "accept_recommendation" in asked else "no"
        return json.dumps({"choice": chosen})

    given = await Judge(model_that(httpserver, answer), form="choices").annotate(talk("ty"))
    assert given.messages[0]["acts"].value == ["thank"]
    assert {label.value for label in given.conversation.values()} == {0}
