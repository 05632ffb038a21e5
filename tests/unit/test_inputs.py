"""What others wrote is opened in one way: no pipe is waited for, no device is read, and no more than a bound."""

from __future__ import annotations

import os
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import pytest

from convsim._inputs import open_input, read_input, read_toml
from convsim.annotation.classifier import load as load_classifier
from convsim.errors import InputError
from convsim.io import read
from convsim.io.survey import SurveyMap
from convsim.models.prices import price_of
from convsim.report.document import read_scorecard
from convsim.schema.catalogue import Catalogue
from convsim.simulation.config import read_study
from convsim.simulation.personas import read_personas
from convsim.text.lexicons import Lexicon
from convsim.web.blind_test import read_scores
from convsim_validators.relations.relation import read_relations


def word_lists(path: Path) -> None:
    folder = path.parent / "words" / "de"
    folder.mkdir(parents=True)
    (folder / "thanks.txt").symlink_to(path)
    Lexicon(folder.parent).check()


READERS = {
    "a study": (read_study, ".toml"),
    "personas": (read_personas, ".toml"),
    "a survey map": (SurveyMap.read, ".toml"),
    "relations": (read_relations, ".toml"),
    "prices": (lambda path: price_of("m", "h", table=path), ".toml"),
    "a catalogue": (Catalogue.read, ".jsonl"),
    "a catalogue of cells": (Catalogue.read, ".csv"),
    "findings": (read_scorecard, ".json"),
    "scores": (read_scores, ".json"),
    "a classifier": (load_classifier, ".npz"),
    "word lists": (word_lists, ".txt"),
    "lines": (read, ".jsonl"),
    "packed lines": (read, ".jsonl.gz"),
    "rows": (read, ".parquet"),
    "a document": (read, ".json"),
    "an archive": (read, ".zip"),
}


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_every_input_refuses_what_is_no_file_at_once(tmp_path, what, kind):
    reader, ending = READERS[what]
    path = tmp_path / f"a{ending}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(InputError) as refused:
        reader(path)
    assert "\n" not in str(refused.value)


def test_a_file_is_opened_and_a_null_character_in_a_name_is_an_error_of_the_system(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with open_input(tmp_path / "a") as file:
        assert file.read() == b"abc"
    with pytest.raises(OSError, match="embedded null byte"):
        open_input(tmp_path / "a\0b")


def test_a_whole_file_takes_as_much_memory_as_it_has_bytes_and_no_more_than_the_bound(tmp_path):
    (tmp_path / "small").write_bytes(b"abc")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    assert read_input(tmp_path / "small", 1 << 30) == b"abc"
    with pytest.raises(OSError, match="is larger than 1 MiB, the most that is read"):
        read_input(tmp_path / "large", 1 << 20)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 << 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has it")
def test_a_file_that_says_it_is_empty_is_read_all_the_same():
    assert b"Name:" in read_input("/proc/self/status", 1 << 20)


@pytest.mark.parametrize(
    "key",
    ["a" + ".a" * 20_000, "[" + "a . " * 17 + "a]", '"a".' * 17 + "a = 1", "b = { " + "a." * 17 + "a = 1 }"],
)
def test_a_key_of_many_parts_is_refused_before_it_takes_memory(tmp_path, key):
    (tmp_path / "a.toml").write_text(key if "=" in key or "[" in key else f"{key} = 1")
    tracemalloc.start()
    with pytest.raises(InputError, match="has a key of more than 16 parts"):
        read_toml(tmp_path / "a.toml")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 << 20


def test_dots_of_texts_comments_and_numbers_are_no_parts_of_keys(tmp_path):
    many = "a." * 40
    content = (
        f'# {many}\nb = "{many}"\nc = \'{many}\'\nd = """\n{many}\\"""" # {many}\ne = \'\'\'\n{many}\'\'\'\n'
        f"f = [{'1.5, ' * 40}]\ng.h.i.j = 1\n"
    )
    (tmp_path / "a.toml").write_text(content)
    found = read_toml(tmp_path / "a.toml")
    assert (found["b"], found["c"], found["d"], found["e"]) == (many, many, f'{many}"', many)
    assert found["f"] == [1.5] * 40
    assert found["g"] == {"h": {"i": {"j": 1}}}


@pytest.mark.parametrize("unit", ['\\"""', "'''\"", "a", "a.", '"', "'", '\\"', "a ", "#", "a.a "])
def test_looking_for_long_keys_takes_time_in_proportion_to_the_file(tmp_path, unit):
    (tmp_path / "a.toml").write_text('a = """' + unit * (200_000 // len(unit)))
    with pytest.raises(InputError, match="is not TOML"):
        read_toml(tmp_path / "a.toml")
    (tmp_path / "a.toml").write_text(unit * (200_000 // len(unit)))
    with pytest.raises(InputError, match=r"is not TOML|has a key of more") if unit != "#" else nullcontext():
        read_toml(tmp_path / "a.toml")
