"""``convsim probe`` as a user types it: what it prints, writes and goes on with, and what it refuses."""

import asyncio
import json

import numpy as np
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import convsim
from convsim.errors import InputError
from convsim.models import Scripted
from tests.end_to_end.validating import convsim as command
from tests.end_to_end.validating import once, written
from tests.junit import outcomes

ITEMS = [{"id": f"b{n}", "title": f"Boot {n}", "price": 30.0 + n} for n in range(3)]
COLORS = ("red", "blue", "green", "black", "brown")


def conversation(n: int, **more: object) -> str:
    """A person who wants boots of a color, is shown some twice or thrice, and takes some or leaves."""
    rng = np.random.default_rng([n, 5])
    said = [f"i want rain boots in {COLORS[n % 5]} size {36 + n % 9}"]
    said += [f"do you have cheaper ones {n}", "and with a zip please"][: int(rng.integers(0, 3))]
    messages: list[dict[str, object]] = []
    for text in said:
        messages.append({"role": "user", "content": text})
        messages.append({"role": "assistant", "content": "how about these", "items": ITEMS})
    if takes := rng.random() < 0.5:
        item = f"b{rng.integers(3)}"
        messages.append({"role": "user", "content": "i take it", "action": "accept", "accepted": [item]})
    ending = "accepted" if takes else "left"
    stated = {"id": f"c{n}", "user": f"u{n}", "task": "footwear", "messages": messages, "ending": ending}
    return json.dumps({**stated, **more})


N_PLACES = sum(1 + int(np.random.default_rng([n, 5]).integers(0, 3)) for n in range(40))
"""One after each answer of the agent: the person says more, takes one, or leaves."""


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    return written(tmp_path_factory.mktemp("logs") / "logs.jsonl", [conversation(n) for n in range(40)])


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A shopper of the user's own: it leaves after the second answer, and says how likely that was."""
    code = """
def shopper(conversation, persona):
    turns = len(conversation.user_messages)
    if "boom" in persona.need:
        raise ValueError("boom")
    leaves = 0.2 if turns < 2 else 0.7
    return {"action": "say", "text": "hm", "probabilities": {"say": 1 - leaves, "leave": leaves}}

def fails(conversation, persona):
    raise ValueError("not today")
"""
    (tmp_path / "my_shoppers.py").write_text(code, encoding="utf-8")
    return str(tmp_path)


def test_it_says_first_what_is_decided_then_why(logs, tmp_path):
    junit = tmp_path / "junit.xml"
    done = command("probe", logs, "--shopper", "resample", "--annotate", "rules", "--junit", junit)
    assert done.returncode == 0, done.stderr
    asked = outcomes(junit.read_text(encoding="utf-8"))["probe"]
    assert ({*asked}, asked["answers"]) == ({"answers", "ending", "decision", "item", "act"}, "passed")
    said = " ".join(done.stdout.split())
    assert said.startswith(f"resample at {N_PLACES} places of 40 people: go on or end: ")
    for part in (
        "which item: ",
        "next act: ",
        "The shopper learned from these conversations, for each person from those of other people alone (5 parts).",
        "By outcome and turn, go on or end",
        "outcome accepted",
        "Where people did so, what the shopper would do",
        "Brier score: 0 is certain and right",
        f"{5 * N_PLACES} answers; ",
    ):
        assert part in said
    assert done.stderr.splitlines() == ["seed 0", f"wrote {junit}"]


def test_json_holds_each_question_with_intervals_and_baselines(logs):
    done = once("probe", logs, "--shopper", "resample", "--format", "json")
    found = json.loads(done.stdout)
    assert found["schema"] == "convsim.probe/1"
    assert (found["n_places"], found["n_asked"], found["n_moves"], found["n_failed"]) == (
        N_PLACES,
        N_PLACES,
        5 * N_PLACES,
        0,
    )
    ending, decision, item = found["questions"]
    assert [q["name"] for q in (ending, decision, item)] == ["ending", "decision", "item"]
    whole = ending["parts"][0]
    assert whole["people"]["end"] == pytest.approx(40 / N_PLACES)
    assert [score["of"] for score in whole["scores"]] == [
        "shopper",
        "base rate by turn",
        "majority by turn",
        "as before: go on",
    ]
    for score in whole["scores"]:
        low, high = score["brier"]["interval"]
        assert low <= score["brier"]["estimate"] <= high
    assert decision["confusion"].keys() == {"go on", "accept", "leave"}
    assert ending["p_adjusted"] >= ending["p_value"]
    assert done.stdout == once("probe", logs, "--shopper", "resample", "--format", "json").stdout


def test_a_shopper_that_tells_probabilities_is_asked_once_a_place(logs, own):
    done = command(
        "probe", logs, "--shopper", "my_shoppers:shopper", "--format", "json", PYTHONPATH=own
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["n_moves"] == found["n_asked"] == N_PLACES
    assert found["learned"] == "nothing"
    assert found["questions"][0]["parts"][0]["shopper"]["end"] == pytest.approx(0.41, abs=0.1)


def test_an_interrupted_probe_goes_on_and_another_one_is_refused(logs, tmp_path):
    out = tmp_path / "out"
    typed = ("probe", logs, "--shopper", "resample", "--limit", 20, "--samples", 2, "--out", out)
    first = command(*typed)
    assert first.returncode == 0, first.stderr
    whole = (out / "answers.jsonl").read_bytes()
    document = json.loads((out / "probe.json").read_text(encoding="utf-8"))
    assert (document["n_asked"], document["n_places"], document["n_moves"]) == (20, N_PLACES, 40)
    (out / "answers.jsonl").write_bytes(whole[: len(whole) // 2])
    again = command(*typed, "--concurrency", 1)
    assert again.returncode == 0, again.stderr
    lines = (out / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(lines) == sorted(whole.decode().splitlines())
    after = json.loads((out / "probe.json").read_text(encoding="utf-8"))
    assert after["questions"] == document["questions"]
    page = (out / "PROBE.md").read_text(encoding="utf-8")
    assert page.startswith(f"# Probe\n\n**resample at 20 places (of {N_PLACES}) of ")
    other = command(*typed, "--seed", 1)
    assert other.returncode == 2
    assert "was made with another plan (seed was 0 and is now 1)" in other.stderr


def test_gates_and_failures_have_their_exit_codes(logs, own):
    gate = command("probe", logs, "--shopper", "resample", "--fail-on", "undecided")
    assert gate.returncode == 1
    assert "gate failed (--fail-on undecided): " in gate.stderr
    failed = command("probe", logs, "--shopper", "my_shoppers:fails", "--concurrency", 1, PYTHONPATH=own)
    assert failed.returncode == 3
    assert "5 of 5 answers failed: more than 5 %, and this is exit 3" in failed.stderr
    assert "stopped: all answers failed for the same reason" in failed.stderr
    assert "answers failed: fails raised ValueError: not today" in failed.stderr
    assert "go on or end: cannot be told" in failed.stdout


def test_a_model_behind_a_server_is_asked_to_choose_and_to_speak(logs, httpserver: HTTPServer):
    def answer(request: Request) -> Response:
        asked = json.loads(request.data)
        text = "red ones please"
        if "response_format" in asked:
            [name] = asked["response_format"]["json_schema"]["schema"]["properties"]
            text = json.dumps({name: "go on" if b"go on" in request.data else "2. Boot 1, 31"})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(answer)
    done = command(
        "probe", logs, "--shopper", "prompted", "--model", "openai_compatible", "--set", "model.model=m",
        "--set", f"model.base_url={httpserver.url_for('/v1')}", "--limit", 10, "--samples", 2, "--annotate", "rules",
        "--format", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["model"], found["n_moves"], found["n_failed"]) == ("m", 20, 0)
    assert found["usage"]["output_tokens"] >= 3 * (
        20 + 10
    )  # decisions, words, and items where some were taken
    assert found["questions"][0]["parts"][0]["shopper"] == {"go on": 1.0, "end": 0.0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--shopper", "resampel"), "there is no convsim.shoppers plugin 'resampel'"),
        (("--shopper", "resample", "--samples", "0"), "Invalid value for '--samples'"),
        (("--shopper", "resample", "--task", "hats"), "the real data have no task 'hats'"),
        (("--shopper", "resample", "--set", "shopper.n=3"), "has no setting 'n'"),
        (("--shopper", "sft", "--model", "nowhere/at/all"), "no model at nowhere/at/all"),
        (("--shopper", "resample", "--words-model", "nowhere/at/all"), "no model at nowhere/at/all"),
        ((), "Missing option '--shopper'"),
    ],
)
def test_mistakes_are_one_line(logs, tmp_path, arguments, said):
    out = tmp_path / "out"
    done = command("probe", logs, *arguments, "--out", out)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr.splitlines()[-1]
    assert not out.exists()
    assert not done.stdout


def test_logs_that_nothing_can_be_asked_about_are_one_line(tmp_path):
    message = {"role": "user", "content": "hello"}
    greetings = [json.dumps({"id": f"c{n}", "messages": [message]}) for n in range(9)]
    done = command("probe", written(tmp_path / "logs.jsonl", greetings), "--shopper", "resample")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: there is no place at which a person moved whose need is known: 9 conversations whose user states no "
        "need before the agent names anything"
    )


def test_few_people_and_hostile_names_are_undecided_and_escaped(tmp_path):
    few = [conversation(n, user=f"u\x1b[2J<script>|{n}") for n in range(5)]
    done = command("probe", written(tmp_path / "logs.jsonl", few), "--shopper", "resample", "--format", "md")
    assert done.returncode == 0, done.stderr
    assert "5 people with an answer are too few: 8 are needed" in done.stdout
    assert "\x1b" not in done.stdout
    assert "<script>" not in done.stdout


def test_in_python_it_takes_conversations_and_any_shopper(logs):
    real = convsim.read(logs)

    def leaves(conversation, persona, seed):
        return ("leave", "") if seed % 2 else "hm"

    found = convsim.probe(real, leaves, seed=1, draws=2, limit=30)
    assert (found.n_moves, found.shopper) == (60, "leaves")
    assert found.questions[0].calibration_error.estimate > 0.05
    assert "leaves at 30 places" in repr(found)
    with pytest.raises(InputError, match="probe: draws must be"):
        convsim.probe(real, leaves, seed=1, draws=0)
    with pytest.raises(InputError, match="the model for words, scripted: cannot say how likely a text is"):
        convsim.probe(real, leaves, seed=1, words_model=Scripted(answers=[]))


def test_inside_a_loop_its_twin_is_awaited(logs):
    async def both():
        with pytest.raises(InputError, match=r"await convsim.aprobe"):
            convsim.probe(logs, "resample", seed=1)
        return await convsim.aprobe(logs, "resample", seed=1, limit=5, draws=1)

    assert asyncio.run(both()).n_moves == 5
