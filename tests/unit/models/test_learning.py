"""What a server refuses is learned once and remembered: parameters, roles, streams, and room to think."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from convsim.agents import OpenAIChat
from convsim.agents.degraded import degrade
from convsim.errors import InputError, ModelError
from convsim.lifting import learned_by
from convsim.models import OpenAICompatible, Recorded
from convsim.schema.chat_model import ChatMessage
from convsim.shoppers import Prompted
from tests.unit.models.loopback import Loopback, Reply, Request, answering, chat, whole

Refuses = Callable[[dict[str, Any]], Reply | None]
CHAT = [
    ChatMessage(role="system", content="You are a shopper."),
    ChatMessage(role="assistant", content="hi, red boots please"),
    ChatMessage(role="user", content="What size?"),
]


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.01)


def error(status: int, message: str, **more: object) -> Reply:
    return whole(status, json.dumps({"error": {"message": message, **more}}).encode())


def openai_refuses(*names: str) -> Refuses:
    """Refuse the first of these that is sent, as OpenAI's API does."""

    def refuse(body: dict[str, Any]) -> Reply | None:
        for name in names:
            if name in body:
                said = f"Unsupported parameter: '{name}' is not supported with this model."
                return error(
                    400, said, type="invalid_request_error", param=name, code="unsupported_parameter"
                )
        return None

    return refuse


def worded(status: int, message: str, *names: str) -> Refuses:
    """Refuse what is sent under any of these names, in words alone."""
    return lambda body: error(status, message) if any(name in body for name in names) else None


def forbids_extra(name: str) -> Refuses:
    """Refuse as FastAPI does."""
    detail = {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
    return lambda body: whole(422, json.dumps({"detail": [detail]}).encode()) if name in body else None


def as_list(message: str, name: str) -> Refuses:
    """Refuse as Gemini's endpoint does, with a list of one error."""
    reply = whole(
        400, json.dumps([{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]).encode()
    )
    return lambda body: reply if name in body else None


def by_an_upstream(message: str, name: str) -> Refuses:
    """Refuse as OpenRouter does, with the upstream's words in a text."""
    raw = {"raw": json.dumps({"message": message})}
    return lambda body: error(400, "Provider returned error", metadata=raw) if name in body else None


def serving(refuses: Refuses, text: str = "boots") -> Callable[[Request], Reply]:
    def reply(request: Request) -> Reply:
        return refuses(request.body) or chat(
            '{"choice": "leave"}' if "leave" in json.dumps(request.body) else text
        )

    return reply


def model_at(server: Loopback, **settings: Any) -> OpenAICompatible:
    usual: dict[str, Any] = {"model": "m-1", "base_url": server.base_url, "max_retries": 0, "timeout_s": 5}
    return OpenAICompatible(**usual | settings)


async def asked(model: OpenAICompatible, n: int = 1, **more: Any) -> list[str]:
    """Ask the same so often, one after the other."""
    arguments: dict[str, Any] = {"max_tokens": 20, "temperature": 0.5, "seed": 3, **more}
    try:
        return [(await model.complete(CHAT, **arguments)).text for _ in range(n)]
    finally:
        await model.aclose()


PARAMETERS: dict[str, tuple[Refuses, dict[str, Any], dict[str, str]]] = {
    "seed, by param": (openai_refuses("seed"), {}, {"seed": "cannot be repeated"}),
    "seed, forbidden as an extra": (forbids_extra("seed"), {}, {"seed": "left out"}),
    "seed, unknown to Gemini": (
        as_list('Invalid JSON payload received. Unknown name "seed": Cannot find field.', "seed"),
        {},
        {"seed": "left out"},
    ),
    "temperature that must be the default": (
        worded(
            400, "'temperature' does not support 0.5 with this model. Only the default (1) value is supported.",
            "temperature",
        ),
        {},
        {"temperature": "server's own"},
    ),
    "temperature, deprecated": (
        worded(400, "`temperature` is deprecated for this model.", "temperature"), {}, {"temperature": "left out"},
    ),
    "max_tokens under its other name": (
        worded(
            400, "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
            "max_tokens",
        ),
        {},
        {"max_tokens": "sent as max_completion_tokens"},
    ),
    "both names of the limit": (
        openai_refuses("max_tokens", "max_completion_tokens"), {}, {"max_completion_tokens": "cut on this side"},
    ),
    "stop": (openai_refuses("stop"), {"stop": ["\nUser:"]}, {"stop": "cut on this side"}),
    "top_p": (openai_refuses("top_p"), {"top_p": 0.8}, {"top_p": "the server's own top_p holds"}),
    "one after another": (
        openai_refuses("temperature", "seed", "max_tokens"), {}, {"temperature": "", "seed": "", "max_tokens": ""},
    ),
    "several in a sentence": (
        worded(
            400, "The parameters 'seed', 'temperature' are not supported. Allowed: max_tokens, stop.",
            "seed", "temperature",
        ),
        {},
        {"seed": "", "temperature": ""},
    ),
    "an upstream's words in a text": (
        by_an_upstream("seed is not supported", "seed"), {}, {"seed": ""},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PARAMETERS)
async def test_a_refused_parameter_is_learned_once_and_remembered(
    case: str, caplog: pytest.LogCaptureFixture
) -> None:
    refuses, more, notes = PARAMETERS[case]
    text = "boots\nUser: more" if "stop" in more else "boots"
    async with answering(serving(refuses, text)) as server:
        model = model_at(server)
        with caplog.at_level(logging.WARNING, logger="convsim.models"):
            said = await asked(model, 3, **more)
    assert said == ["boots"] * 3
    refused = sum(refuses(request.body) is not None for request in server.requests)
    assert len(server.requests) == 3 + refused
    assert refuses(server.requests[-1].body) is None
    for name, note in notes.items():
        assert note in model.learned[name]
        assert len([record for record in caplog.records if f": {name}: " in record.getMessage()]) == 1
    assert len(caplog.records) == len(model.learned) >= len(notes)


async def test_a_temperature_of_0_that_is_too_cold_is_sent_as_a_little_more_and_others_stay() -> None:
    def refuse(body: dict[str, Any]) -> Reply | None:
        return error(422, "`temperature` must be strictly positive") if body["temperature"] == 0 else None

    async with answering(serving(refuse)) as server:
        model = model_at(server)
        for temperature in (0.0, 0.5, 0.0):
            assert await asked(model, temperature=temperature) == ["boots"]
    assert [request.body["temperature"] for request in server.requests] == [0, 0.01, 0.5, 0.01]
    assert "0 is sent as 0.01" in model.learned["temperature"]


async def test_extra_keys_and_n_are_left_out_where_they_are_refused() -> None:
    extra = {
        "top_p": 0.9,
        "n": 1,
        "reasoning_effort": "low",
        "chat_template_kwargs": {"enable_thinking": False},
    }
    async with answering(serving(openai_refuses("top_p", "n", "chat_template_kwargs"))) as server:
        model = model_at(server, extra_body=extra)
        assert await asked(model) == ["boots"]
    assert {*model.learned} == {"top_p", "n", "chat_template_kwargs"}
    assert server.requests[-1].body["reasoning_effort"] == "low"


async def test_the_newer_name_of_the_limit_is_given_up_for_the_older_one() -> None:
    async with answering(serving(openai_refuses("max_completion_tokens"))) as server:
        model = model_at(server, rename={"max_tokens": "max_completion_tokens"})
        assert await asked(model, 2) == ["boots"] * 2
    assert [request.body.get("max_tokens") for request in server.requests] == [None, 20, 20]
    assert "sent as max_tokens" in model.learned["max_completion_tokens"]


async def test_a_name_of_the_limit_in_extra_body_replaces_ours() -> None:
    async with answering(serving(openai_refuses("max_tokens"))) as server:
        assert await asked(model_at(server, extra_body={"max_completion_tokens": 200})) == ["boots"]
    assert server.requests[0].body["max_completion_tokens"] == 200
    assert len(server.requests) == 1


async def test_requests_at_the_same_time_learn_together_and_say_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = ("temperature", "seed", "max_tokens")
    async with answering(serving(openai_refuses(*names))) as server:
        model = model_at(server)
        with caplog.at_level(logging.WARNING, logger="convsim.models"):
            one: dict[str, Any] = {"max_tokens": 20, "temperature": 0.5, "seed": 3}
            said = await asyncio.gather(*(model.complete(CHAT, **one) for _ in range(12)))
        await model.aclose()
    assert [each.text for each in said] == ["boots"] * 12
    assert len(caplog.records) == 3
    # Each may be refused once, before anything is known; the rest of it one of them finds out.
    assert len(server.requests) <= 12 + 12 + len(names)


class Size(BaseModel):
    size: int


@pytest.mark.parametrize(
    "message",
    ["response_format is not supported by this model", "json_schema is not implemented", "Bad Request"],
)
async def test_a_refused_schema_is_remembered_and_asked_for_in_words(message: str) -> None:
    async with answering(serving(worded(400, message, "response_format"), '{"size": 9}')) as server:
        model = model_at(server)
        assert await asked(model, 3, schema=Size) == ['{"size": 9}'] * 3
    assert len(server.requests) == 4
    assert "left out" in model.learned["response_format"]


NEVER = {
    "too long a context": error(
        400, "This model's maximum context length is 512 tokens; 'max_tokens' is too large.",
        param="max_tokens", code="context_length_exceeded",
    ),
    "a policy": error(
        400, "The response was filtered by Azure OpenAI's content management policy", param="prompt",
        code="content_filter",
    ),
    "an unknown model": error(
        400, "The model `m-1` does not exist; 'seed' and 'temperature' were ignored", code="model_not_found",
    ),
    "a missing field": whole(422, json.dumps(
        {"detail": [{"type": "missing", "loc": ["body", "seed"], "msg": "Field required"}]}
    ).encode()),
    "the key": error(401, "Invalid 'seed' for this key"),
    "not found": error(404, "unknown parameter 'seed'"),
    "a word that is no parameter": error(400, "Invalid request: please stop sending this many messages"),
    "a limit out of range": error(400, "max_tokens must be less than or equal to 10", param="max_tokens"),
}  # fmt: skip


@pytest.mark.parametrize("reply", NEVER.values(), ids=NEVER)
async def test_an_error_of_another_kind_teaches_nothing(reply: Reply) -> None:
    async with answering(lambda request: reply) as server:
        model = model_at(server)
        with pytest.raises(ModelError) as caught:
            await asked(model, stop=["\nUser:"])
    assert (len(server.requests), dict(model.learned)) == (1, {})
    assert "\n" not in str(caught.value)


async def test_a_value_that_the_user_set_and_the_server_refuses_names_the_setting() -> None:
    reply = error(400, "temperature must be between 0 and 2", param="temperature")
    async with answering(lambda request: reply) as server:
        with pytest.raises(ModelError, match=r"between 0 and 2; set model\.temperature"):
            await asked(model_at(server, temperature=5.0))
    assert len(server.requests) == 1


async def test_what_is_left_out_and_renamed_may_be_said_beforehand() -> None:
    async with answering(serving(lambda body: None)) as server:
        model = model_at(
            server, omit=["seed"], rename={"max_tokens": "max_new_tokens", "stop": "stop_sequences"}
        )
        await asked(model, stop=["x"])
    sent = server.requests[0].body
    assert {*sent} == {"model", "messages", "temperature", "max_new_tokens", "stop_sequences"}
    assert "cannot be repeated" in model.learned["seed"]
    assert model.learned["max_tokens"] == "sent as max_new_tokens by the setting rename"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"omit": ["sed"]}, r"omit names 'sed', which is not sent; .* did you mean 'seed'\?"),
        ({"omit": "seed"}, "omit must be a list of text, but is 'seed'"),
        ({"omit": [1]}, "omit must be a list of text"),
        ({"rename": {"max_token": "x"}}, r"rename names 'max_token'.* did you mean 'max_tokens'\?"),
        ({"rename": {"seed": "model"}}, "rename gives 'seed' the name 'model'"),
        ({"rename": {"seed": ""}}, "rename gives 'seed' the name ''"),
        ({"omit": ["seed"], "rename": {"seed": "random_seed"}}, "'seed' is in both omit and rename"),
        ({"api": "chats"}, "api must be chat, responses or azure, but is 'chats'"),
        ({"max_wait_s": 0}, "max_wait_s must be seconds above 0"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_one_line(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        OpenAICompatible(**{"model": "m", "base_url": "http://127.0.0.1:1/v1"} | settings)
    assert "\n" not in str(caught.value)


def test_what_was_learned_is_found_behind_shoppers_agents_and_recordings(tmp_path: Path) -> None:
    def model(**settings: Any) -> OpenAICompatible:
        return OpenAICompatible(base_url="http://127.0.0.1:9/v1", **settings)

    of_shopper = Prompted(model(model="a", omit=["seed"]))
    of_agent = OpenAIChat(
        model=Recorded(store=tmp_path / "s.jsonl", model=model(model="b", omit=["stop"]), name="r")
    )
    found = learned_by(
        [of_shopper, degrade(of_agent, "rude_text", 0.5), of_agent, OpenAIChat(model=model(model="c"))]
    )
    assert {name: [*notes] for name, notes in found.items()} == {"a": ["seed"], "b": ["stop"]}


# Roles.
ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."


def strict(body: dict[str, Any]) -> Reply | None:
    """Refuse as vLLM does for Mistral: after the system the roles alternate from the user."""
    roles = [message["role"] for message in body["messages"] if message["role"] != "system"]
    alternate = roles == (["user", "assistant"] * len(roles))[: len(roles)]
    return None if alternate else error(400, f"After the optional system message, {ALTERNATE.lower()}")


def without_system(body: dict[str, Any]) -> Reply | None:
    """Refuse as Gemma's template does."""
    return (
        error(400, "System role not supported") if body["messages"][0]["role"] == "system" else strict(body)
    )


def oldest(body: dict[str, Any]) -> Reply | None:
    """Refuse as llama.cpp does for templates that count the system among the roles: as a failure of its own."""
    roles = [message["role"] for message in body["messages"]]
    return None if roles == (["user", "assistant"] * len(roles))[: len(roles)] else error(500, ALTERNATE)


def o1(body: dict[str, Any]) -> Reply | None:
    said = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
    return error(400, said, param="messages[0].role") if body["messages"][0]["role"] == "system" else None


@pytest.mark.parametrize(
    ("refuses", "learned"),
    [(strict, {"roles"}), (without_system, {"system"}), (oldest, {"roles", "system"}), (o1, {"system"})],
)
async def test_roles_are_put_as_the_server_wants_them_and_the_opening_is_never_lost(
    refuses: Refuses, learned: set[str]
) -> None:
    async with answering(serving(refuses)) as server:
        model = model_at(server)
        assert await asked(model, 2) == ["boots"] * 2
    assert {*model.learned} == learned
    sent = server.requests[-1].body["messages"]
    # The second turn of a shopper still holds what it said first, as its own words, and all else.
    assert {"role": "assistant", "content": "hi, red boots please"} in sent
    assert "You are a shopper." in sent[0]["content"]
    assert sent[-1] == {"role": "user", "content": "What size?"}


async def test_neighbours_of_one_role_are_merged_and_no_word_is_lost() -> None:
    words = [
        ("user", "one"),
        ("user", "two"),
        ("assistant", "three"),
        ("assistant", "four"),
        ("user", "five"),
    ]
    messages = [ChatMessage.model_validate({"role": role, "content": said}) for role, said in words]
    async with answering(serving(strict)) as server:
        model = model_at(server)
        await model.complete(messages, max_tokens=9, temperature=0, seed=1)
        await model.aclose()
    sent = server.requests[-1].body["messages"]
    assert [(each["role"], each["content"]) for each in sent] == [
        ("user", "one\n\ntwo"), ("assistant", "three\n\nfour"), ("user", "five"),
    ]  # fmt: skip


# Streams.
def events(*pieces: str, end: str = "data: [DONE]\n\n") -> Reply:
    chunks = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    usage = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in [*chunks, usage]) + end
    return whole(200, body.encode(), kind="text/event-stream")


def streams_only(request: Request) -> Reply:
    if request.body.get("stream") is not True:
        return error(400, "This model only supports streaming: set stream=true", param="stream")
    if "stream_options" in request.body:
        return error(400, "Unknown parameter: 'stream_options'.", param="stream_options")
    return events("bo", "ots")


async def test_a_server_that_only_streams_is_asked_for_a_stream_and_read() -> None:
    async with answering(streams_only) as server:
        model = model_at(server)
        assert await asked(model, 2) == ["boots"] * 2
    assert len(server.requests) == 4
    assert {*model.learned} == {"stream", "stream_options"}


async def test_a_server_that_refuses_streams_and_all_else_is_one_line() -> None:
    reply = error(400, "This model only supports streaming: set stream=true", param="stream")
    async with answering(lambda request: reply) as server:
        with pytest.raises(ModelError, match="asked for a stream, and refuses that, too"):
            await asked(model_at(server))
    assert [request.body.get("stream") for request in server.requests] == [None, True]


async def test_a_stream_may_be_asked_for_and_its_usage_is_read() -> None:
    async with answering(lambda request: events("bo", "ots")) as server:
        model = model_at(server, stream=True)
        said = await model.complete(CHAT, max_tokens=9, temperature=0, seed=1)
        await model.aclose()
    assert (said.text, said.input_tokens, said.output_tokens) == ("boots", 11, 7)
    assert server.requests[0].body["stream"] is True


# Room to think.
def thinks(needs: int, cut: str | None = None) -> Callable[[Request], Reply]:
    """Think for so many tokens before a word is said; ``cut`` is what is left of one that has too few."""

    def reply(request: Request) -> Reply:
        enough = request.body["max_tokens"] >= needs
        return chat(
            "boots" if enough else cut,
            finish="stop" if enough else "length",
            reasoning_content="Boots or socks?",
        )

    return reply


@pytest.mark.parametrize("cut", [None, "", "bo"])
@pytest.mark.parametrize(("needs", "asks"), [(1_000, 2), (4_000, 3)])
async def test_a_model_that_thinks_gets_room_once_it_shows_and_keeps_it(
    needs: int, asks: int, cut: str | None
) -> None:
    async with answering(thinks(needs, cut)) as server:
        model = model_at(server)
        first = await model.complete(CHAT, max_tokens=20, temperature=0, seed=1)
        assert await asked(model, 2) == ["boots"] * 2
    assert len(server.requests) == asks + 2
    # What the answers cost that said nothing is counted, too.
    assert (first.input_tokens, first.output_tokens) == (11 * asks, 7 * asks)
    assert first.reasoning_characters == asks * len("Boots or socks?")
    assert "thinking_tokens" in model.learned


def thinks_without_a_beginning(request: Request) -> Reply:
    """Think as a model does whose template has written the opening mark, behind a server that parts nothing."""
    if request.body["max_tokens"] < 1_000:
        return chat("The shopper wants boots, so I should", finish="length")
    return chat("The shopper wants boots, so I should ask.</think>boots")


async def test_a_thought_without_a_beginning_is_looked_for_once_it_was_cut_off_by_all_that_wait() -> None:
    async with answering(thinks_without_a_beginning) as server:
        model = model_at(server)
        one: dict[str, Any] = {"max_tokens": 20, "temperature": 0.5, "seed": 3}
        said = await asyncio.gather(*(model.complete(CHAT, **one) for _ in range(5)))
        assert await asked(model) == ["boots"]
    assert [each.text for each in said] == ["boots"] * 5
    assert len(server.requests) <= 5 + 5 + 1


async def test_a_model_that_only_talks_too_long_is_looked_at_once_in_a_run() -> None:
    async with answering(lambda request: chat("boots and so on", finish="length")) as server:
        model = model_at(server)
        assert await asked(model, 3) == ["boots and so on"] * 3
    assert [request.body["max_tokens"] for request in server.requests] == [20, 2_068, 20, 20]
    assert dict(model.learned) == {}


@pytest.mark.parametrize("room", [0, 500])
async def test_a_room_that_is_set_is_kept_to(room: int) -> None:
    async with answering(thinks(1_000)) as server:
        model = model_at(server, thinking_tokens=room)
        with pytest.raises(ModelError, match=r"it only thought; .*thinking_tokens"):
            await asked(model)
    assert [request.body["max_tokens"] for request in server.requests] == [20 + room]


async def test_a_model_that_does_not_think_gets_no_room() -> None:
    async with answering(serving(lambda body: None)) as server:
        model = model_at(server)
        await asked(model, 2)
    assert [request.body["max_tokens"] for request in server.requests] == [20, 20]
    assert dict(model.learned) == {}


async def test_room_that_helps_nothing_is_taken_back() -> None:
    async with answering(lambda request: chat("", finish="length")) as server:
        model = model_at(server)
        for _ in range(2):
            with pytest.raises(ModelError, match="gave an empty answer"):
                await asked(model)
    assert [request.body["max_tokens"] for request in server.requests] == [20, 2_068, 8_212, 20]


async def test_a_choice_and_an_object_of_a_schema_are_asked_for_again_where_the_answer_is_empty() -> None:
    class Mood(BaseModel):
        mood: str

    answers = iter(["", '{"choice": "leave"}', "", '{"mood": "glad"}', "", ""])
    async with answering(lambda request: chat(next(answers))) as server:
        model = model_at(server)
        choice = await model.choose(CHAT, ["go on", "leave"], temperature=0.5, seed=3)
        said = await model.complete(CHAT, max_tokens=20, temperature=0.5, seed=3, schema=Mood)
        with pytest.raises(ModelError, match="gave an empty answer"):
            await model.choose(CHAT, ["go on", "leave"], temperature=0.5, seed=3)
        await model.aclose()
    assert (choice.index, said.text) == (1, '{"mood": "glad"}')
    assert (choice.completion.input_tokens, choice.completion.output_tokens) == (22, 14)  # of both answers


async def test_room_that_the_server_has_not_is_halved() -> None:
    def reply(request: Request) -> Reply:
        if request.body["max_tokens"] > 1_100:
            return error(400, "max_tokens is too large: at most 1100 completion tokens", param="max_tokens")
        return thinks(1_000)(request)

    async with answering(reply) as server:
        assert await asked(model_at(server)) == ["boots"]
    assert [request.body["max_tokens"] for request in server.requests] == [20, 2_068, 1_044]


async def test_an_answer_without_end_is_cut_where_four_times_what_was_asked_for_ends() -> None:
    async with answering(serving(lambda body: None, "word " * 60_000)) as server:
        model = model_at(server)
        said = await model.complete(CHAT, max_tokens=20, temperature=0, seed=1)
        await model.aclose()
    assert said.finish_reason == "length"
    assert len(said.text) <= 20 * 16
    assert "ignored by the server" in model.learned["length of answers"]
