"""``convsim data`` as a user runs it: what it prints, what it leaves on disk, and how it exits."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from tests.end_to_end.commands import typed
from tests.unit.io.made import archive, archived, jsonl, line, turn, written


def convsim(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """Run ``convsim data`` with ``arguments``."""
    return typed("data", *arguments, cwd=cwd, env={**os.environ, **env})


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """An archive of twenty conversations, four in each of five strata."""
    ids = ["tops_good", "tops_bad", "footwear_good", "footwear_bad", "bottoms"]
    talks = [
        archived(ids[i % 5], turns=[turn(f"I want item {i}"), turn("ok")], ratings={"Satisfied?": "Yes"})
        for i in range(20)
    ]
    return written(tmp_path / "people.json", archive(*talks))


def test_describe_prints_json_on_stdout_and_nothing_else(people: Path, tmp_path: Path) -> None:
    done = convsim("describe", people, "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    about = json.loads(done.stdout)
    assert about["conversations"] == 20
    assert about["turns"] == {"n": 20, "mean": 2.0, "median": 2.0, "min": 2.0, "max": 2.0}
    assert about["survey"]["mapped"][0]["label"] == "satisfaction"
    assert {"task": "tops", "arm": "bad", "n": 4} in about["strata"]


def test_describe_prints_tables_for_people(people: Path, tmp_path: Path) -> None:
    done = convsim("describe", people, cwd=tmp_path)
    assert done.returncode == 0
    assert "20 conversations (convapparel)" in done.stdout
    assert "satisfaction" in done.stdout


def test_a_bad_line_is_one_line_on_stderr_and_exit_two(tmp_path: Path) -> None:
    jsonl(
        tmp_path / "logs.jsonl",
        line("a"),
        line("b"),
        {"id": "c", "messages": [{"role": "moderator", "content": "x"}]},
    )
    done = convsim("describe", "logs.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    expected = (
        "must be one of user, assistant, system, developer, tool, or a name that is known for one of them, such as "
        "human or bot, but is 'moderator'"
    )
    assert done.stderr == f"error: logs.jsonl:3: messages[0].role: {expected}\n"
    skipping = convsim("describe", "logs.jsonl", "--skip-bad-lines", "--format", "json", cwd=tmp_path)
    assert json.loads(skipping.stdout)["skipped"] == 1


def test_convert_goes_through_every_format_and_back(people: Path, tmp_path: Path) -> None:
    chain = ["people.json", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "b.jsonl"]
    for source, target in pairwise(chain):
        done = convsim("convert", source, target, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert f"wrote 20 conversations to {target}" in done.stderr
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == (tmp_path / "b.jsonl").read_bytes()


def test_convert_to_an_unknown_ending_writes_nothing(people: Path, tmp_path: Path) -> None:
    done = convsim("convert", people, "out.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: out.csv: unknown ending; conversations are written to files ending in .jsonl"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["people.json"]


def test_split_makes_two_disjoint_halves_and_the_same_ones_again(people: Path, tmp_path: Path) -> None:
    options = ["--by", "conversation", "--fraction", "0.5", "--seed", "7"]
    done = convsim("split", people, *options, "--out", "halves", cwd=tmp_path)
    assert done.returncode == 0
    assert "seed 7" in done.stderr
    a, b = ((tmp_path / "halves" / f"people-{half}.jsonl").read_text(encoding="utf-8") for half in "ab")
    ids = [{json.loads(each)["id"] for each in half.splitlines()} for half in (a, b)]
    assert not ids[0] & ids[1]
    assert [len(half) for half in ids] == [10, 10]
    again = convsim("split", people, *options, cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "people-a.jsonl").read_text(encoding="utf-8") == a


def test_split_by_user_warns_where_no_user_is_known(people: Path, tmp_path: Path) -> None:
    done = convsim("split", people, "--by", "user", "--fraction", "0.5", "--seed", "1", cwd=tmp_path)
    assert done.returncode == 0
    assert "warning: no user is known" in done.stderr


def test_list_names_the_cards(tmp_path: Path) -> None:
    done = convsim("list", "--format", "json", cwd=tmp_path)
    cards = {card["name"]: card for card in json.loads(done.stdout)}
    assert cards["convapparel-v1"]["licence"] == "CC-BY-4.0"
    assert cards["demo-people"]["written_by_people"] is False
    assert "convapparel-v2" in convsim("list", cwd=tmp_path).stdout


def test_fetch_without_a_network_says_where_the_file_comes_from_and_exits_three(tmp_path: Path) -> None:
    nowhere = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "NO_PROXY": "",
        "no_proxy": "",
    }
    done = convsim("fetch", "convapparel", "--version", "2", "--out", "here", cwd=tmp_path, env=nowhere)
    assert (done.returncode, done.stdout) == (3, "")
    (error,) = [each for each in done.stderr.splitlines() if each.startswith("error: ")]
    assert "get ConvApparel_V2.zip from https://huggingface.co/datasets/google/ConvApparel yourself" in error
    assert error.endswith("put it at here/ConvApparel_V2.zip")
    assert list((tmp_path / "here").iterdir()) == []


def test_fetch_of_anything_else_is_used_wrongly(tmp_path: Path) -> None:
    done = convsim("fetch", "movies", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: 'movies' cannot be fetched; available: convapparel, with --version 1 or 2\n"
