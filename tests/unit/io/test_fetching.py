"""Fetching from a server on loopback: checked, whole, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from convsim.errors import FetchError, InputError
from convsim.io import Card, card, fetch

DATA = b"an archive" * 1000
HOME = "https://example.org/home"


def card_of(url: str, data: bytes = DATA) -> Card:
    return Card(
        name="toy", title="Toy", written_by_people=True, note="", file="toy.zip", licence="CC0", home=HOME, url=url,
        sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip


def test_a_file_is_fetched_once(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_oneshot_request("/toy.zip").respond_with_data(DATA)
    toy = card_of(httpserver.url_for("/toy.zip"))
    path = fetch(toy, tmp_path / "new")
    assert path == tmp_path / "new" / "toy.zip"
    assert path.read_bytes() == DATA
    assert fetch(toy, tmp_path / "new") == path
    assert len(httpserver.log) == 1


def test_a_file_that_is_not_what_the_card_says_is_replaced_with_force_alone(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/toy.zip").respond_with_data(DATA)
    (tmp_path / "toy.zip").write_bytes(b"old")
    toy = card_of(httpserver.url_for("/toy.zip"))
    with pytest.raises(InputError, match="exists already, and its SHA-256 is not the card's"):
        fetch(toy, tmp_path)
    assert (tmp_path / "toy.zip").read_bytes() == b"old"
    assert httpserver.log == []
    assert fetch(toy, tmp_path, force=True).read_bytes() == DATA


def failure(toy: Card, folder: Path) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(toy, folder)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_another_checksum_leaves_nothing_behind(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/toy.zip").respond_with_data(b"something else")
    assert "its SHA-256 differs from the card's" in failure(card_of(httpserver.url_for("/toy.zip")), tmp_path)


def test_an_answer_of_the_server_that_is_no_file_leaves_nothing_behind(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/toy.zip").respond_with_data("no", status=404)
    assert "the server answered: 404" in failure(card_of(httpserver.url_for("/toy.zip")), tmp_path)


def test_more_than_twice_what_the_card_says_is_not_downloaded(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/toy.zip").respond_with_data(b"x" * 3_000_000)
    toy = card_of(httpserver.url_for("/toy.zip")).model_copy(update={"megabytes": 1.0})
    assert "it is larger than 2 MB" in failure(toy, tmp_path)


def test_a_download_that_breaks_off_leaves_nothing_behind(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/toy.zip").respond_with_data(
        DATA[:100], headers={"Content-Length": str(len(DATA))}
    )
    assert "could not be fetched" in failure(card_of(httpserver.url_for("/toy.zip")), tmp_path)


def test_without_a_network_one_line_says_where_the_file_comes_from_and_where_it_goes(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/toy.zip"
    said = failure(card_of(url), tmp_path)
    assert said == (
        f"Toy could not be fetched from {url} (no connection); get toy.zip from {HOME} yourself and put it at "
        f"{tmp_path / 'toy.zip'}"
    )


def test_what_comes_with_convsim_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is installed with convsim"):
        fetch(card("demo-close"), tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        fetch(card_of("http://127.0.0.1:9/toy.zip"), tmp_path / "file")
