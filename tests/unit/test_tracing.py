"""Spans of OpenTelemetry's own SDK: who is whose child, what they say, what they do not, and what agents are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import convsim
from convsim._tracing import CAPTURE, MAX_MESSAGE_CHARACTERS, MAX_VALUE_CHARACTERS
from convsim._tracing import span as begun
from convsim.agents import HTTP, OpenAIChat
from convsim.annotation import annotate
from convsim.io import PROMPTS, read
from convsim.models import Asked, OpenAICompatible, Scripted
from convsim.schema import Annotation, Corpus, Finding
from convsim.schema.conversation import Conversation, Label, Message
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Study
from tests.doubles import Told, say

SECRET = "sk-planted-0123456789-secret"
PEOPLE = [Persona(id="ann", need="boots"), Persona(id="bob", need="sandals")]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield kept
    provider.shutdown()


def answer(asked: Asked) -> str:
    """Say something twice, and leave."""
    if asked.kind == "choose":
        return next((each for each in asked.options if "leave" in each), asked.options[0])
    return f"size 9 please {SECRET}"


def shop(server: HTTPServer, status: int = 200) -> tuple[HTTP, list[dict[str, str]]]:
    """Serve an agent that keeps the headers it was sent."""
    heard: list[dict[str, str]] = []

    def reply(request: Request) -> Response:
        heard.append({name.lower(): value for name, value in request.headers.items()})
        return Response(
            json.dumps({"content": "Take the red ones."}), status, content_type="application/json"
        )

    server.expect_request("/chat").respond_with_handler(reply)
    return HTTP(url=server.url_for("/chat"), max_retries=0), heard


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [each for each in spans.get_finished_spans() if each.name == name]


def only(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = named(spans, name)
    return found


def parent_of(spans: InMemorySpanExporter, span: ReadableSpan) -> str | None:
    if span.parent is None:
        return None
    return next(
        each.name
        for each in spans.get_finished_spans()
        if each.context.span_id == span.parent.span_id and each.context.trace_id == span.parent.trace_id
    )


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_study_is_a_tree_of_conversations_turns_and_calls(
    spans: InMemorySpanExporter, httpserver: HTTPServer, tmp_path: Path
) -> None:
    agent, heard = shop(httpserver)
    study = Study(Prompted(model=Scripted(answers=answer)), agent, PEOPLE, seed=1, n=2, concurrency=2)
    study.run(tmp_path / "run")
    conversations = {each.id: each for each in read(tmp_path / "run")}
    parents = {(span.name, parent_of(spans, span)) for span in spans.get_finished_spans()}
    assert parents == {
        ("convsim.study", None),
        ("convsim.conversation", "convsim.study"),
        ("convsim.turn", "convsim.conversation"),
        ("chat scripted", "convsim.turn"),
        ("invoke_agent http", "convsim.turn"),
    }
    assert told(only(spans, "convsim.study"))["convsim.conversations"] == 2
    for span in named(spans, "convsim.conversation"):
        said = told(span)
        held = conversations.pop(said["gen_ai.conversation.id"])
        assert held.persona is not None
        assert (said["convsim.persona.id"], said["convsim.ending"]) == (held.persona.id, held.ending)
    assert not conversations
    # The agent's own spans come under the very call that it answers.
    calls = named(spans, "invoke_agent http")
    sent = {f"00-{c.context.trace_id:032x}-{c.context.span_id:016x}" for c in calls}
    assert {headers["traceparent"].rpartition("-")[0] for headers in heard} == sent
    assert {call.kind for call in calls} == {SpanKind.CLIENT}


def test_a_model_call_has_the_names_that_opentelemetry_gives_them(
    spans: InMemorySpanExporter, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(
        lambda request: Response(json.dumps(COMPLETED), content_type="application/json")
    )
    model = OpenAICompatible(model="small", base_url=httpserver.url_for("/v1"))
    agent = OpenAIChat(model=model)
    Study(Told(lambda turn: say()), agent, PEOPLE[:1], seed=1, n=1, max_turns=1).run(tmp_path / "run")
    call = only(spans, "chat small")
    assert parent_of(spans, call) == "invoke_agent openai_chat"
    assert told(call) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small",
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.seed": told(call)["gen_ai.request.seed"],
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.response.finish_reasons": ("stop",),
        "server.address": "localhost",
        "server.port": httpserver.port,
    }
    (request,) = (request for request, _ in httpserver.log)
    assert f"{call.context.span_id:016x}" in request.headers["traceparent"]


COMPLETED = {
    "choices": [{"message": {"role": "assistant", "content": "Red ones."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3},
}


def test_a_shoppers_model_server_is_told_nothing_of_the_trace(
    spans: InMemorySpanExporter, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(COMPLETED)
    shopper = Prompted(model=OpenAICompatible(model="small", base_url=httpserver.url_for("/v1")))
    Study(shopper, lambda conversation: "Hello", PEOPLE[:1], seed=1, n=1, max_turns=1).run(tmp_path / "run")
    assert named(spans, "chat small")
    assert not [request for request, _ in httpserver.log if "traceparent" in request.headers]


def test_what_fails_is_an_error_with_its_reason(
    spans: InMemorySpanExporter, httpserver: HTTPServer, tmp_path: Path
) -> None:
    agent, _ = shop(httpserver, status=500)
    Study(Told(lambda turn: say()), agent, PEOPLE[:1], seed=1, n=1).run(tmp_path / "run")
    (kept,) = read(tmp_path / "run")
    assert kept.failure is not None
    for name in ("invoke_agent http", "convsim.turn", "convsim.conversation"):
        span = only(spans, name)
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == kept.failure.reason[:500]
        assert told(span)["error.type"] in ("AgentError", "agent_failed")
    assert only(spans, "convsim.study").status.status_code is StatusCode.UNSET
    assert told(only(spans, "convsim.study"))["convsim.failed"] == 1


def test_texts_are_left_out_unless_they_are_asked_for(
    spans: InMemorySpanExporter, httpserver: HTTPServer, tmp_path: Path
) -> None:
    agent, _ = shop(httpserver)
    study = Study(Prompted(model=Scripted(answers=answer)), agent, PEOPLE[:1], seed=1, n=1)
    study.run(tmp_path / "run")
    everything = "".join(each.to_json() for each in spans.get_finished_spans())
    assert "size 9" not in everything
    assert "red ones" not in everything
    assert "boots" not in everything


def test_texts_that_are_asked_for_are_cut_and_without_secrets(
    spans: InMemorySpanExporter, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", SECRET)
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    agent, _ = shop(httpserver)
    answers = lambda asked: answer(asked) if asked.kind == "choose" else f"size 9 {SECRET} " + "x" * 3_000  # noqa: E731
    shopper = Prompted(model=Scripted(answers=answers))
    Study(shopper, agent, PEOPLE[:1], seed=1, n=1).run(tmp_path / "run", record=True)
    (call,) = (span for span in named(spans, "invoke_agent http"))
    (asked,) = json.loads(told(call)["gen_ai.input.messages"])
    (part,) = asked["parts"]
    assert asked["role"] == "user"
    assert part["content"].startswith("size 9 [SHOP_API_KEY] xxx")
    assert len(part["content"]) == MAX_MESSAGE_CHARACTERS + 1
    (answered,) = json.loads(told(call)["gen_ai.output.messages"])
    assert answered == {
        "role": "assistant",
        "parts": [{"type": "text", "content": "Take the red ones."}],
        "finish_reason": "stop",
    }
    assert SECRET not in "".join(each.to_json() for each in spans.get_finished_spans())
    # What is traced and recorded at once is recorded as it is without a trace.
    assert len((tmp_path / "run" / PROMPTS).read_text().splitlines()) == 1


def test_keys_that_convsim_never_read_are_in_no_span(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    keys = ("zzz99988877766", "pw123456", "abcdef123456", "sk-0123456789abcdef")
    texts = f"Authorization: Bearer {keys[0]} http://u:{keys[1]}@shop/?api_key={keys[2]} {keys[3]}"

    def ask() -> None:
        with begun(f"ask {keys[3]}", {"one": texts, "many": [texts, "x" * 3_000]}) as asked:
            asked.say("gen_ai.input.messages", [("user", texts + " " * 50_000 + "end")])
            raise ValueError(f"refused: {texts}")

    with pytest.raises(ValueError, match="refused"):
        ask()
    (kept,) = spans.get_finished_spans()
    everything = kept.to_json()
    assert not [key for key in keys if key in everything]
    assert str(kept.status.description).startswith("refused: ")
    assert len(told(kept)["many"][1]) == MAX_VALUE_CHARACTERS


def waiting(conversation: Conversation) -> str:
    with trace.get_tracer("theirs").start_as_current_span("in a thread"):
        return "Hello"


async def async_waiting(conversation: Conversation) -> str:
    with trace.get_tracer("theirs").start_as_current_span("in another loop"):
        await asyncio.sleep(0)
        return "Hello"


def test_an_agents_own_spans_come_under_its_call_in_every_thread(
    spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    for agent in (waiting, async_waiting):
        Study(Told(lambda turn: say()), agent, PEOPLE, seed=1, n=2, max_turns=1).run(
            tmp_path / agent.__name__
        )
    for name, of in (("in a thread", "waiting"), ("in another loop", "async_waiting")):
        assert [parent_of(spans, each) for each in named(spans, name)] == [f"invoke_agent {of}"] * 2


async def test_studies_that_share_a_model_do_not_disturb_one_another(
    spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    model = Scripted(answers=answer)
    studies = [
        Study(Prompted(model=model), lambda conversation: "Hello", PEOPLE, seed=seed, n=2) for seed in (1, 2)
    ]
    await asyncio.gather(*(each.arun(tmp_path / str(number)) for number, each in enumerate(studies)))
    assert len(named(spans, "chat scripted")) == model.calls
    assert {parent_of(spans, each) for each in named(spans, "chat scripted")} == {"convsim.turn"}
    assert not {"complete", "continue_text", "choose"} & vars(model).keys()


class Fixed:
    """A model whose attributes nobody can set."""

    __slots__ = ()
    name = "fixed"

    def __getattr__(self, name: str) -> Any:
        return getattr(Scripted(answers=answer), name)


def test_a_model_that_cannot_be_heard_is_not_in_the_trace_and_works(
    spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    Study(Prompted(model=Fixed()), lambda conversation: "Hello", PEOPLE[:1], seed=1, n=1).run(
        tmp_path / "run"
    )
    assert named(spans, "convsim.turn")
    assert not [span for span in spans.get_finished_spans() if span.name.startswith("chat")]


def test_a_traced_study_holds_the_same_conversations(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    def hold(name: str) -> list[Conversation]:
        shopper = Prompted(model=Scripted(answers=answer))
        Study(shopper, lambda conversation: "Hello", PEOPLE, seed=1, n=4).run(tmp_path / name)
        return sorted((c.but(usage=None) for c in read(tmp_path / name)), key=lambda c: c.id)

    plain = hold("plain")
    spans = request.getfixturevalue("spans")
    assert hold("traced") == plain
    assert len(named(spans, "convsim.conversation")) == 4


class Habits:
    name = "marginals"

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> dict[str, object]:
        return {"metric": "all_metrics", "estimate": 0.5, "verdict": "different", "reason": "far"}


class Breaks:
    name = "breaks"

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        raise ValueError(f"no such column {SECRET}")


class Kind:
    source = "kind:1"
    name = "kind"

    async def annotate(self, conversation: Conversation) -> Annotation:
        return Annotation(conversation={"satisfaction": Label(value=1, source=self.source)})


def talks(side: str, **more: Any) -> list[Conversation]:
    return [
        Conversation(id=f"{side}{n}", messages=(Message(role="user", content=f"boots {n}"),), **more)
        for n in range(4)
    ]


def test_annotation_and_validators_stand_below_what_asked_for_them(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", SECRET)
    card = convsim.validate(
        talks("p"), talks("s", simulator="toy"), seed=1, validators=[Habits(), Breaks()], annotator=Kind()
    )
    assert [each.validator for each in card.failed] == ["breaks"]
    parents = {(span.name, parent_of(spans, span)) for span in spans.get_finished_spans()}
    assert parents == {
        ("convsim.validate", None),
        ("convsim.annotation", "convsim.validate"),
        ("convsim.annotate", "convsim.annotation"),
        ("convsim.judge", "convsim.validate"),
        ("convsim.validator", "convsim.judge"),
    }
    by_name = {told(span)["convsim.validator"]: span for span in named(spans, "convsim.validator")}
    assert by_name["marginals"].status.status_code is StatusCode.UNSET
    assert by_name["breaks"].status.status_code is StatusCode.ERROR
    assert by_name["breaks"].status.description == "no such column [SHOP_API_KEY]"
    judged = told(only(spans, "convsim.judge"))
    assert {name: judged[f"convsim.verdict.{name}"] for name in ("habits", "all")} == {
        each.name: each.verdict for each in card.headlines
    }
    assert (judged["convsim.n_real"], judged["convsim.n_simulated"]) == (4, 4)


async def test_in_a_loop_the_spans_of_a_twin_come_under_the_callers(spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("mine").start_as_current_span("nightly"):
        await convsim.avalidate(talks("p"), talks("s", simulator="toy"), seed=1, validators=Habits())
    assert parent_of(spans, only(spans, "convsim.validate")) == "nightly"


def test_an_annotators_model_calls_are_in_the_trace(spans: InMemorySpanExporter) -> None:
    class Asks(Kind):
        def __init__(self) -> None:
            self.model = Scripted(answers=answer)

        async def annotate(self, conversation: Conversation) -> Annotation:
            await self.model.continue_text("How was it?", max_tokens=5, temperature=0, seed=1)
            return await super().annotate(conversation)

    annotate(talks("p"), Asks())
    calls = named(spans, "text_completion scripted")
    assert [parent_of(spans, each) for each in calls] == ["convsim.annotate"] * 4
