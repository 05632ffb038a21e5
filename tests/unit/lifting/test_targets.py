"""What ``module:thing`` names, and the line that says why it names nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from convsim.errors import PluginError
from convsim.lifting import resolve

MODULE = '''
"""A shop."""
def reply(conversation):
    return "hi"
class Shop:
    reply = staticmethod(reply)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the current folder, with a module in it that nothing else knows."""
    (tmp_path / "corner_shop.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "bad_shop.py").write_text("import no_such_library\n", encoding="utf-8")
    (tmp_path / "cross_shop.py").write_text("raise SystemExit('closed\\ntoday')\n", encoding="utf-8")
    (tmp_path / "json.py").write_text("dumps = 'mine'\n", encoding="utf-8")
    (tmp_path / "pydantic.py").write_text("BaseModel = 'mine'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_of_the_current_folder_is_found_and_the_path_is_as_it_was(folder: Path) -> None:
    before = [*sys.path]
    found = resolve("corner_shop:Shop.reply", "mine")
    assert callable(found)
    assert found("x") == "hi"
    assert sys.path == before


def test_it_stands_in_for_nothing_that_is_installed(folder: Path) -> None:
    import json

    import pydantic

    assert resolve("json:dumps", "mine") is json.dumps
    for name in [name for name in sys.modules if name.partition(".")[0] == "pydantic_settings"]:
        del sys.modules[name]
    assert resolve("pydantic:BaseModel", "mine") is pydantic.BaseModel


def test_one_that_is_not_yet_imported_is_that_of_the_library_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "colorsys.py").write_text("rgb_to_hsv = 'mine'\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert callable(resolve("colorsys:rgb_to_hsv", "mine"))


MISTAKES = {
    "corner_shop:replay": r"corner_shop \(.*corner_shop\.py\) has no 'replay'; did you mean 'reply'\?$",
    "corner_shop:x": r"has no 'x'; it has: Shop, reply$",
    "corner_shop:Shop.repl": r"Shop has no 'repl'; did you mean 'reply'\?$",
    "corner_shp:reply": r"there is no module 'corner_shp'; did you mean 'corner_shop'\?$",
    "zzz:reply": r"there is no module 'zzz', neither installed nor in the current folder$",
    "corner_shop.py:reply": r"not a file; write corner_shop:… in the folder of corner_shop\.py$",
    "a/corner_shop.py:reply": r"not a file; write corner_shop:… in the folder of corner_shop\.py$",
    "bad_shop:reply": r"importing 'bad_shop' raised ModuleNotFoundError: No module named 'no_such_library'$",
    "cross_shop:reply": r"importing 'cross_shop' raised SystemExit: closed today$",
    "corner_shop:": r"expected module:attribute, such as shop\.agent:reply, but found 'corner_shop:'$",
    ":reply": r"expected module:attribute",
    ".x:reply": r"importing '\.x' raised TypeError",
    "a\x1b[2J\nb:reply": r"there is no module",
}


@pytest.mark.parametrize(("reference", "says"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake_says_what_was_written_and_what_is_nearest(folder: Path, reference: str, says: str) -> None:
    before = [*sys.path]
    with pytest.raises(PluginError, match=says) as caught:
        resolve(reference, "mine")
    assert str(caught.value).startswith("mine: ")
    assert str(caught.value).isprintable()
    assert sys.path == before
