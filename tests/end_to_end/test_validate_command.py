"""``convsim validate`` as a user types it: good input, hostile input, gates."""

import json

import pytest

from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, convsim, line, once, written

FEW = ("--set", "marginals.n_resamples=199", "--set", "humanlikeness.n_resamples=199")
"""Where the numbers themselves are not asked about; what is cheaper to compute is no less printed or refused."""
QUICK = ("--validators", "marginals", "--set", "marginals.n_resamples=49")


def test_findings_json_has_the_stated_form_and_is_what_format_json_prints(tmp_path):
    result = convsim(
        "validate", PEOPLE, NAIVE, "--out", tmp_path / "out", "--format", "json", "--seed", "7", *FEW
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert json.loads((tmp_path / "out/findings.json").read_text()) == document
    assert list(document) == [
        "schema",
        "real",
        "simulated",
        "made_by",
        "warnings",
        "reliability",
        "headlines",
        "gate",
        "gaps",
        "baseline",
        "findings",
    ]
    assert document["schema"] == "convsim.findings/1"
    sides = {"path", "sha256", "n", "simulator", "arms", "tasks", "language"}
    assert set(document["real"]) == set(document["simulated"]) == sides
    assert document["simulated"]["simulator"] == "stand-in:naive"
    assert (document["real"]["n"], document["simulated"]["n"]) == (320, 300)
    fields = {
        "validator", "metric", "question", "estimate", "unit", "interval", "level", "p_value", "p_adjusted",
        "noise_floor", "verdict", "reason", "n_real", "n_simulated", "seed", "version", "source", "details",
    }  # fmt: skip
    assert all(set(finding) == fields and finding["seed"] == 7 for finding in document["findings"])
    by_metric = {finding["metric"]: finding for finding in document["findings"]}
    assert {"turns", "user_words_per_turn", "hls", "hls_length_matched", "hls_behaviour"} <= set(by_metric)
    assert {"mann_whitney_u", "cliffs_delta", "wasserstein", "real", "simulated"} <= set(
        by_metric["turns"]["details"]
    )
    assert {"accuracy", "auc", "control_accuracy", "tells"} <= set(by_metric["hls"]["details"])
    assert by_metric["user_words_per_turn"]["verdict"] == by_metric["hls"]["verdict"] == "different"
    assert by_metric["hls"]["estimate"] < 0.1
    assert by_metric["agent_words_per_turn"]["details"]["role"] == "control"
    assert by_metric["agent_words_per_turn"]["p_adjusted"] is None


def test_the_table_names_both_sides_the_verdicts_the_giveaway_words_and_what_it_does_not_show():
    result = convsim("validate", PEOPLE, NAIVE, "--validators", "marginals,humanlikeness", *FEW)
    assert result.returncode == 0
    for expected in (
        "user_words_per_turn",
        "different",
        "giveaway words of the simulator",
        "stand-in:naive",
        "It holds for this simulator, model, prompt and seed only",
    ):
        assert expected in result.stdout
    assert "Passing means" not in result.stdout  # nothing passed
    assert "seed 0" in result.stderr
    assert "\x1b" not in result.stdout


MARKED = {"aligned": "alike", "different": "different", "undecided": "needs more data"}


def test_markdown_holds_a_row_a_finding_with_its_estimate_and_verdict():
    asked = ("validate", PEOPLE, CLOSE, *QUICK, "--format")
    found = json.loads(once(*asked, "json").stdout)["findings"]
    rows = [
        [cell.strip(" `").replace("\\", "") for cell in row.split("|")[1:]]
        for row in once(*asked, "md").stdout.splitlines()
        if "| marginals |" in row
    ]
    assert [(row[0], row[1], row[9].partition(":")[0]) for row in rows] == [
        (
            f["validator"],
            f["metric"],
            "not judged"
            if f["details"]["role"] == "control"
            else "cannot be measured"
            if f["estimate"] is None
            else ("alike on average" if f["metric"] == "all_metrics" else MARKED[f["verdict"]]),
        )
        for f in found
    ]
    for row, finding in zip(rows, found, strict=True):
        if finding["estimate"] is None:
            assert row[4] == "–"
        else:
            assert float(row[4]) == pytest.approx(finding["estimate"], rel=0.01)


def test_the_same_seed_gives_the_same_document_and_another_one_moves_it():
    asked = ("validate", PEOPLE, CLOSE, *QUICK, "--format", "json")
    first, again, other = once(*asked), convsim(*asked), convsim(*asked, "--seed", 1)
    assert first.stdout == again.stdout
    intervals = [[f["interval"] for f in json.loads(each.stdout)["findings"]] for each in (first, other)]
    assert intervals[0] != intervals[1]


@pytest.mark.parametrize(
    ("simulator", "gate", "code"),
    [(NAIVE, "different", 1), (NAIVE, None, 0), (CLOSE, "undecided", 1), (CLOSE, None, 0)],
)
def test_gates_decide_the_exit_code_and_nothing_else_does(simulator, gate, code):
    result = once("validate", PEOPLE, simulator, *(["--fail-on", gate] if gate else []), *QUICK)
    assert result.returncode == code
    assert "user_words_per_turn" in result.stdout


def test_people_held_against_people_hardly_differ(tmp_path):
    halves = convsim(
        "data", "split", PEOPLE, "--by", "conversation", "--fraction", "0.5", "--seed", "3", "--out", tmp_path
    )
    assert halves.returncode == 0, halves.stderr
    first, second = sorted(tmp_path.glob("*.jsonl"))
    result = convsim("validate", first, second, *FEW, "--fail-on", "different", "--format", "json")
    assert result.returncode == 0, result.stdout
    found = {finding["metric"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert found["hls"]["verdict"] == "aligned"
    assert found["hls"]["estimate"] == pytest.approx(0.5, abs=0.05)
    assert all(
        f["estimate"] <= 1.25 * f["noise_floor"]["q95"]
        for f in found.values()
        if f["noise_floor"] and f["details"].get("role") != "control" and f["verdict"] == "undecided"
    )


def test_task_and_arm_filter_both_sides():
    result = convsim(
        "validate",
        PEOPLE,
        CLOSE,
        "--task",
        "tops",
        "--arm",
        "good",
        "--format",
        "json",
        *QUICK,
    )
    document = json.loads(result.stdout)
    assert document["real"]["tasks"] == {"tops": 64}
    assert set(document["simulated"]["arms"]) == {"good"}


def test_an_unknown_arm_lists_those_that_exist(real, simulated):
    result = convsim("validate", real, simulated, "--arm", "ugly")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "error: the real data have no arm 'ugly'; they have: good"


def test_a_margin_can_be_set_and_is_printed(real, simulated):
    result = convsim("validate", real, simulated, *QUICK, "--set", "marginals.margin=0.9", "--format", "json")
    turns = next(f for f in json.loads(result.stdout)["findings"] if f["metric"] == "turns")
    assert turns["details"]["margin"]["ks"] == 0.9
    assert turns["verdict"] == "aligned"


def test_options_come_from_the_environment_too(real, simulated):
    result = convsim(
        "validate", real, simulated, *QUICK, CONVSIM_VALIDATE_FORMAT="json", CONVSIM_VALIDATE_SEED="5"
    )  # fmt: skip
    assert {finding["seed"] for finding in json.loads(result.stdout)["findings"]} == {5}


def test_one_conversation_is_no_error_and_says_how_many_are_needed(tmp_path, simulated):
    single = written(tmp_path / "one.jsonl", [line(1)])
    result = convsim("validate", single, simulated, "--format", "json")
    assert result.returncode == 0, result.stderr
    findings = json.loads(result.stdout)["findings"]
    assert {finding["verdict"] for finding in findings} == {"undecided"}
    short = [finding for finding in findings if "not recorded" not in finding["reason"]]
    assert len(short) > 10
    assert all("at least" in finding["reason"] for finding in short)


def test_the_same_file_twice_is_a_warning_and_decides_nothing(real):
    result = convsim("validate", real, real, "--format", "json")
    document = json.loads(result.stdout)
    assert result.returncode == 0
    assert any("same file" in warning for warning in document["warnings"])
    assert {finding["verdict"] for finding in document["findings"]} == {"undecided"}
    allowed = json.loads(
        convsim("validate", real, real, "--allow-overlap", *QUICK, "--format", "json").stdout
    )
    assert next(f for f in allowed["findings"] if f["metric"] == "turns")["estimate"] == 0


def test_exchanged_sides_are_a_warning_and_a_gate_refuses_them(tmp_path, real):
    simulated = written(tmp_path / "named.jsonl", [line(n + 500, simulator="gpt") for n in range(30)])
    warned = convsim("validate", simulated, real, *QUICK, "--validators", "marginals", "--format", "json")
    assert warned.returncode == 0
    assert "the sides look exchanged" in json.loads(warned.stdout)["warnings"][0]
    refused = convsim("validate", simulated, real, "--fail-on", "different", "--out", tmp_path / "out")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "people come first" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_a_gate_fails_on_near_copies(tmp_path):
    said = [
        f"I {n} want boots {n * 7} for my {n * 11} walk to {n * 13} and {n * 17} again" for n in range(30)
    ]
    lines = [line(n, messages=[{"role": "user", "content": text}]) for n, text in enumerate(said)]
    copied = [
        line(n + 500, simulator="gpt", messages=[{"role": "user", "content": text.replace("want", "need")}])
        for n, text in enumerate(said)
    ]
    sides = [written(tmp_path / f"{name}.jsonl", made) for name, made in (("real", lines), ("sim", copied))]
    result = convsim("validate", *sides, "--validators", "copies", "--fail-on", "different")
    assert result.returncode == 1, result.stderr
    assert "Simulated shoppers copy the people they are judged on" in result.stdout
    assert "near_copies" in result.stderr


def test_a_shopper_is_not_judged_on_the_people_it_learned_from(tmp_path, real):
    import convsim as package

    learned = {"file": "0" * 64, "conversations": [package.read(real).conversations[3].fingerprint]}
    simulated = written(tmp_path / "sim.jsonl", [line(n + 500, learned_from=learned) for n in range(30)])
    document = json.loads(convsim("validate", real, simulated, "--format", "json").stdout)
    assert {finding["verdict"] for finding in document["findings"]} == {"undecided"}
    assert "learned from these people" in document["findings"][0]["reason"]


def test_too_many_failures_are_refused_unless_allowed(tmp_path, real):
    reason = {"reason": "the server was down"}
    lines = [line(n + 500, failure=reason if n < 4 else None) for n in range(30)]
    simulated = written(tmp_path / "sim.jsonl", lines)
    result = convsim("validate", real, simulated, "--out", tmp_path / "out")
    assert result.returncode == 2
    assert "4 of 30 simulated conversations failed (most often: the server was down)" in result.stderr
    assert not (tmp_path / "out/findings.json").exists()
    allowed = json.loads(
        convsim("validate", real, simulated, "--allow-failures", *QUICK, "--format", "json").stdout
    )
    assert allowed["simulated"]["n"] == 26


def test_a_run_folder_is_accepted_wherever_a_file_is(tmp_path, real, simulated):
    run = tmp_path / "run"
    run.mkdir()
    (run / "conversations.jsonl").write_bytes(simulated.read_bytes())
    by_file, by_folder = (
        json.loads(convsim("validate", real, side, *QUICK, "--format", "json").stdout)
        for side in (simulated, run)
    )
    assert by_folder["simulated"] == {**by_file["simulated"], "path": str(run)}
    assert by_folder["findings"] == by_file["findings"]


def test_bad_lines_are_skipped_and_counted_when_asked(tmp_path, real):
    simulated = written(
        tmp_path / "sim.jsonl", [*(line(n + 500) for n in range(20)), "{not json", '{"id": 3}']
    )
    result = convsim("validate", real, simulated, *QUICK, "--skip-bad-lines", "--format", "json")
    assert result.returncode == 0, result.stderr
    assert "simulated data: 2 bad lines were skipped" in json.loads(result.stdout)["warnings"]


def test_a_hostile_transcript_reaches_no_terminal_and_no_markup(tmp_path, real):
    evil = "\x1b[2J\x07[bold]click[/bold] <script>alert(1)</script> |x| `y`"
    simulated = written(
        tmp_path / "a|b`c.jsonl", [line(n + 500, text=f"{evil} {n}", arm=evil) for n in range(30)]
    )
    table, markdown = (
        convsim("validate", real, simulated, *FEW, "--format", form) for form in ("text", "md")
    )
    assert table.returncode == markdown.returncode == 0, table.stderr
    for printed in (table.stdout + table.stderr, markdown.stdout + markdown.stderr):
        assert "\x1b" not in printed
        assert "\x07" not in printed
    assert "<script>" not in markdown.stdout
    [row] = [each for each in markdown.stdout.splitlines() if each.startswith("| simulated |")]
    assert r"a\|b\`c.jsonl" in row


def test_an_unknown_validator_lists_what_is_installed(real, simulated):
    result = convsim("validate", real, simulated, "--validators", "mmd")
    assert result.returncode == 2
    assert "there is no convsim.validators plugin 'mmd'; installed: " in result.stderr
    assert "copies, counterfactual, disclosure, diversity, dose_response, endings, " in result.stderr


def test_an_out_that_is_a_file_is_refused_before_any_work(tmp_path, real, simulated):
    result = convsim("validate", real, simulated, "--out", real)
    assert result.returncode == 2
    assert result.stdout == ""


@pytest.mark.faults
def test_a_message_of_five_megabytes_is_read(tmp_path, real):
    simulated = written(
        tmp_path / "sim.jsonl", [line(500, text="boots " * 900_000), *(line(n + 501) for n in range(20))]
    )
    done = convsim("validate", real, simulated, *FEW, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {finding["metric"]: finding for finding in json.loads(done.stdout)["findings"]}
    # One of 900,000 words, twenty of five.
    assert found["user_words_per_turn"]["details"]["simulated"]["mean"] == pytest.approx(900_100 / 21)
    assert 0 < found["hls"]["estimate"] < 1


def test_a_validator_that_fails_is_no_pass(tmp_path, real, simulated):
    method = "def validate(self, real, simulated, *, seed): raise KeyError('oops')"
    code = f"class Broken:\n    name = 'broken'\n    {method}\n"
    (tmp_path / "broken_validator.py").write_text(code)
    result = convsim(
        "validate", real, simulated, "--validators", "broken_validator:Broken", PYTHONPATH=str(tmp_path)
    )
    assert result.returncode == 3
    assert "the validator broken failed" in result.stderr
    assert "for the traceback: --format json or --out DIR" in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr + result.stdout
