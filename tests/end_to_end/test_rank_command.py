"""``convsim rank`` as a user types it: what it prints and writes, its gate, and what it refuses."""

import json

import pytest

from tests.end_to_end.validating import convsim as command
from tests.end_to_end.validating import once, written
from tests.junit import outcomes
from tests.systems import rated

APART = (3.9, 3.1, 2.3)
NASTY = ("<b>ant|", "bee\x1b[31m`", "[cat](http://x)")


def lines(conversations):
    return [c.to_json() for c in conversations]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranked")
    sides = {
        "people": rated(APART, n_users=40, seed=1),
        "same": rated(APART, n_users=40, seed=2, name="s", simulator="same"),
        "turned": rated(APART[::-1], n_users=40, seed=3, name="t", simulator="turned"),
        "two": rated(APART[:2], n_users=40, seed=4, name="w", simulator="two"),
        "nasty": rated(APART, n_users=40, seed=1, names=NASTY),
        "nastily": rated(APART, n_users=40, seed=2, names=NASTY, name="s", simulator="n"),
    }
    return {name: written(folder / f"{name}.jsonl", lines(side)) for name, side in sides.items()}


def test_two_simulators_are_held_against_people(files):
    done = once("rank", files["people"], files["same"], files["turned"])
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["seed 0"]
    assert "= same: alike: it shows all 3 pairs that people tell apart in people's order" in done.stdout
    assert "≠ turned: different: it reverses 3 pairs" in done.stdout
    assert "people against people" in done.stdout
    assert "ant > bee" in done.stdout


def test_json_is_the_document(files):
    done = once("rank", files["people"], files["same"], "--format", "json", "--seed", 4)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["schema"], found["seed"], found["by"]) == ("convsim.ranking/1", 4, "agent")
    assert found["made_by"]["command"][0] == "rank"
    [simulator] = found["simulators"]
    assert (simulator["name"], simulator["verdict"]) == ("same", "aligned")
    assert simulator["agreement"]["estimate"] == 1
    assert {pair["relation"] for pair in simulator["pairs"]} == {"kept"}


@pytest.mark.parametrize(
    ("simulators", "gate", "code"),
    [(["same"], "undecided", 0), (["same", "turned"], "different", 1), (["turned"], "undecided", 1)],
)
def test_the_gate_fails_by_verdict(files, simulators, gate, code):
    done = once("rank", files["people"], *(files[name] for name in simulators), "--fail-on", gate)
    assert done.returncode == code, done.stderr
    last = done.stderr.splitlines()[-1]
    failed = f"gate failed (--fail-on {gate}): 1 of {len(simulators)} simulators: turned"
    assert last == (failed if code else "seed 0")
    assert "people against people" in done.stdout


def test_what_is_written_is_what_is_printed_and_an_earlier_ranking_is_replaced(files, tmp_path):
    out = tmp_path / "out"
    nasty, nastily, junit = files["nasty"], files["nastily"], tmp_path / "junit.xml"
    done = command("rank", nasty, nastily, "--out", out, "--format", "md", "--junit", junit)
    assert done.returncode == 0, done.stderr
    page = (out / "ranking.md").read_text(encoding="utf-8")
    assert done.stdout == page
    assert [*outcomes(junit.read_text(encoding="utf-8"))["ranking"].values()] == ["passed"]
    assert "\x1b" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;ant\\|" in page
    assert "[cat](http" not in page
    assert (
        json.loads((out / "ranking.json").read_text(encoding="utf-8"))["simulators"][0]["verdict"]
        == "aligned"
    )
    again = command("rank", files["nasty"], files["nastily"], "--out", out)
    assert again.returncode == 0, again.stderr
    assert "\x1b" not in again.stdout + again.stderr


def test_a_known_order_is_asked_of_simulators_alone(files):
    done = once(
        "rank", files["same"], files["turned"], "--known-order", "ant,bee,cat", "--fail-on", "different"
    )
    assert done.returncode == 1, done.stderr
    assert "= same: alike: its outcomes get worse from the best system to the worst" in done.stdout
    assert "≠ turned: different: its outcomes order the systems the other way round" in done.stdout
    assert "trend in the known order" in done.stdout
    assert "people against people" not in done.stdout


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (["people"], [], "expected REAL and at least one SIM: convsim rank REAL SIM"),
        (["people", "two"], [], "no conversation of two is with 'cat', whom people met; there are ant, bee"),
        (
            ["people", "same"],
            ["--by", "shop"],
            "--by shop: there is no such field; fields of people: agent, task",
        ),
        (["people", "same"], ["--outcome", "joy"], "there is no metric or label 'joy' to rank by"),
        (["people", "same"], ["--outcome", "accepted"], "the outcome accepted of people is not recorded"),
        (
            ["people", "same"],
            ["--only", "ant"],
            "--by agent: an order needs two systems with 8 users or more",
        ),
        (["people", "same"], ["--known-order", ","], "--known-order ',': expected two or more systems"),
        (["people", "same"], ["--name", "a", "--name", "b"], "--name was given 2 times for 1 simulators"),
        (
            ["same", "turned"],
            ["--fail-on", "different"],
            "120 of 120 real conversations name a simulator (same)",
        ),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(files, tmp_path, given, options, said):
    out = tmp_path / "out"
    done = command("rank", *(files[name] for name in given), *options, "--out", out)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: {said}")
    assert len([line for line in done.stderr.splitlines() if line != "seed 0"]) == 1
    assert not done.stdout
    assert not out.exists()


def test_somebody_elses_file_is_not_replaced(files, tmp_path):
    (tmp_path / "ranking.md").write_text("mine", encoding="utf-8")
    done = command("rank", files["people"], files["same"], "--out", tmp_path)
    assert done.returncode == 2
    assert "is there already and was not written by this command" in done.stderr
    assert (tmp_path / "ranking.md").read_text(encoding="utf-8") == "mine"
