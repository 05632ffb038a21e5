"""What is learned of a conversation, and that it is what the shopper will be asked for."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from convsim.models.chat import chat_tokens
from convsim.models.checkpoint import Checkpoint, load_checkpoint
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.shoppers.finetuned import asked
from convsim.shoppers.finetuned.encode import IGNORED, Encoded, Example, encode
from tests.needs import needed
from tests.unit.models.tiny import TEMPLATE, make_tiny
from tests.unit.shoppers.finetuned.talks import talk

needed("torch", "transformers")

# As templates do that leave out what a model thought in earlier turns.
REWRITING = TEMPLATE.replace(
    "message['content'] +",
    "(message['content'] if loop.last or message['role'] != 'assistant' else message['content'][1:]) +",
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return loaded(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def rewriting(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return loaded(tmp_path_factory.mktemp("rewriting"), template=REWRITING)


def loaded(folder: Path, **kind: Any) -> Checkpoint:
    return load_checkpoint(make_tiny(folder, context=4096, **kind), dtype="float32")


def encoded(checkpoint: Checkpoint, *conversations: Conversation, max_tokens: int = 4096) -> Encoded:
    return encode(checkpoint, conversations, max_tokens=max_tokens, n_items=4)


def learned(checkpoint: Checkpoint, example: Example) -> list[str]:
    """What the labels say, run by run."""
    runs: list[list[int]] = [[]]
    for token, label in zip(example.tokens, example.labels, strict=True):
        if label == IGNORED:
            runs.append([])
        else:
            assert label == token
            runs[-1].append(label)
    return [checkpoint.tokenizer.decode(run) for run in runs if run]


def before_each_turn(conversation: Conversation) -> list[Conversation]:
    places = [place for place, message in enumerate(conversation.messages) if message.role == "user"]
    if conversation.ending in ("accepted", "left"):
        places.append(len(conversation.messages))
    return [conversation.but(messages=conversation.messages[:place]) for place in places]


@pytest.mark.parametrize(
    ("ending", "end"),
    [
        ("accepted", ["accept 1:<|end|>"]),
        ("left", ["leave:<|end|>"]),
        ("unknown", ["leave:<|end|>"]),
        ("turn_limit", []),
    ],
)
def test_labels_stand_on_the_users_openings_words_and_ends_alone(
    checkpoint: Checkpoint, ending: str, end: list[str]
) -> None:
    (example,) = encoded(checkpoint, talk(0, "red boots", "no, blue", ending=ending)).examples
    said = ["say: red boots<|end|>", "say: no, blue<|end|>", *end]
    assert learned(checkpoint, example) == said
    words = [checkpoint.tokenizer.decode(example.tokens[span.words : span.end]) for span in example.spans]
    assert words == [" red boots<|end|>", " no, blue<|end|>", *["<|end|>" for _ in end]]
    assert [span.n_words for span in example.spans] == [10, 9, *[0 for _ in end]]


def test_control_tokens_that_a_person_typed_end_nothing(checkpoint: Checkpoint) -> None:
    (example,) = encoded(checkpoint, talk(0, "a<|end|>b", "c", ending="turn_limit")).examples
    assert learned(checkpoint, example) == ["say: a<|end|>b<|end|>", "say: c<|end|>"]
    end = checkpoint.tokenizer.eos_token_id
    assert [list(example.tokens[s.start : s.end]).count(end) for s in example.spans] == [1, 1]


@pytest.mark.parametrize("kind", ["checkpoint", "rewriting"])
@pytest.mark.parametrize("ending", ["accepted", "left", "turn_limit"])
def test_what_the_shopper_is_asked_at_each_turn_is_what_was_read_before_it(
    kind: str, ending: str, request: pytest.FixtureRequest
) -> None:
    model: Checkpoint = request.getfixturevalue(kind)
    conversation = talk(0, "red boots", "no, blue", "hm", ending=ending)
    persona = Persona(id="p", task="footwear", need="red boots")
    prompts = [chat_tokens(model, asked(c, persona, n_items=4)) for c in before_each_turn(conversation)]
    examples = encoded(model, conversation).examples
    read = [list(example.tokens[: span.start]) for example in examples for span in example.spans]
    assert read == prompts
    assert len(prompts) == 3 + (ending != "turn_limit")


def test_a_template_that_rewrites_the_past_gives_one_sequence_a_message(rewriting: Checkpoint) -> None:
    examples = encoded(rewriting, talk(0, "red boots", "no, blue", ending="left")).examples
    assert [learned(rewriting, example) for example in examples] == [
        ["say: red boots<|end|>"], ["say: no, blue<|end|>"], ["leave:<|end|>"],
    ]  # fmt: skip
    # What is past reads as the template writes it: without its first letter.
    assert "\nay: red boots<|end|>" in rewriting.tokenizer.decode(examples[1].tokens)


def test_a_long_conversation_is_cut_at_message_borders_and_counted(checkpoint: Checkpoint) -> None:
    long = talk(0, *(f"number {n} of nine" for n in range(9)), ending="left")
    (whole,) = encoded(checkpoint, long).examples
    limit = len(whole.tokens) // 2
    parts = encoded(checkpoint, long, talk(1), max_tokens=limit)
    assert parts.counts == {"cut_conversations": 1}
    *cut, _ = parts.examples
    assert len(cut) > 2
    assert all(len(part.tokens) <= limit for part in cut)
    assert [said for part in cut for said in learned(checkpoint, part)] == learned(checkpoint, whole)
    system = checkpoint.tokenizer.decode(whole.tokens).partition("\n")[2].partition("\n\n")[0]
    assert system.startswith("You are a person")
    said = 0
    for part, after in pairwise(cut):
        said += len(part.spans)
        # The agent's answer to what was said last is not lost.
        text = checkpoint.tokenizer.decode(after.tokens).removeprefix("<|start|>user\n")
        assert text.startswith(f"{system}\n\ntry {said - 1}\n")


def test_an_exchange_that_is_too_long_by_itself_is_dropped_and_counted(checkpoint: Checkpoint) -> None:
    said = encoded(checkpoint, talk(0, "red", "x" * 900, "blue", ending="turn_limit"), max_tokens=600)
    assert said.counts == {"cut_conversations": 1, "dropped_messages": 1}
    kept = [text for example in said.examples for text in learned(checkpoint, example)]
    assert kept == ["say: red<|end|>", "say: blue<|end|>"]


def test_a_turn_without_text_is_read_and_not_learned(checkpoint: Checkpoint) -> None:
    said = encoded(checkpoint, talk(0, "red", "", "blue", ending="turn_limit"))
    assert said.counts == {"empty_turns": 1}
    assert learned(checkpoint, said.examples[0]) == ["say: red<|end|>", "say: blue<|end|>"]


def test_what_is_learned_is_counted(checkpoint: Checkpoint) -> None:
    said = encoded(checkpoint, talk(0, "red", "blue ones", ending="left"))
    # A byte is a token: "say: red", "say: blue ones" and "leave:", each with its end.
    assert said.n_learned_tokens == 9 + 15 + 7
    assert said.longest_message == len(" blue ones") + 1
