"""Who may reach the page."""

import pytest

from convsim.errors import InputError
from convsim.web.security import Access, same_origin


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "localhost:1", "[::1]:8765"])
def test_loopback_is_known_by_its_names(host: str) -> None:
    assert Access.at("127.0.0.1", {}, variable="CONVSIM_ARENA_TOKEN").knows(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.5",
        "localhost@evil.example",
        "",
        "a/b",
        "localhost:x",
    ],
)
def test_other_names_that_lead_to_loopback_are_strangers(host: str) -> None:
    assert not Access.at("127.0.0.1", {}, variable="CONVSIM_ARENA_TOKEN").knows(host)


def test_on_a_network_addresses_are_known_and_strange_names_are_not() -> None:
    access = Access.at("0.0.0.0", {}, variable="CONVSIM_ARENA_TOKEN")
    assert access.knows("10.0.0.5:8765")
    assert not access.knows("evil.example")


def test_anything_but_loopback_needs_a_token() -> None:
    access = Access.at("0.0.0.0", {}, variable="CONVSIM_ARENA_TOKEN")
    assert access.token is not None
    assert len(access.token) >= 32
    assert access.opens(access.token)
    assert not access.opens("x")
    assert not access.admits("")
    assert access.admits(access.cookie)
    assert access.token not in access.cookie
    assert Access.at("127.0.0.1", {}, variable="CONVSIM_ARENA_TOKEN").admits("")


def test_the_environments_token_is_used_everywhere() -> None:
    secret = "correct horse battery"
    assert (
        Access.at("127.0.0.1", {"CONVSIM_ARENA_TOKEN": secret}, variable="CONVSIM_ARENA_TOKEN").token
        == secret
    )
    with pytest.raises(InputError, match="CONVSIM_ARENA_TOKEN must have 16 ASCII characters or more"):
        Access.at("127.0.0.1", {"CONVSIM_ARENA_TOKEN": "short"}, variable="CONVSIM_ARENA_TOKEN")


@pytest.mark.parametrize(
    ("origin", "site", "allowed"),
    [
        ("http://localhost:80", "same-origin", True), ("http://localhost:80", None, True),
        (None, None, False), ("null", None, False), ("http://evil.example", None, False),
        ("http://localhost:81", None, False), ("http://localhost:80", "cross-site", False), ("http://[", None, False),
    ],
)  # fmt: skip
def test_forms_come_from_the_page_itself(origin: str | None, site: str | None, allowed: bool) -> None:
    assert same_origin(origin, "localhost:80", site) is allowed
