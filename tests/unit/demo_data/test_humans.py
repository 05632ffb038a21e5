"""The stand-in people: the archive's shape, its counts and levels, and how its user side reads."""

from __future__ import annotations

import json
from collections import Counter
from statistics import mean
from typing import Any

import pytest

# Reported levels of people, good and bad arm; the last is the stand-in's own.
LEVELS = {
    "natural": (0.59, 0.49),
    "satisfied": (0.38, 0.23),
    "frustrated": (0.06, 0.16),
    "confused": (0.06, 0.10),
    "buy": (0.45, 0.34),
}
TOLERANCE = 0.01
TASKS = {
    f"{category}_{arm}"
    for category in ("footwear", "outerwear", "tops", "bottoms")
    for arm in ("good", "bad")
}


def said(archive: Any) -> list[str]:
    return [turn["user_utterance"] for each in archive["conversations"] for turn in each["turns"]]


def share_of_yes(ratings: list[dict[str, str]], word: str) -> float:
    return mean(answer == "Yes" for each in ratings for question, answer in each.items() if word in question)


def test_the_archive_has_the_shape_of_convapparel(archive: Any) -> None:
    assert set(archive) == {"metadata", "conversations"}
    assert {"questions", "instructions", "tasks"} <= set(archive["metadata"])
    assert set(archive["metadata"]["tasks"]) == set(archive["metadata"]["instructions"]) == TASKS
    for conversation in archive["conversations"]:
        assert set(conversation) == {"task_id", "version", "ratings", "turns"}
        assert conversation["version"] in archive["metadata"]["questions"]
        for turn in conversation["turns"]:
            assert set(turn) == {"user_utterance", "assistant_utterance", "ratings", "recommendations"}
            for shown in turn["recommendations"]:
                assert set(shown) == {"item_id", "title", "description", "features", "image_url"}


def test_every_rating_answers_a_question_of_its_version(archive: Any) -> None:
    questions = archive["metadata"]["questions"]
    for conversation in archive["conversations"]:
        asked = questions[conversation["version"]]
        assert list(conversation["ratings"]) == asked["session"]
        assert all(list(turn["ratings"]) == asked["turn"] for turn in conversation["turns"])


def test_the_metadata_says_that_no_person_wrote_it(archive: Any) -> None:
    assert "No person wrote" in archive["metadata"]["note"]


def test_tasks_are_alike_often_and_one_in_five_met_the_bad_agent(archive: Any) -> None:
    counts = Counter(each["task_id"] for each in archive["conversations"])
    assert counts == {task: 16 if task.endswith("_bad") else 64 for task in TASKS}


def test_turns_and_recommendations_are_about_as_many_as_published(archive: Any) -> None:
    turns = [len(each["turns"]) for each in archive["conversations"]]
    assert mean(turns) == pytest.approx(3.55, abs=0.25)
    assert max(turns) <= 12
    shown = [len(turn["recommendations"]) for each in archive["conversations"] for turn in each["turns"]]
    assert min(shown) >= 1
    assert max(shown) == 6


def test_every_recommended_item_is_in_the_catalogue(archive: Any, demo_files: dict[str, str]) -> None:
    titles = {row["id"]: row["title"] for row in map(json.loads, demo_files["catalogue.jsonl"].splitlines())}
    for conversation in archive["conversations"]:
        for turn in conversation["turns"]:
            assert all(titles[shown["item_id"]] == shown["title"] for shown in turn["recommendations"])


@pytest.mark.parametrize("word", LEVELS)
@pytest.mark.parametrize(("arm", "place"), [("good", 0), ("bad", 1)])
def test_ratings_stand_at_the_reported_levels(archive: Any, word: str, arm: str, place: int) -> None:
    of_arm = [each for each in archive["conversations"] if each["task_id"].endswith(f"_{arm}")]
    level = LEVELS[word][place]
    assert share_of_yes([each["ratings"] for each in of_arm], word) == pytest.approx(level, abs=TOLERANCE)
    if word != "natural":
        turns = [turn["ratings"] for each in of_arm for turn in each["turns"]]
        assert share_of_yes(turns, word) == pytest.approx(level, abs=TOLERANCE)


def test_people_type_in_a_hurry_and_not_all_alike(archive: Any) -> None:
    texts = [text for text in said(archive) if text]
    starts_lower = mean(text[0].islower() for text in texts)
    stops = mean(text[-1] in ".!?" for text in texts)
    words = [len(text.split()) for text in texts]
    assert 0.5 < starts_lower < 0.9
    assert 0.1 < stops < 0.5
    assert mean(count <= 3 for count in words) > 0.15
    assert mean(count >= 12 for count in words) > 0.1
    assert 2 <= said(archive).count("") <= 30


def test_longer_messages_rarely_repeat(archive: Any) -> None:
    longer = [text.lower() for text in said(archive) if len(text.split()) >= 4]
    assert len(set(longer)) / len(longer) > 0.9
    trigrams = Counter(
        three for text in longer for three in zip(*(text.split()[at:] for at in range(3)), strict=False)
    )
    assert max(trigrams.values()) / len(longer) < 0.1
