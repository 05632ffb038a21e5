"""Cards of data sets: complete, and true of the files that come with convsim."""

from __future__ import annotations

import re

import pytest

from convsim._resources import shared
from convsim.errors import InputError
from convsim.io import card, cards, read


def test_every_card_says_whether_people_wrote_it_and_under_which_licence() -> None:
    known = {each.name: each for each in cards()}
    people = {name for name, each in known.items() if each.written_by_people}
    assert people == {"convapparel-v1", "convapparel-v2"}
    assert all(each.licence and each.home for each in known.values())
    assert all("No person wrote these" in each.note for name, each in known.items() if name not in people)


@pytest.mark.parametrize(("version", "conversations", "turns"), [("v1", 4146, 14736), ("v2", 3534, 11764)])
def test_what_can_be_fetched_has_a_checksum_and_an_address(
    version: str, conversations: int, turns: int
) -> None:
    found = card(f"convapparel-{version}")
    assert (found.conversations, found.turns) == (conversations, turns)
    assert re.fullmatch(r"[0-9a-f]{64}", found.sha256 or "")
    assert found.url == f"{found.home}/resolve/main/{found.file}"


@pytest.mark.parametrize("name", [each.name for each in cards() if each.url is None])
def test_what_comes_with_convsim_is_what_its_card_says(name: str) -> None:
    found = card(name)
    assert len(read(shared(found.file)).conversations) == found.conversations


def test_an_unknown_name_is_told_which_there_are() -> None:
    with pytest.raises(
        InputError, match=r"there is no data set 'x'; available: convapparel-v1, convapparel-v2, "
    ):
        card("x")
