"""tau2-bench results: simulated users, their endings, failures and costs; what is spoken or malformed is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import read
from convsim.metrics import measure
from tests.unit.io.made import written

GREETING = {"role": "assistant", "content": "Hi! How can I help?", "turn_idx": 0, "cost": 0.0, "usage": None}
ASKED = {
    "role": "user",
    "content": "My parcel is late",
    "cost": 0.01,
    "usage": {"completion_tokens": 5, "prompt_tokens": 100},
    "raw_data": {"id": "x"},
}
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "t1", "name": "find", "arguments": {"id": 3}, "requestor": "assistant"}],
    "usage": {"completion_tokens": 7, "prompt_tokens": 200},
}
RESULT = {"id": "t1", "role": "tool", "content": "on its way", "requestor": "assistant", "error": False}
ANSWER = {"role": "assistant", "content": "It is on its way."}
STOP = {"role": "user", "content": "Thanks, bye ###STOP###"}


def simulation(
    id: str = "s1", messages: Any = (GREETING, ASKED, CALL, RESULT, ANSWER, STOP), **fields: Any
) -> Any:
    return {
        "id": id, "task_id": "17", "timestamp": "2026-01-01", "start_time": "a", "end_time": "b", "duration": 12.5,
        "termination_reason": "user_stop", "agent_cost": 0.2, "user_cost": 0.1, "reward_info": {"reward": 1.0},
        "messages": list(messages) if isinstance(messages, tuple) else messages, "trial": 0, "seed": 5,
        "ticks": None, **fields,
    }  # fmt: skip


def results(*simulations: Any, **fields: Any) -> dict[str, Any]:
    info = {
        "git_commit": "abc", "num_trials": 1, "max_steps": 200, "max_errors": 10, "seed": 300,
        "user_info": {"implementation": "user_simulator", "llm": "model-u", "llm_args": {"temperature": 0.0}},
        "agent_info": {"implementation": "llm_agent", "llm": "model-a"},
        "environment_info": {"domain_name": "retail", "policy": "Be kind."},
    }  # fmt: skip
    return {
        "timestamp": "2026-01-01",
        "info": info,
        "tasks": [{"id": "17"}],
        "simulations": list(simulations),
        **fields,
    }


def one(tmp_path: Path, **fields: Any) -> Any:
    found = read(written(tmp_path / "results.json", results(simulation(**fields), simulation("other"))))
    return found.conversations[0]


def test_a_results_file_is_known_by_its_content_and_names_who_played_whom(tmp_path: Path) -> None:
    found = read(written(tmp_path / "results.json", results(simulation())))
    (conversation,) = found.conversations
    assert found.format == "tau2"
    assert conversation.id == "s1"
    assert conversation.task == "17"
    assert conversation.simulator == "user_simulator on model-u"
    assert conversation.shopper == "user_simulator"
    assert conversation.agent == "llm_agent on model-a"
    assert (conversation.user, conversation.arm, conversation.persona) == (None, None, None)
    assert conversation.metadata["domain"] == "retail"
    assert conversation.metadata["reward_info"] == {"reward": 1.0}
    assert conversation.metadata["termination_reason"] == "user_stop"


def test_the_greeting_stays_and_what_goes_to_and_from_tools_is_kept_and_never_counted(tmp_path: Path) -> None:
    conversation = one(tmp_path)
    said = [(m.role, m.content) for m in conversation.messages]
    assert said == [
        ("assistant", "Hi! How can I help?"),
        ("user", "My parcel is late"),
        ("assistant", ""),
        ("tool", "on its way"),
        ("assistant", "It is on its way."),
        ("user", "Thanks, bye"),
    ]
    assert conversation.messages[2].metadata["tool_calls"] == CALL["tool_calls"]
    assert conversation.messages[3].metadata["requestor"] == "assistant"
    assert "raw_data" not in conversation.messages[1].metadata
    assert len(list(conversation.turns())) == 2


def test_a_user_who_calls_a_tool_says_nothing(tmp_path: Path) -> None:
    call = {"role": "user", "content": None, "tool_calls": [{"name": "restart", "arguments": {}}]}
    results_of_two = {"role": "tool", "tool_messages": [RESULT, {**RESULT, "content": "again"}]}
    conversation = one(tmp_path, messages=(GREETING, ASKED, ANSWER, call, results_of_two, STOP))
    assert [m.role for m in conversation.messages[3:6]] == ["tool", "tool", "tool"]
    assert conversation.messages[3].metadata["requestor"] == "user"
    assert [m.content for m in conversation.user_messages] == ["My parcel is late", "Thanks, bye"]


def test_stop_tokens_are_no_words_and_a_message_of_nothing_else_is_none(tmp_path: Path) -> None:
    path = written(
        tmp_path / "results.json",
        results(
            simulation("a"), simulation("b", (GREETING, ASKED, ANSWER, {**STOP, "content": "###TRANSFER###"}))
        ),
    )
    found = read(path)
    assert [c.user_messages[-1].content for c in found.conversations] == ["Thanks, bye", "My parcel is late"]
    assert [c.metadata["stop_tokens"] for c in found.conversations] == [["###STOP###"], ["###TRANSFER###"]]
    assert "2 tau2 stop tokens, such as ###STOP###, are not a user's words and were removed" in found.warnings


@pytest.mark.parametrize(
    ("reason", "ending", "actor"),
    [
        ("user_stop", "unknown", None),
        ("agent_stop", "agent_ended", None),
        ("max_steps", "turn_limit", None),
        (None, "unknown", None),
    ],
)
def test_endings_say_what_the_file_says(reason: str | None, ending: str, actor: None, tmp_path: Path) -> None:
    conversation = one(tmp_path, termination_reason=reason)
    assert (conversation.ending, conversation.failure) == (ending, actor)


@pytest.mark.parametrize(
    ("reason", "ending", "actor"),
    [
        ("too_many_errors", "agent_failed", "agent"),
        ("agent_error", "agent_failed", "agent"),
        ("user_error", "shopper_failed", "shopper"),
        ("out_of_scope", "shopper_failed", "shopper"),
        ("infrastructure_error", "unknown", None),
        ("context_window_exceeded", "unknown", "model"),
        ("unexpected_error", "unknown", None),
        ("timeout", "unknown", None),
    ],
)
def test_what_broke_off_is_a_failure_and_no_metric(
    reason: str, ending: str, actor: str | None, tmp_path: Path
) -> None:
    conversation = one(tmp_path, termination_reason=reason)
    assert conversation.ending == ending
    assert conversation.failure is not None
    assert (conversation.failure.reason, conversation.failure.actor) == (f"tau2: {reason}", actor)


def test_a_user_out_of_scope_is_a_failure_in_older_files_too(tmp_path: Path) -> None:
    gave_up = {**STOP, "content": "###OUT-OF-SCOPE###"}
    conversation = one(tmp_path, messages=(GREETING, ASKED, ANSWER, gave_up), termination_reason="user_stop")
    assert conversation.failure.reason == "tau2: out_of_scope"


def test_a_broken_simulation_without_messages_is_a_failure_record(tmp_path: Path) -> None:
    conversation = one(tmp_path, messages=None, termination_reason="infrastructure_error")
    assert conversation.messages == ()
    assert conversation.failure.reason == "tau2: infrastructure_error"


def test_an_unknown_reason_is_told(tmp_path: Path) -> None:
    found = read(written(tmp_path / "r.json", results(simulation(termination_reason="sun\x1b[31mspot"))))
    assert found.conversations[0].ending == "unknown"
    assert found.warnings[-1] == r"unknown termination reasons, read as an unknown ending: 'sun\x1b[31mspot'"


def test_tokens_of_both_sides_are_added_and_an_unknown_price_is_null(tmp_path: Path) -> None:
    usage = one(tmp_path).usage
    assert (usage.input_tokens, usage.output_tokens, usage.seconds) == (300, 12, 12.5)
    assert usage.cost_usd == pytest.approx(0.3)
    unpriced = read(written(tmp_path / "u.json", results(simulation(user_cost=0.0))))
    assert unpriced.conversations[0].usage is not None
    assert unpriced.conversations[0].usage.cost_usd is None
    assert "the cost of 1 conversations is unknown" in unpriced.warnings


def test_what_a_file_does_not_say_stays_null(tmp_path: Path) -> None:
    bare = {"id": "s1", "task_id": 3, "messages": [{"role": "user", "content": "hi"}]}
    (conversation,) = read(written(tmp_path / "r.json", results(bare))).conversations
    assert conversation.task == "3"
    assert (conversation.usage, conversation.failure, conversation.ending) == (None, None, "unknown")


def test_metrics_do_not_see_tools_or_stop_tokens(tmp_path: Path) -> None:
    table = measure([one(tmp_path)]).table
    assert table["user_words_per_turn"].tolist() == [
        3.0
    ]  # "My parcel is late" has four words, "Thanks, bye" two
    assert table["user_empty"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "must be an object, as tau2's results are, but is a list"),
        ({"info": {}, "tasks": []}, "simulations: must be a list, as tau2 has it, but is missing"),
        (results(simulation(), info={}), "info.user_info: is required, but is missing"),
        (results(), "is empty: it contains no conversation"),
        (results(simulation_index=[{"id": "a"}]), "contains no conversations: they are in separate files"),
        (results(3), "simulations[0]: must be an object, but is 3"),
        (
            results(simulation(), simulation()),
            "simulations[1].id: must be unique, but 's1' is simulations[0] too",
        ),
        (
            results(simulation(messages=({"role": "user", "content": 3},))),
            "simulations[0].messages[0].content: must be text, but is 3",
        ),
        (
            results(simulation(messages=({"role": "narrator", "content": ""},))),
            "simulations[0].messages[0].role: must be one of system, user, assistant, tool, but is 'narrator'",
        ),
        (
            results(simulation(messages=({**ASKED, "is_audio": True},))),
            "simulations[0].messages[0].is_audio: is spoken; convsim reads only text",
        ),
        (
            results(simulation(messages=None, ticks=[{"tick_id": 0}])),
            "simulations[0]: is spoken (ticks); convsim reads only text",
        ),
        (results(simulation(duration=-1.0)), "simulations[0].duration: must be at least 0, but is -1.0"),
    ],
)
def test_what_is_malformed_is_told_with_its_place(document: Any, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", document)
    with pytest.raises(TranscriptError) as caught:
        read(path, reader="tau2")
    assert str(caught.value).startswith(f"{path}: {problem}")


def test_bad_simulations_can_be_skipped_and_are_counted(tmp_path: Path) -> None:
    found = read(written(tmp_path / "r.json", results(3, simulation())), skip_bad_lines=True)
    assert (len(found.conversations), found.skipped) == (1, 1)
