"""A folder of kept results: nothing is believed that was cut short, changed, renamed or made by somebody else."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

import convsim
import convsim_validators
from convsim._cache import LIBRARIES, Cache, counted_with, folder_digest, key_of

ROOT = os.name != "nt" and os.geteuid() == 0


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / ".convsim-cache", of_user=tmp_path / "user")


def entry(cache: Cache) -> Path:
    [found] = cache.folder.glob("*.entry")
    return found


def test_what_was_kept_under_a_key_is_read_under_it_alone(cache: Cache) -> None:
    cache.write("a", b"found")
    assert (cache.read("a"), cache.read("b")) == (b"found", None)


@pytest.mark.parametrize("cut", [0, 1, 64, 66])
def test_an_entry_that_was_cut_short_is_none(cache: Cache, cut: int) -> None:
    cache.write("a", b"found")
    path = entry(cache)
    path.write_bytes(path.read_bytes()[:cut])
    assert cache.read("a") is None


def test_every_changed_byte_makes_an_entry_none(cache: Cache) -> None:
    cache.write("a", b"found")
    path = entry(cache)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.read("a") is None, place
    path.write_bytes(whole)
    assert cache.read("a") == b"found"


def test_an_entry_of_one_key_is_not_believed_under_another(cache: Cache) -> None:
    cache.write("a", b"found")
    entry(cache).rename(cache.folder / "b.entry")
    assert cache.read("b") is None


def test_an_entry_that_somebody_else_has_sealed_is_not_believed(cache: Cache, tmp_path: Path) -> None:
    Cache(cache.folder, of_user=tmp_path / "a stranger").write("a", b"aligned")
    assert cache.read("a") is None


def test_a_damaged_entry_is_told_of_to_whoever_asks_for_more(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write("a", b"found")
    entry(cache).write_bytes(b"poison")
    with caplog.at_level("INFO", logger="convsim"):
        assert cache.read("a") is None
    assert "the cache's a.entry is damaged" in caplog.text


def test_what_was_used_longest_ago_goes_when_the_folder_is_full(tmp_path: Path) -> None:
    cache = Cache(tmp_path / ".convsim-cache", of_user=tmp_path / "user", max_bytes=400)
    for name, at in (("a", 1), ("b", 2), ("c", 3)):
        cache.write(name, b"x" * 60)
        os.utime(cache.folder / f"{name}.entry", (at, at))
    assert cache.read("a")  # which makes it the youngest
    cache.write("d", b"x" * 60)
    assert [cache.read(name) is not None for name in "abcd"] == [True, False, True, True]


def test_what_is_larger_than_the_folder_may_be_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / ".convsim-cache", of_user=tmp_path / "user", max_bytes=10)
    cache.write("a", b"x" * 11)
    assert cache.read("a") is None


def test_the_user_s_own_folder_is_used_where_a_file_lies_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".convsim-cache").write_text("a file")
    cache = Cache(tmp_path / ".convsim-cache", of_user=tmp_path / "user")
    cache.write("a", b"found")
    assert cache.read("a") == b"found"
    assert (tmp_path / "user/a.entry").is_file()


@pytest.mark.skipif(ROOT or os.name == "nt", reason="whoever may write anywhere is refused by no folder")
def test_the_user_s_own_folder_is_used_where_the_data_s_cannot_be_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o555)
    cache = Cache(data / ".convsim-cache", of_user=tmp_path / "user")
    cache.write("a", b"found")
    assert cache.read("a") == b"found"
    assert not any(data.iterdir())


def test_nothing_is_kept_or_believed_without_a_place_for_the_key(tmp_path: Path) -> None:
    (tmp_path / "user").write_text("a file")
    cache = Cache(tmp_path / ".convsim-cache", of_user=tmp_path / "user")
    cache.write("a", b"found")
    assert cache.read("a") is None
    assert not cache.folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".convsim-cache").symlink_to(elsewhere)
    cache = Cache(tmp_path / ".convsim-cache", of_user=tmp_path / "user")
    cache.write("a", b"found")
    assert not any(elsewhere.iterdir())
    assert cache.read("a") == b"found"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_nothing_is_written_through_a_link_inside_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".convsim-cache").mkdir()
    (tmp_path / ".convsim-cache/.gitignore").symlink_to(tmp_path / "elsewhere")
    cache = Cache(tmp_path / ".convsim-cache", of_user=tmp_path / "user")
    cache.write("a", b"found")
    assert cache.read("a") == b"found"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.name == "nt", reason="files have no such mode there")
def test_nothing_is_believed_where_others_know_the_key(cache: Cache, tmp_path: Path) -> None:
    cache.write("a", b"found")
    (tmp_path / "user/key").chmod(0o644)
    assert Cache(cache.folder, of_user=tmp_path / "user").read("a") is None


def test_every_library_that_numbers_are_made_with_is_part_of_a_key() -> None:
    root = Path(convsim.__file__).parent
    folders = [root / name for name in ("metrics", "stats", "text", "schema")]
    folders.append(Path(convsim_validators.__file__).parent)
    imported = {
        name.partition(".")[0]
        for folder in folders
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    own = {"convsim", "convsim_validators", "pydantic_core", "threadpoolctl"}  # the last counts nothing
    named = {name.replace("-", "_").replace("scikit_learn", "sklearn") for name in LIBRARIES}
    assert imported - own - sys.stdlib_module_names == named
    assert [each.partition(" ")[0] for each in counted_with()[: len(LIBRARIES)]] == list(LIBRARIES)


def test_a_key_moves_with_the_number_of_threads_which_the_last_digits_hang_on() -> None:
    with threadpool_limits(1):
        one = counted_with()
    with threadpool_limits(2):
        two = counted_with()
    assert one != two
    assert set(two) - set(one) == {each.replace(" 1 threads", " 2 threads") for each in set(one) - set(two)}


def test_git_leaves_the_folder_alone(cache: Cache) -> None:
    cache.write("a", b"found")
    assert (cache.folder / ".gitignore").read_text().splitlines()[-1] == "*"


WRITER = """
import sys
from pathlib import Path
from convsim._cache import Cache
cache = Cache(Path(sys.argv[1]), of_user=Path(sys.argv[2]))
seen = set()
for number in range(200):
    cache.write("a", sys.argv[3].encode() * 5_000)
    found = cache.read("a")
    seen.add(found and found[:1].decode() + str(len(found)))
print(*sorted(str(each) for each in seen))
"""


def test_processes_that_write_one_entry_at_once_never_read_a_mixed_or_half_one(tmp_path: Path) -> None:
    Cache(tmp_path / "cache", of_user=tmp_path / "user").write("b", b"the key is made")
    call = [sys.executable, "-c", WRITER, str(tmp_path / "cache"), str(tmp_path / "user")]
    both = [subprocess.Popen([*call, name], stdout=subprocess.PIPE, text=True) for name in "xy"]
    seen = {word for each in both for word in each.communicate(timeout=120)[0].split()}
    assert [each.returncode for each in both] == [0, 0]
    assert seen <= {"x5000", "y5000"}
    assert len(seen) > 0
    assert not list((tmp_path / "cache").glob("*.partial"))


def test_a_key_moves_with_every_part_and_not_with_their_order() -> None:
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1})
    assert len({key_of({"a": value}) for value in (1, 1.5, "1", None, [1], True)}) == 6


def test_a_folder_s_digest_moves_with_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("thanks")
    before = folder_digest(tmp_path)
    (tmp_path / "a.txt").write_text("thankz")
    changed = folder_digest(tmp_path)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert len({before, changed, folder_digest(tmp_path)}) == 3
