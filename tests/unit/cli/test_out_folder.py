"""``--out`` is checked before anything is computed."""

from pathlib import Path

import pytest

from convsim.cli.output import check_folder
from convsim.errors import InputError


def test_a_file_is_no_folder_and_none_can_be_made_in_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for out in (file, file / "deep" / "er"):
        with pytest.raises(InputError, match=f"{file} is a file; expected a folder"):
            check_folder(out)


def test_a_folder_that_cannot_be_written_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convsim.cli.output.os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(InputError, match="is not writable"):
        check_folder(tmp_path / "new")


def test_what_is_there_or_can_be_made_is_taken_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for out in (tmp_path, tmp_path / "a/b", Path("relative/folder")):
        check_folder(out)
    assert list(tmp_path.iterdir()) == []
