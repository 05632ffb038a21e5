"""Made-up logs in every foreign format, as small as shows what is theirs, and what stands in them.

``LOGS[name]`` is what a file of the format holds, a record each, and the conversations in it, written down by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

U, A, S, T = "user", "assistant", "system", "tool"


@dataclass(frozen=True)
class Told:
    """A conversation as it should be read."""

    id: str | None
    said: list[tuple[str, str]]
    fields: dict[str, Any] = field(default_factory=dict)


def told(id: str | None, *said: tuple[str, str], **fields: Any) -> Told:
    return Told(id, list(said), fields)


@dataclass(frozen=True)
class Log:
    """Records, and the conversations that they hold."""

    records: list[Any]
    conversations: list[Told]


SHAREGPT: dict[str, Any] = {
    "id": "sg1",
    "conversations": [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "warm gloves?"},
        {"from": "gpt", "value": "Wool ones."},
    ],
}
WILDCHAT: dict[str, Any] = {
    "conversation_hash": "w1",
    "model": "m-4",
    "language": "English",
    "conversation": [
        {"role": "user", "content": "a tent for two", "hashed_ip": "ip9", "turn_identifier": 1},
        {"role": "assistant", "content": "The Fell 2.", "hashed_ip": None, "turn_identifier": 1},
    ],
}
ARENA: dict[str, Any] = {
    "question_id": "q1",
    "model_a": "m-a",
    "model_b": "m-b",
    "winner": "model_b",
    "judge": "arena_user_7",
    "conversation_a": [{"role": "user", "content": "which pan?"}, {"role": "assistant", "content": "Iron."}],
    "conversation_b": [{"role": "user", "content": "which pan?"}, {"role": "assistant", "content": "Steel."}],
}
PAIRED: dict[str, Any] = {
    "id": "p1",
    "real_messages": [{"role": "user", "content": "fix my loop"}, {"role": "assistant", "content": "Done."}],
    "simulated_messages": [
        {"role": "user", "content": "Could you please fix my loop?"},
        {"role": "assistant", "content": "Done!"},
    ],
}
REDIAL: dict[str, Any] = {
    "conversationId": "391",
    "initiatorWorkerId": 0,
    "respondentWorkerId": 1,
    "movieMentions": {"11": "Blue Hill (1999)", "12": "Night Bus (2003)"},
    "initiatorQuestions": {
        "11": {"suggested": 0, "seen": 1, "liked": 1},
        "12": {"suggested": 1, "seen": 0, "liked": 1},
    },
    "respondentQuestions": {},
    "messages": [
        {"messageId": 1, "timeOffset": 0, "senderWorkerId": 1, "text": "Hi, what do you like?"},
        {"messageId": 2, "timeOffset": 9, "senderWorkerId": 0, "text": "I loved @11"},
        {"messageId": 3, "timeOffset": 20, "senderWorkerId": 1, "text": "Then try @12 !"},
    ],
}
INSPIRED: list[dict[str, Any]] = [
    {
        "dialog_id": "d1",
        "utt_id": number,
        "speaker": speaker,
        "turn_id": (number + 1) // 2,
        "text": said,
        "text_with_placeholder": said,
        "movies": "",
        "movie_dict": "{'Blue Hill (1999)': 0}",
        "first_label": "encouragement" if speaker == "RECOMMENDER" else "",
        "second_label": "",
        "case": "reject",
        "movie_id": "yt1",
    }
    for number, speaker, said in [
        (1, "RECOMMENDER", "Hello"),
        (2, "SEEKER", "a QUOTATION_MARKsad QUOTATION_MARK film"),
        (10, "SEEKER", "no thanks"),
        (9, "RECOMMENDER", "Blue Hill"),
    ]
]
OPENDIALKG: dict[str, Any] = {
    "Messages": json.dumps(
        [
            {"type": "chat", "sender": "user", "message": "a book like Dune?"},
            {
                "type": "action",
                "action_id": "kgwalk/choose_path",
                "sender": "assistant",
                "metadata": {"path": [1]},
            },
            {"type": "chat", "sender": "assistant", "message": "Try Messiah."},
        ]
    ),
    "User Rating": "4",
    "Assistant Rating": "5",
}
RECLLMSIM: dict[str, Any] = {
    "task_type": "gifts",
    "chat_model": "m-1",
    "profile": {"age": "30-40"},
    "questionnaire": {"difficulty": 2},
    "history": [
        {"role": "user", "content": "a gift for a gardener"},
        {"role": "assistant", "content": "A good trowel.", "satisfaction": 4, "hallucination": False},
    ],
}
CRS_KNOWLEDGE: dict[str, Any] = {
    "domain": "bicycle",
    "target": {"id": "B1"},
    "completed": True,
    "self_assessment": {"bicycle": "Novice"},
    "pre_task_answers": {"q0": "Probably True"},
    "post_task_answers": {"q1": 4},
    "recommendations": ["B7"],
    "messages": [
        {"role": "human", "content": "a commuter bike"},
        {"role": "system", "content": "Selected item for recommendation: Town Bike (7 gears) (ID: B7)"},
        {"role": "ai", "content": "I suggest the Town Bike."},
    ],
}
MG_SHOPDIAL: dict[str, Any] = {
    "id": "Books:45:1:2",
    "metadata": {"type": "simple", "id": "45", "wizard_checklist": []},
    "utterances": [
        {
            "utterance_id": 1,
            "participant": "Wizard",
            "utterance": "Hello",
            "goal": "meta",
            "intents": [["greeting", 4.0]],
        },
        {
            "utterance_id": 2,
            "participant": "Client",
            "utterance": "a thriller",
            "goal": "search",
            "intents": [],
        },
    ],
}
SIMULATOR_ARENA: dict[str, Any] = {
    "workerId": "w5",
    "model": "m-9",
    "document_type": "email",
    "user_queries": ["an apology", "shorter"],
    "ai_responses": ["Dear you", "Sorry."],
    "overall_interaction_rating": "8",
}
MULTIWOZ: dict[str, Any] = {
    "SNG01.json": {
        "goal": {"hotel": {}},
        "log": [
            {"text": "a cheap hotel", "metadata": {}, "dialog_act": {}},
            {"text": "The Gate?", "metadata": {"hotel": {"book": {}}}, "dialog_act": {}},
        ],
    }
}
SGD: dict[str, Any] = {
    "dialogue_id": "1_00000",
    "services": ["Hotels_1"],
    "turns": [
        {"speaker": "USER", "utterance": "a quiet hotel", "frames": [{"service": "Hotels_1"}]},
        {"speaker": "SYSTEM", "utterance": "The Mill?", "frames": []},
    ],
}
TASKMASTER: dict[str, Any] = {
    "conversation_id": "dlg-1",
    "instruction_id": "pizza-2",
    "utterances": [
        {"index": 0, "speaker": "USER", "text": "a large pizza", "segments": []},
        {"index": 1, "speaker": "ASSISTANT", "text": "Any toppings?"},
    ],
}
CCPE: dict[str, Any] = {
    "conversationId": "CCPE-1",
    "utterances": [
        {"index": 0, "speaker": "ASSISTANT", "text": "What films do you like?"},
        {"index": 1, "speaker": "USER", "text": "heist films", "segments": [{"text": "heist"}]},
    ],
}
CONVOKIT: list[dict[str, Any]] = [
    {
        "id": f"u{number}",
        "speaker": speaker,
        "conversation_id": "u1",
        "reply_to": None if number == 1 else f"u{number - 1}",
        "timestamp": 100 + number,
        "text": said,
        "meta": {"role": side},
    }
    for number, speaker, side, said in [
        (1, "anna-like-7", "customer", "is it waterproof"),
        (2, "shop-1", "agent", "Yes."),
        (3, "anna-like-7", "customer", "good"),
    ]
]
CHATGPT: dict[str, Any] = {
    "id": "c7",
    "conversation_id": "c7",
    "title": "Boots",
    "default_model_slug": "m-5",
    "current_node": "n5",
    "mapping": {
        "root": {"id": "root", "message": None, "parent": None, "children": ["n1"]},
        "n1": {
            "id": "n1",
            "parent": "root",
            "children": ["n2", "n4"],
            "message": {
                "author": {"role": "system"},
                "content": {"content_type": "text", "parts": [""]},
                "weight": 0.0,
            },
        },
        "n2": {
            "id": "n2",
            "parent": "n1",
            "children": ["n3"],
            "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["bots"]}},
        },
        "n3": {
            "id": "n3",
            "parent": "n2",
            "children": [],
            "message": {
                "author": {"role": "assistant"},
                "content": {"content_type": "text", "parts": ["Robots?"]},
            },
        },
        "n4": {
            "id": "n4",
            "parent": "n1",
            "children": ["n5"],
            "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["boots"]}},
        },
        "n5": {
            "id": "n5",
            "parent": "n4",
            "children": [],
            "message": {
                "author": {"role": "assistant"},
                "content": {"content_type": "text", "parts": ["Hiking ones?"]},
                "recipient": "all",
                "weight": 1.0,
            },
        },
    },
}
AI_SDK: list[dict[str, Any]] = [
    {
        "id": "m1",
        "chatId": "chat1",
        "role": "user",
        "parts": [{"type": "text", "text": "a red scarf"}],
        "createdAt": "2026-01-01T10:00:00Z",
    },
    {
        "id": "m2",
        "chatId": "chat1",
        "role": "assistant",
        "parts": [
            {"type": "step-start"},
            {"type": "reasoning", "text": "They want red."},
            {
                "type": "tool-search",
                "toolCallId": "t1",
                "state": "output-available",
                "input": {},
                "output": [],
            },
            {"type": "text", "text": "This one."},
        ],
        "createdAt": "2026-01-01T10:00:05Z",
    },
]
RESPONSES: list[dict[str, Any]] = [
    {
        "id": "resp_1",
        "object": "response",
        "created_at": 1767261600,
        "model": "m-6",
        "input": "a lamp",
        "output": [
            {"type": "reasoning", "id": "rs1", "summary": []},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "For a desk?"}],
            },
        ],
    },
    {
        "id": "resp_2",
        "object": "response",
        "created_at": 1767261660,
        "model": "m-6",
        "previous_response_id": "resp_1",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "yes"}]}],
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "The Arc."}],
            },
        ],
    },
]


def otlp(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value if isinstance(value, str) else json.dumps(value)}}


def part(role: str, said: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": said}]}


OTEL_TURNS = [
    ([part(U, "a kettle")], part(A, "Steel?")),
    ([part(U, "a kettle"), part(A, "Steel?"), part(U, "yes")], part(A, "The Bow.")),
]
OTEL: dict[str, Any] = {
    "resourceSpans": [
        {
            "resource": {"attributes": [otlp("service.name", "shop")]},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": f"t{number}",
                            "spanId": f"s{number}",
                            "name": "chat m-7",
                            "startTimeUnixNano": str(1767261600_000000000 + number),
                            "attributes": [
                                otlp("gen_ai.conversation.id", "conv-1"),
                                otlp("gen_ai.request.model", "m-7"),
                                otlp("user.id", "u5"),
                                otlp("gen_ai.input.messages", said),
                                otlp("gen_ai.output.messages", [{**answer, "finish_reason": "stop"}]),
                            ],
                        }
                        for number, (said, answer) in enumerate(OTEL_TURNS)
                    ]
                }
            ],
        }
    ]
}
OPENINFERENCE: list[dict[str, Any]] = [
    {
        "name": "llm",
        "context": {"trace_id": f"t{number}", "span_id": f"s{number}"},
        "parent_id": None,
        "start_time": f"2026-01-01T10:00:0{number}Z",
        "attributes": {
            "openinference.span.kind": "LLM",
            "session.id": "sess-1",
            "user.id": "u6",
            "llm.model_name": "m-8",
            **{
                f"llm.input_messages.{index}.message.{key}": value
                for index, said in enumerate(messages)
                for key, value in said.items()
            },
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": answer,
        },
    }
    for number, (messages, answer) in enumerate(
        [
            ([{"role": "user", "content": "a mat"}], "For yoga?"),
            (
                [
                    {"role": "user", "content": "a mat"},
                    {"role": "assistant", "content": "For yoga?"},
                    {"role": "user", "content": "yes"},
                ],
                "The Grip.",
            ),
        ]
    )
]
LANGFUSE: list[dict[str, Any]] = [
    {
        "id": f"obs{number}",
        "trace_id": "tr1" if number == 1 else "tr3",
        "type": kind,
        "parent_observation_id": "" if kind == "SPAN" else f"obs{number - 1}",
        "start_time": f"2026-01-01 10:00:0{number}.000000",
        "session_id": "ls-1",
        "user_id": "u7",
        "input": given,
        "output": answer,
        "provided_model_name": "" if kind == "SPAN" else "m-3",
    }
    for number, kind, given, answer in [
        (1, "GENERATION", json.dumps([{"role": "user", "content": "a bag"}]), "Leather?"),
        (2, "SPAN", "tool", "ok"),
        (
            3,
            "GENERATION",
            json.dumps(
                [
                    {"role": "user", "content": "a bag"},
                    {"role": "assistant", "content": "Leather?"},
                    {"role": "user", "content": "canvas"},
                ]
            ),
            json.dumps({"role": "assistant", "content": "The Sack."}),
        ),
    ]
]
LANGSMITH: list[dict[str, Any]] = [
    {
        "id": f"run{number}",
        "trace_id": f"tr{number}",
        "run_type": "llm",
        "parent_run_id": None,
        "start_time": f"2026-01-01T10:00:0{number}",
        "session_id": "project-1",
        "extra": {"metadata": {"thread_id": "th-1", "ls_model_name": "m-2", "user_id": "u8"}},
        "inputs": {"messages": [said]},
        "outputs": {"generations": [[{"text": answer, "message": lc("AIMessage", answer)}]]},
    }
    for lc in [
        lambda kind, said: {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", kind],
            "kwargs": {"content": said},
        }
    ]
    for number, said, answer in [
        (1, [lc("HumanMessage", "a pen")], "Ink?"),
        (2, [lc("HumanMessage", "a pen"), lc("AIMessage", "Ink?"), lc("HumanMessage", "gel")], "The Dot."),
    ]
]
RASA: dict[str, Any] = {
    "sender_id": "s9",
    "slots": {"size": "42"},
    "events": [
        {"event": "action", "name": "action_session_start", "timestamp": 1.0},
        {"event": "session_started", "timestamp": 1.1},
        {"event": "user", "text": "shoes", "timestamp": 2.0, "parse_data": {"intent": {"name": "ask"}}},
        {"event": "slot", "name": "size", "value": "42", "timestamp": 2.1},
        {"event": "bot", "text": "Which size?", "timestamp": 3.0, "data": {}},
        {"event": "session_started", "timestamp": 900.0},
        {"event": "user", "text": "hello again", "timestamp": 901.0},
        {"event": "bot", "text": "Welcome back", "timestamp": 902.0},
    ],
}
INTERCOM: dict[str, Any] = {
    "type": "conversation",
    "id": "77",
    "conversation_rating": {"rating": 5},
    "source": {
        "type": "conversation",
        "body": "<p>My parcel&nbsp;is <b>late</b></p>",
        "author": {"type": "user", "id": "c3"},
    },
    "conversation_parts": {
        "conversation_parts": [
            {
                "part_type": "note",
                "body": "<p>angry</p>",
                "created_at": 12,
                "author": {"type": "admin", "id": "a1"},
            },
            {
                "part_type": "assignment",
                "body": None,
                "created_at": 11,
                "author": {"type": "bot", "id": "b1"},
            },
            {
                "part_type": "comment",
                "body": "<p>Sorry!</p><p>It left today.</p>",
                "created_at": 13,
                "author": {"type": "admin", "id": "a1"},
            },
        ]
    },
}

LOGS: dict[str, Log] = {
    "sharegpt": Log([SHAREGPT], [told("sg1", (S, "Be brief."), (U, "warm gloves?"), (A, "Wool ones."))]),
    "wildchat": Log(
        [WILDCHAT], [told("w1", (U, "a tent for two"), (A, "The Fell 2."), user="ip9", agent="m-4")]
    ),
    "arena": Log(
        [ARENA],
        [
            told(
                "q1-a", (U, "which pan?"), (A, "Iron."), user="arena_user_7", agent="m-a", preference="lost"
            ),
            told(
                "q1-b", (U, "which pan?"), (A, "Steel."), user="arena_user_7", agent="m-b", preference="won"
            ),
        ],
    ),
    "paired": Log(
        [PAIRED], [told("p1", (U, "Could you please fix my loop?"), (A, "Done!"), simulator="paired")]
    ),
    "redial": Log(
        [REDIAL],
        [
            told(
                "391",
                (A, "Hi, what do you like?"),
                (U, "I loved Blue Hill (1999)"),
                (A, "Then try Night Bus (2003) !"),
                user="0",
                ending="accepted",
            )
        ],
    ),
    "inspired": Log(
        INSPIRED,
        [told("d1", (A, "Hello"), (U, 'a "sad " film'), (A, "Blue Hill"), (U, "no thanks"), ending="left")],
    ),
    "opendialkg": Log([OPENDIALKG], [told(None, (U, "a book like Dune?"), (A, "Try Messiah."), rating=4)]),
    "recllmsim": Log(
        [RECLLMSIM],
        [
            told(
                None,
                (U, "a gift for a gardener"),
                (A, "A good trowel."),
                agent="m-1",
                arm="m-1",
                task="gifts",
            )
        ],
    ),
    "crs-knowledge": Log(
        [CRS_KNOWLEDGE],
        [
            told(
                None,
                (U, "a commuter bike"),
                (S, "Selected item for recommendation: Town Bike (7 gears) (ID: B7)"),
                (A, "I suggest the Town Bike."),
                task="bicycle",
            )
        ],
    ),
    "mg-shopdial": Log([MG_SHOPDIAL], [told("Books:45:1:2", (A, "Hello"), (U, "a thriller"), task="books")]),
    "simulator-arena": Log(
        [SIMULATOR_ARENA],
        [
            told(
                None,
                (U, "an apology"),
                (A, "Dear you"),
                (U, "shorter"),
                (A, "Sorry."),
                user="w5",
                agent="m-9",
                overall_interaction_rating=8,
            )
        ],
    ),
    "multiwoz": Log([MULTIWOZ], [told("SNG01.json", (U, "a cheap hotel"), (A, "The Gate?"))]),
    "sgd": Log([SGD], [told("1_00000", (U, "a quiet hotel"), (A, "The Mill?"), task="Hotels_1")]),
    "taskmaster": Log(
        [TASKMASTER], [told("dlg-1", (U, "a large pizza"), (A, "Any toppings?"), task="pizza-2")]
    ),
    "ccpe": Log([CCPE], [told("CCPE-1", (A, "What films do you like?"), (U, "heist films"))]),
    "convokit": Log(
        CONVOKIT, [told("u1", (U, "is it waterproof"), (A, "Yes."), (U, "good"), user="anna-like-7")]
    ),
    "chatgpt": Log([CHATGPT], [told("c7", (U, "boots"), (A, "Hiking ones?"), agent="m-5")]),
    "ai-sdk": Log(AI_SDK, [told("chat1", (U, "a red scarf"), (A, "This one."))]),
    "openai-responses": Log(
        RESPONSES,
        [told("resp_1", (U, "a lamp"), (A, "For a desk?"), (U, "yes"), (A, "The Arc."), agent="m-6")],
    ),
    "otel": Log(
        [OTEL],
        [told("conv-1", (U, "a kettle"), (A, "Steel?"), (U, "yes"), (A, "The Bow."), user="u5", agent="m-7")],
    ),
    "openinference": Log(
        OPENINFERENCE,
        [
            told(
                "sess-1", (U, "a mat"), (A, "For yoga?"), (U, "yes"), (A, "The Grip."), user="u6", agent="m-8"
            )
        ],
    ),
    "langfuse": Log(
        LANGFUSE,
        [
            told(
                "ls-1", (U, "a bag"), (A, "Leather?"), (U, "canvas"), (A, "The Sack."), user="u7", agent="m-3"
            )
        ],
    ),
    "langsmith": Log(
        LANGSMITH,
        [told("th-1", (U, "a pen"), (A, "Ink?"), (U, "gel"), (A, "The Dot."), user="u8", agent="m-2")],
    ),
    "rasa": Log(
        [RASA],
        [
            told("s9-1", (U, "shoes"), (A, "Which size?"), user="s9"),
            told("s9-2", (U, "hello again"), (A, "Welcome back"), user="s9"),
        ],
    ),
    "intercom": Log(
        [INTERCOM],
        [
            told(
                "77",
                (U, "My parcel is late"),
                (A, "Sorry!\nIt left today."),
                user="c3",
                agent="a1",
                satisfaction=5,
            )
        ],
    ),
}
