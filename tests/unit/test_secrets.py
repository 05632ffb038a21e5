"""Whatever form a secret is written in, its name is written instead; other texts stay as they are."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from convsim import _secrets
from convsim._secrets import (
    know,
    know_environment,
    read_key,
    redact,
    redact_json,
    secret_in_address,
    without_keys,
    without_keys_in,
)
from convsim.errors import InputError

KEY = 'Ab3/+x"&<\\=~kq9ZtP'


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(_secrets, "_known", {})


FORMS = {
    "plain": KEY,
    "in an address": quote(KEY, safe=""),
    "in an address, lower case": quote(KEY, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3C", "%3c")
    .replace("%5C", "%5c").replace("%3D", "%3d"),
    "in a form": quote_plus(KEY),
    "in JSON": json.dumps(KEY),
    "in JSON in JSON": json.dumps(json.dumps({"error": KEY})),
    "in JSON with escaped slashes": json.dumps(KEY).replace("/", "\\/"),
    "in HTML": html.escape(KEY),
    "in base64": base64.b64encode(KEY.encode()).decode(),
    "in the base64 of a user's name and password": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "in the base64 of a header": base64.urlsafe_b64encode(f"Bearer {KEY}\r\n".encode()).decode(),
    "in hexadecimal": KEY.encode().hex(),
    "in a repr": repr({"key": KEY}),
}  # fmt: skip


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("stored", [KEY, f"{KEY}\n", f" {KEY}\r\n"], ids=["bare", "newline", "spaces"])
def test_a_secret_is_redacted_in_every_form(text, stored):
    know(stored, "SHOP_KEY")
    found = redact(f"before {text} after")
    assert "[SHOP_KEY]" in found
    assert (found.startswith("before "), found.endswith(" after")) == (True, True)
    # At most a rest of it that base64 mixes with what stood beside it.
    assert not any(
        text[at : at + 6] in found for at in range(len(text) - 5) if text[at : at + 6] in FORMS["in base64"]
    )
    assert KEY[:6] not in found


def test_a_secret_with_white_space_is_redacted_however_it_is_joined():
    know("correct horse\n battery 9", "PASSWORD")
    for text in ("correct horse\n battery 9", "correct horse battery 9", "correcthorsebattery9"):
        assert redact(f"<{text}>") == "<[PASSWORD]>"


@pytest.mark.parametrize("short", ["", "none", "EMPTY", "ollama", "k-1", "1234567", "lm-studio"])
def test_what_is_too_short_or_a_stand_in_for_a_key_changes_no_text(short):
    know(short, "SHOP_KEY")
    assert redact(f"the server {short} at ollama:11434") == f"the server {short} at ollama:11434"


def test_a_secret_that_is_a_word_is_found_as_a_word_alone():
    know("recommend", "SHOP_KEY")
    know("s3cret", "MY_KEY")
    assert redact("recommend: a recommendation") == "[SHOP_KEY]: a recommendation"
    assert redact("s3cret, s3crets") == "[MY_KEY], s3crets"


def test_json_stays_json_whatever_the_secret():
    know("nabc12345", "A")
    know("1234567890", "B")
    document = {"text": "\nabc12345 nabc12345", "price": 1234567890, "id": "1234567890", "nabc12345": 1}
    expected = {"text": "\nabc12345 [A]", "price": 1234567890, "id": "[B]", "[A]": 1}
    assert json.loads(redact_json(json.dumps(document))) == expected
    pretty = json.dumps(document, indent=2) + "\n"
    assert redact_json(pretty) == json.dumps(expected, indent=2) + "\n"


def test_a_key_is_read_without_its_newline_and_then_known(monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "sk-abc-0123\n")
    assert read_key("SHOP_KEY", "http") == "sk-abc-0123"
    assert redact("sk-abc-0123") == "[SHOP_KEY]"
    monkeypatch.setenv("SHOP_KEY", "sk-\x01abc")
    with pytest.raises(InputError, match="characters that an HTTP header cannot contain"):
        read_key("SHOP_KEY", "http")


def test_a_key_in_place_of_a_variable_s_name_is_refused_without_being_repeated():
    with pytest.raises(InputError, match=r"^http: api_key_env must be the name") as refused:
        read_key("sk-abc-0123", "http")
    assert "abc" not in str(refused.value)


def test_variables_that_are_called_like_secrets_are_known_and_words_numbers_and_places_are_not(
    monkeypatch, tmp_path
):
    for name, value in {
        "DB_PASSWORD": "hunter2hunter2", "X_KEYMAP": "english", "TOKENS": "1000000000", "SECRET_FILE": str(tmp_path),
        "CONVSIM_ARENA_TOKEN": "meant-to-be-printed-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    know_environment()
    assert redact("hunter2hunter2") == "[DB_PASSWORD]"
    kept = f"english 1000000000 meant-to-be-printed-1 {tmp_path}"
    assert redact(kept) == kept


LIKE_KEYS = [
    ("python a.py --api-key sk-LEAKME-0123456789", "python a.py --api-key [redacted]"),
    ("a --password=hunterhunter", "a --password=[redacted]"),
    ("http://h/x?n=1&api_key=s1&m=2", "http://h/x?n=1&api_key=[redacted]&m=2"),
    ("agent.url=https://joe:pass@h/x", "agent.url=https://[redacted]@h/x"),
    ("curl -H 'Authorization: Token abcdefgh12' h", "curl -H 'Authorization: Token [redacted]' h"),
    ('{"headers": {"X-Api-Key": "abcdefgh12"}}', '{"headers": {"X-Api-Key": "[redacted]"}}'),
    ("SHOP_KEY=abcdefgh12 python a.py", "SHOP_KEY=[redacted] python a.py"),
    ("Incorrect key: Bearer abcdef0123456", "Incorrect key: [redacted]"),
]


@pytest.mark.parametrize(("text", "expected"), LIKE_KEYS)
def test_what_looks_like_a_key_is_redacted_where_none_was_read(text, expected):
    assert without_keys(text) == expected
    assert without_keys(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "--max-tokens 40000000", "--eos-token <|endoftext|>", "--token-file secrets/of_mine", "API_KEY=$OPENAI_KEY run",
        "the token expired yesterday", "authorization: required", "a task-oriented-2024-dialogue",
        "sort_key=price_of_item",
        "--key-order ascending", "https://host.example/v1?version=20240601", "mail joe@host.example",
    ],
)  # fmt: skip
def test_what_only_sounds_like_a_key_stays(text):
    assert without_keys(text) == text


def test_a_document_has_no_text_under_a_name_of_a_secret():
    document = {
        "headers": {"Authorization": "xyz", "Accept": "text/plain"},
        "n": 3,
        "max_tokens": 5,
        "stop": [None, "s"],
    }
    expected = {**document, "headers": {"Authorization": "[redacted]", "Accept": "text/plain"}}
    assert without_keys_in(document) == expected


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("http://h/", None), ("http://h:1/x?version=2", None), ("http://joe@h/", "credentials"),
        ("http://:pw@h/", "credentials"), ("https://h/?api_key=", "the parameter 'api_key'"),
        ("https://h/?X-Amz-Signature=1", "the parameter 'X-Amz-Signature'"),
        ("https://h/f?code=1", "the parameter 'code'"),
        ("https://h/#access_token=1", "the parameter 'access_token'"), ("https://h/?q=sk-abcdefghij0123", "a key"),
        ("https://h/hooks/ghp_abcdefghij0123", "a key"), ("https://h/?%61pi_key=1", "the parameter 'api_key'"),
    ],
)  # fmt: skip
def test_a_secret_in_an_address_is_named_by_its_place(address, found):
    assert secret_in_address(address) == found


def test_long_texts_without_an_end_are_read_in_linear_steps():
    for text in (
        "a" * 300_000,
        "sk-." * 70_000,
        "a " * 100_000,
        "://" * 100_000,
        "?a" * 100_000,
        "a" + " " * 300_000,
    ):
        assert without_keys(text) == text
