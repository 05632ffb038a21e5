"""What convsim writes is whole or not there, what belongs together appears together, what it reads is bounded."""

import os
import stat

import pytest

from convsim._files import PARTIAL, read_toml, replacing, write_whole
from convsim.errors import InputError, StudyError


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_written_as_it_was_given_and_nothing_else_is_left(tmp_path):
    write_whole(tmp_path / "a.txt", "löst\n")
    write_whole(tmp_path / "b.bin", b"\x00\xff")
    assert (tmp_path / "a.txt").read_bytes() == b"l\xc3\xb6st\n"
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    assert names(tmp_path) == ["a.txt", "b.bin"]


def test_while_it_is_written_the_old_file_stands_and_the_new_one_has_a_name_of_its_own(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as one, replacing(path) as other:
        one.write(b"one")
        other.write(b"other")
        beside = [name for name in names(tmp_path) if name != "a.txt"]
        assert len(beside) == 2
        assert all(PARTIAL.fullmatch(name) for name in beside)
        assert path.read_text() == "old"
    assert path.read_text() == "one"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("raised", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_error_halfway_changes_nothing(tmp_path, raised):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def stops_halfway():
        with replacing(path) as file:
            file.write(b"half")
            raise raised

    with pytest.raises(InputError if raised is OSError else raised):
        stops_halfway()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_it_is_on_disk_before_it_takes_the_place(tmp_path, monkeypatch):
    done = []
    fsync = os.fsync

    def noted(number):
        done.append((tmp_path / "a").exists())
        fsync(number)

    monkeypatch.setattr("convsim._files.os.fsync", noted)
    write_whole(tmp_path / "a", "x")
    assert done == [False, True]  # the file, then the folder that now names it


def test_a_link_at_the_place_is_replaced_and_what_it_points_to_is_left_alone(tmp_path):
    (tmp_path / "victim").write_text("keep me")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    write_whole(tmp_path / "a", "new")
    assert (tmp_path / "victim").read_text() == "keep me"
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_text() == "new"


def test_a_planted_link_at_the_temporary_name_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("convsim._files.secrets.token_hex", lambda n: "0" * 16)
    (tmp_path / "victim").write_text("keep me")
    planted = tmp_path / f".convsim-{'0' * 16}.partial"
    planted.symlink_to(tmp_path / "victim")
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "a", "new")
    assert (tmp_path / "victim").read_text() == "keep me"


def test_a_new_file_has_the_rights_that_any_file_of_this_user_has(tmp_path):
    (tmp_path / "ordinary").write_text("x")
    write_whole(tmp_path / "a", "x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ordinary", "a")]
    assert modes[0] == modes[1]


def test_a_name_as_long_as_the_file_system_takes_can_be_written(tmp_path):
    path = tmp_path / ("n" * 250 + ".json")
    write_whole(path, "x")
    assert names(tmp_path) == [path.name]


def test_a_place_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "taken").mkdir()
    for path in (tmp_path / "taken", tmp_path / "none" / "a"):
        with pytest.raises(InputError, match=r"(taken|a): cannot be written: .*[Dd]irectory") as refused:
            write_whole(path, "x")
        assert "\n" not in str(refused.value)
    assert names(tmp_path) == ["taken"]


def test_toml_is_read(tmp_path):
    (tmp_path / "a.toml").write_text('[b]\nc = "ö"\n', encoding="utf-8")
    assert read_toml(tmp_path / "a.toml") == {"b": {"c": "ö"}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the plan cannot be read: No such file"),
        (b"a =", "the plan is not TOML: "),
        (b"\xff\xfe", "the plan is not TOML: "),
        (b"a = " + b"[" * 5_000, "the plan is not TOML: "),
        (b"#" * 11_000, "the plan is larger than 10,000 bytes"),
    ],
)
def test_what_is_no_toml_is_one_line_that_names_the_file(tmp_path, content, said):
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError, match=said) as refused:
        read_toml(path, what="the plan", limit=10_000, error=StudyError)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_folder_and_an_impossible_path_are_refused_too(tmp_path):
    with pytest.raises(InputError, match="the file cannot be read: Is a directory"):
        read_toml(tmp_path)
    with pytest.raises(InputError, match="the file cannot be read: embedded null byte"):
        read_toml(tmp_path / "a\0b")
