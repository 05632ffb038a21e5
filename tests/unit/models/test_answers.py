"""Whatever usable form an answer has, its words are read; what it does not say is unknown, and never a word or a 0."""

import json
from typing import Any

import pytest

from convsim.errors import ModelError
from convsim.models.answers import Answer, ReportedError, finish_reason, read_answer
from convsim.models.failures import Asked, PassingError, WrongSettingError, failure
from convsim.models.prices import Price
from convsim.models.refusals import RefusedRequestError, status_of
from convsim.models.waits import asked_wait
from convsim.schema.conversation import Usage

SAID = "hi, boots under 60?"
THOUGHT = "He wants boots."


def completion(content: object = SAID, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **more.pop("message", {})}}
    choice["finish_reason"] = more.pop("finish", "stop")
    return {"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 7}, **more}


def read(document: object) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_answer(body, who="the model 'm'")


def stream(*chunks: object, end: str = "data: [DONE]\n\n") -> bytes:
    return ("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end).encode()


def delta(**said: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": said}]}


def response(*output: object, **more: object) -> dict[str, Any]:
    usage = {"input_tokens": 11, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "object": "response",
        "status": "completed",
        "error": None,
        "output": [*output],
        "usage": usage,
        **more,
    }


COUNTED = {"prompt_tokens": 11, "completion_tokens": 7}
MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAID}]}
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}], "signature": "x" * 99}
WHOLE = json.dumps(completion())

FORMS: dict[str, object] = {
    "text": completion(),
    "parts": completion([{"type": "text", "text": "hi, boots "}, {"type": "text", "text": "under 60?"}]),
    "parts of a thinking model": completion([THINKING, {"type": "text", "text": SAID}]),
    "parts that are texts": completion(["hi, boots ", "under 60?"]),
    "one part": completion({"type": "text", "text": SAID}),
    "parts without a type": completion([{"text": SAID}, {"type": "image_url", "image_url": {"url": "x"}}]),
    "a thought part of Gemini": completion([{"text": THOUGHT, "thought": True}, {"text": SAID}]),
    "reasoning_content": completion(message={"reasoning_content": THOUGHT}),
    "reasoning": completion(message={"reasoning": THOUGHT, "reasoning_content": THOUGHT}),
    "a tag": completion(f"<thinking>{THOUGHT}</thinking>{SAID}"),
    "a legacy text": {"choices": [{"text": SAID, "finish_reason": "stop"}], "usage": COUNTED},
    "a trailing end": f"{WHOLE}\n\ndata: [DONE]\n\n".encode(),
    "a trailing end, bare": f"{WHOLE}[DONE]".encode(),
    "a byte order mark": b"\xef\xbb\xbf" + WHOLE.encode(),
    "several choices, the first empty": {
        "choices": [*completion("")["choices"], *completion()["choices"]], "usage": COUNTED,
    },
    "events": stream(
        delta(role="assistant", content=""), delta(content="hi, boots "), delta(content="under 60?"),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}},
    ),
    "events with thoughts, a comment and other line ends": b": hello\r\n\r\nevent: x\r\n" + stream(
        delta(reasoning_content=THOUGHT[:5]), delta(reasoning_content=THOUGHT[5:]), delta(content=SAID),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": COUNTED},
    ).replace(b"\n", b"\r\n"),
    "events parted by one line feed": stream(
        delta(content="hi, boots "), {**completion("under 60?"), "object": "chat.completion.chunk"},
    ).replace(b"\n\n", b"\n"),
    "one whole answer as an event": stream(completion()),
    "a response": response({"type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHT}]}, MESSAGE),
    "a response of several parts": response(
        {"type": "message", "content": [{"type": "output_text", "text": "hi, boots "}]},
        {"type": "message", "content": [{"type": "output_text", "text": "under 60?"}]},
    ),
    "a response with a thought aloud": response(
        {"type": "message", "phase": "commentary", "content": [{"type": "output_text", "text": THOUGHT}]}, MESSAGE,
    ),
    "a response as events": b"event: response.created\n" + stream(
        {"type": "response.created", "response": {}}, {"type": "response.output_text.delta", "delta": "hi"},
        {"type": "response.completed", "response": response(MESSAGE)}, end="",
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_usable_answer_is_used(form: str) -> None:
    answer = read(FORMS[form])
    assert (answer.text.strip(), answer.finish) == (SAID, "stop")
    assert (answer.input_tokens, answer.output_tokens) == (11, 7)
    thinks = any(name in form for name in ("think", "thought", "reasoning", "tag")) or form == "a response"
    assert answer.thought == (len(THOUGHT) if thinks else 0)


USAGES: list[tuple[object, tuple[int | None, int | None]]] = [
    (None, (None, None)),
    ({}, (None, None)),
    ("none", (None, None)),
    ([11, 7], (None, None)),
    ({"prompt_tokens": 11}, (11, None)),
    ({"prompt_tokens": 11, "completion_tokens": None}, (11, None)),
    ({"prompt_tokens": "11", "completion_tokens": True}, (None, None)),
    ({"prompt_tokens": -1, "completion_tokens": 1.5}, (None, None)),
    ({"prompt_tokens": 10**30, "completion_tokens": 7}, (None, 7)),
    ({"prompt_tokens": 11.0, "completion_tokens": 7.0}, (11, 7)),
    ({"prompt_tokens": 0, "completion_tokens": 0}, (None, None)),
    ({"input_tokens": 11, "output_tokens": 7}, (11, 7)),
]


@pytest.mark.parametrize(("usage", "counts"), USAGES)
def test_tokens_that_are_not_counted_are_unknown_and_never_0(
    usage: object, counts: tuple[int | None, int | None]
) -> None:
    answer = read({**completion(), "usage": usage})
    assert (answer.input_tokens, answer.output_tokens) == counts


def test_unknown_tokens_make_the_sum_and_its_price_unknown_and_none_used_do_not() -> None:
    known = Usage(input_tokens=10, output_tokens=5, cost_usd=0.1)
    assert Usage.sum([known, Usage()]) == known
    unknown = Usage.sum([known, Usage(input_tokens=None, output_tokens=None)])
    assert (unknown.input_tokens, unknown.output_tokens, unknown.cost_usd) == (None, None, None)
    assert Price(model="m", input=1.0, output=1.0).of(1, 1) == 2e-6
    assert Usage.model_validate_json(unknown.model_dump_json()) == unknown


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ("stop", "stop"), ("eos_token", "stop"), ("end_turn", "stop"), ("STOP", "stop"), ("length", "length"),
        ("MAX_TOKENS", "length"), ("max_output_tokens", "length"), ("SAFETY", "content_filter"),
        (None, "other"), ("", "other"), (7, "other"), ({"a": 1}, "other"), ("tool_calls", "other"),
    ],
)  # fmt: skip
def test_the_end_of_an_answer_has_many_names(stated: object, reason: str) -> None:
    assert finish_reason(stated) == reason
    assert read(completion(finish=stated)).finish == reason


def test_a_refusal_a_tool_call_and_a_filter_are_told_apart() -> None:
    assert read(completion(None, message={"refusal": "no"})).refusal == "no"
    assert read(completion([{"type": "refusal", "refusal": "no"}])).refusal == "no"
    assert (
        read(response({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]})).refusal == "no"
    )
    assert read(completion(None, message={"tool_calls": [{"id": "c"}]})).calls_tools
    assert read(response({"type": "function_call", "name": "f"})).calls_tools
    incomplete = response(MESSAGE, status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert read(incomplete).finish == "length"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "decode"),
        (b"<!DOCTYPE html><html>Log in", "that is a web page: is base_url the address of its API"),
        ({"choices": []}, r"choices must be a list of answers, but is '?\[\]"),
        ({"ok": True}, "choices must be a list of answers, but is missing"),
        ({"choices": [{"message": {"content": 3}}]}, "the content must be text or parts of it, but is 3"),
        ({"choices": [{"index": 0}]}, "neither a message nor a text"),
        ({"choices": ["x"]}, "a choice must be an object"),
        ([], "it must be an object"),
        (stream(delta(content="hi, bo"), end=""), "the stream breaks off before its end"),
        (b"data: [DONE]\n\n", "the stream holds no answer"),
        (f"{WHOLE}{WHOLE}".encode(), "Invalid JSON"),
    ],
)
def test_what_is_no_answer_is_one_line(document: object, problem: str) -> None:
    with pytest.raises(ModelError, match=problem) as caught:
        read(document)
    assert str(caught.value).startswith("the model 'm' did not answer with a completion: ")
    assert "\n" not in str(caught.value)


ASKED = Asked(who="the model 'm'", path="/chat/completions", key_env="SOME_KEY")
ERRORS: list[tuple[object, type[ModelError], str]] = [
    ({"error": {"message": "Provider returned error", "code": 502}}, PassingError, "HTTP 502: Provider returned error"),
    ({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, PassingError, "HTTP 429"),
    ({"error": {"message": "daily", "type": "rate_limit_daily"}}, PassingError, "HTTP 429"),
    ({"error": {"code": "429", "message": "slow"}}, PassingError, "HTTP 429"),
    ({"error": "503 Service Unavailable"}, PassingError, "HTTP 503"),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, PassingError, "HTTP 503"),
    ({"object": "error", "message": "bad seed", "code": 400}, RefusedRequestError, "HTTP 400: bad seed"),
    ([{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no"}}], RefusedRequestError, "HTTP 400"),
    ({"error": {"message": "no", "type": "authentication_error"}}, WrongSettingError, "HTTP 401.: check SOME_KEY"),
    ({"error": {"message": "no such model", "code": "model_not_found"}}, WrongSettingError, "HTTP 404"),
    ({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, ModelError, "HTTP 402"),
    ({"error": {"message": "tool failed"}}, ModelError, "answered with an error: tool failed"),
    ({"choices": [{"error": {"code": 502, "message": "cut"}, "message": {"content": ""}}]}, PassingError, "HTTP 502"),
    (response(status="failed", error={"code": "server_error", "message": "oh"}), PassingError, "HTTP 500: oh"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "kind", "line"), ERRORS)
def test_an_error_in_an_answer_of_status_200_is_what_it_names(
    document: object, kind: type[ModelError], line: str
) -> None:
    with pytest.raises(ReportedError) as caught:
        read(document)
    error = failure(200, caught.value.said, headers={}, asked=ASKED)
    assert type(error) is kind
    with pytest.raises(ModelError, match=line):
        raise error


def test_of_a_proxy_s_page_the_title_is_said() -> None:
    page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    assert (
        str(failure(502, page, headers={}, asked=ASKED))
        == "the model 'm' failed with HTTP 502: 502 Bad Gateway"
    )
    assert "log in here" in str(
        failure(400, "<html><p>log in <b>here</b></p></html>", headers={}, asked=ASKED)
    )


def test_an_error_in_a_stream_is_one() -> None:
    with pytest.raises(ReportedError) as caught:
        read(stream(delta(content="hi"), {"error": {"code": 502, "message": "gone"}}))
    assert status_of(caught.value.said) == 502


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"}]}, 38.0),
        ({"message": "Rate limit reached: Limit 200000 / 1m. Please try again in 38s."}, 38.0),
        ({"message": "Please retry after 20 seconds."}, 20.0),
        ({"message": "try again in 26.532s"}, 26.532),
        ({"message": "Please try again in 1m30s."}, 90.0),
        ({"message": "try again in 6m0s"}, 360.0),
        ({"message": "Try again in 2 minutes and 5 seconds"}, 125.0),
        ({"message": "please wait for 250ms before the next request"}, 0.25),
        ({"message": "retry in 1.5 hours"}, 5400.0),
        ({"message": "Retry-After: 7"}, 7.0),
        ({"retry_after": 12}, 12.0),
        ({"error": {"retryAfter": "12"}}, 12.0),
        ({"retry_after_ms": 1500}, 1.5),
        ({"retry_after": "soon"}, None),
        ({"retry_after": True}, None),
        ({"message": "You made 30 requests in 10 seconds"}, None),
        ({"message": "slow down"}, None),
        ("upstream busy, retry after 3 sec", 3.0),
        (None, None),
    ],
)  # fmt: skip
def test_a_wait_that_is_told_in_the_answer_is_read(said: object, seconds: float | None) -> None:
    assert asked_wait({}, said) == (None if seconds is None else pytest.approx(seconds))
    assert asked_wait({"retry-after": "9"}, said) == 9
