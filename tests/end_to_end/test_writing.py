"""What commands write: not over what is there, not beside another writer, not in the place of a device."""

from __future__ import annotations

import json
import os
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from convsim.cli.output import taking_file, taking_folder
from convsim.io import read
from tests.end_to_end.commands import interpreter
from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, convsim, line, written

FILES: dict[str, tuple[object, ...]] = {
    "annotate": ("annotate", NAIVE, "--out"),
    "annotator train": ("annotator", "train", PEOPLE, "--source", "self", "--out"),
    "data convert": ("data", "convert", NAIVE),
    "personas from": ("personas", "from", NAIVE, "--out"),
    "report": ("report", "{findings}", "--format", "md", "--out"),
}
FOLDERS: dict[str, tuple[object, ...]] = {
    "validate": ("validate", PEOPLE, NAIVE, "--out"),
    "counterfactual": ("counterfactual", PEOPLE, NAIVE, "--control", "good", "--treatment", "bad", "--out"),
    "compare": ("compare", PEOPLE, NAIVE, CLOSE, "--out"),
    "annotator check": ("annotator", "check", PEOPLE, "--against", "self", "--with", "rules", "--out"),
    "data split": ("data", "split", NAIVE, "--by", "conversation", "--out"),
    "demo": ("demo", "--out"),
    "prompts export": ("prompts", "export"),
}
WRITES = {
    "validate": "report.html",
    "counterfactual": "findings.json",
    "compare": "distances.csv",
    "annotator check": "reliability.json",
    "data split": "simulator_naive-b.jsonl",
    "demo": "comparison.html",
    "prompts export": "chat.txt.j2",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("findings")
    done = convsim("validate", *small(folder.parent, 12), "--validators", "marginals", "--out", folder)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["findings.json", "report.html"]
    return folder


def small(folder: Path, n: int) -> list[Path]:
    """Write two small files of conversations, the second of which has ``n``."""
    return [
        written(folder / f"{name}{count}.jsonl", [line(i, text=f"{name} boots {i}") for i in range(count)])
        for name, count in (("real", 10), ("simulated", n))
    ]


def refused(arguments: tuple[object, ...], findings: Path, out: Path) -> str:
    done = convsim(*(findings if part == "{findings}" else part for part in arguments), out)
    assert done.returncode == 2, done.stderr
    [said] = [said for said in done.stderr.splitlines() if said.startswith("error: ")]
    assert "Traceback" not in done.stderr
    return said


@pytest.mark.parametrize("command", [*FILES, *FOLDERS])
def test_a_second_writer_is_told_at_once_and_what_is_there_stays(
    tmp_path: Path, findings: Path, command: str
) -> None:
    out = tmp_path / ("model.npz" if command == "annotator train" else "out.jsonl")
    with ExitStack() as first:
        if command in FILES:
            first.enter_context(taking_file(out, force=False))
        else:
            first.enter_context(taking_folder(out, made_before=lambda _: True))
            (out / "kept").touch()
        before = sorted(tmp_path.rglob("*"))
        said = refused(FILES.get(command, ()) or FOLDERS[command], findings, out)
        assert "another convsim process is writing to this" in said
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", [*FILES, *FOLDERS])
def test_what_is_there_is_not_replaced_without_force(tmp_path: Path, findings: Path, command: str) -> None:
    out = tmp_path / ("model.npz" if command == "annotator train" else "out.jsonl")
    theirs = out if command in FILES else out / WRITES[command]
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("somebody's work")
    said = refused(FILES.get(command, ()) or FOLDERS[command], findings, out)
    assert "--force" in said
    assert theirs.read_text() == "somebody's work"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [theirs]


def test_with_force_it_is_replaced(tmp_path: Path, findings: Path) -> None:
    out, halves = tmp_path / "out.jsonl", tmp_path / "halves"
    out.write_text("old")
    done = convsim("data", "convert", NAIVE, out, "--force")
    assert done.returncode == 0, done.stderr
    assert len(read(out).conversations) == len(read(NAIVE).conversations)
    for more in ((), ("--force",)):
        done = convsim("data", "split", NAIVE, "--by", "conversation", "--out", halves, *more)
        assert done.returncode == 0, done.stderr
    (tmp_path / "page.md").write_text("old")
    done = convsim("report", findings, "--format", "md", "--out", tmp_path / "page.md", "--force")
    assert done.returncode == 0, done.stderr
    assert "convsim" in (tmp_path / "page.md").read_text()


def test_findings_are_written_anew_and_a_lost_page_is_made_again(findings: Path) -> None:
    again = ("validate", *small(findings.parent, 14), "--validators", "marginals", "--out", findings)
    done = convsim(*again)
    assert done.returncode == 0, done.stderr
    page = findings / "report.html"
    assert "simulated14.jsonl" in page.read_text()
    page.write_text("an older page")
    done = convsim("report", findings, "--out", page)  # its own, and so replaced without --force
    assert done.returncode == 0, done.stderr
    assert "simulated14.jsonl" in page.read_text()
    assert json.loads((findings / "findings.json").read_text())["simulated"]["n"] == 14
    assert sorted(path.name for path in findings.iterdir()) == ["findings.json", "report.html"]


def test_standard_output_a_pipe_and_the_null_device_are_written_to_and_stay(
    tmp_path: Path, findings: Path
) -> None:
    pipe, link, null = tmp_path / "pipe", tmp_path / "stdout", tmp_path / "null"
    os.mkfifo(pipe)
    # By links of our own, so that a machine keeps its devices also where this fails.
    link.symlink_to("/dev/stdout")
    null.symlink_to("/dev/null")
    # Once into a pipe, and where a command is a fork, into a file.
    for command, out in ((interpreter, link), (convsim, link)):
        done = command("report", findings, "--format", "junit", "--out", out)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("<testsuites")
    done = convsim("data", "convert", NAIVE, link)
    assert done.returncode == 0, done.stderr
    (tmp_path / "read.jsonl").write_text(done.stdout)
    assert len(read(tmp_path / "read.jsonl").conversations) == len(read(NAIVE).conversations)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    done = convsim("report", findings, "--format", "junit", "--out", pipe)
    assert done.returncode == 0, done.stderr
    assert os.read(reading, 11) == b"<testsuites"
    os.close(reading)
    done = convsim("report", findings, "--format", "md", "--out", null)
    assert done.returncode == 0, done.stderr
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()
    assert null.is_symlink()


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    notes, run = tmp_path / "notes", tmp_path / "run"
    notes.write_bytes(b"line one\nno newline at the end")
    simulate = ("simulate", "--n", "2", "--max-turns", "1", "--out", run)
    assert convsim(*simulate).returncode == 0
    (run / "conversations.jsonl").unlink()
    (run / "conversations.jsonl").symlink_to(notes)
    done = convsim(*simulate)
    assert done.returncode == 2, done.stderr
    assert "conversations.jsonl: is a link" in done.stderr
    (tmp_path / ".out.jsonl.annotations").symlink_to(notes)
    done = convsim("annotate", NAIVE, "--out", tmp_path / "out.jsonl")
    assert done.returncode == 2, done.stderr
    assert "is a link" in done.stderr
    assert notes.read_bytes() == b"line one\nno newline at the end"


def test_a_path_with_control_characters_is_printed_without_them(tmp_path: Path) -> None:
    done = convsim("data", "convert", NAIVE, tmp_path / "a\x1b]0;title\x07.jsonl")
    assert done.returncode == 0
    assert "wrote" in done.stderr
    assert "\x1b" not in done.stderr
    assert "\x07" not in done.stderr
