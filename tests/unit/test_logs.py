"""What is appended outlives a kill, through no link; a lock keeps a second writer out and is gone with its holder."""

import os
import signal
import threading

import pytest

from convsim._logs import append_line, locked, open_log, whole_lines
from convsim.errors import InputError

BUSY = InputError("somebody writes there")


def test_whole_lines_leave_out_the_half_one_and_cutting_it_makes_room_for_the_next(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"one\ntwo\nth")
    assert list(whole_lines(path)) == [(1, b"one\n"), (2, b"two\n")]
    with open_log(path) as file:
        append_line(file, "drei ö".encode())
        assert path.read_bytes() == "one\ntwo\ndrei ö\n".encode()


@pytest.mark.parametrize("content", [b"", b"no newline at all", b"x" * 200_000])
def test_where_no_line_is_whole_nothing_stays(tmp_path, content):
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    assert list(whole_lines(path)) == []
    open_log(path).close()
    assert path.read_bytes() == b""


def test_a_line_that_is_too_long_is_named(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"123\n1234\n")
    lines = whole_lines(path, limit=4)
    assert next(lines) == (1, b"123\n")
    with pytest.raises(InputError, match=r"log\.jsonl:2: is longer than 4 bytes"):
        next(lines)


def test_a_log_that_is_a_link_is_refused_and_what_it_points_to_keeps_every_byte(tmp_path):
    (tmp_path / "notes").write_bytes(b"line one\nno newline at the end")
    (tmp_path / "log").symlink_to("notes")
    with pytest.raises(InputError, match="log: is a link, and convsim writes through none"):
        open_log(tmp_path / "log")
    assert (tmp_path / "notes").read_bytes() == b"line one\nno newline at the end"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: cannot be written: is not a regular file"):
        open_log(tmp_path / "pipe")


def test_a_log_that_has_another_name_is_refused_and_keeps_every_byte_there(tmp_path):
    (tmp_path / "notes").write_bytes(b"line one\nno newline at the end")
    (tmp_path / "log").hardlink_to(tmp_path / "notes")
    with pytest.raises(InputError, match=r"log: has another name as well \(a hard link\)"):
        open_log(tmp_path / "log")
    assert (tmp_path / "notes").read_bytes() == b"line one\nno newline at the end"


def test_a_disk_that_takes_half_a_line_keeps_none_of_it(tmp_path):
    import resource

    path = tmp_path / "log"
    with open_log(path) as file:
        append_line(file, b"a" * 90)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (120, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                append_line(file, b"b" * 90)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        append_line(file, b"c")
    assert path.read_bytes() == b"a" * 90 + b"\nc\n"


def test_a_log_that_is_locked_is_left_as_it_is(tmp_path):
    path = tmp_path / "log"
    with open_log(path, busy=BUSY) as file:
        file.write(b"half a li")
        with pytest.raises(InputError, match="somebody writes there"):
            open_log(path, busy=BUSY)
        assert path.read_bytes() == b"half a li"
    open_log(path, busy=BUSY).close()
    assert path.read_bytes() == b""


def test_a_second_holder_is_told_and_the_lock_is_gone_at_the_end(tmp_path):
    lock = tmp_path / "lock"
    with locked(lock, busy=BUSY):
        with pytest.raises(InputError, match="somebody writes there"), locked(lock, busy=BUSY):
            pass
        assert lock.exists()
    assert not lock.exists()
    with locked(lock, busy=BUSY):
        pass


def test_a_killed_holder_locks_nothing(tmp_path):
    lock = tmp_path / "lock"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with locked(lock, busy=BUSY):
            os.write(writing, b"held")
            signal.pause()
    assert os.read(reading, 4) == b"held"
    with pytest.raises(InputError, match="somebody writes there"), locked(lock, busy=BUSY):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert lock.exists()
    with locked(lock, busy=BUSY):
        pass
    assert not lock.exists()


def test_of_many_that_come_and_go_one_at_a_time_holds_the_lock(tmp_path):
    inside, most = [], []

    def often():
        for _ in range(200):
            try:
                with locked(tmp_path / "lock", busy=BUSY):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except InputError:
                pass

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}


def test_a_lock_that_is_a_link_is_refused_and_what_it_points_to_is_left_alone(tmp_path):
    (tmp_path / "victim").write_text("keep me")
    (tmp_path / "lock").symlink_to("victim")
    with pytest.raises(InputError, match="is a link"), locked(tmp_path / "lock", busy=BUSY):
        pass
    assert (tmp_path / "victim").read_text() == "keep me"
