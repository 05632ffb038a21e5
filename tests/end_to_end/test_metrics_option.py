"""``--metrics``: metrics of somebody's own on the command line."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, convsim

MODULE = '''
import convsim

@convsim.metric(unit="question marks")
def marks(conversation):
    """Question marks of the user."""
    return sum(message.content.count("?") for message in conversation.user_messages)

def broken(conversation):
    return conversation.messages[99].content
'''
FEW = ("--validators", "marginals", "--set", "marginals.n_resamples=49", "--format", "json")


@pytest.fixture
def mine(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "somebodys.py").write_text(MODULE, encoding="utf-8")
    return {"PYTHONPATH": str(tmp_path)}


def metrics_of(findings: list[dict]) -> list[str]:
    return [finding["metric"] for finding in findings]


def test_validate_judges_exactly_what_is_named(mine: dict[str, str]) -> None:
    done = convsim(
        "validate", PEOPLE, NAIVE, "--metrics", "left,somebodys:marks", "--metrics", "turns", *FEW, **mine
    )
    assert done.returncode == 0, done.stderr
    assert metrics_of(json.loads(done.stdout)["findings"]) == ["turns", "left", "marks"]


def test_a_plus_judges_it_beside_the_default_and_moves_no_other_estimate(mine: dict[str, str]) -> None:
    given = ("validate", PEOPLE, NAIVE, *FEW)
    plain = json.loads(convsim(*given, **mine).stdout)["findings"]
    beside = json.loads(convsim(*given, "--metrics", "+somebodys:marks", **mine).stdout)["findings"]
    assert set(metrics_of(beside)) - set(metrics_of(plain)) == {"marks"}
    estimates = {finding["metric"]: finding["estimate"] for finding in beside}
    assert {finding["metric"]: finding["estimate"] for finding in plain}.items() <= estimates.items()


def test_compare_and_counterfactual_take_it_too(mine: dict[str, str]) -> None:
    chosen = ("--metrics", "somebodys:marks", "--format", "json")
    compared = convsim("compare", PEOPLE, NAIVE, CLOSE, "--validators", "marginals", *chosen, **mine)
    assert compared.returncode == 0, compared.stderr
    for simulator in json.loads(compared.stdout)["simulators"]:
        assert metrics_of(simulator["validation"]["findings"]) == ["marks"]
    shifted = convsim(
        "counterfactual",
        PEOPLE,
        NAIVE,
        "--control",
        "good",
        "--treatment",
        "bad",
        "--set",
        "counterfactual.n_resamples=49",
        *chosen,
        **mine,
    )
    assert shifted.returncode == 0, shifted.stderr
    assert "marks" in metrics_of(json.loads(shifted.stdout)["findings"])
    assert "turns" not in metrics_of(json.loads(shifted.stdout)["findings"])


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("trns", "did you mean turns"),
        ("somebodys:nothing", "somebodys:nothing"),
        ("nowhere:marks", "nowhere"),
        (" , ", "--metrics is empty"),
    ],
)
def test_a_name_that_is_none_is_one_line_and_exit_2(mine: dict[str, str], named: str, why: str) -> None:
    done = convsim("validate", PEOPLE, NAIVE, "--metrics", named, *FEW, **mine)
    assert done.returncode == 2
    assert done.stdout == ""
    [error] = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert why in error
    assert "Traceback" not in done.stderr


def test_one_that_raises_keeps_the_others_findings_and_is_no_gate(
    mine: dict[str, str], tmp_path: Path
) -> None:
    done = convsim(
        "validate",
        PEOPLE,
        NAIVE,
        "--metrics",
        "turns,somebodys:broken",
        "--out",
        tmp_path / "out",
        *FEW,
        **mine,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "error: the metric broken failed, and its finding says why" in done.stderr
    found = {finding["metric"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["turns"]["verdict"] == "different"
    assert "IndexError" in found["broken"]["reason"]
    assert "at conversation convapparel-00000" in found["broken"]["reason"]
    assert found["broken"]["estimate"] is None
