"""Learns a policy from logs, into a folder that ``Policy.load`` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import JsonValue

from convsim._progress import step
from convsim._text import nearest
from convsim.errors import InputError, MissingExtraError
from convsim.io import Manifest, Source, Transcripts, amend, claim, read_source
from convsim.io.provenance import provenance
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.shoppers.learnable import Learnable, find_learnable
from convsim.shoppers.policies.choosing import ITEM_FEATURES
from convsim.shoppers.policies.evaluation import Evaluation, cross_fit, evaluate
from convsim.shoppers.policies.features import FEATURES
from convsim.shoppers.policies.model import KINDS, TAU, Kind, fit_model
from convsim.shoppers.policies.points import FEWEST_READ, Points, find_points
from convsim.shoppers.policies.policy import Policy
from convsim.shoppers.policies.saved import (
    POLICY_FILE,
    EndingsRead,
    Learned,
    arrays_of,
    packed,
    read_policy,
    write_policy,
)
from convsim.shoppers.policies.table import Table
from convsim.text.language import tell_language

MIN_USERS = 10
"""Fewer leave too few others to hold one out."""


@dataclass(frozen=True)
class PolicyTraining:
    """What is learned, and from whom; ``run`` does it."""

    conversations: Sequence[Conversation]
    _: KW_ONLY
    kind: Kind
    seed: int
    sha256: str | None = None
    """Of the file that ``conversations`` were read from."""
    learn_arm: str | None = None
    exclude: Sequence[Conversation] = ()
    infer_endings: bool = False
    tau: float = TAU
    """Of the kind ``ssm``: the proportion of the energy of its states that is cut early in training; 0 for none."""
    on_note: Callable[[str], None] = lambda note: None
    """Is told what a person would want to know while it happens."""

    def run(self, folder: Path | str) -> Evaluation:
        """Learn the policy into a folder, and tell how good it is for people whom it did not learn from.

        Raises:
            InputError: The logs or the folder cannot be used as asked; nothing is written then.
        """
        out = Path(folder)
        _check_ssm(self.kind, self.tau)
        learnable = find_learnable(self.conversations, learn_arm=self.learn_arm, exclude=self.exclude)
        if _is_new(out):
            learned, content = self._learn(learnable)
            with claim(out, self._manifest(learnable)):
                return _write(out, learned, content)
        with claim(out, self._manifest(learnable)):
            if (out / POLICY_FILE).exists():
                self.on_note(f"{out}: is already trained; name another --out to train again")
                return read_policy(out).learned.evaluation
            return _write(out, *self._learn(learnable))

    def _learn(self, learnable: Learnable) -> tuple[Learned, bytes]:
        conversations = learnable.conversations
        if learnable.excluded or learnable.n_excluded_users:
            self.on_note(
                f"--exclude: {len(learnable.excluded)} conversations were left out, and {learnable.n_excluded_users} "
                "more by the same users"
            )
        told = tell_language(" ".join(m.content for m in c.user_messages) for c in conversations)
        language = None if told.problem else told.code
        if language is None:
            self.on_note(f"no word list is looked at: {told.problem}")
        with step("looking at what people could see"):
            found = find_points(conversations, language=language, infer_endings=self.infer_endings)
            table = Table.of(found.points, language, histories=self.kind == "ssm")
        self._check(found, table)
        for note in _notes(found):
            self.on_note(note)
        with step("learning the policy"):
            model = fit_model(self.kind, table, language=language, seed=self.seed, tau=self.tau)
        if dropped := model.columns.dropped:
            self.on_note(f"{len(dropped)} features never vary here and are left out: {', '.join(dropped)}")
        with step("asking it about people whom it did not learn from"):
            told_of = cross_fit(self.kind, table, language=language, seed=self.seed, tau=self.tau)
            evaluation = evaluate(table, told_of, language=language, seed=self.seed)
            evaluation = evaluation.but(recurrence=model.recurrence)
        content = packed(arrays_of(model))
        learned = Learned(
            kind=self.kind,
            language=language,
            tasks=tuple(sorted({c.task for c in conversations if c.task})),
            learned_from=LearnedFrom.of(conversations, sha256=self.sha256),
            feature_names=tuple(FEATURES),
            item_feature_names=tuple(ITEM_FEATURES),
            features=model.columns.features,
            accept=model.accept if isinstance(model.accept, float) else None,
            has_items=model.items is not None,
            n_blocks=0 if model.recurrent is None else len(model.recurrent.blocks),
            acts=model.act_names,
            directions=model.directions,
            endings_read=_as_record(found),
            evaluation=evaluation,
            arrays_sha256=hashlib.sha256(content).hexdigest(),
        )
        return learned, content

    def _check(self, found: Points, table: Table) -> None:
        if not found.points:
            raise InputError(
                "the logs record no decision: in no conversation does an agent reply and the user then go on, accept "
                "or leave"
            )
        if table.n_units < MIN_USERS:
            raise InputError(
                f"a policy needs decisions of at least {MIN_USERS} users (conversations, where no user is known), some "
                f"of whom are held out, but the logs have those of {table.n_units}"
            )

    def _manifest(self, learnable: Learnable) -> Manifest:
        plan: dict[str, JsonValue] = {
            "kind": self.kind,
            "seed": self.seed,
            "infer_endings": self.infer_endings,
            "data": {
                "sha256": self.sha256,
                "learn_arm": self.learn_arm,
                "arms": [*sorted({c.arm for c in learnable.conversations if c.arm is not None})],
                "learned": [*sorted(c.fingerprint for c in learnable.conversations)],
                "excluded": [*sorted(learnable.excluded)],
                "excluded_users": learnable.n_excluded_users,
            },
            "features": [*FEATURES],
        }
        if self.kind == "ssm":
            plan["tau"] = self.tau
        return {"schema": "convsim.shoppers.policies/1", "plan": plan, **provenance()}


def _check_ssm(kind: Kind, tau: float) -> None:
    if kind != "ssm":
        return
    if not 0 <= tau < 1:
        raise InputError(
            f"--compress ssm={tau:g}: is the proportion of the states' energy that may be cut, from 0 (none) to below 1"
        )
    if find_spec("torch") is None:
        raise MissingExtraError("--kind ssm", "train")


def _is_new(out: Path) -> bool:
    """Tell whether nothing is there: then nothing is made there before there is a policy to write."""
    return not out.exists() or (out.is_dir() and not any(out.iterdir()))


def _write(out: Path, learned: Learned, content: bytes) -> Evaluation:
    write_policy(out, learned, content)
    amend(out, {"outcome": learned.evaluation.model_dump(mode="json")})
    return learned.evaluation


def _notes(found: Points) -> list[str]:
    notes = []
    if found.read is not None:
        notes.append(str(found.read))
    if found.censored:
        notes.append(
            f"{found.censored} conversations were cut short, or end in a way that nobody tells: they count as far as "
            "they go"
        )
    return notes


def _as_record(found: Points) -> EndingsRead | None:
    read = found.read
    if read is None:
        return None
    return EndingsRead(
        accepted=read.accepted, left=read.left, untold=read.untold, checked=read.checked, told=read.told,
        wrong=read.wrong, error_known=read.checked >= FEWEST_READ,
    )  # fmt: skip


def train_policy(
    real: Source,
    folder: Path | str,
    *,
    kind: str = "hazard",
    learn_arm: str | None = None,
    exclude: Source = (),
    infer_endings: bool = False,
    tau: float = TAU,
    seed: int = 0,
) -> Policy:
    """Learn when people go on, accept or leave: ``train_policy(people, "policy").decide(conversation, persona)``.

    Args:
        real: Whom it learns from.
        folder: Where the policy is kept.
        kind: ``hazard`` (regularised logistic regressions), ``trees`` (boosted trees) or ``ssm`` (regressions, and a
            deep linear recurrence over what led to each decision; learning it needs the extra train).
        learn_arm: Learn only from this arm.
        exclude: Conversations to leave out, with all others by the same users.
        infer_endings: Read how a user left from their last words where the logs do not say.
        tau: Of the kind ``ssm``: the proportion of the energy (the sum of Hankel singular values) of its states that is
            cut early in training, which then goes on with fewer; 0 cuts none.
        seed: Deals users to folds.

    Raises:
        InputError: The conversations, a setting or the folder cannot be used as asked.
    """
    people = read_source(real)
    PolicyTraining(
        list(people),
        kind=checked_kind(kind),
        seed=seed,
        sha256=people.sha256 if isinstance(people, Transcripts) else None,
        learn_arm=learn_arm,
        exclude=list(read_source(exclude)),
        infer_endings=infer_endings,
        tau=tau,
    ).run(folder)
    return Policy.load(folder)


def checked_kind(said: str) -> Kind:
    """Return a kind of policy; raises InputError where there is none of that name."""
    for kind in KINDS:
        if kind == said:
            return kind
    meant = nearest(said, KINDS)
    raise InputError(
        f"there is no kind of policy {said!r}; there are: {', '.join(KINDS)}"
        + (f"; did you mean {meant!r}?" if meant else "")
    )
