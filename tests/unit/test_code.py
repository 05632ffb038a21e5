"""The digest of somebody's code moves with all of their own files that it stands on, and with nothing else."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from convsim import _cache
from convsim._code import code_of

FILES = {
    "plug_of_test/__init__.py": "",
    "plug_of_test/most.py": "from .deep import of\nfrom limits_of_test import LIMIT\n",
    "plug_of_test/deep/__init__.py": "from ..words import WORDS\n",
    "plug_of_test/deep/of.py": "",
    "plug_of_test/words.py": "WORDS = 1\n",
    "plug_of_test/parent.py": "import json\n\n\nclass Parent:\n    pass\n",
    "plug_of_test/own.py": (
        "from plug_of_test import parent\n\n\nclass Own(parent.Parent):\n    def validate(self):\n"
        "        import plug_of_test.most\n\n\ndef make(limit):\n    def made():\n        return limit\n\n"
        "    return made\n\n\nthree = make(3)\n"
    ),
    "plug_of_test/unrelated.py": "",
    "limits_of_test.py": "LIMIT = 1\n",
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_cache, "BEGUN", math.inf)
    for name in [name for name in sys.modules if "_of_test" in name]:
        monkeypatch.delitem(sys.modules, name)
    return importlib.import_module("plug_of_test.own")


def fresh(thing: type | Callable[..., object]) -> str | None:
    code_of.cache_clear()
    return code_of(thing)


@pytest.mark.parametrize("edited", [name for name in FILES if "unrelated" not in name])
def test_it_moves_with(edited: str, own: ModuleType, tmp_path: Path) -> None:
    before = fresh(own.Own)
    assert before == fresh(own.Own)
    with (tmp_path / edited).open("a") as file:
        file.write("# edited\n")
    assert fresh(own.Own) != before


def test_it_stays_where_another_file_changes(own: ModuleType, tmp_path: Path) -> None:
    before = fresh(own.Own)
    (tmp_path / "plug_of_test/unrelated.py").write_text("A = 1\n")
    assert before == fresh(own.Own)


def test_it_moves_with_what_is_installed(own: ModuleType, tmp_path: Path) -> None:
    before = fresh(own.Own)
    (tmp_path / "somebody-2.dist-info").mkdir()
    assert fresh(own.Own) != before


def test_what_a_function_made_has_none(own: ModuleType) -> None:
    assert fresh(own.make) is not None
    assert fresh(own.make(3)) is None
    assert fresh(own.three) is None


def test_code_that_was_edited_since_the_process_began_is_not_known(
    own: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cache, "BEGUN", 0.0)
    with pytest.raises(OSError, match="has changed since this process began"):
        fresh(own.Own)
