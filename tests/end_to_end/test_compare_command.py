"""``convsim compare`` as a user types it: runs of two shoppers with their costs, names, files, hostile input."""

import csv
import json
import os
import sys
from pathlib import Path

import pytest

from convsim.cli import main
from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, convsim, line, written

ARMS = ("--control", "good", "--treatment", "bad")
QUICK = ("--validators", "marginals")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two shoppers that learned from one half of the people, each with a good and a bad agent; the other half."""
    folder = tmp_path_factory.mktemp("runs")
    split = ("data", "split", folder / "people.jsonl", "--by", "conversation", "--fraction", 0.5, "--seed", 1)
    assert convsim("data", "convert", PEOPLE, folder / "people.jsonl").returncode == 0
    assert convsim(*split, "--out", folder / "halves").returncode == 0
    learned, judged = sorted((folder / "halves").iterdir())
    for shopper in ("resample", "replay"):
        done = convsim(
            "simulate", "--shopper", shopper, "--real", learned, "--agent", "retrieval", "--arm", "good", "--fault",
            "bad", "--n", 24, "--max-turns", 4, "--out", folder / shopper,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return {name: folder / name for name in ("resample", "replay")} | {"learned": learned, "real": judged}


def document(*arguments: object) -> dict:
    done = convsim("compare", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_two_runs_stand_side_by_side_with_what_they_repeat_what_they_cost_and_where_they_stand(
    tmp_path, runs
):
    done = convsim(
        "compare", runs["real"], runs["resample"], runs["replay"], *ARMS, "--learned", runs["learned"], "--out",
        tmp_path / "out", "--seed", 3, "--full",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out/comparison.json").read_text())
    assert (found["schema"], found["seed"], found["arms"]) == ("convsim.comparison/1", 3, ["good"])
    first, second = found["simulators"]
    assert (first["name"], second["name"]) == ("resample", "replay")
    for each in (first, second):
        # Both shoppers say what people said, and nothing else.
        assert each["memorisation"]["messages"]["estimate"] == 1
        assert each["memorisation"]["n_personas_drawn"] == each["side"]["n"] == 24
        assert each["overlap"] == {"n_learned": 0, "n_identical": 0, "share_learned": 0.0, "reason": None}
        assert each["cost"]["seconds"] > 0
        # Neither asks a model, which the run's manifest shows.
        assert (each["cost"]["requests"], each["cost"]["input_tokens"], each["cost"]["cost_usd"]) == (0, 0, 0)
        assert each["cost"]["reasons"] == {}
        assert each["counterfactual"]["simulated"]["n"] == 48
        assert sum(each["reactions"]["counts"].values()) > 5
        assert sum(each["endings"].values()) == 24
    people = found["people"]["memorisation"]["messages"]
    assert 0 < people["estimate"] < 0.5
    assert people["interval"][0] < people["estimate"] < people["interval"][1]
    assert found["cost_axis"] == "seconds"
    rows = list(csv.DictReader((tmp_path / "out/distances.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["simulator"] for row in rows} == {"resample", "replay"}
    by_metric = {row["metric"]: row for row in rows if row["simulator"] == "replay"}
    ks = next(d for d in second["distances"] if d["metric"] == "turns")
    assert float(by_metric["turns"]["ks"]) == ks["ks"]
    page = (tmp_path / "out/comparison.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert os.path.relpath(runs["replay"] / "conversations.jsonl", tmp_path / "out") in page
    assert 'class="chat"' in page
    for expected in (
        "mean distance",
        "turns",
        "Pareto front",
        "word for word",
        "Seconds include",
        "seconds per conversation",
    ):
        assert expected in done.stdout
    assert "\x1b" not in done.stdout


def test_installed_validators_say_where_each_stands_and_the_naive_is_further_from_people():
    found = document(PEOPLE, CLOSE, NAIVE, "--name", "close", "--name", "naive")
    standings = {(s["metric"], s["simulator"], s["against"]): s for s in found["standings"]}
    further = standings["mean_distance_difference", "naive", "close"]
    assert further["interval"][0] > 0
    assert (
        standings["relative_hls", "naive", None]["estimate"]
        < standings["relative_hls", "close", None]["estimate"]
    )
    assert standings["generalisation", "naive", "naive"]["estimate"] > 0.9
    close, naive = found["simulators"]
    assert naive["mean_distance"]["estimate"] > close["mean_distance"]["estimate"]
    assert (naive["habits"]["different"] > 10, close["habits"]["different"]) == (True, 0)
    assert naive["hls"]["estimate"] < 0.1


def priced(path: Path, source: Path, cost: float) -> Path:
    """Write a file's conversations with a price."""
    usage = {"input_tokens": 100, "output_tokens": 20, "seconds": 1.5, "cost_usd": cost}
    lines = [json.dumps({**json.loads(each), "usage": usage}) for each in source.read_text().splitlines()]
    return written(path, lines)


def test_a_leaner_simulator_that_lost_realism_is_reported_as_such(tmp_path):
    dear = priced(tmp_path / "large.jsonl", CLOSE, 0.03)
    lean = priced(tmp_path / "small.jsonl", NAIVE, 0.01)
    worse = priced(tmp_path / "worse.jsonl", NAIVE, 0.05)
    done = convsim("compare", PEOPLE, dear, lean, worse, *QUICK)
    assert done.returncode == 0, done.stderr
    printed = " ".join(done.stdout.split())
    assert "small is 67 % cheaper than large and further from people" in printed
    assert "Best value (Pareto front): large" in printed
    assert "Not best value: worse (large costs no more and is closer to people)." in printed
    assert "$0.03" in printed


def test_one_simulator_alone_is_compared_and_options_come_from_the_environment_too(real, simulated):
    result = convsim(
        "compare", real, simulated, *QUICK, CONVSIM_COMPARE_FORMAT="md", CONVSIM_COMPARE_SEED="5"
    )
    assert result.returncode == 0, result.stderr
    assert "| sim | 30 |" in result.stdout
    assert "seed 5" in result.stderr


def test_the_same_seed_gives_the_same_document(real, simulated):
    first, second = (document(real, simulated, *QUICK) for _ in range(2))
    assert first == second


def test_what_a_shopper_learned_from_the_people_is_undecided_and_does_not_cost_the_others(tmp_path, real):
    import convsim as package

    learned = {"file": "0" * 64, "conversations": [package.read(real).conversations[3].fingerprint]}
    copier = written(tmp_path / "copier.jsonl", [line(n + 500, learned_from=learned) for n in range(30)])
    honest = written(tmp_path / "honest.jsonl", [line(n + 900) for n in range(30)])
    found = document(real, copier, honest, *QUICK)
    first, second = found["simulators"]
    assert (first["overlap"]["share_learned"], second["overlap"]["share_learned"]) == (1, 0)
    assert {d["verdict"] for d in first["distances"]} == {"undecided"}
    assert {s["simulator"] for s in found["standings"]} == {"honest"}


def test_a_simulator_without_an_arm_has_a_reason_and_the_others_their_reactions(tmp_path):
    def both(name: str, start: int, *arms: str) -> Path:
        lines = [
            line(start + i, arm=arm, text=f"{name} {i} {arm}") for i in range(20) for arm in arms[i % 2 :: 2]
        ]
        return written(tmp_path / f"{name}.jsonl", lines)

    people, whole, half = (
        both("people", 0, "good", "bad"), both("whole", 100, "good", "bad"), both("half", 200, "good", "good"),
    )  # fmt: skip
    found = document(people, whole, half, *ARMS, *QUICK)
    first, second = found["simulators"]
    assert first["reactions"]["reason"] == ""
    assert second["reactions"]["reason"] == "it has no arm 'bad'; it has: good"
    assert second["side"]["n"] == 20


def test_hostile_names_and_transcripts_reach_no_terminal_and_no_markup(tmp_path, real):
    evil = "\x1b[2J\x07[bold]click[/bold] <script>alert(1)</script> |x|"
    simulated = written(
        tmp_path / "sim.jsonl",
        [line(n + 500, text=f"{evil} {n}", simulator=evil, ending="left") for n in range(30)],
    )
    asked = ("compare", real, simulated, *QUICK, "--name", evil, "--out", tmp_path / "out")
    table, markdown = (convsim(*asked, "--format", form) for form in ("text", "md"))
    for result in (table, markdown):
        assert result.returncode == 0, result.stderr
        assert not {"\x1b", "\x07"} & {*result.stdout, *result.stderr}
    assert "<script>" not in markdown.stdout
    page = (tmp_path / "out/comparison.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1


def test_reactions_may_be_named_among_the_validators_where_arms_are(runs):
    asked = ("--validators", "marginals,counterfactual")
    [found] = document(runs["real"], runs["replay"], *ARMS, *asked)["simulators"]
    assert found["counterfactual"]["simulated"]["n"] == 48
    assert {f["validator"] for f in found["validation"]["findings"]} == {"marginals"}


def test_two_conversations_or_one_are_compared_and_say_what_is_missing(tmp_path, real):
    few = written(tmp_path / "few.jsonl", [line(n + 900) for n in range(2)])
    one = written(tmp_path / "one.jsonl", [line(950)])
    done = convsim("compare", real, few, one, *QUICK, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    printed = " ".join(done.stdout.split())
    for name in ("few", "one"):
        assert f"{name} has no mean distance from people: " in printed
    assert (tmp_path / "out/comparison.html").exists()


def refused(*arguments: object) -> str:
    result = convsim("compare", *arguments)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    [error] = [each for each in result.stderr.splitlines() if each.startswith("error:")]
    return error


def test_one_file_twice_is_refused(tmp_path, real, simulated):
    assert "is the same file as" in refused(real, simulated, simulated, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "a name too few": (("--name", "a"), "--name was given 1 times for 2 simulators"),
    "a name twice": (("--name", "a", "--name", "a"), "--name 'a' was given twice"),
    "an empty name": (("--name", " ", "--name", "a"), "name is empty"),
    "half a shift": (("--control", "good"), "--control and --treatment go together"),
    "one arm twice": (("--control", "good", "--treatment", "good"), "the same arm, 'good'"),
    "an unknown arm": (("--arm", "ugly"), "the real data have no arm 'ugly'"),
    "an arm that people lack": (
        ("--control", "good", "--treatment", "bad"),
        "the real data: it has no arm 'bad'",
    ),
    "no validator": (("--validators", ","), "is empty"),
    "reactions without arms": (("--validators", "counterfactual"), "give --control ARM --treatment ARM"),
    "an unknown validator": (("--validators", "mmd"), "'mmd'; installed: "),
    "no such file of what was learned from": (("--learned", "absent.jsonl"), "absent.jsonl"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_clear_line_and_exit_2(tmp_path, real, simulated, name, *, monkeypatch, capsys):
    # In this process: an interpreter for each would take a second each.
    given, said = MISTAKES[name]
    other = written(tmp_path / "other.jsonl", [line(n + 900) for n in range(30)])
    asked = ("convsim", "compare", real, simulated, other, *given, "--out", tmp_path / "out")
    monkeypatch.setattr(sys, "argv", [*map(str, asked)])
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr()
    assert (stopped.value.code, printed.out) == (2, "")
    [error] = [each for each in printed.err.splitlines() if each != "seed 0"]
    assert error.startswith("error: ")
    assert said in error
    assert not (tmp_path / "out/comparison.json").exists()


@pytest.mark.parametrize("content", [b"{oops\n", b"\xff\xfe\n", b"", b'{"id": 7, "messages": []}\n'])
def test_a_nonsense_file_is_one_clear_line_and_exit_2(tmp_path, real, simulated, content):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(content)
    assert "bad.jsonl" in refused(real, simulated, bad, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_too_many_failures_are_refused_with_the_simulators_name(tmp_path, real, simulated):
    reason = {"reason": "the server was down"}
    failing = [line(n + 500, failure=reason if n < 4 else None) for n in range(30)]
    path = written(tmp_path / "failing.jsonl", failing)
    assert "4 of 30 failing conversations failed" in refused(real, simulated, path, *QUICK)
    found = document(real, simulated, path, *QUICK, "--allow-failures")
    assert (found["simulators"][1]["failures"], found["simulators"][1]["side"]["n"]) == (4, 26)


def test_a_validator_that_fails_is_no_pass_and_the_rest_is_kept(tmp_path, real, simulated):
    code = (
        "class Broken:\n    name = 'broken'\n"
        "    def validate(self, real, simulated, *, seed): return []\n"
        "    def compare(self, real, simulated, *, seed): raise KeyError('oops')\n"
    )
    (tmp_path / "broken_comparer.py").write_text(code)
    result = convsim(
        "compare", real, simulated, "--validators", "broken_comparer:Broken,marginals", "--out", tmp_path / "out",
        PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    assert result.returncode == 3
    assert "the validator broken failed" in result.stderr
    assert "Traceback" not in result.stderr
    found = json.loads((tmp_path / "out/comparison.json").read_text())
    assert any(
        "broken failed to compare the simulators: KeyError" in warning for warning in found["warnings"]
    )
    assert found["simulators"][0]["habits"]["n"] > 5
