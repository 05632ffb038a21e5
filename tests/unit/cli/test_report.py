"""``convsim report``: findings and transcripts in, a page or another format out."""

import hashlib
import json
import sys
from importlib.metadata import EntryPoint, entry_points
from types import SimpleNamespace

import pytest
import typer

from convsim.cli.options import Gate
from convsim.cli.report import Output, report
from convsim.errors import InputError
from tests.reports import card, distance, hls, people, shoppers, side

SCORES = {f"s{i}": 0.1 for i in range(4)}


def kept(folder, conversations, name):
    path = folder / name
    path.write_text("".join(f"{c.to_json()}\n" for c in conversations), encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path):
    sides = {}
    for name, conversations in (("real", people()), ("sim", shoppers())):
        path = kept(tmp_path, conversations, f"{name}.jsonl")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        sides[name] = side(4, path=str(path), sha256=sha256, simulator="bot" if name == "sim" else None)
    found = card(distance("turns"), hls(SCORES), real=sides["real"]).but(simulated=sides["sim"])
    (tmp_path / "findings.json").write_text(found.to_json(), encoding="utf-8")
    return tmp_path


def page(run):
    return (run / "report.html").read_text(encoding="utf-8")


def test_the_page_is_built_from_findings_and_the_transcripts_that_they_name(run, capsys):
    report(run)
    assert '<mark class="simulated">Certainly</mark>' in page(run)
    assert "Warnings" not in page(run)
    out, err = capsys.readouterr()
    assert out == ""
    assert "report.html" in err


def test_a_changed_transcript_is_a_warning_in_the_page(run):
    with (run / "sim.jsonl").open("a") as file:
        file.write("\n")
    report(run)
    assert "is not the one whose simulated conversations were judged" in page(run)
    assert '<mark class="simulated">Certainly</mark>' in page(run)


def test_a_missing_or_damaged_transcript_is_a_warning_in_the_page(run):
    (run / "sim.jsonl").unlink()
    (run / "real.jsonl").write_text("{oops\n")
    report(run)
    assert "there is no such file" in page(run)
    assert "is not JSON" in page(run)
    assert "the simulated conversations could not be read" in page(run)


@pytest.mark.parametrize("path", ["x" * 5_000 + ".jsonl", "a\0b.jsonl", "/dev/zero", "", ".."])
def test_a_path_that_is_no_file_of_conversations_is_a_warning_in_the_page(run, path):
    found = card(distance("turns"), real=side(4, path=path, sha256="0"))
    (run / "findings.json").write_text(found.to_json(), encoding="utf-8")
    report(run)
    assert "the real conversations cannot be read" in page(run)


def test_transcripts_that_moved_can_be_named(run, tmp_path):
    moved = (run / "sim.jsonl").rename(tmp_path / "elsewhere.jsonl")
    report(run, sim=moved)
    assert "Warnings" not in page(run)
    with pytest.raises(InputError, match="nowhere"):
        report(run, sim=tmp_path / "nowhere.jsonl")


def test_relative_paths_are_looked_for_beside_the_findings(run, monkeypatch, tmp_path_factory):
    text = (run / "findings.json").read_text().replace(f"{run}/", "")
    (run / "findings.json").write_text(text)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    report(run / "findings.json")
    assert "Warnings" not in page(run)


@pytest.mark.parametrize(
    ("output", "starts"), [(Output.md, "**"), (Output.junit, "<testsuites"), (Output.json, "{")]
)
def test_other_formats_are_printed_or_written_to_a_file(run, capsys, output, starts):
    report(run, output=output)
    printed = capsys.readouterr().out
    assert printed.startswith(starts)
    report(run, output=output, out_file=run / "made")
    assert (run / "made").read_text(encoding="utf-8") == printed
    assert not (run / "report.html").exists()


def test_the_terminal_tables_are_printed(run, capsys):
    report(run, output=Output.text)
    assert "marginals" not in capsys.readouterr().err
    with pytest.raises(InputError, match="for --out use --format"):
        report(run, output=Output.text, out_file=run / "made")


def test_an_installed_metric_that_was_judged_is_drawn_without_being_named(run, monkeypatch):
    def marks(conversation):
        return sum(message.content.count("?") for message in conversation.user_messages)

    monkeypatch.setitem(sys.modules, "somebodys_metrics", SimpleNamespace(marks=marks))

    def found(*, group):
        theirs = [EntryPoint("marks", "somebodys_metrics:marks", group)] if group == "convsim.metrics" else []
        return [*entry_points(group=group), *theirs]

    judged = json.loads((run / "findings.json").read_text(encoding="utf-8"))
    judged["findings"].append(json.loads(distance("marks").model_dump_json()))
    (run / "findings.json").write_text(json.dumps(judged), encoding="utf-8")
    report(run)
    assert "was not at hand: marks" in page(run)
    monkeypatch.setattr("convsim.plugins.entry_points", found)
    report(run)
    assert "was not at hand" not in page(run)
    assert ">marks</button></b></figcaption>" in page(run)


def test_a_gate_that_fails_ends_with_exit_code_1_after_writing(run):
    with pytest.raises(typer.Exit) as stopped:
        report(run, fail_on=Gate.different)
    assert stopped.value.exit_code == 1
    assert page(run)


def test_a_place_that_cannot_be_written_is_one_line_and_leaves_nothing(run):
    for bad in (run, run / "none" / "page.html"):
        with pytest.raises(InputError, match="expected a file name in an existing folder"):
            report(run, out_file=bad)
    (run / "report.html").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        report(run)
    assert not list(run.glob(".*partial"))


def test_people_cannot_be_named_for_findings_that_hold_nobody_against_people(run):
    alone = card(distance("turns")).but(real=None)
    (run / "findings.json").write_text(alone.to_json())
    with pytest.raises(InputError, match="do not compare with people"):
        report(run, real=run / "real.jsonl")
