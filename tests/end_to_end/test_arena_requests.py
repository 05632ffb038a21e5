"""The arena's pages over real sockets: what is refused, and what survives being sent twice."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from convsim.web.blind_test.answers import Answer, answers, join, keep
from convsim.web.blind_test.study import order_for
from tests.end_to_end.arenas import Arena, Client, running, study

ANSWER = "choice=human&confidence=3"


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    with running(tmp_path / "arena.sqlite", study()) as served:
        yield served


def test_a_rater_joins_answers_and_goes_on(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    reply = ada.post("/t/1", f"{ANSWER}&word=0.0.1&word=0.2.0")
    assert (reply.status, reply.header("location")) == (303, "/t/2")
    (answer,) = answers(arena.database)
    assert (answer.choice, answer.confidence, answer.words) == ("human", 3, ((0, 0, 1), (0, 2, 0)))


def test_a_form_sent_twice_counts_once_and_the_first_stands(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    assert ada.post("/t/1", ANSWER).status == 303
    again = ada.post("/t/1", "choice=simulated&confidence=1")
    assert (again.status, again.header("location")) == (303, "/t/2")
    assert [answer.choice for answer in answers(arena.database)] == ["human"]


def test_a_form_sent_eight_times_at_once_counts_once(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: ada.post("/t/1", ANSWER), range(8)))
    assert {reply.status for reply in replies} == {303}
    assert len(answers(arena.database)) == 1


def test_a_name_sent_twice_is_one_rater_and_another_rater_cannot_take_it(arena: Arena) -> None:
    ada = Client(arena.port)
    ada.get("/")
    assert [ada.post("/join", "name=Ada").status for _ in range(2)] == [303, 303]
    other = Client(arena.port)
    other.get("/")
    refused = other.post("/join", "name=ada")
    assert refused.status == 409
    assert "Somebody is called &#39;ada&#39; already" in refused.body


def test_a_skip_is_kept_and_goes_on(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    assert ada.post("/t/1", "skip=1").header("location") == "/t/2"
    assert answers(arena.database)[0].choice is None


def test_nobody_skips_ahead(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    assert ada.get("/t/9").header("location") == "/t/1"
    assert ada.post("/t/9", ANSWER).header("location") == "/t/1"
    assert answers(arena.database) == []
    assert ada.get("/end").header("location") == "/t/1"


def test_what_was_answered_is_shown_and_cannot_be_changed(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    ada.post("/t/1", ANSWER)
    page = ada.get("/t/1")
    assert "you said a person (fairly sure)" in page.body
    assert 'type="radio"' not in page.body


def test_a_rater_comes_back_by_their_own_link(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    ada.post("/t/1", ANSWER)
    link = ada.get("/t/2").body.partition('href="/return/')[2].partition('"')[0]
    elsewhere = Client(arena.port)
    assert "Continue as <bdi>Ada</bdi>?" in elsewhere.get(f"/return/{link}").body
    assert elsewhere.post("/return", f"secret={link}").header("location") == "/"
    assert elsewhere.get("/").header("location") == "/t/2"
    assert elsewhere.get(f"/return/{link}").header("location") == "/"
    assert Client(arena.port).get(f"/return/{'x' * 43}").status == 404
    elsewhere.get("/t/2")
    assert elsewhere.post("/return", f"secret={'x' * 43}").status == 404


def test_a_link_that_another_site_opens_makes_nobody_somebody_else(arena: Arena) -> None:
    mallory, ada = (Client(arena.port).joined(name) for name in ("Mallory", "Ada"))
    (secret,) = mallory.cookies.values()
    for browser, page in ((ada, "/t/1"), (Client(arena.port), "/")):
        before = dict(browser.cookies)
        asked = browser.get(f"/return/{secret}", Sec_Fetch_Site="cross-site")
        assert "Continue as <bdi>Mallory</bdi>?" in asked.body
        assert secret not in browser.cookies.values()
        for headers in ({"Origin": "http://evil.example"}, {"Origin": f"http://127.0.0.1:{arena.port + 1}"}):
            assert browser.post("/return", f"secret={secret}", **headers).status == 403
        mark, browser.mark = browser.mark, mallory.mark
        assert browser.post("/return", f"secret={secret}").status == 403
        browser.mark = mark
        assert "Mallory" not in browser.get(page).body
        assert not before or browser.cookies == before
    ada.get(f"/return/{secret}")
    assert ada.post("/return", f"secret={secret}").status == 303
    assert "Mallory" in ada.get("/t/1").body


def test_a_secret_that_was_planted_in_a_browser_is_not_its_raters(arena: Arena) -> None:
    (name,) = Client(arena.port).joined("Grace").cookies
    planted = "x" * 43
    ada, thief = (Client(arena.port, {name: planted}) for _ in range(2))
    ada.joined("Ada")
    assert planted not in ada.cookies.values()
    assert "Your name" in thief.get("/").body
    # Nor by the form that the thief was given for the same cookie, or one of another browser.
    assert thief.post("/join", "name=ada").status == 409
    other = Client(arena.port)
    other.get("/")
    other.offer = thief.offer
    assert other.post("/join", "name=Eve").status == 403
    other.offer = f"{planted}.{'0' * 64}"
    assert other.post("/join", "name=Eve").status == 403


def test_a_name_sent_eight_times_at_once_is_one_rater(arena: Arena) -> None:
    ada = Client(arena.port)
    ada.get("/")
    before = dict(ada.cookies)
    with ThreadPoolExecutor(8) as pool:
        twins = [Client(arena.port, dict(before), ada.mark, ada.offer) for _ in range(8)]
        replies = list(pool.map(lambda twin: twin.post("/join", "name=Ada"), twins))
    assert {reply.status for reply in replies} == {303}
    assert len({tuple(twin.cookies.values()) for twin in twins}) == 1


def test_somebody_else_can_rate_in_the_same_browser(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    assert ada.post("/leave").status == 303
    assert "Your name" in ada.get("/").body


@pytest.mark.parametrize(
    "body",
    [
        "", "choice=human", "confidence=3", "choice=left&confidence=3", "choice=human&confidence=9",
        "choice=human&choice=simulated&confidence=3", f"{ANSWER}&word=0.1.0", f"{ANSWER}&word=1.0.0",
        f"{ANSWER}&word=0.0.999", f"{ANSWER}&word=x", f"{ANSWER}&word=0.99.0", "%ff%fe=1",
    ],
)  # fmt: skip
def test_what_the_page_did_not_offer_is_refused(arena: Arena, body: str) -> None:
    assert Client(arena.port).joined("Ada").post("/t/1", body).status == 400
    assert answers(arena.database) == []


def test_a_form_without_its_mark_is_refused(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    for mark in ("", "0" * 64):
        ada.mark = mark
        assert ada.post("/t/1", ANSWER).status == 403
    assert answers(arena.database) == []


def test_one_browsers_mark_does_not_serve_another(arena: Arena) -> None:
    ada, grace = (Client(arena.port).joined(name) for name in ("Ada", "Grace"))
    ada.mark = grace.mark
    assert ada.post("/t/1", ANSWER).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"}, {"Origin": "http://localhost:1"},
    ],
)  # fmt: skip
def test_forms_of_other_pages_are_refused(arena: Arena, headers: dict[str, str]) -> None:
    ada = Client(arena.port).joined("Ada")
    assert ada.post("/t/1", ANSWER, **headers).status == 403
    assert answers(arena.database) == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1"])
def test_a_strangers_name_that_leads_here_is_refused(arena: Arena, host: str) -> None:
    assert Client(arena.port).get("/", Host=host).status == 400


def test_a_request_without_a_host_or_with_two_is_refused(arena: Arena) -> None:
    client = Client(arena.port)
    assert client.raw(b"GET / HTTP/1.0\r\n\r\n").status == 400
    assert client.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n").status == 400


def test_large_bodies_names_and_addresses_are_refused(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    assert ada.post("/t/1", ANSWER + "&word=0.0.0" * 5000).status == 413
    assert ada.post("/t/1", ANSWER + "&word=0.0.0" * 300).status == 400
    assert ada.get(f"/{'x' * 600}").status == 414
    other = Client(arena.port)
    other.get("/")
    assert other.post("/join", f"name={'x' * 41}").status == 409


def test_a_body_that_is_no_form_is_refused(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    assert ada.post("/t/1", ANSWER, Content_Type="text/plain").status == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/t/x", 404),
        ("GET", "/static/../schema.sql", 404),
        ("PUT", "/t/1", 405),
    ],
)
def test_other_pages_do_not_exist(arena: Arena, method: str, path: str, status: int) -> None:
    client = Client(arena.port)
    assert client.send(method, path, headers={"Origin": f"http://127.0.0.1:{arena.port}"}).status == status


def test_every_page_forbids_scripts_in_it_frames_and_copies(arena: Arena) -> None:
    ada = Client(arena.port).joined("Ada")
    for path in ("/", "/t/1", "/static/arena.js", "/nothing"):
        reply = ada.get(path)
        policy = reply.header("content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert reply.header("x-content-type-options") == "nosniff"
        assert reply.header("cache-control") == "no-store"
        assert "style=" not in reply.body
    cookie = Client(arena.port).get("/").header("set-cookie") or ""
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_the_page_holds_nothing_that_names_a_side(arena: Arena) -> None:
    body = Client(arena.port).joined("Ada").get("/t/1").body
    assert "Boot 1" in body
    assert "secret" not in body


def test_a_locked_file_is_a_page_without_its_place_and_the_answer_can_be_sent_again(
    arena: Arena, caplog: pytest.LogCaptureFixture
) -> None:
    ada = Client(arena.port).joined("Ada")
    holder = sqlite3.connect(arena.database.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    replies = [ada.post("/t/1", ANSWER) for _ in range(2)]
    for reply in replies:
        assert reply.status == 503
        assert "reload the page to send it again" in reply.body
        for told in (str(arena.database.path), str(arena.database.path.parent), "sqlite", "database"):
            assert told not in reply.body
    # Who serves it is told the reason, once.
    assert caplog.messages == [
        f"{arena.database.path}: the database is locked by another program; close it there"
    ]
    holder.execute("ROLLBACK")
    holder.close()
    assert ada.post("/t/1", ANSWER).status == 303
    assert len(answers(arena.database)) == 1


def test_a_request_reads_the_answers_of_its_rater_alone(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = Client(arena.port).joined("Ada")
    ada.post("/t/1", ANSWER)
    rows: list[tuple[object, ...]] = []
    connect = sqlite3.connect

    def noted(_: sqlite3.Cursor, row: tuple[object, ...]) -> tuple[object, ...]:
        rows.append(row)
        return row

    def counting(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **settings)
        connection.row_factory = noted
        return connection

    def read() -> int:
        rows.clear()
        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", counting)
            assert ada.get("/t/2").status == 200
        return len(rows)

    alone = read()
    assert ("human", 3) in [row[3:5] for row in rows]
    for number in range(20):
        other = join(arena.database, f"Rater {number}", f"secret {number}")
        for trial in range(12):
            keep(arena.database, Answer(other.number, trial, "human", 3, None))
    assert len(answers(arena.database)) == 241
    assert read() == alone


def test_two_arenas_on_one_file_know_each_others_raters(arena: Arena, tmp_path: Path) -> None:
    ada = Client(arena.port).joined("Ada")
    ada.post("/t/1", ANSWER)
    with running(tmp_path / "arena.sqlite", study()) as second:
        there = Client(second.port, dict(ada.cookies))
        assert there.get("/").header("location") == "/t/2"
        there.get("/t/2")
        assert there.post("/t/2", ANSWER).status == 303
    assert ada.get("/").header("location") == "/t/3"


def test_a_network_address_needs_the_token_once(tmp_path: Path) -> None:
    with running(tmp_path / "arena.sqlite", study(), host="0.0.0.0") as arena:
        client = Client(arena.port)
        token = arena.url.partition("?token=")[2]
        assert client.get("/").status == 403
        assert client.get("/static/arena.css").status == 403
        assert client.get("/?token=wrong").status == 403
        assert client.get(f"//evil.example/?token={token}").header("location") == "/evil.example/"
        client.cookies.clear()
        entered = client.get(f"/?token={token}")
        assert (entered.status, entered.header("location")) == (303, "/")
        assert token not in "".join(client.cookies.values())
        assert client.joined("Ada").post("/t/1", ANSWER).status == 303


def test_the_page_says_when_there_are_as_many_answers_as_planned(tmp_path: Path) -> None:
    # 16 answers, right in half of the cases, are precise to 0.48; skipped trials are none of them.
    with running(tmp_path / "arena.sqlite", study(), precision=0.48) as arena:
        ada, grace = (Client(arena.port).joined(name) for name in ("Ada", "Grace"))
        grace.post("/t/1", "skip=1")
        for place in range(1, 12):
            ada.post(f"/t/{place}", ANSWER)
        assert "11 answers so far from all raters together; 16 are planned" in ada.get("/t/12").body
        assert ada.post("/t/12", ANSWER).header("location") == "/end"
        assert "You have answered all 12" in ada.get("/end").body
        for place in range(2, 6):
            assert "Enough." not in grace.get(f"/t/{place}").body
            grace.post(f"/t/{place}", ANSWER)
        assert "Enough." in grace.get("/t/6").body


@pytest.mark.parametrize("mode", ["single", "pair"])
def test_nothing_that_a_rater_sees_depends_on_whether_they_were_right(tmp_path: Path, mode: str) -> None:
    """Two raters of one name, and so of one order: the one is always right, the other never."""
    made = study(mode=mode)
    seen: list[list[str]] = []
    for right in (True, False):
        with running(tmp_path / f"{right}.sqlite", made, precision=0.49) as arena:
            ada = Client(arena.port).joined("Ada")
            pages = [ada.get("/t/1").body]
            for place, (trial, human_left) in enumerate(order_for(made, "Ada"), start=1):
                human = bool(human_left) if mode == "pair" else made.trials[trial].human is not None
                yes, no = ("left", "right") if mode == "pair" else ("human", "simulated")
                ada.post(f"/t/{place}", f"choice={yes if human == right else no}&confidence=2")
                pages.append(ada.get(f"/t/{place + 1}" if place < 12 else "/end").body)
            secrets = (ada.mark, *ada.cookies.values())
            seen.append([reduce(lambda text, secret: text.replace(secret, ""), secrets, p) for p in pages])
    assert len(seen[0]) == 13
    assert seen[0] == seen[1]
