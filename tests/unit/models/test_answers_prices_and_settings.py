"""The small parts: what of a text is the answer, what it costs, how long to wait, what a setting may be."""

import math
from email.utils import formatdate
from pathlib import Path

import pytest
from pydantic import BaseModel

from convsim._text import one_line
from convsim.errors import InputError, ModelError
from convsim.models import OpenAICompatible
from convsim.models.chat import cut_at
from convsim.models.failures import PassingError
from convsim.models.gates import Gate
from convsim.models.prices import price_of
from convsim.models.retries import back_off, with_retries
from convsim.models.structured import accepted, choice_of, with_request
from convsim.models.waits import asked_wait
from convsim.schema.chat_model import ChatMessage


class Fit(BaseModel):
    size: int


def test_the_first_stop_string_in_the_text_cuts_it_whatever_their_order() -> None:
    assert cut_at("boots\nUser: hi", ["User:", "\n"]) == ("boots", True)
    assert cut_at("boots", ["\n", ""]) == ("boots", False)


def test_one_line_has_no_control_characters_and_an_end() -> None:
    assert one_line("a\x1b[2Jb\r\n\tc\u202e") == "a [2Jb c"
    assert len(one_line("word " * 10_000)) == 200


def test_a_price_holds_for_one_model_at_one_host_and_others_are_unknown() -> None:
    known = price_of("gpt-4.1-mini", "api.openai.com")
    assert known is not None
    assert known.of(1_000_000, 500_000) == pytest.approx(0.40 + 0.80)
    assert price_of("gpt-4.1-mini", "127.0.0.1") is None
    assert price_of("gpt-4.1-mini-of-mine", "api.openai.com") is None


def test_a_table_of_the_users_is_asked_first(tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text('[[price]]\nmodel = "gpt-4.1-mini"\nhost = "api.openai.com"\ninput = 1\noutput = 0.0\n')
    known = price_of("gpt-4.1-mini", "api.openai.com", table=table)
    assert known is not None
    assert (known.input, known.output) == (1, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[price]]\nmodel = "m"\n', "price.0.input: is missing"),
        (
            '[[price]]\nmodel = "m"\ninput = -1.0\noutput = 1.0',
            "price.0.input: must be at least 0",
        ),
        ('[[price]]\nmodel = "m"\ninput = nan\noutput = 1.0', "price.0.input"),
        ('[[price]]\nmodell = "m"\ninput = 1.0\noutput = 1.0', "price.0.model"),
        ("not toml", "is not TOML"),
    ],
)
def test_a_broken_table_of_prices_is_an_error_that_names_file_and_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    table = tmp_path / "prices.toml"
    table.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        OpenAICompatible(model="m", base_url="http://127.0.0.1:1/v1", prices=table)
    assert str(table) in str(caught.value)


def test_the_wait_doubles_up_to_eight_seconds_with_at_most_half_of_it_jitter() -> None:
    for tries, longest in [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (9, 8.0), (10_000, 8.0)]:
        waits = [back_off(tries, seed=seed) for seed in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
    assert back_off(3, seed=4) == back_off(3, seed=4)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, math.inf),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": formatdate(0, usegmt=True)}, 0.0),
        ({"retry-after": "Mon, 99 Foo 20260 99:99:99 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers) == seconds


async def test_a_failure_that_cannot_pass_is_not_tried_again() -> None:
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1
        raise ModelError("wrong name") if calls == 2 else PassingError("busy", wait_s=0)

    with pytest.raises(ModelError, match=r"^wrong name$"):
        await with_retries(call, gate=Gate("some:endpoint"), max_retries=9, seed=1)
    assert calls == 2


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"timeout_s": 0}, "timeout_s must be seconds above 0, up to 86400, but is 0"),
        ({"timeout_s": "soon"}, "timeout_s must be seconds above 0, up to 86400, but is 'soon'"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"max_retries": -1}, "max_retries must be a whole number from 0, but is -1"),
        ({"max_connections": True}, "max_connections must be a whole number from 1, but is True"),
        ({"model": ""}, "model must be text that is not empty, but is ''"),
        ({"base_url": "localhost:8000"}, "base_url = 'localhost:8000' is not an address"),
        ({"base_url": "file:///etc/passwd"}, "is not an address"),
        ({"base_url": "http://h:port/v1"}, "is not an address"),
        (
            {"base_url": "https://user:pass@shop.example/v1"},
            "the base_url of shop.example contains credentials",
        ),
        ({"base_url": "https://shop.example/v1?api-key=1"}, "contains credentials or a query"),
        ({"base_url": "https://shop.example/v1#token=1"}, "contains credentials or a query"),
        ({"base_url": "https://shop.example/sk-pass1234567890abcd/v1"}, "contains a key"),
        ({"base_url": "ftp://user:pass@shop.example/v1"}, "base_url = 'shop.example/v1' is not an address"),
        ({"base_url": "https://user:pass@shop.example:99999/v1"}, "is not an address"),
        ({"base_url": "user:pass@shop.example/v1"}, "is not an address"),
        ({"base_url": "https://shop.example/v1\x1b[31m"}, "is not an address"),
        ({"base_url": "https://shop example/v1"}, "is not an address"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        OpenAICompatible(**{"model": "m", **settings})  # type: ignore[arg-type]
    assert "pass@" not in str(caught.value)
    assert "pass1234" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_json_is_found_in_a_fence_or_among_words_and_checked() -> None:
    for text in ('{"size": 9}', '```json\n{"size": 9}\n```', 'Here you are: {"size": 9}. Anything else?'):
        assert accepted(text, Fit, who="m")[1].size == 9
    for text in (
        "",
        "nine",
        '{"size": "nine"}',
        '{"size": 9',
        "}{",
        "{" * 100_000,
        '{"size": 9} {"size": 8}',
    ):
        with pytest.raises(ModelError, match=r"^m gave an answer that does not fit the schema Fit"):
            accepted(text, Fit, who="m")


def test_a_choice_is_one_of_the_options_to_the_letter() -> None:
    schema = choice_of(["the {red} one", "leave"])
    assert accepted('{"choice": "the {red} one"}', schema, who="m")[1].choice == "the {red} one"
    assert accepted("leave", schema, who="m")[1].choice == "leave"
    for text in ("Leave", "leave now", '{"choice": ""}', '{"option": "leave"}'):
        with pytest.raises(ModelError):
            accepted(text, schema, who="m")


def test_a_request_joins_the_users_last_message_and_follows_any_other() -> None:
    user, assistant = ChatMessage(role="user", content="a"), ChatMessage(role="assistant", content="b")
    assert [m.content for m in with_request([user], "ask")] == ["a\n\nask"]
    assert [(m.role, m.content) for m in with_request([user, assistant], "ask")][-1] == ("user", "ask")
