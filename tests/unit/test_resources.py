"""convsim's own data files: the installed ones first, else those of the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from convsim import _resources as share
from convsim.errors import ConvsimError


def test_the_installed_copy_goes_before_the_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = (tmp_path / "installed", tmp_path / "checkout")
    monkeypatch.setattr(share, "PLACES", places)
    for place in places:
        (place / "demo").mkdir(parents=True)
    (places[1] / "demo" / "x.txt").write_text("", encoding="utf-8")
    assert share.shared("demo/x.txt") == places[1] / "demo" / "x.txt"
    (places[0] / "demo" / "x.txt").write_text("", encoding="utf-8")
    assert share.shared("demo/x.txt") == places[0] / "demo" / "x.txt"


def test_what_is_in_neither_place_is_an_error() -> None:
    with pytest.raises(ConvsimError, match="convsim's own data 'none' is not installed"):
        share.shared("none")
