"""Oddities of foreign logs as their makers know them, each with what is right: made up, a few lines each."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.unit.io.foreign_logs import (
    AI_SDK,
    CHATGPT,
    CONVOKIT,
    CRS_KNOWLEDGE,
    INSPIRED,
    INTERCOM,
    LANGFUSE,
    LANGSMITH,
    LOGS,
    RASA,
    REDIAL,
    RESPONSES,
    SHAREGPT,
    A,
    Log,
    S,
    T,
    U,
    otlp,
    part,
    told,
)


def but(record: dict[str, Any], *path: Any, **fields: Any) -> dict[str, Any]:
    """A copy of a record with fields changed where the path leads; a field that is ``...`` is taken out."""
    found = copy.deepcopy(record)
    at: Any = found
    for step in path:
        at = at[step]
    for key, value in fields.items():
        at.pop(key, None) if value is ... else at.update({key: value})
    return found


def span(number: int, *said: tuple[str, str], answer: str | None = None, **attributes: Any) -> dict[str, Any]:
    """A span in a line of its own, as the SDKs' consoles write it; its attributes are lists."""
    given = {
        "gen_ai.conversation.id": "c",
        **{key.replace("_x_", "."): value for key, value in attributes.items()},
    }
    return {
        "name": "chat",
        "context": {"trace_id": f"0x{number:032x}", "span_id": f"0x{number:016x}"},
        "start_time": f"2026-01-01T10:{number:02d}:00Z",
        "attributes": {
            **{key: value for key, value in given.items() if value is not None},
            "gen_ai.input.messages": [part(role, text) for role, text in said],
            **({"gen_ai.output.messages": [part(A, answer)]} if answer else {}),
        },
    }


def event(name: str, **body: Any) -> dict[str, Any]:
    return {"name": name, "attributes": body}


def line(number: int, spans: dict[str, Any]) -> dict[str, Any]:
    return {"context": {"trace_id": "t", "span_id": f"s{number}"}, "start_time": number, **spans}


def trace(number: int, given: Any, answer: Any, **fields: Any) -> dict[str, Any]:
    """A trace of Langfuse as its table has it."""
    return {
        "id": f"tr{number}",
        "timestamp": f"2026-01-01T10:0{number}:00Z",
        "sessionId": None,
        "userId": "u1",
        "environment": "default",
        "input": given,
        "output": answer,
        **fields,
    }


HISTORY = [(U, "one"), (A, "two"), (U, "three")]
FULL = [*HISTORY, (A, "four")]
CHAT = told("c", *FULL)

ODDITIES: dict[str, tuple[str, Log]] = {
    "sharegpt: two columns": (
        "sharegpt",
        Log(
            [{"conversations": {"from": ["human", "gpt"], "value": ["hi", "Hello"]}}],
            [told(None, (U, "hi"), (A, "Hello"))],
        ),
    ),
    "sharegpt: one chat is empty": (
        "sharegpt",
        Log([SHAREGPT, {"id": "sg2", "conversations": []}], LOGS["sharegpt"].conversations),
    ),
    "sharegpt: tools": (
        "sharegpt",
        Log(
            [
                {
                    "conversations": [
                        {"from": "human", "value": "price?"},
                        {"from": "function_call", "value": "{}"},
                        {"from": "observation", "value": "9"},
                        {"from": "gpt", "value": "Nine."},
                    ]
                }
            ],
            [told(None, (U, "price?"), (T, "{}"), (T, "9"), (A, "Nine."))],
        ),
    ),
    "wildchat: two addresses are no person": (
        "wildchat",
        Log(
            [
                {
                    "conversation_hash": "w",
                    "conversation": [
                        {"role": "user", "content": "a", "hashed_ip": "1"},
                        {"role": "assistant", "content": "b"},
                        {"role": "user", "content": "c", "hashed_ip": "2"},
                    ],
                }
            ],
            [told("w", (U, "a"), (A, "b"), (U, "c"), user=None)],
        ),
    ),
    "redial: no film is named, and nobody answered": (
        "redial",
        Log(
            [
                but(
                    REDIAL,
                    movieMentions=[],
                    initiatorQuestions=[],
                    messages=[{"senderWorkerId": 0, "text": "hey @11"}, {"senderWorkerId": 1, "text": "Hi"}],
                )
            ],
            [told("391", (U, "hey @11"), (A, "Hi"), ending="unknown")],
        ),
    ),
    "redial: as Hugging Face has it, and nothing was taken": (
        "redial",
        Log(
            [
                but(
                    REDIAL,
                    movieMentions=[
                        {"movieId": "11", "movieName": "Blue Hill (1999)"},
                        {"movieId": "12", "movieName": None},
                    ],
                    initiatorQuestions=[{"movieId": "11", "suggested": 1, "seen": 1, "liked": 1}],
                )
            ],
            [
                told(
                    "391",
                    (A, "Hi, what do you like?"),
                    (U, "I loved Blue Hill (1999)"),
                    (A, "Then try @12 !"),
                    ending="left",
                )
            ],
        ),
    ),
    "inspired: rows stand twice": (
        "inspired",
        Log(
            [
                *INSPIRED[:2],
                *[{**row, "dialog_id": "d2", "case": "accept_others"} for row in INSPIRED[:2]],
                *INSPIRED,
            ],
            [
                LOGS["inspired"].conversations[0],
                told("d2", (A, "Hello"), (U, 'a "sad " film'), ending="accepted"),
            ],
        ),
    ),
    "opendialkg: a list a line": (
        "opendialkg",
        Log(
            [
                [
                    {"type": "chat", "sender": "user", "message": "hi"},
                    {"type": "chat", "sender": "assistant", "message": "Hi"},
                ]
            ],
            [told(None, (U, "hi"), (A, "Hi"))],
        ),
    ),
    "recllmsim: a simulated user": (
        "recllmsim",
        Log(
            [
                {
                    "task": "new travel planning",
                    "preference_id": 59,
                    "preference": "Gender: Female",
                    "history": [
                        {"role": "user", "content": "a trip", "content_zh": "x", "intent": "Planning"},
                        {"role": "assistant", "content": "Where to?", "satisfaction": 3},
                    ],
                }
            ],
            [
                told(
                    None,
                    (U, "a trip"),
                    (A, "Where to?"),
                    simulator="recllmsim",
                    user="59",
                    task="new travel planning",
                )
            ],
        ),
    ),
    "crs-knowledge: two items were selected for one answer": (
        "crs-knowledge",
        Log(
            [
                {
                    **CRS_KNOWLEDGE,
                    "messages": [
                        {"role": "human", "content": "bike"},
                        {"role": "system", "content": "Selected item for recommendation: One (ID: B1)"},
                        {"role": "system", "content": "Selected item for recommendation: Two (ID: B2)"},
                        {"role": "ai", "content": "One or Two."},
                        {"role": "ai", "content": "More?"},
                    ],
                }
            ],
            [
                told(
                    None,
                    (U, "bike"),
                    (S, "Selected item for recommendation: One (ID: B1)"),
                    (S, "Selected item for recommendation: Two (ID: B2)"),
                    (A, "One or Two."),
                    (A, "More?"),
                )
            ],
        ),
    ),
    "multiwoz: 2.2, turns out of order": (
        "multiwoz",
        Log(
            [
                {
                    "dialogue_id": "PMUL1.json",
                    "services": ["hotel", "taxi"],
                    "turns": [
                        {"turn_id": "1", "speaker": "SYSTEM", "utterance": "Which?", "frames": []},
                        {"turn_id": "0", "speaker": "USER", "utterance": "a taxi", "frames": []},
                        {"turn_id": "10", "speaker": "USER", "utterance": "bye", "frames": []},
                        {"turn_id": "9", "speaker": "SYSTEM", "utterance": "Booked", "frames": []},
                    ],
                }
            ],
            [told("PMUL1.json", (U, "a taxi"), (A, "Which?"), (A, "Booked"), (U, "bye"), task="hotel+taxi")],
        ),
    ),
    "multiwoz: columns of Hugging Face": (
        "multiwoz",
        Log(
            [
                {
                    "dialogue_id": "PMUL2.json",
                    "services": ["train"],
                    "turns": {"turn_id": ["0", "1"], "speaker": [0, 1], "utterance": ["a train", "When?"]},
                }
            ],
            [told("PMUL2.json", (U, "a train"), (A, "When?"))],
        ),
    ),
    "taskmaster: out of order": (
        "taskmaster",
        Log(
            [
                {
                    "conversation_id": "dlg-2",
                    "vertical": "Movie Tickets",
                    "utterances": [
                        {"index": 1, "speaker": "assistant", "text": "Two?"},
                        {"index": 0, "speaker": "user", "text": "tickets"},
                    ],
                }
            ],
            [told("dlg-2", (U, "tickets"), (A, "Two?"), task="Movie Tickets")],
        ),
    ),
    "convokit: out of order, twice, and speakers as objects": (
        "convokit",
        Log(
            [
                {**CONVOKIT[2], "speaker": {"id": "anna-like-7", "meta": {"role": "customer"}}, "meta": {}},
                *CONVOKIT[:2],
                CONVOKIT[1],
            ],
            LOGS["convokit"].conversations,
        ),
    ),
    "chatgpt: no current node, so the newest": (
        "chatgpt",
        Log(
            [
                but(
                    but(CHATGPT, "mapping", "n3", "message", create_time=9.0),
                    "mapping",
                    "n5",
                    "message",
                    create_time=5.0,
                )
                | {"current_node": None}
            ],
            [told("c7", (U, "bots"), (A, "Robots?"))],
        ),
    ),
    "chatgpt: thoughts, calls of tools, hidden and other parts": (
        "chatgpt",
        Log(
            [
                {
                    "conversation_id": "c8",
                    "current_node": "6",
                    "mapping": {
                        str(at): {"id": str(at), "parent": str(at - 1) if at else None, "message": said}
                        for at, said in enumerate(
                            [
                                {
                                    "author": {"role": "user"},
                                    "content": {
                                        "content_type": "multimodal_text",
                                        "parts": [
                                            {"content_type": "image_asset_pointer"},
                                            {"content_type": "audio_transcription", "text": "this one?"},
                                        ],
                                    },
                                },
                                {
                                    "author": {"role": "assistant"},
                                    "content": {"content_type": "thoughts", "thoughts": []},
                                },
                                {
                                    "author": {"role": "assistant"},
                                    "recipient": "web",
                                    "content": {"content_type": "code", "text": "search()"},
                                },
                                {
                                    "author": {"role": "tool", "name": "web"},
                                    "content": {"content_type": "text", "parts": ["found"]},
                                },
                                {
                                    "author": {"role": "user"},
                                    "metadata": {"is_visually_hidden_from_conversation": True},
                                    "content": {"content_type": "text", "parts": ["hidden"]},
                                },
                                {
                                    "author": {"role": "assistant"},
                                    "channel": "commentary",
                                    "content": {"content_type": "text", "parts": ["Let me look."]},
                                },
                                {
                                    "author": {"role": "assistant"},
                                    "channel": "final",
                                    "content": {"content_type": "text", "parts": ["Yes."]},
                                },
                            ]
                        )
                    },
                }
            ],
            [told("c8", (U, "this one?"), (T, "search()"), (T, "found"), (A, "Yes."))],
        ),
    ),
    "ai-sdk: out of order and twice": (
        "ai-sdk",
        Log([AI_SDK[1], AI_SDK[0], AI_SDK[1]], LOGS["ai-sdk"].conversations),
    ),
    "ai-sdk: one chat without an id": (
        "ai-sdk",
        Log(
            [{key: value for key, value in said.items() if key != "chatId"} for said in AI_SDK],
            [told(None, (U, "a red scarf"), (A, "This one."))],
        ),
    ),
    "responses: out of order": (
        "openai-responses",
        Log(
            [
                {**RESPONSES[0], "conversation": {"id": "conv_1"}},
                {**RESPONSES[1], "conversation": {"id": "conv_1"}},
            ][::-1],
            [told("conv_1", (U, "a lamp"), (A, "For a desk?"), (U, "yes"), (A, "The Arc."))],
        ),
    ),
    "responses: what was asked beside what was answered, with its history": (
        "openai-responses",
        Log(
            [
                {
                    "request": {
                        "model": "m",
                        "instructions": "Sell.",
                        "input": [
                            {"role": "user", "content": "one"},
                            {
                                "type": "message",
                                "role": "assistant",
                                "content": [{"type": "output_text", "text": "two"}],
                            },
                            {"role": "user", "content": "three"},
                            {"type": "function_call", "call_id": "f", "name": "find", "arguments": "{}"},
                            {"type": "function_call_output", "call_id": "f", "output": "9"},
                        ],
                    },
                    "response": {
                        "id": "r",
                        "object": "response",
                        "output": [
                            {
                                "type": "message",
                                "role": "assistant",
                                "content": [{"type": "output_text", "text": "four"}],
                            }
                        ],
                    },
                }
            ],
            [told("r", (S, "Sell."), (U, "one"), (A, "two"), (U, "three"), (T, ""), (T, "9"), (A, "four"))],
        ),
    ),
    "responses: items in rows": (
        "openai-responses",
        Log(
            [
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "hi"}],
                    "status": "completed",
                },
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Hello"}],
                },
            ],
            [told(None, (U, "hi"), (A, "Hello"))],
        ),
    ),
    "otel: a span a line, newest first": (
        "otel",
        Log([span(2, *HISTORY, answer="four"), span(1, (U, "one"), answer="two")], [CHAT]),
    ),
    "otel: the last call failed": (
        "otel",
        Log([span(1, (U, "one"), answer="two"), span(2, *HISTORY)], [told("c", *HISTORY)]),
    ),
    "otel: a title and a route are no part of it": (
        "otel",
        Log(
            [
                span(0, (U, "Which department? one"), answer="toys"),
                span(1, (U, "one"), answer="two"),
                span(2, *HISTORY, answer="four"),
                span(3, (U, "Give this chat a title"), answer="Numbers"),
            ],
            [CHAT],
        ),
    ),
    "otel: a sliding window": (
        "otel",
        Log(
            [
                span(1, (U, "one"), answer="two"),
                span(2, (U, "one"), (A, "two"), (U, "three"), answer="four"),
                span(3, (U, "three"), (A, "four"), (U, "five"), answer="six"),
                span(4, (U, "five"), (A, "six"), (U, "seven"), answer="eight"),
            ],
            [told("c", *FULL, (U, "five"), (A, "six"), (U, "seven"), (A, "eight"))],
        ),
    ),
    "otel: every call has the newest turn alone, and a yes is said twice": (
        "otel",
        Log(
            [
                span(1, (U, "yes"), answer="ok"),
                span(2, (U, "yes"), answer="ok"),
                span(3, (U, "no"), answer="fine"),
            ],
            [told("c", (U, "yes"), (A, "ok"), (U, "yes"), (A, "ok"), (U, "no"), (A, "fine"))],
        ),
    ),
    "otel: one trace a request and no conversation's id": (
        "otel",
        Log(
            [
                span(
                    1,
                    (U, "one"),
                    answer="two",
                    gen_ai_x_conversation_x_id=None,
                    **{"gen_ai.conversation.id": None},
                ),
                span(2, *HISTORY, answer="four", **{"gen_ai.conversation.id": None}),
                span(3, (U, "other"), answer="thing", **{"gen_ai.conversation.id": None}),
            ],
            [told(f"0x{2:032x}", *FULL), told(f"0x{3:032x}", (U, "other"), (A, "thing"))],
        ),
    ),
    "otel: tools in the history": (
        "otel",
        Log(
            [
                {
                    "attributes": {
                        "session.id": "c",
                        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Sell."}]),
                        "gen_ai.input.messages": json.dumps(
                            [
                                part(U, "one"),
                                {
                                    "role": "assistant",
                                    "parts": [{"type": "tool_call", "id": "1", "name": "find"}],
                                },
                                {
                                    "role": "tool",
                                    "parts": [{"type": "tool_call_response", "id": "1", "response": "9"}],
                                },
                            ]
                        ),
                        "gen_ai.output.messages": json.dumps(
                            [
                                {
                                    "role": "assistant",
                                    "parts": [
                                        {"type": "reasoning", "content": "hm"},
                                        {"type": "text", "content": "two"},
                                    ],
                                }
                            ]
                        ),
                    }
                }
            ],
            [told("c", (S, "Sell."), (U, "one"), (A, ""), (T, ""), (A, "two"))],
        ),
    ),
    "otel: events": (
        "otel",
        Log(
            [
                line(
                    1,
                    {
                        "attributes": {"gen_ai.system": "openai", "session.id": "c"},
                        "events": [
                            event("gen_ai.system.message", content="Sell."),
                            event("gen_ai.user.message", content="one"),
                            event("gen_ai.assistant.message", content="two"),
                            event("gen_ai.user.message", content=json.dumps([{"text": "three"}])),
                            event(
                                "gen_ai.choice",
                                index=0,
                                message=json.dumps({"role": "assistant", "content": "four"}),
                            ),
                        ],
                    },
                )
            ],
            [told("c", (S, "Sell."), *FULL)],
        ),
    ),
    "otel: events of Azure, and messages of agents as JSON": (
        "otel",
        Log(
            [
                line(
                    1,
                    {
                        "attributes": {"gen_ai.system": "az.ai.inference", "session.id": "c"},
                        "events": [
                            event(
                                "gen_ai.user.message",
                                **{"gen_ai.event.content": json.dumps({"content": "one"})},
                            ),
                            event(
                                "gen_ai.choice",
                                **{
                                    "gen_ai.event.content": json.dumps(
                                        {"message": {"content": "two"}, "index": 0}
                                    )
                                },
                            ),
                            event("gen_ai.choice", message=json.dumps([{"text": "another choice"}]), index=1),
                        ],
                    },
                )
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "otel: events of the content, as they were at first": (
        "otel",
        Log(
            [
                line(
                    1,
                    {
                        "attributes": {"gen_ai.system": "x", "session.id": "c"},
                        "events": [
                            event(
                                "gen_ai.content.prompt",
                                **{
                                    "gen_ai.prompt": json.dumps(
                                        [{"role": r, "content": t} for r, t in HISTORY]
                                    )
                                },
                            ),
                            event(
                                "gen_ai.content.completion",
                                **{
                                    "gen_ai.completion": json.dumps(
                                        [{"role": "assistant", "content": "four"}]
                                    )
                                },
                            ),
                        ],
                    },
                )
            ],
            [CHAT],
        ),
    ),
    "otel: messages that are mere texts": (
        "otel",
        Log(
            [
                {
                    "attributes": [
                        otlp("gen_ai.input.messages", "one"),
                        otlp("gen_ai.output.messages", "two"),
                        otlp("session.id", "c"),
                    ]
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "otel: the session is the resource's, and messages are a list of objects": (
        "otel",
        Log(
            [
                {
                    "resourceSpans": [
                        {
                            "resource": {"attributes": [otlp("session.id", "c")]},
                            "scopeSpans": [
                                {
                                    "spans": [
                                        {
                                            "traceId": "t",
                                            "attributes": [
                                                {
                                                    "key": "gen_ai.input.messages",
                                                    "value": {
                                                        "arrayValue": {
                                                            "values": [
                                                                {
                                                                    "kvlistValue": {
                                                                        "values": [
                                                                            otlp("role", "user"),
                                                                            otlp("content", "one"),
                                                                        ]
                                                                    }
                                                                }
                                                            ]
                                                        }
                                                    },
                                                },
                                                otlp(
                                                    "gen_ai.output.messages",
                                                    [{"role": "assistant", "content": "two"}],
                                                ),
                                            ],
                                        }
                                    ]
                                }
                            ],
                        }
                    ]
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "otel: log records, one a message": (
        "otel",
        Log(
            [
                {
                    "resourceLogs": [
                        {
                            "scopeLogs": [
                                {
                                    "logRecords": [
                                        {
                                            "traceId": "c",
                                            "spanId": "s",
                                            "timeUnixNano": "1",
                                            "eventName": kind,
                                            "attributes": [otlp("gen_ai.system", "x")],
                                            "body": {"kvlistValue": {"values": body}},
                                        }
                                        for kind, body in [
                                            ("gen_ai.user.message", [otlp("content", "one")]),
                                            (
                                                "gen_ai.choice",
                                                [
                                                    {
                                                        "key": "message",
                                                        "value": {
                                                            "kvlistValue": {
                                                                "values": [otlp("content", "two")]
                                                            }
                                                        },
                                                    }
                                                ],
                                            ),
                                        ]
                                    ]
                                }
                            ]
                        }
                    ]
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "otel: OpenLLMetry": (
        "otel",
        Log(
            [
                {
                    "traceId": "c",
                    "attributes": [
                        otlp("gen_ai.prompt.10.content", "three"),
                        otlp("gen_ai.prompt.10.role", "user"),
                        otlp("gen_ai.prompt.2.role", "assistant"),
                        otlp("gen_ai.prompt.2.content", "two"),
                        otlp("gen_ai.prompt.0.role", "user"),
                        otlp("gen_ai.prompt.0.content", [{"type": "text", "text": "one"}]),
                        otlp("gen_ai.completion.0.content", "four"),
                        otlp("gen_ai.completion.0.finish_reason", "stop"),
                    ],
                }
            ],
            [CHAT],
        ),
    ),
    "otel: the AI SDK's telemetry": (
        "otel",
        Log(
            [
                {
                    "attributes": {
                        "ai.telemetry.metadata.sessionId": "c",
                        "ai.prompt.messages": json.dumps(
                            [{"role": "user", "content": [{"type": "text", "text": "one"}]}]
                        ),
                        "ai.response.text": "two",
                        "gen_ai.system": "x",
                    }
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "openinference: an export in OTLP": (
        "openinference",
        Log(
            [
                {
                    "resourceSpans": [
                        {
                            "scopeSpans": [
                                {
                                    "spans": [
                                        {
                                            "traceId": "c",
                                            "spanId": "1",
                                            "attributes": [otlp("http.method", "POST")],
                                        },
                                        {
                                            "traceId": "c",
                                            "spanId": "2",
                                            "attributes": [
                                                otlp("openinference.span.kind", "LLM"),
                                                otlp("llm.input_messages.0.message.role", "user"),
                                                otlp(
                                                    "llm.input_messages.0.message.contents.0.message_content.type",
                                                    "text",
                                                ),
                                                otlp(
                                                    "llm.input_messages.0.message.contents.0.message_content.text",
                                                    "one",
                                                ),
                                                otlp("llm.output_messages.0.message.role", "assistant"),
                                                otlp("llm.output_messages.0.message.content", "two"),
                                            ],
                                        },
                                    ]
                                }
                            ]
                        }
                    ]
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "openinference: nested, as Phoenix exports it": (
        "openinference",
        Log(
            [
                {
                    "context": {"trace_id": "t", "span_id": "s"},
                    "attributes": {
                        "openinference": {"span": {"kind": "LLM"}},
                        "session": {"id": "c"},
                        "llm": {
                            "input_messages": [{"message": {"role": "user", "content": "one"}}],
                            "output_messages": [{"message": {"role": "assistant", "content": "two"}}],
                        },
                    },
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "openinference: a data frame's rows": (
        "openinference",
        Log(
            [
                {
                    "context.trace_id": "t",
                    "parent_id": None,
                    "attributes.openinference.span.kind": "LLM",
                    "attributes.session.id": "c",
                    "attributes.llm.input_messages": [{"message.role": "user", "message.content": "one"}],
                    "attributes.llm.output_messages": [
                        {"message.role": "assistant", "message.content": "two"}
                    ],
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "openinference: roots alone": (
        "openinference",
        Log(
            [
                {
                    "context": {"trace_id": f"t{number}", "span_id": "s"},
                    "start_time": number,
                    "attributes": {
                        "openinference.span.kind": "CHAIN",
                        "session.id": "c",
                        "input.value": given,
                        "output.value": answer,
                    },
                }
                for number, given, answer in [
                    (2, json.dumps({"question": "three"}), "four"),
                    (1, "one", "two"),
                ]
            ],
            [CHAT],
        ),
    ),
    "langfuse: a session with traces that say what was said": (
        "langfuse",
        Log(
            [
                {
                    "id": "c",
                    "createdAt": "2026-01-01T10:00:00Z",
                    "projectId": "p",
                    "traces": [trace(2, {"query": "three"}, {"answer": "four"}), trace(1, "one", "two")],
                }
            ],
            [told("c", *FULL, user="u1")],
        ),
    ),
    "langfuse: a trace with its observations and scores": (
        "langfuse",
        Log(
            [
                {
                    "trace": trace(
                        1, {"messages": [{"role": "user", "content": "one"}]}, None, sessionId="c"
                    ),
                    "observations": [
                        {
                            "id": "o",
                            "type": "GENERATION",
                            "traceId": "tr1",
                            "startTime": "2026-01-01T10:00:00Z",
                            "model": "m",
                            "input": [{"role": "user", "content": "one"}],
                            "output": {"role": "assistant", "content": "two"},
                        }
                    ],
                    "scores": [
                        {"name": "user-feedback", "value": 1, "source": "API"},
                        {"name": "helpful", "value": 0.5, "source": "EVAL"},
                    ],
                }
            ],
            [told("c", (U, "one"), (A, "two"), agent="m", **{"user-feedback": 1, "helpful": 0.5})],
        ),
    ),
    "langfuse: traces without a session that repeat the history": (
        "langfuse",
        Log(
            [
                trace(1, [{"role": "user", "content": "one"}], "two"),
                trace(2, [{"role": role, "content": text} for role, text in HISTORY], "four"),
            ],
            [told("tr2", *FULL)],
        ),
    ),
    "langfuse: rows of scores beside those of observations": (
        "langfuse",
        Log(
            [
                *LANGFUSE,
                {
                    "id": "sc",
                    "trace_id": "tr3",
                    "name": "thumbs",
                    "value": None,
                    "string_value": "up",
                    "data_type": "CATEGORICAL",
                },
            ],
            [told("ls-1", *LOGS["langfuse"].conversations[0].said, thumbs="up")],
        ),
    ),
    "langfuse: rows of the API, whose trace says what was asked": (
        "langfuse",
        Log(
            [
                {
                    "id": "t",
                    "timestamp": "2026-01-01T10:00:00Z",
                    "sessionId": "c",
                    "environment": "default",
                    "input": {"new_message": {"parts": [{"text": "one"}]}},
                },
                {
                    "id": "o",
                    "traceId": "t",
                    "parentObservationId": None,
                    "startTime": "2026-01-01T10:00:00Z",
                    "input": None,
                    "output": None,
                },
                {
                    "id": "g",
                    "traceId": "t",
                    "type": "GENERATION",
                    "parentObservationId": "o",
                    "startTime": "2026-01-01T10:00:01Z",
                    "input": {"contents": [], "prompt": "one"},
                    "output": {"text": "two"},
                },
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "langfuse: prompts hold the user's words inside": (
        "langfuse",
        Log(
            [
                *(
                    {
                        "id": f"t{number}",
                        "timestamp": f"2026-01-01T10:0{number}:00Z",
                        "sessionId": "c",
                        "environment": "default",
                        "input": {"question": asked},
                        "output": {"answer": answer},
                    }
                    for number, asked, answer in [(1, "the one", "two"), (2, "the three", "four")]
                ),
                *(
                    {
                        "id": f"g{number}",
                        "traceId": f"t{number}",
                        "type": "GENERATION",
                        "startTime": f"2026-01-01T10:0{number}:01Z",
                        "input": [
                            {"role": "user", "content": f"Answer by these documents: …\nQuestion: {asked}"}
                        ],
                        "output": answer,
                    }
                    for number, asked, answer in [(1, "the one", "two"), (2, "the three", "four")]
                ),
            ],
            [told("c", (U, "the one"), (A, "two"), (U, "the three"), (A, "four"))],
        ),
    ),
    "langsmith: the newest prompt holds the user's words inside, after a history": (
        "langsmith",
        Log(
            [
                run
                for number, history, asked, answer in [
                    (1, [], "the one", "two"),
                    (2, FULL[:2], "three?", "four"),
                ]
                for run in [
                    {
                        "id": f"root{number}",
                        "trace_id": f"t{number}",
                        "run_type": "chain",
                        "parent_run_id": None,
                        "start_time": f"2026-01-01T10:0{number}:00",
                        "metadata": {"thread_id": "c"},
                        "inputs": {"input": asked},
                        "outputs": {"output": answer},
                    },
                    {
                        "id": f"llm{number}",
                        "trace_id": f"t{number}",
                        "run_type": "llm",
                        "parent_run_id": f"root{number}",
                        "start_time": f"2026-01-01T10:0{number}:01",
                        "inputs": {
                            "messages": [
                                *({"role": role, "content": said} for role, said in history),
                                {"role": "user", "content": f"Documents: …\nQuestion: {asked}"},
                            ]
                        },
                        "outputs": {"role": "assistant", "content": answer},
                    },
                ]
            ],
            [told("c", (U, "one"), (A, "two"), (U, "three?"), (A, "four"))],
        ),
    ),
    "openinference: a router asks about the user's words first": (
        "openinference",
        Log(
            [
                {
                    "context": {"trace_id": "c", "span_id": f"s{number}"},
                    "start_time": number,
                    "attributes": {
                        "openinference.span.kind": "LLM",
                        "llm.input_messages.0.message.role": "user",
                        "llm.input_messages.0.message.content": asked,
                        "llm.output_messages.0.message.role": "assistant",
                        "llm.output_messages.0.message.content": answer,
                    },
                }
                for number, asked, answer in [
                    (1, "Classify: news, finance or general.\nInput: latest news", "news"),
                    (2, "latest news", "It rained."),
                ]
            ],
            [told("c", (U, "latest news"), (A, "It rained."))],
        ),
    ),
    "langfuse: out of order": ("langfuse", Log(LANGFUSE[::-1], LOGS["langfuse"].conversations)),
    "langsmith: the last run failed, and a root beside it": (
        "langsmith",
        Log(
            [
                LANGSMITH[0],
                {**LANGSMITH[1], "outputs": None, "error": "timeout", "parent_run_id": "root"},
                {
                    **LANGSMITH[1],
                    "id": "root",
                    "run_type": "chain",
                    "inputs": {"input": "gel"},
                    "outputs": None,
                },
            ],
            [told("th-1", (U, "a pen"), (A, "Ink?"), (U, "gel"))],
        ),
    ),
    "langsmith: roots alone, with the messages of OpenAI": (
        "langsmith",
        Log(
            [
                {
                    "id": f"r{number}",
                    "run_type": "chain",
                    "start_time": f"2026-01-01T10:00:0{number}",
                    "extra": {"metadata": {"session_id": "c"}},
                    "inputs": given,
                    "outputs": answer,
                }
                for number, given, answer in [
                    (
                        1,
                        {"messages": [{"role": "user", "content": "one"}]},
                        {"choices": [{"message": {"role": "assistant", "content": "two"}}]},
                    ),
                    (2, {"question": "three"}, {"output": "four"}),
                ]
            ],
            [CHAT],
        ),
    ),
    "langsmith: the output holds the input": (
        "langsmith",
        Log(
            [
                {
                    "id": "c",
                    "run_type": "chain",
                    "inputs": {"messages": [{"type": "human", "content": "one"}]},
                    "outputs": {
                        "messages": [{"type": "human", "content": "one"}, {"type": "ai", "content": "two"}]
                    },
                }
            ],
            [told("c", (U, "one"), (A, "two"))],
        ),
    ),
    "langsmith: the output is all of a graph's state": (
        "langsmith",
        Log(
            [
                {
                    "id": f"r{number}",
                    "run_type": "chain",
                    "start_time": f"2026-01-01T10:00:0{number}",
                    "metadata": {"thread_id": "c"},
                    "inputs": {"messages": [{"type": "human", "content": newest}]},
                    "outputs": {
                        "messages": [
                            {"type": {"user": "human", "assistant": "ai"}[who], "content": said, "id": said}
                            for who, said in state
                        ]
                    },
                }
                for number, newest, state in [(1, "one", FULL[:2]), (2, "three", FULL)]
            ],
            [CHAT],
        ),
    ),
    "rasa: rows of a tracker store, out of order and twice": (
        "rasa",
        Log(
            [
                {"id": number, "sender_id": "s", "type_name": said["event"], "data": json.dumps(said)}
                for number, said in enumerate(
                    [
                        {"event": "bot", "text": "two", "timestamp": 2.0},
                        {"event": "user", "text": "one", "timestamp": 1.0},
                        {"event": "user", "text": "one", "timestamp": 1.0},
                    ]
                )
            ],
            [told("s", (U, "one"), (A, "two"), user="s")],
        ),
    ),
    "rasa: what was said is taken back, and sessions are told by their id": (
        "rasa",
        Log(
            [
                {
                    "event": kind,
                    "text": text,
                    "timestamp": at,
                    "sender_id": "s",
                    "metadata": {"session_id": session},
                }
                for at, kind, text, session in [
                    (1, "user", "one", "x"),
                    (2, "bot", "two", "x"),
                    (3, "user", "oops", "x"),
                    (4, "rewind", None, "x"),
                    (5, "user", "five", "y"),
                    (6, "bot", None, "y"),
                ]
            ],
            [told("s-1", (U, "one"), (A, "two")), told("s-2", (U, "five"), (A, ""))],
        ),
    ),
    "rasa: sessions without a word": (
        "rasa",
        Log(
            [but(RASA, events=[*RASA["events"][:5], RASA["events"][5]])],
            [told("s9", (U, "shoes"), (A, "Which size?"))],
        ),
    ),
    "intercom: an older version, delivered by a webhook": (
        "intercom",
        Log(
            [
                {
                    "type": "notification_event",
                    "topic": "conversation.user.created",
                    "data": {
                        "item": {
                            "id": "79",
                            "user": {"type": "lead", "id": "c5"},
                            "conversation_message": {
                                "body": "<p>one</p>",
                                "author": {"type": "lead", "id": None},
                            },
                            "conversation_parts": {
                                "type": "conversation_part.list",
                                "conversation_parts": [
                                    {
                                        "body": "<p>two</p>",
                                        "created_at": 1,
                                        "author": {"type": "admin", "id": "a"},
                                    }
                                ],
                            },
                            "conversation_rating": {"rating": None},
                        }
                    },
                }
            ],
            [told("79", (U, "one"), (A, "two"), user="c5", satisfaction=None)],
        ),
    ),
    "intercom: a bot answers a lead, parts as a list and out of order": (
        "intercom",
        Log(
            [
                {
                    "id": 78,
                    "source": {"body": "", "author": {"type": "admin", "id": "a"}},
                    "contacts": {"contacts": [{"id": "c4"}]},
                    "conversation_parts": [
                        {
                            "part_type": "comment",
                            "body": "<ul><li>x &lt; y<li>z</ul><script>1</script>",
                            "created_at": 9,
                            "author": {"type": "bot", "id": "fin"},
                        },
                        {
                            "part_type": "comment",
                            "body": "one<br>two",
                            "created_at": 5,
                            "author": {"type": "lead", "id": ""},
                        },
                        {
                            "part_type": "close",
                            "body": None,
                            "created_at": 10,
                            "author": {"type": "team", "id": "t"},
                        },
                    ],
                }
            ],
            [told("78", (U, "one\ntwo"), (A, "x < y\nz"), user="c4", agent="fin")],
        ),
    ),
}

UNREADABLE: dict[str, tuple[str, list[Any], str]] = {
    "sharegpt": (
        "sharegpt",
        [{"conversations": [{"from": "human", "value": "a"}, {"from": "narrator", "value": "b"}]}],
        "conversations[1].from: must be one of human, user,",
    ),
    "sharegpt's columns": (
        "sharegpt",
        [{"conversations": {"from": ["human"], "value": []}}],
        "conversations: must be lists 'from' and 'value' of one length",
    ),
    "redial": (
        "redial",
        [but(REDIAL, "messages", 1, senderWorkerId=7)],
        "messages[1].senderWorkerId: must be the initiator '0' or the respondent '1', but is '7'",
    ),
    "inspired": (
        "inspired",
        [{**INSPIRED[0], "speaker": "BOTH"}],
        "speaker: must be one of seeker, recommender, but is",
    ),
    "opendialkg": (
        "opendialkg",
        [[{"type": "chat", "sender": "bystander", "message": "x"}]],
        "[0].sender: must be one of user, assistant, but is 'bystander'",
    ),
    "mg-shopdial": (
        "mg-shopdial",
        [{"utterances": [{"participant": "Coach", "utterance": "x"}]}],
        "utterances[0].participant: must be one of client, user, wizard, assistant, but is 'Coach'",
    ),
    "simulator-arena": (
        "simulator-arena",
        [{"user_queries": ["a"], "ai_responses": ["b", "c"]}],
        "ai_responses: must have a response to each query, but has 1 queries and 2 responses",
    ),
    "multiwoz": (
        "multiwoz",
        [{"X.json": {"log": [{"text": "a", "metadata": {"hotel": 1}}]}}],
        "['X.json'].log[0]: must be the user's, but has the system's metadata",
    ),
    "sgd": (
        "sgd",
        [{"dialogue_id": "1", "turns": [{"speaker": "WIZARD", "utterance": "x"}]}],
        "turns[0].speaker: must be one of user, system, assistant, but is 'WIZARD'",
    ),
    "taskmaster": (
        "taskmaster",
        [{"conversation_id": "1", "utterances": [{"speaker": "USER", "text": 3}]}],
        "utterances[0].text: must be text, but is 3",
    ),
    "convokit": (
        "convokit",
        [{**CONVOKIT[0], "meta": {}}],
        "speaker: must tell which side speaks",
    ),
    "chatgpt": (
        "chatgpt",
        [but(CHATGPT, "mapping", "n1", parent="n5")],
        "runs in a circle",
    ),
    "chatgpt's branch": (
        "chatgpt",
        [but(CHATGPT, "mapping", n4=...)],
        "mapping.n4: must be a message of the chat, but is missing",
    ),
    "otel": (
        "otel",
        [{"attributes": {"gen_ai.system": "x", "gen_ai.request.model": "m"}}],
        "no span holds a message: instrumentation leaves the content out",
    ),
    "intercom": (
        "intercom",
        [but(INTERCOM, "source", "author", type="parrot")],
        "source.author.type: must be one of user, lead,",
    ),
    "rasa": (
        "rasa",
        [but(RASA, events=[{"event": "user", "text": 3}])],
        "events[0].text: must be text, but is 3",
    ),
}
