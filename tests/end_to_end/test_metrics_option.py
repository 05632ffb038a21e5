"""``--metrics``: metrics of somebody's own on the command line."""

import json
import re
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
    assert metrics_of(json.loads(done.stdout)["findings"]) == ["turns", "left", "marks", "all_metrics"]


def test_a_plus_judges_it_beside_the_default_and_moves_no_other_estimate(mine: dict[str, str]) -> None:
    given = ("validate", PEOPLE, NAIVE, *FEW)
    plain = [
        finding
        for finding in json.loads(convsim(*given, **mine).stdout)["findings"]
        if finding["metric"] != "all_metrics"  # of one metric more
    ]
    beside = json.loads(convsim(*given, "--metrics", "+somebodys:marks", **mine).stdout)["findings"]
    assert set(metrics_of(beside)) - set(metrics_of(plain)) == {"marks", "all_metrics"}
    estimates = {finding["metric"]: finding["estimate"] for finding in beside}
    assert {finding["metric"]: finding["estimate"] for finding in plain}.items() <= estimates.items()


def drawn(page: Path) -> list[str]:
    """Return the titles of the small pictures of distributions, as the page shows them."""
    gallery = (
        page.read_text(encoding="utf-8").partition("<h3>The largest differences</h3>")[2].partition("<h3>")[0]
    )
    captions = re.findall(r"<figcaption><b>(.*?)</b></figcaption>", gallery)
    return [re.sub("<[^>]*>", "", caption) for caption in captions]


def test_the_page_draws_it_as_it_draws_a_built_in_one(mine: dict[str, str], tmp_path: Path) -> None:
    own = ("--metrics", "turns,somebodys:marks")
    done = convsim("validate", PEOPLE, NAIVE, *own, *FEW, "--out", tmp_path / "out", **mine)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "out" / "report.html"
    assert sorted(drawn(page)) == ["marks", "turns"]
    assert "Median (question marks): " in page.read_text(encoding="utf-8")


def test_a_page_that_is_built_again_draws_it_where_it_is_named_and_says_so_where_not(
    mine: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    convsim("validate", PEOPLE, NAIVE, "--metrics", "turns,somebodys:marks", *FEW, "--out", out, **mine)
    assert convsim("report", out, **mine).returncode == 0
    assert drawn(out / "report.html") == ["turns"]
    said = "Not drawn, because the metric itself was not at hand: marks. Name it with --metrics."
    assert said in (out / "report.html").read_text(encoding="utf-8")
    assert convsim("report", out, "--metrics", "somebodys:marks", **mine).returncode == 0
    assert sorted(drawn(out / "report.html")) == ["marks", "turns"]
    assert "Not drawn" not in (out / "report.html").read_text(encoding="utf-8")
    refused = convsim("report", out, "--metrics", "somebodys:mraks", **mine)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "did you mean 'marks'?" in refused.stderr


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
