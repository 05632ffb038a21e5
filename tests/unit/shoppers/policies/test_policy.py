"""A policy in its folder: what it decides, whom it learned from, and what of a broken one is refused."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convsim import train_policy
from convsim.errors import InputError, StudyError
from convsim.schema.conversation import Conversation, Label, Message
from convsim.schema.persona import Persona
from convsim.shoppers.policies import Policy, PolicyTraining
from convsim.shoppers.policies.model import fit_model
from convsim.shoppers.policies.points import find_points
from convsim.shoppers.policies.saved import ARRAYS_FILE, POLICY_FILE
from convsim.shoppers.policies.table import Table
from tests.unit.shoppers.policies.known import DEPENDS, World, simulated_world


@pytest.fixture(scope="module")
def world() -> World:
    return simulated_world(DEPENDS, n_users=30, seed=11)


@pytest.fixture(scope="module", params=["hazard", "trees"])
def folder(world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("policies") / "policy"
    train_policy(world.conversations, out, kind=request.param, seed=3)
    return out


def last_point(world: World) -> tuple[Conversation, Persona]:
    conversation = world.conversations[0]
    assert conversation.persona is not None
    return conversation.but(messages=conversation.messages[:2], ending="unknown"), conversation.persona


def test_a_policy_says_how_likely_each_decision_is_and_whom_it_learned_from(
    folder: Path, world: World
) -> None:
    policy = Policy.load(folder)
    conversation, persona = last_point(world)
    decided = policy.decide(conversation, persona)
    assert {*decided.probabilities} == {"say", "accept", "leave"}
    assert sum(decided.probabilities.values()) == pytest.approx(1)
    assert list(decided.items) == [item.id for item in conversation.messages[1].items]
    assert sum(decided.items.values()) == pytest.approx(1)
    assert decided.acts is None
    assert policy.learned_from.conversations == tuple(c.fingerprint for c in world.conversations)
    assert (policy.learned_from.arms, policy.domain, policy.language) == (("good",), ("shoes",), "en")
    assert (policy.name, policy.kind) == ("policy", policy.learned.kind)


def test_what_is_loaded_decides_as_what_was_learned(folder: Path, world: World) -> None:
    policy = Policy.load(folder)
    points = find_points(world.conversations, language="en", infer_endings=False).points
    table = Table.of(points, "en")
    expected = fit_model(policy.kind, table, language="en", seed=3).forecast(table.features)
    np.testing.assert_array_equal(policy.model.forecast(table.features), expected)
    for point, row in zip(points[:40], expected[:40], strict=True):
        told = policy.decide(point.seen, point.persona).probabilities
        np.testing.assert_allclose([told["say"], told["accept"], told["leave"]], row, atol=1e-12)


def test_nobody_ends_before_they_have_spoken_and_nothing_is_taken_where_nothing_was_shown(
    folder: Path, world: World
) -> None:
    policy, persona = Policy.load(folder), Persona(id="other", need="ein Film", task="films")
    greeted = Conversation(id="new", messages=(Message(role="assistant", content="Hello"),))
    assert policy.decide(greeted, persona).probabilities == {"say": 1.0, "accept": 0.0, "leave": 0.0}
    talked = greeted.but(
        messages=[
            *greeted.messages,
            Message(role="user", content="ein Film"),
            Message(role="assistant", content=""),
        ]
    )
    decided = policy.decide(talked, persona)
    assert decided.items == {}
    assert all(0 <= p <= 1 for p in decided.probabilities.values())


def changed(policy: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    out = tmp_path / "changed"
    shutil.copytree(policy, out)
    document = json.loads((out / POLICY_FILE).read_text())
    change(document)
    (out / POLICY_FILE).write_text(json.dumps(document))
    return out


def with_arrays(policy: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    with np.load(policy / ARRAYS_FILE) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)

    def named(document: dict[str, Any]) -> None:
        document["arrays_sha256"] = hashlib.sha256(content.getvalue()).hexdigest()

    out = changed(policy, tmp_path, named)
    (out / ARRAYS_FILE).write_bytes(content.getvalue())
    return out


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as refused:
        Policy.load(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda d: d.update(schema="convsim.policy/9"),
            "convsim.policy/9, and this version of convsim reads",
        ),
        (
            lambda d: d.update(kind="oracle"),
            "of the kind 'oracle'; this version of convsim knows hazard, trees, ssm",
        ),
        (lambda d: d["feature_names"].append("mood"), "looks at other features than this version.*mood"),
        (lambda d: d["feature_names"].reverse(), "other features.*another order"),
        (lambda d: d["features"][0].update(mean=None), "mean"),
        (lambda d: d["features"][0].update(name="mood"), "features must name each one once"),
        (lambda d: d.update(acts=["ask", "ask"]), "acts must name each one once"),
        (lambda d: d["features"][0].update(scale=0.0), "scale must be above 0"),
        (lambda d: d["features"][0].update(low=5.0, high=-5.0), "high at least its low"),
        (lambda d: d.update(accept=5.0), "accept"),
        (lambda d: d.update(schema="convsim.policy/9\nerror: no"), "policy/9 error: no, and this version"),
        (lambda d: d.update(arrays_sha256="0"), "is not the one that policy.json names"),
        (lambda d: d.pop("learned_from"), "learned_from"),
    ],
)
def test_a_policy_of_another_make_is_refused_in_one_line(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    assert re.search(says, said := refusal(changed(folder, tmp_path, change))), said


def first_float(arrays: dict[str, Any]) -> str:
    return next(name for name in sorted(arrays) if name.startswith("end.") and arrays[name].dtype.kind == "f")


def not_finite(arrays: dict[str, Any]) -> None:
    arrays[first_float(arrays)][...] = np.nan


def beyond(arrays: dict[str, Any]) -> None:
    arrays[first_float(arrays)][...] = 1e308


def another_shape(arrays: dict[str, Any]) -> None:
    arrays[first_float(arrays)] = np.zeros((2, 2))


def objects(arrays: dict[str, Any]) -> None:
    arrays[first_float(arrays)] = np.asarray([{}], object)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (not_finite, "not finite"),
        (beyond, "not finite, or beyond 1e\\+09"),
        (another_shape, "must be .* but is 2x2 of float64"),
        (objects, "is not a file of arrays"),
        (lambda a: a.pop(first_float(a)), "has no array end"),
        (lambda a: a.update(more=np.zeros(1)), "array more that belongs to no policy"),
        (lambda a: a.update(more=np.zeros(1 << 24)), "unpacks to .* at most 64 MiB"),
    ],
)
def test_numbers_that_cannot_be_are_refused_in_one_line(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    assert re.search(says, said := refusal(with_arrays(folder, tmp_path, change))), said


def test_trees_that_lead_in_a_circle_are_refused(world: World, tmp_path: Path) -> None:
    train_policy(world.conversations, tmp_path / "trees", kind="trees")

    def circle(arrays: dict[str, Any]) -> None:
        arrays["end.left"][...] = 0

    assert "in a circle" in refusal(with_arrays(tmp_path / "trees", tmp_path, circle))


def test_a_folder_that_is_none_or_lacks_its_arrays_is_refused(folder: Path, tmp_path: Path) -> None:
    assert "is not a policy: it has no policy.json; make one with convsim train" in refusal(tmp_path / "none")
    out = changed(folder, tmp_path, lambda document: None)
    (out / ARRAYS_FILE).unlink()
    assert "arrays.npz: cannot be read" in refusal(out)
    (out / ARRAYS_FILE).write_bytes(b"not an archive")
    assert "is not the one that policy.json names" in refusal(out)


def raw_member(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("end.intercept", content)
    return file.getvalue()


def huge_header() -> bytes:
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999,), }\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head


@pytest.mark.parametrize(
    "content",
    [raw_member(b"no array"), raw_member(huge_header()), raw_member(b"\x93NUMPY\x01\x00\x05\x00{'(\n")],
)
def test_an_archive_that_somebody_made_is_refused_in_one_line(
    folder: Path, tmp_path: Path, content: bytes
) -> None:
    out = changed(
        folder, tmp_path, lambda document: document.update(arrays_sha256=hashlib.sha256(content).hexdigest())
    )
    (out / ARRAYS_FILE).write_bytes(content)
    assert "arrays.npz" in refusal(out)


def test_the_same_training_again_says_that_it_is_done_and_another_is_refused(
    world: World, tmp_path: Path
) -> None:
    out, said = tmp_path / "out", list[str]()
    PolicyTraining(world.conversations, kind="hazard", seed=1).run(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    PolicyTraining(world.conversations, kind="hazard", seed=1, on_note=said.append).run(out)
    assert said == [f"{out}: is already trained; name another --out to train again"]
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    with pytest.raises(StudyError, match="made with another plan"):
        PolicyTraining(world.conversations, kind="trees", seed=1).run(out)
    (out / POLICY_FILE).unlink()  # as after a kill
    PolicyTraining(world.conversations, kind="hazard", seed=1).run(out)
    assert (out / POLICY_FILE).read_bytes() == before[POLICY_FILE]


def with_intents(world: World) -> list[Conversation]:
    """The people of a world, of whose messages every other one has the one intent, and the rest the other."""
    return [
        c.but(
            messages=[
                m.but(labels={"intents": Label(value={f"i{at % 4}": 3.0, "rare": 1.0}, source="third_party")})
                if m.role == "user"
                else m
                for at, m in enumerate(c.messages)
            ]
        )
        for c in world.conversations
    ]


def test_acts_are_learned_from_the_label_that_is_named_and_logs_without_them_say_so(
    world: World, tmp_path: Path
) -> None:
    people, notes = with_intents(world), list[str]()

    def training(label: str | None) -> PolicyTraining:
        return PolicyTraining(people, kind="hazard", seed=1, acts_label=label, on_note=notes.append)

    training("intents").run(tmp_path / "named")
    policy = Policy.load(tmp_path / "named")
    assert (policy.learned.acts, policy.learned.acts_label) == (("i0", "i2"), "intents")
    assert {*(policy.decide(*last_point(world)).acts or ())} == {"i0", "i2"}
    assert not any("no next dialogue act" in note for note in notes)
    with pytest.raises(StudyError, match="acts_label"):
        training(None).run(tmp_path / "named")
    with pytest.raises(InputError, match="these messages have: intents; did you mean 'intents'"):
        training("intent").run(tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()
    training(None).run(tmp_path / "none")
    assert (
        "no next dialogue act is learned: no label acts names users' acts; these logs have intents"
        in "".join(notes)
    )
    assert Policy.load(tmp_path / "none").learned.acts == ()


def test_a_policy_that_was_made_before_acts_had_another_label_is_read(folder: Path, tmp_path: Path) -> None:
    older = changed(folder, tmp_path, lambda document: document.pop("acts_label"))
    assert Policy.load(older).learned.acts_label == "acts"


def test_one_arm_alone_is_learned_and_who_is_excluded_is_left_out_with_all_that_they_said(
    world: World, tmp_path: Path
) -> None:
    other = [c.but(arm="bad") for c in simulated_world(DEPENDS, n_users=12, seed=12).conversations]
    both = [*world.conversations, *(c.but(id=f"b{c.id}", user=f"b{c.user}") for c in other)]
    notes: list[str] = []
    training = PolicyTraining(
        both, kind="hazard", seed=1, learn_arm="good", exclude=[world.conversations[0]], on_note=notes.append
    )
    training.run(tmp_path / "arm")
    assert "--exclude: 1 conversations were left out, and 1 more by the same users" in notes
    policy = Policy.load(tmp_path / "arm")
    expected = tuple(c.fingerprint for c in world.conversations[2:])
    assert (policy.learned_from.conversations, policy.learned_from.arms) == (expected, ("good",))
    with pytest.raises(InputError, match="do not have this arm; they have: bad, good"):
        train_policy(both, tmp_path / "none", learn_arm="ugly")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda cs: cs[:19], "at least 20 conversations, but there are 19"),
        (lambda cs: [c.but(user=f"u{n % 9}") for n, c in enumerate(cs)], "at least 10 users"),
        (
            lambda cs: [
                c.but(user=None, messages=c.messages[: None if n < 4 else 1]) for n, c in enumerate(cs)
            ],
            "at least 10 users .*those of 4",
        ),
        (lambda cs: [c.but(messages=c.messages[:1]) for c in cs], "record no decision"),
        (
            lambda cs: [
                *cs[:-1],
                cs[-1].but(persona={"id": "p", "need": "x", "patience": {"value": 3, "known": "afterwards"}}),
            ],
            "patience is known only afterwards",
        ),
    ],
)
def test_logs_that_cannot_teach_are_refused_and_nothing_is_written(
    world: World, tmp_path: Path, spoil: Callable[[list[Conversation]], list[Conversation]], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        train_policy(spoil(world.conversations), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_stays_as_it_is(world: World, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StudyError, match=r"contains other files and no manifest\.json"):
        train_policy(world.conversations, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["notes.txt"]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(
        InputError, match="no kind of policy 'tree'; there are: hazard, trees, ssm; did you mean 'trees'"
    ):
        train_policy([], "never", kind="tree")


def test_where_some_endings_are_untold_going_on_is_scored_at_all_points_and_accepting_where_it_is_known(
    world: World, tmp_path: Path
) -> None:
    last = {"accepted": "i'll take it", "left": "no thanks"}
    silent = [
        c.but(
            ending="unknown",
            messages=[
                m.but(action=None, accepted=(), content=m.content if m.action == "say" else last[c.ending])
                if m.role == "user" and m.action in ("accept", "leave", "say")
                else m
                for m in c.messages
            ],
        )
        for c in world.conversations
    ]
    untold = [
        c.but(messages=[*c.messages[:-1], c.messages[-1].but(content="ok")]) if n % 3 == 0 else c
        for n, c in enumerate(silent)
    ]
    told = train_policy(silent, tmp_path / "told", infer_endings=True, seed=1).evaluation
    some = train_policy(untold, tmp_path / "some", infer_endings=True, seed=1).evaluation
    assert told.decisions
    assert some.decisions == ()
    assert some.accepting
    assert some.n_points == told.n_points
    assert some.endings[1].log_loss.estimate == pytest.approx(told.endings[1].log_loss.estimate)
    assert any(line.startswith("go on or end, log loss: policy ") for line in some.lines())
    assert any(line.startswith("accept or leave, given the end, log loss: policy ") for line in some.lines())
