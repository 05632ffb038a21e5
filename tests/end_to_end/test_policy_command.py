"""``convsim train --policy`` as a user types it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from convsim.io import read
from convsim.shoppers.policies import Policy
from tests.end_to_end.commands import Forks
from tests.end_to_end.training import assert_says, conversation, log, one_line_of
from tests.unit.shoppers.policies.known import DEPENDS, simulated_world

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="commands are forked")


@pytest.fixture(scope="module")
def deciders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    people = simulated_world(DEPENDS, n_users=30, seed=31).conversations
    return log(tmp_path_factory.mktemp("deciders") / "log.jsonl", [c.to_json() for c in people])


def test_a_policy_is_learned_and_told_beside_its_baselines(
    convsim: Forks, deciders: Path, tmp_path: Path
) -> None:
    out = tmp_path / "policy"
    ended = convsim("train", deciders, "--policy", "--out", out, "--seed", 2)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    said = ended.stderr.splitlines()
    assert said[0] == "seed 2"
    assert any("features never vary here and are left out: " in line for line in said)
    told = "\n".join(said)
    for expected in (
        r"held-out users: \d+ decisions, \d+ endings, 30 users",
        r"log loss: policy .* base rate .* base rate by turn .* accept the first that fits ",
        r"Brier score: policy ",
        r"ROC AUC .*calibration intercept .* slope ",
        r"mean reciprocal rank of \d+: policy .* random .* the first that fits ",
    ):
        assert_says(told, expected)
    assert said[-2] == f"{out}: a policy of the kind hazard"
    assert said[-1] == f"convsim simulate --shopper hybrid --set shopper.policy={out} --real {deciders}"
    held = convsim(*said[-1].split()[1:], "--n", 6, "--max-turns", 4, "--out", tmp_path / "run")
    assert held.returncode == 0, held.stderr
    lines = (tmp_path / "run/conversations.jsonl").read_text().splitlines()
    held_by = [json.loads(line) for line in lines]
    assert [(each["shopper"], each.get("failure")) for each in held_by] == [("hybrid", None)] * 6
    known = {each.fingerprint for each in read(deciders).conversations}
    assert all({*each["learned_from"]["conversations"]} == known for each in held_by)
    assert Policy.load(out).kind == "hazard"
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["plan"]["seed"] == 2
    assert manifest["outcome"] == json.loads((out / "policy.json").read_text())["evaluation"]


def test_options_of_fine_tuning_and_of_a_policy_do_not_go_together(
    convsim: Forks, deciders: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for option in (
        ("--lora",),
        ("--epochs", 6),
        ("--base", "embedded"),
        ("--compress", "int8"),
        ("--calibrate", 40),
    ):
        line = one_line_of(convsim("train", deciders, "--policy", *option, "--out", out))
        assert_says(line, f"{option[0]}: is for fine-tuning a model, and --policy learns decisions alone")
    for option in (("--kind", "hazard"), ("--infer-endings",)):
        line = one_line_of(convsim("train", deciders, *option, "--out", out))
        assert_says(line, f"{option[0]}: is for a decision policy; add --policy")
    for said in ("layers=2", "ssm=1", "ssm=x", "ssm", "ssm=nan"):
        command = ("train", deciders, "--policy", "--kind", "ssm", "--compress", said, "--out", out)
        assert_says(one_line_of(convsim(*command)), f"--compress '{said}': .* it is ssm=TAU, with TAU from 0")
    assert_says(
        one_line_of(convsim("train", deciders, "--policy", "--kind", "forest", "--out", out)),
        "no kind of policy",
    )
    assert not out.exists()


def test_logs_without_endings_are_refused_or_read_and_the_unknown_error_is_told(
    convsim: Forks, tmp_path: Path
) -> None:
    silent = []
    for n in range(40):
        document = json.loads(conversation(n, ending=None))
        last = "i'll take it" if n % 3 else "no thanks"
        document["messages"].append({"role": "user", "content": last})
        silent.append(json.dumps(document))
    people = log(tmp_path / "silent.jsonl", silent)
    out = tmp_path / "policy"
    assert_says(one_line_of(convsim("train", people, "--policy", "--out", out)), "record no decision")
    assert not out.exists()
    ended = convsim("train", people, "--policy", "--infer-endings", "--out", out)
    assert ended.returncode == 0, ended.stderr
    read = "endings read from the last words: 26 accepted, 14 left, 0 not told"
    assert_says(
        ended.stderr, f"{read} .*; their error is unknown: 0 conversations of these logs state an ending"
    )
    assert json.loads((out / "policy.json").read_text())["endings_read"] == {
        "accepted": 26, "left": 14, "untold": 0, "checked": 0, "told": 0, "wrong": 0, "error_known": False,
    }  # fmt: skip
