"""Where a command may write: over nothing of anybody else's, one process at a time, and nothing is left of a try."""

import os
from pathlib import Path

import pytest

from convsim.cli.output import has_schema, taking_file, taking_folder
from convsim.errors import InputError

FINDINGS = '{\n  "schema": "convsim.findings/1",\n  "convsim": "0.1.0"\n}\n'
MADE = has_schema("findings.json", "findings")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_that_is_there_is_replaced_with_force_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    with pytest.raises(InputError, match=r"exists already; name another file, or replace it with --force"):
        taking_file(path, force=False).__enter__()
    (tmp_path / "broken").symlink_to("nowhere")
    with pytest.raises(InputError, match="exists already"):
        taking_file(tmp_path / "broken", force=False).__enter__()
    with taking_file(path, force=True):
        assert path.exists()
    assert names(tmp_path) == ["a.jsonl", "broken"]


def test_a_file_has_one_writer_and_others_beside_it_have_their_own(tmp_path: Path) -> None:
    with taking_file(tmp_path / "a", force=False), taking_file(tmp_path / "b", force=False):
        with pytest.raises(
            InputError, match="a: another convsim process is writing to this file; wait for it"
        ):
            taking_file(tmp_path / "a", force=True).__enter__()
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == []
    long = tmp_path / ("n" * 255)
    with taking_file(long, force=False):
        pass


def test_a_device_has_any_number_of_writers_and_no_lock(tmp_path: Path) -> None:
    with taking_file(Path("/dev/null"), force=False), taking_file(Path("/dev/null"), force=False):
        pass
    os.mkfifo(tmp_path / "pipe")
    with taking_file(tmp_path / "pipe", force=False):
        assert names(tmp_path) == ["pipe"]


def test_a_file_in_no_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "a"):
        with pytest.raises(InputError, match="expected a file name in an existing folder"):
            taking_file(path, force=True).__enter__()


def test_a_folder_is_made_for_what_is_written_and_not_left_behind_where_nothing_was(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with taking_folder(out, made_before=MADE):
        assert out.is_dir()
    assert names(tmp_path) == []
    with taking_folder(out, ["findings.json"], made_before=MADE):
        (out / "findings.json").write_text(FINDINGS)
    assert names(tmp_path) == ["a", "a/b", "a/b/findings.json"]


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with (
        taking_folder(tmp_path, made_before=MADE),
        pytest.raises(InputError, match="another convsim process") as busy,
    ):
        taking_folder(tmp_path, made_before=MADE, force=True).__enter__()
    assert "\n" not in str(busy.value)


def test_an_earlier_result_is_written_anew_and_a_strangers_file_of_that_name_with_force_alone(
    tmp_path: Path,
) -> None:
    wanted = ("findings.json", "report.html")
    (tmp_path / "report.html").write_text("the page of another program")
    with pytest.raises(
        InputError, match=r"report\.html is there already and was not written by this command"
    ):
        taking_folder(tmp_path, wanted, made_before=MADE).__enter__()
    (tmp_path / "findings.json").write_text('{"findings": "of another program"}')
    with pytest.raises(InputError, match=r"findings\.json is there already"):
        taking_folder(tmp_path, wanted, made_before=MADE).__enter__()
    with taking_folder(tmp_path, wanted, made_before=MADE, force=True):
        pass
    (tmp_path / "findings.json").write_text(FINDINGS)
    with taking_folder(tmp_path, wanted, made_before=MADE):
        pass


def test_what_a_kill_left_of_a_set_is_put_in_place_before_anything_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".convsim-set").mkdir()
    (tmp_path / ".convsim-set" / "findings.json").write_text(FINDINGS)
    (tmp_path / ".convsim-0123456789abcdef.set").mkdir()
    with taking_folder(tmp_path, ["findings.json"], made_before=MADE):
        assert names(tmp_path) == [".lock", "findings.json"]


def test_no_folder_takes_nothing() -> None:
    with taking_folder(None, ["findings.json"], made_before=MADE):
        pass
