from pathlib import Path

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.metrics import METRICS, RELATION_METRICS
from convsim.metrics.expectations import expectations
from convsim_validators.relations.relation import Relation, built_in_relations, read_relations
from convsim_validators.relations.relations import Relations
from tests.corpora import EMPTY, ladder

GOOD = """
[[relation]]
name = "asks_more"
question = "Do shoppers ask more?"
fault = "confusing_text"
metric = "user_questions"
kind = "directional"
direction = "increase"
tolerance = 0.05
"""


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "mine.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(tmp_path: Path, content: str | bytes) -> str:
    with pytest.raises(InputError) as refused:
        read_relations(written(tmp_path, content))
    message = str(refused.value)
    assert "\n" not in message
    assert "mine.toml" in message
    return message


def test_a_relation_of_one_s_own_is_read(tmp_path):
    (relation,) = read_relations(written(tmp_path, GOOD))
    assert relation.name == "asks_more"
    assert relation.metric == "user_questions"
    assert (relation.compare, relation.tolerance, relation.margin) == ("highest", 0.05, None)


def test_the_file_may_be_given_as_text(tmp_path):
    (relation,) = Relations(file=str(written(tmp_path, GOOD))).chosen
    assert relation.name == "asks_more"


def test_the_built_in_relations_name_metrics_and_labels_that_exist():
    known = METRICS.keys() | RELATION_METRICS.keys() | expectations().keys()
    relations = built_in_relations()
    assert {relation.metric for relation in relations} <= known
    assert len({relation.name for relation in relations}) == len(relations) >= 15


def test_who_must_not_get_worse_has_a_tolerance():
    for relation in built_in_relations():
        if relation.kind == "directional":
            assert (relation.tolerance > 0) == (not relation.expects_change)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "asks_more"', "", "relation 1: name: is missing"),
        ('name = "asks_more"', 'name = "asks more"', "name: "),
        ('name = "asks_more"', "name = 3", "name: "),
        ('kind = "directional"', 'kind = "soft"', "kind: "),
        ('direction = "increase"', 'direction = "up"', "direction: "),
        ('direction = "increase"', "", "needs a direction"),
        ('direction = "increase"\ntolerance = 0.05', 'direction = "no_increase"', "needs a tolerance above 0"),
        ('kind = "directional"', 'kind = "hard"', "a hard relation has no direction"),
        ("tolerance = 0.05", "tolerance = -1.0", "tolerance: "),
        ("tolerance = 0.05", "tolerance = nan", "tolerance: "),
        ("tolerance = 0.05", 'tolerance = "little"', "tolerance: "),
        ("tolerance = 0.05", "severity = 1", "severity: no such key; known keys: name, question"),
        ("tolerance = 0.05", 'compare = "all"', "compare: "),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_relation_and_field(tmp_path, old, new, said):
    assert old in GOOD
    message = refusal(tmp_path, GOOD.replace(old, new))
    assert said in message
    if "name" not in old:
        assert "'asks_more'" in message


def test_no_toml_is_refused(tmp_path):
    assert "is not TOML" in refusal(tmp_path, "[[relation")
    assert "is not TOML" in refusal(tmp_path, b"\xff\xfe")


@pytest.mark.parametrize("content", ["", "relation = []", "relation = 3", "[relation]\nname = 'x'"])
def test_a_file_without_relations_is_refused(tmp_path, content):
    assert "expected [[relation]] tables" in refusal(tmp_path, content)


def test_another_table_is_refused(tmp_path):
    assert "'study': no such key" in refusal(tmp_path, GOOD + "\n[study]\nname = 'x'\n")


def test_a_name_that_stands_twice_is_refused(tmp_path):
    assert "'asks_more' occurs twice" in refusal(tmp_path, GOOD + GOOD)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_relations(path)


def test_a_very_large_file_is_refused(tmp_path):
    assert "larger than" in refusal(tmp_path, b"#" * (1 << 20) + b"\n")


def test_very_many_relations_are_refused(tmp_path):
    many = "".join(GOOD.replace("asks_more", f"r{i}") for i in range(201))
    assert "at most 200" in refusal(tmp_path, many)


def test_terminal_codes_in_a_file_do_not_reach_the_message(tmp_path):
    message = refusal(tmp_path, GOOD.replace("asks_more", "a\\u001b[31m"))
    assert "\x1b" not in message


def test_an_unknown_metric_is_answered_with_the_nearest_ones_first(tmp_path):
    path = written(tmp_path, GOOD.replace("user_questions", "user_question"))
    with pytest.raises(InputError) as refused:
        Relations(file=path).validate(EMPTY, ladder({"x": np.array([[0.0, 1.0]])}, [0, 1]), seed=1)
    message = str(refused.value)
    assert "\n" not in message
    assert "mine.toml: relation 'asks_more'" in message
    assert "known metrics: user_questions, " in message


def test_relations_and_a_file_at_once_are_refused(tmp_path):
    relation = Relation.model_validate(
        {"name": "x", "question": "?", "fault": "any", "metric": "turns", "kind": "hard"}
    )
    with pytest.raises(InputError, match="give one of them"):
        Relations(relations=[relation], file=written(tmp_path, GOOD))
    with pytest.raises(InputError, match="occurs twice"):
        Relations(relations=[relation, relation])
    with pytest.raises(InputError, match="empty"):
        Relations(relations=[])
