"""An arena over HTTPS, by a certificate or behind a proxy."""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from convsim.errors import InputError
from convsim.web.blind_test.answers import answers
from convsim.web.security import Access
from convsim.web.serving import certified
from tests.end_to_end.arenas import Client, running, study
from tests.end_to_end.certificates import certificate

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ANSWER = "choice=human&confidence=3"


def test_a_certificate_serves_https_and_cookies_go_nowhere_else(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    with running(tmp_path / "arena.sqlite", study(), tls=certified(made.file, made.key)) as served:
        assert served.url == f"https://127.0.0.1:{served.port}/"
        ada = Client(served.port, tls=made.trusted)
        cookie = ada.get("/").header("set-cookie") or ""
        assert cookie.startswith("__Host-convsim_")
        assert "; Secure" in cookie
        assert "; Path=/;" in cookie
        assert ada.joined("Ada").post("/t/1", ANSWER).header("location") == "/t/2"
        ada.get("/t/2")
        assert ada.post("/t/2", ANSWER, Origin=f"http://127.0.0.1:{served.port}").status == 403
        assert len(answers(served.database)) == 1
        assert ada.post("/leave").status == 303


def test_a_rater_answers_over_https_in_a_browser(browser: "Browser", tmp_path: Path) -> None:
    made = certificate(tmp_path)
    with running(tmp_path / "arena.sqlite", study(), tls=certified(made.file, made.key)) as served:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(served.url)
        page.get_by_label("Your name").fill("Ada")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/t/1")
        page.locator(".choice input").first.check()
        page.get_by_label("Leaning", exact=True).check()
        page.get_by_role("button", name="Save and continue").click()
        page.wait_for_url("**/t/2")
        assert {(cookie["name"][:7], cookie["secure"]) for cookie in context.cookies()} == {("__Host-", True)}
        context.close()
        assert len(answers(served.database)) == 1


def test_behind_a_proxy_the_public_name_is_known_and_needs_the_token(tmp_path: Path) -> None:
    public = "https://arena.example"
    with running(tmp_path / "arena.sqlite", study(), public_url=f"{public}/") as served:
        address, _, token = served.url.partition("/?token=")
        assert address == public
        proxied = {"Host": "arena.example", "Origin": public}
        ada = Client(served.port)
        assert ada.get("/", **proxied).status == 403
        entered = ada.get(f"/?token={token}", **proxied)
        assert entered.status == 303
        assert "; Secure" in (entered.header("set-cookie") or "")
        ada.get("/", **proxied)
        assert ada.post("/join", "name=Ada", **{**proxied, "Origin": "http://arena.example"}).status == 403
        assert ada.post("/join", "name=Ada", **proxied).status == 303
        assert ada.get("/", Host="evil.example").status == 400


@pytest.mark.parametrize(
    "url",
    ["http://arena.example", "arena.example", "https://", "https://a.example/x", "https://u:p@a.example",
     "https://a.example?x", "https://a.example:x", "https://[", "https://a..example"],
)  # fmt: skip
def test_a_public_address_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(InputError, match="--public-url must be https://NAME or https://NAME:PORT"):
        Access.at("127.0.0.1", {}, variable="CONVSIM_ARENA_TOKEN", public_url=url)


def test_a_certificate_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    made, other = certificate(tmp_path), certificate(tmp_path, "other")
    both = tmp_path / "both.pem"
    both.write_bytes(made.file.read_bytes() + made.key.read_bytes())
    assert isinstance(certified(both, None), ssl.SSLContext)
    nothing = tmp_path / "nothing.pem"
    locked = tmp_path / "locked.key"
    locked.write_text(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
        "DEK-Info: AES-256-CBC,00000000000000000000000000000000\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
    )
    for given, said in (
        ((nothing, None), "--certificate .*nothing.pem: there is no such file"),
        ((made.file, nothing), "--key .*nothing.pem: there is no such file"),
        ((tmp_path, None), "there is no such file"),
        ((made.file, other.key), "other.key: is not the private key of .*arena.pem"),
        ((made.file, None), "arena.pem: a certificate and its private key are needed, as PEM"),
        ((made.key, made.key), "a certificate and its private key are needed, as PEM"),
        ((made.file, locked), "locked.key: the private key is encrypted"),
    ):
        with pytest.raises(InputError, match=said):
            certified(*given)
