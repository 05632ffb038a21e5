"""Files of other systems against people, as a user types it: nothing is said but their paths."""

import json

from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, convsim

QUICK = ("--validators", "marginals", "--set", "marginals.n_resamples=49")
INFO = {
    "user_info": {"implementation": "user_simulator", "llm": "naive"},
    "agent_info": {"implementation": "llm_agent", "llm": None},
    "environment_info": {"domain_name": "apparel"},
}


def tau2(path, *, n_broken=0):
    """Write the demo's naive simulator as tau2-bench would, with a greeting, tools and stop tokens."""
    simulations = []
    for row in map(json.loads, NAIVE.read_text(encoding="utf-8").splitlines()):
        said = [{"role": m["role"], "content": m["content"]} for m in row["messages"]]
        called = {"role": "assistant", "content": None, "tool_calls": [{"name": "find", "arguments": {}}]}
        messages = [{"role": "assistant", "content": "Hi!"}, *said[:1], called, *said[1:]]
        messages.append({"role": "user", "content": "###STOP###"})
        simulations.append({"id": row["id"], "task_id": row["task"], "termination_reason": "user_stop"})
        simulations[-1]["messages"] = messages
    for broken in simulations[:n_broken]:
        broken |= {"termination_reason": "infrastructure_error", "messages": []}
    path.write_text(json.dumps({"info": INFO, "tasks": [], "simulations": simulations}), encoding="utf-8")
    return path


def findings(sim):
    result = convsim("validate", PEOPLE, sim, "--format", "json", *QUICK)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_file_of_tau2_gives_the_numbers_that_the_same_words_give_as_jsonl(tmp_path):
    ours = findings(NAIVE)
    theirs = findings(tau2(tmp_path / "results.json"))
    assert theirs["simulated"]["simulator"] == "user_simulator on naive"
    assert theirs["simulated"]["n"] == 300
    estimates = [
        {f["metric"]: f["estimate"] for f in document["findings"] if f["metric"].startswith("user_")}
        for document in (ours, theirs)
    ]
    assert len(estimates[0]) > 10
    assert estimates[0] == estimates[1]
    verdicts = {f["metric"]: f["verdict"] for f in theirs["findings"]}
    assert verdicts["user_words_per_turn"] == "different"
    assert any("stop tokens" in warning for warning in theirs["warnings"])


def test_what_broke_off_in_tau2_is_left_out_and_refused_beyond_a_twentieth(tmp_path):
    few = findings(tau2(tmp_path / "few.json", n_broken=10))
    assert few["simulated"]["n"] == 290
    assert any("10 of 300 simulated conversations failed" in warning for warning in few["warnings"])
    many = convsim("validate", PEOPLE, tau2(tmp_path / "many.json", n_broken=30))
    assert many.returncode == 2
    assert "tau2: infrastructure_error" in many.stderr
    assert "Traceback" not in many.stderr


def test_dialogues_of_dialoguekit_are_described_and_converted(tmp_path):
    path = tmp_path / "Bot_User.json"
    said = [("AGENT", "Hello"), ("USER", "Red boots, please"), ("AGENT", "These?")]
    conversation = [{"participant": who, "utterance": what} for who, what in said]
    dialogue = {
        "conversation ID": "1",
        "conversation": conversation,
        "agent": {"id": "Bot"},
        "user": {"id": "U"},
    }
    path.write_text(json.dumps([dialogue]), encoding="utf-8")
    described = convsim("data", "describe", path, "--format", "json")
    assert json.loads(described.stdout)["format"] == "dialoguekit"
    assert convsim("data", "convert", path, tmp_path / "x.jsonl").returncode == 0
    assert json.loads((tmp_path / "x.jsonl").read_text())["messages"][1]["content"] == "Red boots, please"


def test_a_malformed_file_of_another_system_is_one_clear_line(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"info": INFO, "tasks": [], "simulations": [{"id": 3}]}), encoding="utf-8")
    result = convsim("validate", PEOPLE, path)
    assert result.returncode == 2
    assert "simulations[0].id: must be text, but is 3" in result.stderr
    assert "Traceback" not in result.stderr


def mirrorbench(folder):
    """Write a run of MirrorBench in which the demo's naive simulator mirrors its close one."""
    unit = folder / "artifacts" / "proxy:p/naive|dataset:d|default|metric:m|0"
    unit.mkdir(parents=True)
    sides = [path.read_text(encoding="utf-8").splitlines()[:60] for path in (CLOSE, NAIVE)]
    for number, rows in enumerate(zip(*sides, strict=True)):
        real, mirrored = (
            [{k: m[k] for k in ("role", "content")} for m in json.loads(r)["messages"]] for r in rows
        )
        spec = {"episode_id": f"e{number}", "chat_history": real}
        (unit / f"e{number}.json").write_text(json.dumps({"spec": spec, "turns": mirrored}), encoding="utf-8")
    return folder


def test_each_side_may_have_a_reader_and_a_name_of_its_own(tmp_path):
    run = mirrorbench(tmp_path / "run")
    readers = ("--real-reader", "mirrorbench-people", "--simulated-reader", "mirrorbench")
    result = convsim("validate", run, run, *readers, "--format", "json", *QUICK)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert [found[side]["n"] for side in ("real", "simulated")] == [60, 60]
    assert (found["real"]["simulator"], found["simulated"]["simulator"]) == (None, "proxy:p/naive")
    assert not any("same file" in warning for warning in found["warnings"])
    words = next(f for f in found["findings"] if f["metric"] == "user_words_per_turn")
    assert words["verdict"] == "different"

    both = convsim("validate", PEOPLE, run, "--reader", "convapparel")
    assert both.returncode == 2
    assert (
        "--reader convapparel is for both sides; for one of them give --real-reader or --simulated-reader"
        in (" ".join(both.stderr.split()))
    )
    named = convsim("data", "describe", run, "--reader", "mirrorbench-people", "--simulator", "ours")
    assert "simulators      ours 60" in named.stdout
