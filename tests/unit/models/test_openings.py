"""How an answer begins, drawn and continued by a model in this process, on models of a few kilobytes."""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import ModelError
from convsim.models import Local
from convsim.models.chat import (
    answer_end,
    answer_tokens,
    chat_tokens,
    text_tokens,
    whole_chat_tokens,
)
from convsim.models.local import draw
from convsim.schema import ChatMessage, Completion, OpeningModel
from tests.needs import needed
from tests.unit.models.tiny import TEMPLATE, make_tiny

torch = needed("torch")
transformers = needed("transformers")

END = 257
OPENINGS = ["say:", "leave:", "accept 1:"]
HELLO = [ChatMessage(role="user", content="Hello")]
LONGER = [
    *HELLO,
    ChatMessage(role="assistant", content="say: boots"),
    ChatMessage(role="user", content="These?"),
]
TEMPLATES = {
    "plain": TEMPLATE,
    "trims": TEMPLATE.replace("message['content'] +", "message['content'] | trim +"),
    "no line after the end": TEMPLATE.replace("'<|end|>\n'", "'<|end|>'"),
    "thinks before its last answer": TEMPLATE.replace(
        "message['content'] +",
        "('THINK ' if loop.last and message['role'] == 'assistant' else '') + message['content'] +",
    ),
    "opens a thought that the past does not have": TEMPLATE.replace(
        "'<|start|>assistant\n' }}{% endif", "'<|start|>assistant\nTHINK ' }}{% endif"
    ),
    "rewrites what is past": TEMPLATE.replace(
        "message['content'] +", "(message['content'] if loop.last else 'past') +"
    ),
    "no end": TEMPLATE.replace("'<|end|>\n'", "'\n'"),
}  # fmt: skip
LEADS = {"none": " ", "thinks before its last answer": "THINK "}
"""What stands before an answer."""
AS_LEARNED = ["plain", "trims", "no line after the end", "thinks before its last answer"]
"""Templates that write a chat and its answer as they write the chat."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Local]:
    folder = tmp_path_factory.mktemp("tiny")
    made = {
        name: Local(path=make_tiny(folder / name.replace(" ", "-"), template=template), dtype="float32")
        for name, template in {**TEMPLATES, "none": None}.items()
    }
    return made


@pytest.fixture(scope="module")
def model(models: dict[str, Local]) -> Local:
    return models["plain"]


every_template = pytest.mark.parametrize("template", [*TEMPLATES, "none"])


def log_likelihood(checkpoint: Any, prompt: list[int], said: list[int]) -> float:
    """The sum of the log-probabilities of ``said`` after ``prompt``, in one plain forward pass."""
    with torch.inference_mode():
        each = checkpoint.model(torch.tensor([[*prompt, *said]])).logits[0].log_softmax(-1)
    places = range(len(prompt) - 1, len(prompt) - 1 + len(said))
    return float(sum(each[place, token].item() for place, token in zip(places, said, strict=True)))


def answer(text: str) -> ChatMessage:
    return ChatMessage(role="assistant", content=text)


async def opened(model: Local, **more: Any) -> Completion:
    asked: dict[str, Any] = {"messages": HELLO, "opening": "say:", "max_tokens": 12, "seed": 1, **more}
    return await model.complete_opened(**{"temperature": 1.0, "top_p": 1.0, **asked})


def test_a_model_in_this_process_can_be_opened(model: Local) -> None:
    assert len({*TEMPLATES.values()}) == len(TEMPLATES)
    assert isinstance(model, OpeningModel)


@every_template
async def test_a_chat_is_counted_up_to_where_the_answer_begins(
    models: dict[str, Local], template: str
) -> None:
    checkpoint = models[template].load()
    text = checkpoint.tokenizer.decode(chat_tokens(checkpoint, LONGER))
    # A byte is a token, and so is each control token, of seven or nine characters.
    expected = len(text) - 8 * text.count("<|start|>") - 6 * text.count("<|end|>")
    assert await models[template].count_tokens(LONGER) == expected > 20


def weights_by_hand(model: Local, template: str, openings: Sequence[str]) -> list[float]:
    """The log-likelihood of each opening alone, no end after it."""
    checkpoint = model.load()
    prompt = chat_tokens(checkpoint, LONGER)
    said = [text_tokens(checkpoint, LEADS.get(template, "") + o, is_start=False) for o in openings]
    return [log_likelihood(checkpoint, prompt, tokens) for tokens in said]


@every_template
async def test_openings_are_weighed_by_their_likelihood_at_temperature_one(
    models: dict[str, Local], template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed: list[tuple[list[float], float]] = []

    def watched(likelihoods: list[float], *, temperature: float, seed: int) -> int:
        weighed.append((likelihoods, temperature))
        return draw(likelihoods, temperature=temperature, seed=seed)

    monkeypatch.setattr("convsim.models.local.draw", watched)
    openings = [*OPENINGS, "accept 12:"]
    await models[template].draw_opening(LONGER, openings, seed=1)
    [(likelihoods, temperature)] = weighed
    assert likelihoods == pytest.approx(weights_by_hand(models[template], template, openings), abs=1e-3)
    assert len({round(likelihood, 3) for likelihood in likelihoods}) == 4
    assert temperature == 1.0


async def test_openings_are_drawn_as_often_as_they_are_likely(model: Local) -> None:
    from scipy.stats import chisquare

    many = Local(path=model.path, dtype="float32", max_batch=100)
    # One byte each, so that several are likely enough to be drawn.
    openings = "abcdefgh"
    weights = [math.exp(weight) for weight in weights_by_hand(many, "plain", openings)]
    choices = await asyncio.gather(*(many.draw_opening(LONGER, openings, seed=seed) for seed in range(300)))
    drawn = Counter(choice.index for choice in choices)
    expected = {index: 300 * weight / sum(weights) for index, weight in enumerate(weights)}
    likely = [index for index, often in expected.items() if often >= 5]
    rest = 300 - sum(expected[index] for index in likely)
    assert len(likely) > 2
    assert rest > 1
    observed = [*(drawn[index] for index in likely), 300 - sum(drawn[index] for index in likely)]
    assert chisquare(observed, [*(expected[index] for index in likely), rest]).pvalue > 0.001
    assert choices[0].completion.text == openings[choices[0].index]
    assert choices[0].completion.input_tokens == await many.count_tokens(LONGER)


async def test_a_draw_is_the_same_for_one_seed_alone_and_among_others(model: Local) -> None:
    alone = [await model.draw_opening(HELLO, "abcdefgh", seed=seed) for seed in range(20)]
    together = await asyncio.gather(
        *(model.draw_opening(HELLO, "abcdefgh", seed=seed) for seed in range(20)),
        *(model.draw_opening(LONGER, OPENINGS, seed=seed) for seed in range(20)),
    )
    assert [c.index for c in alone] == [c.index for c in together[:20]]
    assert len({c.index for c in alone}) > 1


async def test_openings_must_be_distinct_some_and_fit(model: Local) -> None:
    for openings in ([], ["say:", "say:"]):
        with pytest.raises(ValueError, match="distinct and at least one"):
            await model.draw_opening(HELLO, openings, seed=1)
    long = [ChatMessage(role="user", content="x" * 240)]
    with pytest.raises(ModelError, match="a context of 256 tokens"):
        await model.draw_opening(long, OPENINGS, seed=1)
    with pytest.raises(ModelError, match="a context of 256 tokens"):
        await opened(model, messages=long)


async def test_a_template_that_refuses_is_an_error_of_the_model(
    model: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [ChatMessage(role="system", content="You shop.")]
    monkeypatch.setattr(model.load().tokenizer, "chat_template", "{{ raise_exception('no chats today') }}")
    with pytest.raises(ModelError, match="chat template rejects"):
        await model.count_tokens(refused)
    with pytest.raises(ModelError, match="chat template rejects"):
        await model.draw_opening(refused, OPENINGS, seed=1)
    with pytest.raises(ModelError, match="chat template rejects"):
        await opened(model, messages=refused)


async def test_a_template_without_a_system_role_reads_its_message_in_the_first_of_the_users(
    model: Local,
) -> None:
    checkpoint = model.load()
    told = [ChatMessage(role="system", content="You shop."), *LONGER]
    merged = [ChatMessage(role="user", content="You shop.\n\nHello"), *LONGER[1:]]
    assert chat_tokens(checkpoint, told) == chat_tokens(checkpoint, merged)
    assert whole_chat_tokens(checkpoint, told) == whole_chat_tokens(checkpoint, merged)
    assert answer_tokens(checkpoint, told, "say:") == answer_tokens(checkpoint, merged, "say:")
    assert await model.count_tokens(told) == await model.count_tokens(LONGER) + len("You shop.\n\n")
    assert (await opened(model, messages=told)).text == (await opened(model, messages=merged)).text


@pytest.mark.parametrize("template", AS_LEARNED)
@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("words", ["", "red boots", ":)", "é 👍 \\ <|end|> x", "1: 2", "(" * 9])
def test_an_opened_answer_begins_as_the_whole_answer_that_was_learned_from(
    models: dict[str, Local], template: str, opening: str, words: str
) -> None:
    checkpoint = models[template].load()
    asked = chat_tokens(checkpoint, LONGER)
    whole = whole_chat_tokens(checkpoint, [*LONGER, answer(f"{opening} {words}".rstrip())])
    begun = answer_tokens(checkpoint, LONGER, opening)[:-1]
    assert whole[: len(asked)] == asked
    assert whole[len(asked) : len(asked) + len(begun)] == begun
    end = answer_end(checkpoint, asked, whole)
    assert end is not None
    assert whole[end - 1] == END not in whole[len(asked) : end - 1]
    said = checkpoint.tokenizer.decode(whole[len(asked) + len(begun) : end - 1])
    assert said == (f" {words}" if words else "")


@pytest.mark.parametrize("template", [*(name for name in TEMPLATES if name not in AS_LEARNED), "none"])
def test_where_the_whole_chat_is_written_in_another_way_an_answer_is_its_own_tokens(
    models: dict[str, Local], template: str
) -> None:
    checkpoint = models[template].load()
    said = " leave:" if template == "none" else "leave:"
    expected = [*text_tokens(checkpoint, said, is_start=False), END]
    assert answer_tokens(checkpoint, LONGER, "leave:") == expected
    if template != "none":
        whole = whole_chat_tokens(checkpoint, [*LONGER, answer("leave:")])
        assert answer_end(checkpoint, chat_tokens(checkpoint, LONGER), whole) is None


def test_the_end_of_an_answer_in_the_middle_of_a_chat_is_its_own(model: Local) -> None:
    checkpoint = model.load()
    whole = whole_chat_tokens(checkpoint, [*LONGER, answer("leave:")])
    end = answer_end(checkpoint, chat_tokens(checkpoint, HELLO), whole)
    assert end is not None
    assert checkpoint.tokenizer.decode(whole[:end]).endswith("assistant\nsay: boots<|end|>")
    assert answer_end(checkpoint, whole, whole[:-4]) is None


@every_template
@pytest.mark.parametrize("opening", OPENINGS)
async def test_what_follows_an_opening_is_what_generate_writes_after_the_same_tokens(
    models: dict[str, Local], template: str, opening: str
) -> None:
    model = models[template]
    checkpoint = model.load()
    begun = text_tokens(checkpoint, LEADS.get(template, "") + opening, is_start=False)
    tokens = torch.tensor([[*chat_tokens(checkpoint, LONGER), *begun]])
    with torch.inference_mode():
        written = checkpoint.model.generate(
            input_ids=tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=12, do_sample=False
        )[0, tokens.shape[1] :].tolist()
    if END in written:
        written = written[: written.index(END)]
    expected = checkpoint.tokenizer.decode(written, skip_special_tokens=True).rstrip("\ufffd").strip()
    said = await opened(model, messages=LONGER, opening=opening, temperature=0)
    assert said.text == expected
    assert said.text
    assert opening not in said.text
    assert said.input_tokens == tokens.shape[1]
    assert said.output_tokens <= 12


async def test_a_model_without_a_template_does_not_write_the_other_side(
    models: dict[str, Local], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["none"]
    checkpoint = model.load()
    wanted = text_tokens(checkpoint, " red boots\nUser: and I say", is_start=False)
    start = len(chat_tokens(checkpoint, HELLO)) + len(" say:")

    def forced(input_ids: Any, scores: Any) -> Any:
        only = torch.full_like(scores, -math.inf)
        only[:, wanted[input_ids.shape[1] - start]] = 0.0
        return only

    monkeypatch.setattr("convsim.models.generation._noise", lambda prompts: forced)
    said = await opened(model, max_tokens=20)
    assert (said.text, said.finish_reason) == ("red boots", "stop")


def test_a_model_in_the_present_folder_has_that_folders_name(
    model: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(model.path))
    assert Local(path=".").name == Path(model.path).name
