"""The presets on models of a few kilobytes in this process and behind ``transformers serve``, and a whole run."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.models import Local, OpenAICompatible
from convsim.models.chat import chat_tokens
from convsim.shoppers import OSim, UserLM
from tests.end_to_end.runs import held, simulate
from tests.needs import needed
from tests.unit.shoppers.logs import EMPTY, boots, persona, shown
from tests.unit.shoppers.presets.tiny_users import CHATML, END, LLAMA3, make_qwen, make_userlm

torch = needed("torch")
transformers = needed("transformers")

HEARD = "How about these?\n- Boot 0, 30 (red)\n- Boot 1, 31 (red)"
INTENT = "You are a user of an assistant. What you have come for: rain boots."
MAX_START_S = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_userlm(tmp_path_factory.mktemp("models") / "userlm")


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_qwen(tmp_path_factory.mktemp("models") / "osim")


def local(folder: Path) -> Local:
    return Local(path=folder, dtype="float32")


def prompt_of(model: Local, shopper: UserLM | OSim) -> str:
    checkpoint = model.load()
    text: str = checkpoint.tokenizer.decode(
        chat_tokens(checkpoint, shopper.asked(shown(*boots(2)), persona()))
    )
    return text


def test_the_prompt_of_userlm_is_exactly_this(folder: Path) -> None:
    model = local(folder)
    assert prompt_of(model, UserLM(model)) == (
        f"<|start_header_id|>system<|end_header_id|>\n{INTENT}<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\nrain boots<|eot_id|>"
        f"<|start_header_id|>assistant<|end_header_id|>\n{HEARD}<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>"
    )


def test_the_prompt_of_osim_is_exactly_this(qwen: Path) -> None:
    model = local(qwen)
    shopper = OSim(model)
    system = shopper.asked(shown(*boots(2)), persona())[0].content
    assert prompt_of(model, shopper) == (
        f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>assistant\nrain boots<|im_end|>\n"
        f"<|im_start|>user\n{HEARD}<|im_end|>\n<|im_start|>assistant\n"
    )


async def test_userlm_speaks_and_its_end_token_ends_as_often_as_the_model_says_so(folder: Path) -> None:
    shopper = UserLM(local(folder), guardrails=False)
    await shopper.check_ready()
    moves = [await shopper.speak(shown(*boots(2)), persona(), seed=seed) for seed in range(60)]
    assert {(m.action, m.text) for m in moves if m.action != "say"} == {("leave", "")}
    assert all(m.text and not set(m.text) - set("abcde ") for m in moves if m.action == "say")
    # One in four, within four standard deviations of 60 draws.
    assert 60 * 0.25 - 13.5 < sum(m.action == "leave" for m in moves) < 60 * 0.25 + 13.5
    openings = [await shopper.speak(EMPTY, persona(), seed=seed) for seed in range(20)]
    assert {m.action for m in openings} == {"say"}


async def test_guardrails_hold_on_a_model(folder: Path) -> None:
    shopper = UserLM(local(folder), attempts=40)
    moves = [await shopper.speak(EMPTY, persona(), seed=seed) for seed in range(8)]
    assert all(3 <= len(m.text.split()) <= 25 for m in moves)


async def test_top_p_is_the_presets_and_not_the_models(folder: Path) -> None:
    # After a letter a space has .4, the end of the turn .2 and each letter .08: a nucleus of .5 has no further letter.
    longest: dict[float, int] = {}
    for top_p in (0.5, 1.0):
        shopper = UserLM(local(folder), guardrails=False, top_p=top_p)
        moves = [await shopper.speak(shown(*boots(2)), persona(), seed=seed) for seed in range(12)]
        longest[top_p] = max(len(word) for move in moves for word in move.text.split())
    assert longest[0.5] == 1 < longest[1.0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"end": None}, "has no token <|endconversation|>"),
        ({"end": "<|end_of_conversation|>"}, "has no token <|endconversation|>"),
        ({"special": True}, "has <|endconversation|> as a special token"),
        ({"template": LLAMA3}, "does not end with a turn of the user"),
        ({"template": CHATML}, "does not end with a turn of the user"),
        ({"template": None}, "does not end with a turn of the user"),
    ],
)
async def test_a_model_in_another_form_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(InputError) as refused:
        await UserLM(local(make_userlm(tmp_path / "other", **changes))).check_ready()  # type: ignore[arg-type]
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_model_in_this_process_is_sent_no_written_out_chat(folder: Path) -> None:
    with pytest.raises(InputError, match=r"completions.*is for servers"):
        UserLM(local(folder), style="completions")


async def test_osim_speaks(qwen: Path) -> None:
    shopper = OSim(local(qwen))
    moves = [await shopper.speak(shown(*boots(2)), persona(), seed=seed) for seed in range(5)]
    assert all(m.action == "say" and not set(m.text) - set("abcde ") for m in moves)


async def test_a_model_that_sees_is_none_for_this_process(tmp_path: Path) -> None:
    config = transformers.Qwen3VLConfig(
        text_config={
            "vocab_size": 288, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "max_window_layers": 1,
            "rope_scaling": {"rope_type": "default", "mrope_section": [2, 1, 1]},
        },
        vision_config={
            "depth": 1, "hidden_size": 16, "intermediate_size": 8, "num_heads": 2, "out_hidden_size": 16,
            "deepstack_visual_indexes": [],
        },
    )  # fmt: skip
    transformers.Qwen3VLForConditionalGeneration(config).save_pretrained(tmp_path)
    make_qwen(tmp_path / "text")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (tmp_path / "text" / name).rename(tmp_path / name)
    with pytest.raises(InputError, match="cannot be loaded") as refused:
        local(tmp_path).load()
    assert "\n" not in str(refused.value)


def test_a_run_of_userlm_from_a_folder(folder: Path, tmp_path: Path) -> None:
    done = simulate(
        tmp_path, "--shopper", "userlm", "--model", folder, "--set", "shopper.attempts=40", "--set",
        "shopper.max_tokens=60", "--agent", "retrieval", "--personas", "people.toml", "--catalogue",
        "items.jsonl", "--n", 12, "--max-turns", 4, "--seed", 2, "--record", "--out", "run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    conversations = held(tmp_path / "run")
    assert len(conversations) == 12
    assert not any("failure" in c for c in conversations)
    assert {c["simulator"] for c in conversations} == {"userlm on userlm"}
    assert "left" in {c["ending"] for c in conversations} <= {"left", "turn_limit"}
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert "intent" in json.dumps(manifest)
    first = json.loads((tmp_path / "run/prompts.jsonl").read_text().splitlines()[0])["calls"][0]
    assert [m["role"] for m in first["asked"]["messages"]] == ["system"]
    assert END not in (tmp_path / "run/conversations.jsonl").read_text()


def test_a_run_with_a_model_that_is_none_of_its_form_writes_nothing(qwen: Path, tmp_path: Path) -> None:
    done = simulate(
        tmp_path, "--shopper", "userlm", "--model", qwen, "--agent", "retrieval", "--personas",
        "people.toml", "--catalogue", "items.jsonl", "--n", 2, "--out", "run",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("osim has no token <|endconversation|>")
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    """The model behind ``transformers serve``: its address."""
    needed("fastapi", "uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = ("-m", "transformers.cli.transformers", "serve", str(folder), "--device", "cpu")
    with subprocess.Popen(
        [sys.executable, *serve, "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + MAX_START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"{url} is not there")


@pytest.mark.parametrize("style", ["chat", "completions"])
async def test_a_server_opens_the_users_turn_and_keeps_the_end_token(
    served: str, folder: Path, style: str
) -> None:
    model = OpenAICompatible(model=str(folder), base_url=served)
    shopper = UserLM(model, guardrails=False, style=style)  # type: ignore[arg-type]
    conversation = shown(*boots(2))
    moves = [await shopper.speak(conversation, persona(), seed=seed) for seed in range(16)]
    await model.aclose()
    here = local(folder)
    tokens = len(chat_tokens(here.load(), shopper.asked(conversation, persona())))
    assert {"say", "leave"} == {m.action for m in moves}
    assert all(not set(m.text) - set("abcde ") for m in moves)
    asked_once = [m.usage.input_tokens for m in moves if not m.truncated_answers and not m.empty_answers]
    assert asked_once
    assert {*asked_once} == {tokens}


def test_a_run_of_userlm_behind_a_server_is_checked_by_a_message(
    served: str, folder: Path, tmp_path: Path
) -> None:
    asked = (
        "--shopper", "userlm", "--model", "openai_compatible", "--set", f"model.model={folder}", "--set",
        f"model.base_url={served}", "--set", "shopper.guardrails=false", "--agent", "retrieval", "--personas",
        "people.toml", "--catalogue", "items.jsonl", "--n", 20,
    )  # fmt: skip
    done = simulate(tmp_path, *asked, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "check:" not in done.stderr
    assert len(held(tmp_path / "run")) == 20
