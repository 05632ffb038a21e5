"""The catalogue is complete, in order, and every entry says what it is."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from convsim import metrics
from convsim.metrics import FAMILY_METRICS, METRICS, RELATION_METRICS
from convsim.metrics.instructions import OBEDIENCE
from convsim.schema import Metric
from convsim.text.lexicons import SHIPPED, read_lexicon
from convsim.text.words import words

NAMES = [
    "turns", "accepted", "left", "user_words_per_turn", "user_words_first_message", "conversation_words",
    "user_characters_per_word", "user_mattr", "user_questions", "user_thanks", "user_please", "user_sorry",
    "user_lowercase_start", "user_no_final_punctuation", "user_digits", "user_first_person", "user_repeats",
    "user_complaints", "user_restates", "user_empty", "item_uptake", "agent_words_per_turn",
]  # fmt: skip
LEXICONS = ["first_person", "please", "sorry", "stop_words", "thanks"]
CHARACTERS = ["final_punctuation", "question_marks"]


def characters(name: str) -> set[str]:
    lines = (SHIPPED / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    return {line for line in lines if line and not line.startswith("# ")}


def test_the_catalogue_holds_the_metrics_in_the_order_of_tables() -> None:
    assert list(METRICS) == NAMES


def test_every_metric_that_a_file_defines_is_in_the_catalogue_or_for_relations() -> None:
    modules = [import_module(f"convsim.metrics.{found.name}") for found in iter_modules(metrics.__path__)]
    defined = {
        thing.name for module in modules for thing in vars(module).values() if isinstance(thing, Metric)
    }
    assert defined == {*NAMES, *OBEDIENCE, *FAMILY_METRICS, "accepts_dealbreaker"}


@pytest.mark.parametrize("name", [*NAMES, *FAMILY_METRICS, *RELATION_METRICS])
def test_a_metric_says_its_unit_its_meaning_and_its_source(name: str) -> None:
    metric = {**METRICS, **FAMILY_METRICS, **RELATION_METRICS}[name]
    assert metric.name == name
    assert metric.unit.strip()
    assert metric.description.strip().endswith(".")
    assert metric.source.strip().endswith(".")


def test_only_the_agents_words_are_a_control() -> None:
    assert [name for name, metric in METRICS.items() if metric.role == "control"] == ["agent_words_per_turn"]


@pytest.mark.parametrize(
    "name",
    [
        "user_thanks", "user_please", "user_sorry", "user_first_person", "user_complaints", "user_restates",
        "item_uptake",
    ],
)  # fmt: skip
def test_a_metric_with_a_word_list_says_which_list(name: str) -> None:
    assert "lexicon/<language>/" in METRICS[name].description


@pytest.mark.parametrize("name", LEXICONS)
def test_a_word_list_holds_single_words_as_they_are_matched(name: str) -> None:
    entries = read_lexicon(name)
    assert len(entries) > 5
    assert [entry for entry in entries if words(entry) != [entry]] == []


@pytest.mark.parametrize("name", CHARACTERS)
def test_a_character_list_holds_single_characters(name: str) -> None:
    entries = characters(name)
    assert len(entries) > 15
    assert {len(entry) for entry in entries} == {1}


@pytest.mark.parametrize(
    "file", sorted(SHIPPED.glob("**/*.txt")), ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_no_list_names_an_entry_twice(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    entries = [line for line in text.split("\n") if line and not line.startswith("# ")]
    assert len(entries) == len(set(entries))


def test_every_question_mark_also_ends_a_sentence() -> None:
    assert characters("question_marks") <= characters("final_punctuation")


def test_what_relations_measure_is_no_metric_of_the_catalogue() -> None:
    assert METRICS.keys().isdisjoint(RELATION_METRICS)
    assert list(RELATION_METRICS)[-1] == "accepts_dealbreaker"
