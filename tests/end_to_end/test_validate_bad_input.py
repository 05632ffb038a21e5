"""What ``convsim validate`` says of input that cannot be used: one line, exit 2, nothing half-written."""

import gzip
import json
import os
import shutil

import pytest

from convsim.report.document import read_scorecard
from tests.end_to_end.validating import REPOSITORY, convsim, line

GOOD = line(1)
BAD_FILES = {
    "not json": (b"{oops\n", ":1"),
    "a wrong type": (GOOD.encode() + b"\n" + b'{"id": [7], "messages": []}\n', ":2: id"),
    "an unknown role": (
        b'{"id": "a", "messages": [{"role": "moderator", "content": "x"}]}\n',
        "messages[0].role",
    ),
    "invalid utf-8": (GOOD.encode() + b"\n\xff\xfe\n", ":2"),
    "duplicate ids": (GOOD.encode() + b"\n" + GOOD.encode() + b"\n", "c1"),
    "no user message": (
        b'{"id": "a", "messages": [{"role": "assistant", "content": "x"}]}\n',
        "contains no user message",
    ),
    "a NaN label": (
        b'{"id": "a", "messages": [{"role": "user", "content": "x"}], '
        b'"labels": {"s": {"value": NaN, "source": "self"}}}\n',
        ":1",
    ),
    "an empty file": (b"", "empty"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_input_is_one_clear_line_and_exit_code_2(tmp_path, real, name):
    content, place = BAD_FILES[name]
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(content)
    result = convsim("validate", real, bad, "--out", tmp_path / "out")
    assert result.returncode == 2
    errors = [each for each in result.stderr.splitlines() if each.startswith("error:")]
    assert len(errors) == 1
    assert "bad.jsonl" in errors[0]
    assert place in errors[0]
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out/findings.json").exists()


def test_missing_and_wrong_paths_are_one_clear_line(tmp_path, real):
    empty = tmp_path / "empty"
    empty.mkdir()
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(GOOD.encode() * 50)[:-20])
    for bad in (tmp_path / "none.jsonl", empty, cut, tmp_path / "a.doc"):
        result = convsim("validate", real, bad)
        assert result.returncode == 2, bad
        assert result.stderr.count("error:") == 1
        assert "Traceback" not in result.stderr


@pytest.mark.faults
def test_a_file_whose_name_is_no_utf_8_costs_no_result(tmp_path, real):
    odd = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    odd.write_bytes(real.read_bytes())
    result = convsim("validate", odd, real, "--out", tmp_path / "out", "--validators", "marginals")
    assert result.returncode == 0, result.stderr
    assert read_scorecard(tmp_path / "out").real.path.endswith(r"caf\xe9.jsonl")
    assert r"caf\xe9.jsonl" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    made = convsim("report", tmp_path / "out")
    assert made.returncode == 0, made.stderr
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert r"caf\xe9.jsonl" in page
    assert "cannot be read" not in page
    ran = convsim("simulate", "--real", odd, "--n", "1", "--out", tmp_path / "run")
    assert ran.returncode == 0, ran.stderr
    assert r"caf\xe9.jsonl" in " ".join(
        json.loads((tmp_path / "run" / "manifest.json").read_text())["command"]
    )


def test_a_report_without_its_transcripts_says_so_in_the_terminal_too(tmp_path):
    shutil.copy(REPOSITORY / "tests/fuzz/corpus/findings.json", tmp_path)
    made = convsim("report", tmp_path)
    assert made.returncode == 0, made.stderr
    warnings = [each for each in " ".join(made.stderr.split()).split("warning: ") if "cannot be read" in each]
    assert len(warnings) == 2
    assert "there is no such file" in warnings[0]
