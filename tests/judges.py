"""Models for judges: a server on loopback that answers as told, and one that errs as often as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from convsim.models import OpenAICompatible
from convsim.seeds import generator

EXPERIENCE = ("satisfaction", "frustration", "confusion", "purchase_intent")
Body = Mapping[str, object]


def verdict(*acts: str, **experience: int) -> str:
    """Write an answer as a judge should: acts where some are given, and every experience, 0 unless given."""
    fields: dict[str, object] = {"acts": list(acts)} if acts else {}
    return json.dumps(fields | dict.fromkeys(EXPERIENCE, 0) | experience)


def model_that(httpserver: HTTPServer, answers: Callable[[Body], str]) -> OpenAICompatible:
    """Return the model of a server that says what ``answers`` makes of each request's body."""

    def respond(request: Request) -> Response:
        choice = {"index": 0, "finish_reason": "stop"}
        message = {"role": "assistant", "content": answers(request.get_json())}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "judge", "usage": usage}
        return Response(
            json.dumps({**body, "choices": [{**choice, "message": message}]}), content_type="application/json"
        )

    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(respond)
    return OpenAICompatible(model="m-1", base_url=httpserver.url_for("/v1"), max_retries=0)


def is_of_message(body: Body) -> bool:
    """Tell whether the labels of a message are asked for, not those of a conversation."""
    return bool(body["response_format"]["json_schema"]["name"] == "MessageLabels")


def chat_lines(prompt: str) -> list[dict[str, object]]:
    """Read back the lines of the chat that a prompt shows."""
    before, _, rest = prompt.partition("<chat>\n")
    chat, _, after = rest.partition("\n</chat>")
    assert "<chat>" not in before + chat + after
    assert "</chat>" not in chat + after
    return [json.loads(line) for line in chat.splitlines()]


@dataclass(frozen=True, kw_only=True)
class Erring:
    """Answers one label by the truth of the chat's last user message, and errs at the stated rates; the rest is 0.

    A message that has it is told so with probability ``sensitivity``, one that does not has it denied with probability
    ``specificity``. Errors are drawn by the message's words, so that the same message always gets the same answer.
    """

    truth: Callable[[str], bool]
    sensitivity: float
    specificity: float
    seed: int
    label: str = "satisfaction"

    def __call__(self, body: Body) -> str:
        of_message = is_of_message(body)
        prompts = [str(message["content"]) for message in body["messages"]]  # type: ignore[attr-defined]
        said = next(chat_lines(prompt) for prompt in prompts if "\n</chat>\n" in prompt)
        text = str([line["text"] for line in said if line["from"] == "user"][-1])
        is_right = generator(self.seed, text, str(of_message)).random() < (
            self.sensitivity if self.truth(text) else self.specificity
        )
        told = {self.label: int(self.truth(text) == is_right)}
        return verdict(*(["inform_preference"] if of_message else []), **told)
