"""The kind ``ssm``: what was said before tells more than what is seen now, its states are cut; it asks no torch."""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convsim import train_policy
from convsim.errors import InputError, TrainingError
from convsim.io import write
from convsim.schema.conversation import Conversation, Message
from convsim.shoppers.balanced_truncation import hankel_singular_values
from convsim.shoppers.policies import Policy, PolicyTraining
from convsim.shoppers.policies.evaluation import Evaluation, cross_fit, evaluate
from convsim.shoppers.policies.features import FEATURES
from convsim.shoppers.policies.model import Kind, fit_model
from convsim.shoppers.policies.points import find_points
from convsim.shoppers.policies.recurrent import inputs_of
from convsim.shoppers.policies.saved import ARRAYS_FILE, POLICY_FILE
from convsim.shoppers.policies.table import Columns, Table
from tests.unit.shoppers.policies.known import DEAF, World, moody_world

torch = pytest.importorskip("torch")
from convsim.shoppers.policies.recurrence.network import Learning, Network, Shape, learn  # noqa: E402

TAU = 0.2


def drawn_network(seed: int = 0, **more: Any) -> Network:
    network = Network(replace(Shape(5, 3, width=8, states=12, dropout=0.0), **more), seed=seed)
    network.eval()
    with torch.no_grad():
        network.head.weight.normal_(generator=torch.Generator().manual_seed(seed))
    return network


def test_numpy_says_what_torch_says_and_a_step_depends_on_no_later_one() -> None:
    network, inputs = drawn_network(), np.random.default_rng(0).standard_normal((4, 37, 5))
    with torch.no_grad():
        expected = network.double()(torch.from_numpy(inputs)).numpy()
    exported = drawn_network().exported()
    np.testing.assert_allclose(exported(inputs), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(exported(inputs[:, :20]), exported(inputs)[:, :20], atol=1e-12)


@cache
def world(by_mood: float = 1.5, n_users: int = 60) -> World:
    return moody_world(by_mood, n_users=n_users, seed=21)


def table_of(people: World) -> Table:
    return Table.of(
        find_points(people.conversations, language="en", infer_endings=False).points, "en", histories=True
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("policies") / "policy"
    train_policy(world().conversations, out, kind="ssm", tau=TAU, seed=3)
    return out


@cache
def held_out(by_mood: float, kind: Kind) -> tuple[float, float, Evaluation]:
    """Return the log loss of held-out users, how far it lies above that of who knows the truth, and what is told."""
    people = world(by_mood, 150)
    table = table_of(people)
    told = cross_fit(kind, table, language="en", seed=5, tau=TAU)

    def log_loss(shares: np.ndarray) -> float:
        return float(-np.log(shares[np.arange(len(table.moves)), table.moves]).mean())

    loss = log_loss(told.moves)
    return loss, loss - log_loss(np.asarray(people.told)), evaluate(table, told, language="en", seed=5)


def test_a_mood_that_earlier_words_left_is_found_again_and_what_is_seen_now_does_not_tell_it() -> None:
    loss, above, evaluation = held_out(1.5, "ssm")
    assert above < 0.045
    assert loss < held_out(1.5, "hazard")[0] - 0.13
    assert loss < held_out(1.5, "trees")[0] - 0.13
    assert evaluation.better
    assert evaluation.calibration_slope.estimate == pytest.approx(1, abs=0.2)
    assert (evaluation.accept_difference.interval or (0, 0))[1] < 0
    assert not held_out(1.5, "hazard")[2].better


def test_where_words_move_nobody_it_says_that_it_is_no_better() -> None:
    loss, above, evaluation = held_out(DEAF, "ssm")
    assert not evaluation.better
    assert above < 0.01
    assert abs(loss - held_out(DEAF, "hazard")[0]) < 0.005
    assert evaluation.lines()[-1].startswith("this policy is no better than the base rate")


def test_its_folder_tells_its_states_before_and_after_and_when_they_were_cut(folder: Path) -> None:
    policy = Policy.load(folder)
    found = policy.evaluation.recurrence
    assert policy.kind == "ssm"
    assert found is not None
    assert policy.model.recurrent is not None
    assert found.adds_to
    assert found.states == policy.model.recurrent.states
    assert found.states_before == (32, 32)
    assert all(1 <= after < before for after, before in zip(found.states, found.states_before, strict=True))
    assert found.cuts[-1].states == found.states
    assert [each.step for each in found.cuts] == sorted(each.step for each in found.cuts)
    assert found.cuts[-1].step <= found.steps
    assert found.line() in policy.evaluation.lines()
    assert "states: cut from 32 + 32 to " in found.line()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["plan"]["tau"] == TAU
    assert manifest["outcome"]["recurrence"] == found.model_dump(mode="json")


def thankful(n_users: int) -> World:
    """People who end where they said thanks and the agent is splendid, and stay where they did and it is not."""
    rng = np.random.default_rng(4)
    world = World()
    for number in range(2 * n_users):
        messages, thanks = [Message(role="user", content="boots")], False
        while True:
            said = str(rng.choice(["Splendid.", "Hm."], p=[0.75, 0.25]))
            messages.append(Message(role="assistant", content=f"{said} Here you are."))
            odds = -1.5 + thanks * (2.0 if said == "Splendid." else -3.0)
            if rng.random() < 1 / (1 + math.exp(-odds)) or len(messages) > 20:
                action = "accept" if rng.random() < 0.5 else "leave"
                messages.append(
                    Message.model_validate({"role": "user", "content": "Done.", "action": action})
                )
                break
            thanks = bool(rng.random() < 0.5)
            messages.append(Message(role="user", content="What else?" + " Thanks." * thanks, action="say"))
        stated = {"id": f"m{number}", "task": "shoes", "user": f"u{number // 2}", "messages": messages}
        world.conversations.append(Conversation.model_validate(stated))
    return world


def test_a_direction_that_people_show_is_held_whatever_was_said_before() -> None:
    table = table_of(thankful(200))
    model = fit_model("ssm", table, language="en", seed=3, tau=TAU)
    assert ("end", "said_thanks") in {(d.part, d.feature) for d in model.directions if d.constrained}
    assert model.recurrent is not None
    at, ends = [*FEATURES].index("said_thanks"), []
    for value in (0.0, 1.0):
        features = table.features.copy()
        features[:, at] = value
        told = []
        for row in range(len(table.points)):
            one = table.take(np.asarray([row])).histories
            assert one is not None
            one.features[one.starts[one.sequence] + one.step, at] = value
            told.append(1 - model.forecast(features[row : row + 1], one)[0, 0])
        ends.append(np.asarray(told))
    assert (ends[1] > ends[0]).all()


def test_of_a_feature_whose_direction_is_held_the_recurrence_is_told_what_it_was_a_step_before() -> None:
    table = table_of(world())
    assert table.histories is not None
    columns = Columns.of(table)
    now, held = (inputs_of(table.histories, columns, held=each) for each in ((), ("said_words",)))
    at, firsts = columns.names.index("said_words"), table.histories.starts[:-1]
    later = np.setdiff1d(np.arange(len(now)), firsts)
    np.testing.assert_array_equal(held[later, at], now[later - 1, at])
    assert not held[firsts, at].any()
    others = np.arange(now.shape[1]) != at
    np.testing.assert_array_equal(held[:, others], now[:, others])


def test_what_is_loaded_decides_as_what_was_learned_and_as_a_batch(folder: Path) -> None:
    policy, table = Policy.load(folder), table_of(world())
    torch.manual_seed(99)  # another seed of torch's own neither matters nor is moved
    before = torch.get_rng_state()
    learned = fit_model("ssm", table, language="en", seed=3, tau=TAU)
    assert torch.equal(torch.get_rng_state(), before)
    expected = learned.forecast(table.features, table.histories)
    np.testing.assert_array_equal(policy.model.forecast(table.features, table.histories), expected)
    for row in range(0, len(table.points), 9):
        point = table.points[row]
        told = policy.decide(point.seen, point.persona).probabilities
        np.testing.assert_allclose([told["say"], told["accept"], told["leave"]], expected[row], atol=1e-12)
    with pytest.raises(ValueError, match="with the histories"):
        policy.model.forecast(table.features)


def test_it_decides_where_torch_is_not_installed(folder: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.jsonl"
    write(people, world().conversations[:3])
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import convsim\n"
        f"policy = convsim.Policy.load({str(folder)!r})\n"
        f"[first, *_] = convsim.read({str(people)!r}).conversations\n"
        "print(policy.decide(first.but(messages=first.messages[:2]), first.persona).probabilities['leave'])\n"
        "convsim.train_policy([], 'never', kind='ssm')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert 0 < float(ended.stdout) < 1
    assert 'needs the extra "train"' in ended.stderr
    assert not (tmp_path / "never").exists()


def test_another_tau_is_another_plan(folder: Path) -> None:
    with pytest.raises(InputError, match="made with another plan"):
        PolicyTraining(world().conversations, kind="ssm", tau=0.1, seed=3).run(folder)
    with pytest.raises(
        InputError, match=r"--compress ssm=1: is the proportion .* from 0 \(none\) to below 1"
    ):
        PolicyTraining(world().conversations, kind="ssm", tau=1.0, seed=3).run(folder / "new")
    assert not (folder / "new").exists()


def changed(policy: Path, out: Path, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> Path:
    shutil.copytree(policy, out)
    document = json.loads((out / POLICY_FILE).read_text())
    with np.load(out / ARRAYS_FILE) as file:
        arrays = {name: file[name] for name in file.files}
    change(document, arrays)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    document["arrays_sha256"] = hashlib.sha256(content.getvalue()).hexdigest()
    (out / ARRAYS_FILE).write_bytes(content.getvalue())
    (out / POLICY_FILE).write_text(json.dumps(document))
    return out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d, a: a["ssm.0.eigenvalues.real"].__setitem__(0, 1.5), "eigenvalues must all be below 1"),
        (lambda d, a: a.pop("ssm.1.inputs.imaginary"), "has no array ssm.1.inputs.imaginary"),
        (
            lambda d, a: a.update({"ssm.head": np.zeros((3, 16))}),
            "ssm.head must be 2x16 numbers, but is 3x16",
        ),
        (lambda d, a: a.update({"ssm.encoder": np.zeros((16, 2))}), "ssm.encoder must be 16x"),
        (lambda d, a: a.update({"ssm.encoder_bias": np.zeros(0)}), "must have 1 to 1024 numbers, but has 0"),
        (lambda d, a: a["ssm.0.scale"].__setitem__(0, np.nan), "not finite"),
        (lambda d, a: d.update(n_blocks=1), "array ssm.1.* that belongs to no policy"),
        (lambda d, a: d.update(n_blocks=99), "n_blocks"),
        (lambda d, a: d.update(kind="hazard"), "of the kind hazard has no recurrence"),
        (lambda d, a: d.update(schema="convsim.policy/2"), "convsim.policy/2, and this version"),
        (lambda d, a: d["feature_names"].append("mood"), "looks at other features"),
    ],
)
def test_a_recurrence_that_cannot_be_is_refused_in_one_line(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any], dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(InputError) as refused:
        Policy.load(changed(folder, tmp_path / "changed", change))
    assert re.search(says, str(refused.value)), refused.value
    assert "\n" not in str(refused.value)


def test_a_loss_that_is_no_number_ends_training_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Network.forward
    monkeypatch.setattr(Network, "forward", lambda self, inputs: forward(self, inputs) * float("nan"))
    with pytest.raises(TrainingError, match="the loss is not a finite number at step 1") as failed:
        train_policy(world().conversations, tmp_path / "out", kind="ssm")
    assert "\n" not in str(failed.value)
    assert not (tmp_path / "out").exists()


def test_ten_users_constant_words_and_one_way_to_end_are_learned_without_a_recurrence(tmp_path: Path) -> None:
    few = [
        c.but(
            ending="left", messages=[m.but(action="leave") if m.action == "accept" else m for m in c.messages]
        )
        for c in moody_world(DEAF, n_users=10, seed=4).conversations
    ]
    policy = train_policy(few, tmp_path / "few", kind="ssm", seed=1)
    found = policy.evaluation.recurrence
    assert found is not None
    assert "accept" not in found.adds_to
    assert policy.learned.accept == 0.0
    if not found.adds_to:
        assert policy.model.recurrent is None
        assert "decides by its regressions alone" in found.line()


def test_states_that_do_nothing_are_cut_and_the_network_says_the_same() -> None:
    network = drawn_network(states=12)
    with torch.no_grad():
        for unit in network.units:
            unit.outputs_re[:, 4:] = 0
            unit.outputs_im[:, 4:] = 0
    inputs = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 30, 5)).astype(np.float32))
    with torch.no_grad():
        before = network(inputs)
        assert network.cut(1e-6)
        assert all(states <= 8 for states in network.states)
        torch.testing.assert_close(network(inputs), before, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("how", ["balanced", "magnitude"])
def test_a_network_is_cut_to_a_size_and_keeps_one_state_at_least(how: Any) -> None:
    network = drawn_network()
    network.cut_to((5, 3), how)
    assert network.states[0] <= 5
    assert network.states[1] <= 3
    network.cut(0.999)
    network.cut_to((1, 1), how)
    assert network.states == (1, 1)


def test_what_is_cut_while_learning_is_told_and_what_stays_keeps_its_moments() -> None:
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.standard_normal((64, 10, 5)).astype(np.float32))
    target = inputs[:, :, :1].cumsum(1)
    seen: list[tuple[int, ...]] = []
    kept: list[bool] = []
    made = Network.optimiser

    def watched(self: Network, learning: Learning, before: Any = None) -> Any:
        optimiser = made(self, learning, before)
        if before is not None:
            kept.append(self.encoder.weight in optimiser.state and self.units[0].nu not in optimiser.state)
        return optimiser

    def after(epoch: int, network: Network) -> bool:
        seen.append(network.states)
        return True

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Network, "optimiser", watched)
        learned = learn(
            Shape(5, 1, width=8, states=24), Learning(8, tau=0.3), 64, seed=1, after_epoch=after,
            loss_of=lambda network, rows: ((network(inputs[rows]) - target[rows]) ** 2).mean(),
        )  # fmt: skip
    assert learned.cuts
    assert kept[0]
    assert [cut.states for cut in learned.cuts][-1] == learned.network.states == seen[-1]
    assert learned.network.states < (24, 24)
    assert learned.steps == 8
    assert all(cut.step in (1, 2, 3, 4) for cut in learned.cuts)
    for unit in learned.network.units:
        assert hankel_singular_values(unit.system(), real_output=True)[0] > 0


def test_torchs_threads_are_left_as_they_were() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        learn(
            Shape(1, 1, width=2, states=2), Learning(1), 4, seed=0,
            loss_of=lambda network, rows: network(torch.zeros(len(rows), 2, 1)).sum() * 0,
        )  # fmt: skip
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
