"""What convsim writes is whole or not there, what belongs together appears together, what it reads is bounded."""

import itertools
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from convsim._files import PARTIAL, append_whole, complete_set, refuse_link, replacing, write_set, write_whole
from convsim._inputs import read_toml
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
        (b"a = " + b"[" * 5_000, "the plan is nested too deeply$"),
        (b"a = " + b"9" * 5_000, "the plan has a number of more than 4,300 digits$"),
        (b".".join([b"a"] * 17) + b" = 1", "the plan has a key of more than 16 parts$"),
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


OLD = {"findings.json": "old findings", "report.html": "old page"}
NEW = {"findings.json": "new findings", "report.html": "new page"}


def texts(folder):
    return {entry.name: entry.read_text() for entry in folder.iterdir() if entry.is_file()}


def killed_before(call, folder, files, monkeypatch):
    """Write a set in a process that SIGKILL ends before its ``call``-th change of a name; tell whether it did."""
    child = os.fork()
    if child == 0:
        left = [call]

        def counted(change):
            def changed(*arguments, **named):
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return change(*arguments, **named)

            return changed

        for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "open"):
            monkeypatch.setattr(os, name, counted(getattr(os, name)))
        write_set(folder, files)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_wherever_a_kill_falls_no_file_of_one_set_stands_beside_one_of_another(tmp_path, monkeypatch):
    seen, call = [], 0
    while True:
        folder = tmp_path / str(call)
        folder.mkdir()
        write_set(folder, OLD)
        if not killed_before(call, folder, NEW, monkeypatch):
            break
        stands = texts(folder)
        assert stands.items() <= OLD.items() or stands.items() <= NEW.items(), (call, stands)
        complete_set(folder)
        assert texts(folder) in (OLD, NEW)
        assert names(folder) == sorted(NEW)
        seen.append((stands == OLD, texts(folder) == NEW))
        call += 1
    assert texts(folder) == NEW
    # Killed early the old set stays, killed late the new one is put in place; in between it is never undone.
    assert seen == sorted(seen, key=lambda at: (not at[0], at[1]))
    assert (True, False) in seen
    assert (False, True) in seen
    assert sum(not stays and not new for stays, new in seen) == 0


def test_a_set_that_the_disk_does_not_take_whole_leaves_the_old_one(tmp_path):
    import resource

    write_set(tmp_path, OLD)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"report\.html: cannot be written: File too large"):
            write_set(tmp_path, {**NEW, "report.html": "x" * 2_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert texts(tmp_path) == OLD
    assert names(tmp_path) == sorted(OLD)


def test_a_page_of_older_findings_does_not_stay_beside_new_ones(tmp_path):
    write_set(tmp_path, OLD)
    write_set(tmp_path, {"findings.json": "new findings"}, stale=["report.html"])
    assert texts(tmp_path) == {"findings.json": "new findings"}


def test_a_set_replaces_links_and_refuses_what_is_no_file(tmp_path):
    (tmp_path / "victim").write_text("keep me")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "report.html").symlink_to(tmp_path / "victim")
    write_set(folder, NEW)
    assert (tmp_path / "victim").read_text() == "keep me"
    assert texts(folder) == NEW
    (folder / "report.html").unlink()
    os.mkfifo(folder / "report.html")
    with pytest.raises(InputError, match=r"report\.html: cannot be written: is not a regular file"):
        write_set(folder, OLD)
    assert (folder / "findings.json").read_text() == "new findings"


def test_a_planted_set_that_is_a_link_or_has_one_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".convsim-set").symlink_to("elsewhere")
    with pytest.raises(InputError, match="was not left by convsim; delete it"):
        write_set(tmp_path, NEW)
    (tmp_path / ".convsim-set").unlink()
    (tmp_path / ".convsim-set").mkdir()
    (tmp_path / ".convsim-set" / "report.html").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="was not left by convsim; delete it"):
        write_set(tmp_path, NEW)
    assert names(tmp_path) == [".convsim-set", "elsewhere"]


def test_a_pipe_and_a_device_get_everything_and_stay_what_they_are(tmp_path):
    pipe, null = tmp_path / "pipe", tmp_path / "null"
    os.mkfifo(pipe)
    null.symlink_to("/dev/null")
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "said")
    assert os.read(reading, 100) == b"said"
    os.close(reading)
    write_whole(null, "said")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert null.is_symlink()
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert names(tmp_path) == ["null", "pipe"]


def test_what_stands_for_an_open_file_is_written_to_behind_what_is_there(tmp_path):
    with (tmp_path / "out").open("wb") as out:
        out.write(b"before\n")
        out.flush()
        link = tmp_path / "link"
        link.symlink_to(f"/dev/fd/{out.fileno()}")
        again = tmp_path / "again"
        again.symlink_to("link")
        write_whole(link, "one\n")
        write_whole(again, "two\n")
        write_whole(Path(f"/proc/self/fd/{out.fileno()}"), "three\n")
    assert (tmp_path / "out").read_bytes() == b"before\none\ntwo\nthree\n"
    assert link.is_symlink()
    assert again.is_symlink()


def test_a_stream_gets_nothing_of_what_failed_halfway(tmp_path):
    def half(file):
        file.write(b"half")
        raise InputError("odd")

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(InputError, match="odd"):
        write_whole(pipe, half)
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_what_is_no_file_is_left_where_it_is(tmp_path):
    import socket

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(InputError, match="socket: cannot be written: is not a regular file"):
            write_whole(tmp_path / "socket", "x")
    assert stat.S_ISSOCK((tmp_path / "socket").stat().st_mode)


def test_others_are_given_no_link_to_write_through(tmp_path):
    (tmp_path / "saving").symlink_to("elsewhere")
    with pytest.raises(InputError, match="saving: is a link, and convsim writes through none; delete it"):
        refuse_link(tmp_path / "saving")
    refuse_link(tmp_path / "checkpoints")


@pytest.mark.faults
def test_after_hundreds_of_kills_at_any_moment_the_files_are_of_one_set(tmp_path):
    sets = [{name: f"{n} {name} " + "x" * 20_000 for name in OLD} for n in range(2)]
    left_over = set()
    for seconds in (0.002 + 0.0001 * kill for kill in range(300)):
        child = os.fork()
        if child == 0:
            for written in itertools.cycle(sets):
                write_set(tmp_path, written)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stands = texts(tmp_path)
        assert any(stands.items() <= written.items() for written in sets), sorted(stands)
        left_over.add(len(stands))
        if os.path.lexists(tmp_path / ".convsim-set"):
            complete_set(tmp_path)
            assert texts(tmp_path) in sets
    assert 2 in left_over
    write_set(tmp_path, sets[0])
    assert names(tmp_path) == sorted(OLD)


def test_text_is_added_at_the_end_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "added.md"
    append_whole(file, "one\n")
    append_whole(file, "two")
    append_whole(file, "three\n")
    assert file.read_text(encoding="utf-8") == "one\ntwo\nthree\n"


def test_a_disk_that_does_not_take_all_that_is_added_keeps_what_was_there(tmp_path: Path) -> None:
    import resource

    file = tmp_path / "added.md"
    file.write_text("one\n", encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(InputError, match=r"added\.md: cannot be written: File too large"):
            append_whole(file, "x" * 5_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text(encoding="utf-8") == "one\n"


def test_nothing_is_added_to_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        append_whole(tmp_path, "x")
