"""What a model thought is parted from what it said, in every dress that thoughts are known to come in."""

import pytest

from convsim.text.reasoning import opens_thought, split_reasoning

SAID = "hi, boots under 60?"
THOUGHT = "The user wants boots. I should ask."
HARMONY = f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{SAID}"

DRESSES = {
    "tag": f"<think>{THOUGHT}</think>\n\n{SAID}",
    "thinking": f"<thinking>{THOUGHT}</thinking>\n{SAID}",
    "thought": f"<thought>{THOUGHT}</thought>{SAID}",
    "reasoning": f"<reasoning>{THOUGHT}</reasoning>{SAID}",
    "capitals": f"<Think>{THOUGHT}</THINK>{SAID}",
    "attributes": f'<thinking time="3s">{THOUGHT}</thinking>{SAID}',
    "a lone closing tag": f"{THOUGHT}\n</think>\n\n{SAID}",
    "a lone closing tag, other": f"{THOUGHT}\n</thinking>\n{SAID}",
    "an unclosed tag after": f"{SAID}<think>{THOUGHT}",
    "a thought after": f"{SAID}<think>{THOUGHT}</think>",
    "one in the other": f"<thinking>a<think>{THOUGHT}</think>b</thinking>{SAID}",
    "two": f"<think>{THOUGHT}</think>a draft<think>{THOUGHT}</think>{SAID}",
    "brackets": f"[THINK]{THOUGHT}[/THINK]{SAID}",
    "triangles": f"◁think▷{THOUGHT}◁/think▷{SAID}",
    "special tokens": f"<|START_THINKING|>{THOUGHT}<|END_THINKING|>{SAID}",
    "a channel of Gemma": f"<|channel>thought\n{THOUGHT}<channel|>{SAID}",
    "harmony": HARMONY,
    "harmony, ended": f"{HARMONY}<|return|>",
    "harmony, final alone": f"<|channel|>final<|message|>{SAID}<|end|>",
    "harmony, a constraint": f"<|channel|>analysis<|message|>{THOUGHT}<|end|>"
    f"<|channel|>final <|constrain|>json<|message|>{SAID}",
    "harmony, commentary": f"<|channel|>commentary<|message|>{THOUGHT}<|end|>{HARMONY}",
    "harmony without marks": f"analysis{THOUGHT}assistantfinal{SAID}",
    "harmony without marks, commentary": f"analysis{THOUGHT}assistantcommentary{THOUGHT}assistantfinal{SAID}",
    "the end of harmony without marks": f"{THOUGHT}assistantfinal{SAID}",
}


def test_the_last_of_several_answers_counts_and_one_that_is_cut_off_by_a_thought_stays() -> None:
    assert split_reasoning("<think>a</think>b<think>c</think>d").said == "d"
    assert split_reasoning("a<think>b").said == "a"


@pytest.mark.parametrize("text", DRESSES.values(), ids=DRESSES)
def test_only_what_was_said_is_left_and_the_thought_is_kept_apart(text: str) -> None:
    said, thought = split_reasoning(text)
    assert said.strip() == SAID
    assert (THOUGHT in thought) == (THOUGHT in text)


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{THOUGHT}",
        f"<think>{THOUGHT}</think>",
        f"  <reasoning>{THOUGHT}",
        f"<|channel|>analysis<|message|>{THOUGHT}",
        f"analysis{THOUGHT}",
        f"assistantanalysis{THOUGHT}",
    ],
)
def test_a_thought_alone_says_nothing(text: str) -> None:
    said, thought = split_reasoning(text)
    assert said.strip() == ""
    assert THOUGHT in thought


@pytest.mark.parametrize(
    "text",
    [
        SAID,
        "",
        "a < b, and b > a",
        "analysis of the boots please",
        "I think </b> is bold",
        "what's the final price?",
        "I have a thought: <3",
        "<thinker> is a band",
        "レインブーツはありますか？",
    ],
)
def test_what_holds_no_thought_is_left_as_it_is(text: str) -> None:
    assert split_reasoning(text) == (text, "")


def test_a_prompt_may_have_opened_the_thought() -> None:
    assert split_reasoning(f"{THOUGHT}</think>{SAID}", is_open=True).said == SAID
    assert split_reasoning(THOUGHT, is_open=True) == ("", THOUGHT)
    assert opens_thought("<|assistant|>\n<think>\n")
    assert opens_thought("</think> again [THINK]")
    for prompt in ("<|assistant|>\n", "<think>\n\n</think>\n\n", "<think> is a mark. Answer:"):
        assert not opens_thought(prompt)


def test_a_megabyte_of_marks_comes_to_an_end() -> None:
    for mark in ("<think>", "</think>", "<|channel|>", "assistantfinal", "<" * 7, "[THINK]"):
        assert len(split_reasoning(mark * 50_000).said) <= 50_000 * len(mark)
