"""Whatever is raised, wherever: one line, where the traceback is, and never the exit code of a failed gate."""

import asyncio
import stat
import sys
import tempfile
import threading

import pytest

from convsim.cli import process
from convsim.errors import ConvsimError, InputError


def recurse():
    recurse()


def in_a_task():
    async def boom():
        raise LookupError("in a task")

    async def group():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(boom())

    asyncio.run(group())


def in_a_thread():
    async def wait():
        await asyncio.to_thread(recurse)

    asyncio.run(wait())


def raising(error):
    def ended():
        raise error

    return ended


class MuteError(Exception):
    def __str__(self):
        raise ValueError("no words")


@pytest.fixture
def ended(monkeypatch, capsys, tmp_path):
    """Run a command that does what is given; return its exit code, the lines that it said and the traceback's file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def end(command, *, shown=False):
        def run(asked):
            asked.traceback = shown
            command()
            return 0

        monkeypatch.setattr("convsim.cli.app.run", run)
        with pytest.raises(SystemExit) as stopped:
            process.main()
        return stopped.value.code, capsys.readouterr().err.splitlines(), [*tmp_path.iterdir()]

    return end


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (raising(ValueError("boom")), "unexpected ValueError: boom"),
        (raising(MuteError()), "unexpected MuteError"),
        (raising(AssertionError), "unexpected AssertionError"),
        (raising(EOFError("no more")), "unexpected EOFError: no more"),
        (raising(asyncio.CancelledError()), "unexpected CancelledError"),
        (raising(BaseException("odd")), "unexpected BaseException: odd"),
        (raising(SystemExit(0)), "a plugin tried to end convsim (SystemExit: 0)"),
        (raising(SystemExit(1)), "a plugin tried to end convsim (SystemExit: 1)"),
        (raising(ExceptionGroup("many", [KeyError("one"), KeyError("two")])), "unexpected KeyError: 'one'"),
        (raising(UnicodeEncodeError("ascii", "é", 0, 1, "not in range")), "unexpected UnicodeEncodeError"),
        (raising(ValueError("two\nlines\x1b[2J")), "unexpected ValueError: two lines�[2J"),
        (raising(PermissionError(13, "Permission denied", "/root/x")), "/root/x: Permission denied"),
        (raising(MemoryError()), "out of memory"),
        (recurse, "unexpected RecursionError"),
        (in_a_task, "unexpected LookupError: in a task"),
        (in_a_thread, "unexpected RecursionError"),
    ],
)
def test_an_unexpected_exception_is_exit_3_with_one_line_and_a_private_file(command, said, ended):
    code, lines, [file] = ended(command)
    assert code == 3
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert said in lines[0]
    assert lines[0].endswith(f"; the traceback is in {file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Traceback (most recent call last)" in file.read_text()


def test_a_long_message_leaves_room_for_the_place_of_the_traceback(ended):
    code, [line], [file] = ended(raising(ValueError("x" * 10_000)))
    assert code == 3
    assert line.endswith(str(file))


def test_two_crashes_are_two_files(ended):
    ended(raising(ValueError("boom")))
    assert len(ended(raising(ValueError("boom")))[2]) == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no"), 2),
        (ConvsimError("no"), 3),
        (type("Lenient", (ConvsimError,), {"exit_code": 1})("no"), 3),
        (type("Passed", (ConvsimError,), {"exit_code": 0})("no"), 3),
        (BaseExceptionGroup("one", [InputError("no")]), 2),
    ],
)
def test_an_error_of_ours_is_its_line_alone_whatever_exit_code_a_plugin_gives_it(error, code, ended):
    assert ended(raising(error)) == (code, ["error: no"], [])


def test_ctrl_c_is_130_and_leaves_no_file(ended):
    assert ended(raising(KeyboardInterrupt())) == (130, ["error: interrupted"], [])


def test_where_no_file_can_be_written_the_line_says_so(ended, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "is not there"))
    code, [line], files = ended(raising(ValueError("boom")))
    assert (code, files) == (3, [])
    assert "the traceback could not be written (No such file or directory); --traceback prints it" in line


def test_traceback_prints_it_and_writes_none(ended):
    code, lines, files = ended(raising(ValueError("boom")), shown=True)
    assert (code, files) == (3, [])
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == [
        "ValueError: boom",
        "error: convsim stopped because of an unexpected ValueError: boom; the traceback is above",
    ]


def test_values_of_secret_variables_are_written_nowhere(ended, monkeypatch):
    monkeypatch.setenv("SHOP_API_KEY", "sk-verysecret")
    monkeypatch.setenv("MY_TOKEN", "t0ken-of-mine")
    hidden = "a value only a local variable has"

    def command():
        local = hidden
        raise ValueError(f"401 for sk-verysecret and t0ken-of-mine, {len(local)}")

    _, [line], [file] = ended(command)
    for text in (line, file.read_text()):
        assert "sk-verysecret" not in text
        assert "t0ken-of-mine" not in text
        assert "401 for [SHOP_API_KEY] and [MY_TOKEN]" in text
        assert hidden not in text


def test_a_thread_that_nobody_waits_for_fails_the_command_with_one_line(ended):
    def command():
        thread = threading.Thread(target=lambda: 1 / 0, name="of a plugin")
        thread.start()
        thread.join()

    code, [line], [file] = ended(command)
    assert code == 3
    assert (
        "unexpected ZeroDivisionError: division by zero in the thread of a plugin; the traceback is in"
        in line
    )
    assert line.endswith(str(file))


def test_a_task_that_nobody_waits_for_fails_the_command_with_one_line(ended):
    async def boom():
        raise LookupError("alone")

    async def forget():
        task = asyncio.get_running_loop().create_task(boom())
        await asyncio.sleep(0)
        del task

    code, [line], [_] = ended(lambda: asyncio.run(forget()))
    assert code == 3
    assert "unexpected LookupError: alone in a task that nobody waited for" in line


def test_what_cannot_be_imported_is_exit_3_too(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setitem(sys.modules, "convsim.cli.app", None)
    with pytest.raises(SystemExit) as stopped:
        process.main()
    assert stopped.value.code == 3
    assert "unexpected ModuleNotFoundError" in capsys.readouterr().err


def test_characters_that_the_terminal_lacks_are_written_as_json_writes_them():
    process._make_printable()
    assert "aé–😀".encode("ascii", process.ESCAPED) == rb"a\u00e9\u2013\ud83d\ude00"
    assert "\ud800".encode("utf-8", process.ESCAPED) == rb"\ud800"
