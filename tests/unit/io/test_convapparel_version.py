"""Which version of ConvApparel a file is: its hash, then what it states, then its name; never a mixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from convsim.errors import TranscriptError
from convsim.io import card, read
from convsim.io.formats.convapparel import source_of
from tests.unit.io.made import archive, archived, written

NO_HASH = "0" * 64


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_hash_of_a_known_archive_decides(version: str) -> None:
    sha256 = card(f"convapparel-{version}").sha256
    assert sha256 is not None
    assert source_of(Path("ConvApparel_V2.zip"), sha256, {"1", "2"}) == (f"convapparel-{version}", ())


@pytest.mark.parametrize(
    ("stated", "source"),
    [
        ("1", "v1"),
        ("v1", "v1"),
        ("V2", "v2"),
        ("2.0", "v2"),
        ("ConvApparel_V2", "v2"),
        ("convapparel-1.1", "v1"),
    ],
)
def test_what_the_conversations_state_is_next(stated: str, source: str) -> None:
    assert source_of(Path("x.zip"), NO_HASH, {stated}) == (f"convapparel-{source}", ())


@pytest.mark.parametrize(
    ("name", "source"), [("ConvApparel.zip", "v1"), ("ConvApparel.json", "v1"), ("convapparel_v2.zip", "v2")]
)
def test_the_name_is_last_and_is_warned_of(name: str, source: str) -> None:
    found, warnings = source_of(Path(name), NO_HASH, {"survey-A"})
    assert found == f"convapparel-{source}"
    assert warnings == (f"assumed to be ConvApparel {source.upper()}, from the file name only",)


@pytest.mark.parametrize("stated", ["standin-1", "12", "", "v3", "1-beta"])
def test_an_unknown_version_is_not_guessed(stated: str) -> None:
    found, warnings = source_of(Path("talks.json"), NO_HASH, {stated})
    assert found == "convapparel"
    assert "neither ConvApparel V1 nor V2" in warnings[0]


def test_a_name_against_what_is_stated_is_not_decided() -> None:
    found, warnings = source_of(Path("ConvApparel_V2.zip"), NO_HASH, {"v1"})
    assert found == "convapparel"
    assert warnings == ("the name says ConvApparel V2, but the conversations V1",)


def test_a_file_that_mixes_versions_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", archive(archived(version="v1"), archived(version="v2")))
    with pytest.raises(TranscriptError, match="contains ConvApparel V1 and V2, which must never be pooled"):
        read(path)
