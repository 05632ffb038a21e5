"""What servers say when they refuse, word for word as they do, and what that teaches."""

from typing import Any

import pytest

from convsim.models.learned import Learned
from convsim.models.refusals import RefusedRequestError
from convsim.models.requests import Request, Ways, body_of
from convsim.schema.chat_model import ChatMessage

# A shopper's second turn.
CHAT = [
    ChatMessage(role="system", content="Be a shopper."),
    ChatMessage(role="assistant", content="red boots please"),
    ChatMessage(role="user", content="What size?"),
]
EXTRA = {"top_p": 0.9, "presence_penalty": 0.5}


def omits(*names: str) -> dict[str, Any]:
    return {"omit": frozenset(names)}


FOLDS, ALTERNATES, STREAMS = {"folds_system": True}, {"alternates": True}, {"streams": True}
NOTHING: dict[str, Any] = {}

UNKNOWN = 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'
FORBIDDEN = {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}
SAID: list[tuple[dict[str, Any], list[object]]] = [
    # Mistral, Gemini, OpenAI, Groq, Bedrock, NIM.
    (omits("seed"), [
        {"object": "error", "message": {"detail": [FORBIDDEN]}, "type": "invalid_request_error"},
        {"code": 400, "message": UNKNOWN, "details": [{"fieldViolations": [{"description": UNKNOWN}]}]},
        "Unrecognized request argument supplied: seed",
        "property 'seed' is unsupported, did you mean 'speed'?",
        "Malformed input request: extraneous key [seed] is not permitted, please reformat your input.",
        "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted'}]",
    ]),
    (omits("seed", "stop"), ["Unrecognized request arguments supplied: seed, stop"]),
    # xAI, Cerebras.
    (omits("stop"), [
        {"code": "Client specified an invalid argument", "error": "Argument not supported on this model: stop"},
        {"message": "body.stop: property 'body.stop' is unsupported", "param": "validation_error"},
    ]),
    # Moonshot, Anthropic.
    (omits("temperature"), [
        "invalid temperature: only 1 is allowed for this model",
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    ]),
    (omits("presence_penalty"), ['json: unknown field "presence_penalty"']),
    (omits("max_tokens"), ["Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."]),
    # vLLM, llama.cpp, Perplexity, Bedrock, DeepSeek, Gemini.
    (ALTERNATES, [
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Jinja Exception: After the optional system message, conversation roles must alternate",
        "After the (optional) system message(s), user message(s) should alternate with assistant message(s).",
        "A conversation must start with a user message. Try again with a conversation that does.",
        "The first message (except the system message) of deepseek-reasoner must be a user message",
        "deepseek-reasoner does not support successive user or assistant messages",
        "Please ensure that multiturn requests alternate between user and model.",
    ]),
    # Gemma, Bedrock, Anthropic, o1, Mistral.
    (FOLDS, [
        "System role not supported",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "This model doesn't support system messages. Try again without the system messages.",
        'messages: Unexpected role "system". The API accepts a top-level `system` parameter.',
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "Only user and assistant roles are supported!",
    ]),
    # DashScope.
    (STREAMS, [
        "This model only support stream mode, please enable the stream parameter to access the model.",
        "parameter.enable_thinking must be set to false for non-streaming calls",
    ]),
    (NOTHING, [
        "'max_tokens' is too large: 100. This model's maximum context length is 90 tokens.",
        "input length and `max_tokens` exceed context limit: 19 + 20 > 10, decrease them",
        "prompt is too long: 200001 tokens > 200000 maximum",
        "the request exceeds the available context size, try increasing it",
        "max_tokens: Field required",
        {"message": "The model `gpt-9` does not exist or you have no access", "code": "model_not_found"},
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
        "Your credit balance is too low to access the API; temperature and seed do not matter",
        "Please stop; the user is not supported any more",
        "Bad Request",
        "max_tokens must be at most 4096",
    ]),
]  # fmt: skip
CASES = [(said, change) for change, several in SAID for said in several]


def lesson(status: int, said: object) -> dict[str, Any]:
    request = Request(messages=CHAT, max_tokens=20, temperature=0.5, seed=1, stop=["\nUser:"])
    _, body = body_of(request, Ways(), model="m", api="chat", more=EXTRA)
    error = RefusedRequestError("refused", status=status, said=said)
    learned = Learned(Ways(), who="m", notes={})
    found = learned.lesson(error, request, body, before=Ways(), api="chat", explicit={*EXTRA})
    return dict(found.change) if found else {}


@pytest.mark.parametrize(("said", "change"), CASES, ids=range(len(CASES)))
def test_a_refusal_teaches_what_it_says_and_no_more(said: object, change: dict[str, Any]) -> None:
    assert lesson(400, {"message": said} if isinstance(said, str) else said) == change


def test_a_failure_of_the_server_s_own_teaches_roles_alone() -> None:
    assert lesson(500, "Conversation roles must alternate user/assistant/...") == ALTERNATES
    assert lesson(500, "unknown parameter 'seed'") == NOTHING
