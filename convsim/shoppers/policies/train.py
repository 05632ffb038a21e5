"""Learns a policy from logs, into a folder that ``Policy.load`` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import JsonValue

from convsim._progress import step
from convsim._text import listed, nearest, one_line
from convsim.errors import InputError, MissingExtraError
from convsim.io import Manifest, Source, Transcripts, amend, claim, read_source
from convsim.io.provenance import provenance
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.shoppers.learnable import Learnable, find_learnable
from convsim.shoppers.policies.choosing import ITEM_FEATURES
from convsim.shoppers.policies.evaluation import Evaluation, cross_fit, evaluate
from convsim.shoppers.policies.features import FEATURES
from convsim.shoppers.policies.logistic import FEWEST_ACTS
from convsim.shoppers.policies.model import KINDS, TAU, Kind, fit_model
from convsim.shoppers.policies.points import ACTS, FEWEST_READ, Points, find_points
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

SHOWN_LABELS = 10
"""Labels that are named in one line."""
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
    acts_label: str | None = None
    """The label of users' messages that names their dialogue acts; None for ``acts``, if they have it."""
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
            found = find_points(
                conversations,
                language=language,
                infer_endings=self.infer_endings,
                acts_label=self.acts_label or ACTS,
            )
            table = Table.of(found.points, language, histories=self.kind == "ssm")
        self._check(found, table)
        self._check_acts(found, conversations)
        for note in _notes(found):
            self.on_note(note)
        with step("learning the policy"):
            model = fit_model(self.kind, table, language=language, seed=self.seed, tau=self.tau)
        if model.acts is None:
            self.on_note(f"no next dialogue act is learned: {_why_no_acts(found, conversations)}")
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
            acts_label=self.acts_label or ACTS,
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

    def _check_acts(self, found: Points, conversations: Sequence[Conversation]) -> None:
        if self.acts_label is None or found.labelled:
            return
        known = _labels_of_users(conversations)
        meant = None if self.acts_label in known else nearest(self.acts_label, known)
        raise InputError(
            f"--acts-label {one_line(self.acts_label)[:60]!r}: on no message of a user does this label name dialogue "
            f"acts; these messages have: {_shown_labels(known)}"
            + (f"; did you mean {meant!r}?" if meant else "")
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
        if self.acts_label not in (None, ACTS):
            plan["acts_label"] = self.acts_label
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


def _labels_of_users(conversations: Sequence[Conversation]) -> list[str]:
    return sorted({name for c in conversations for m in c.user_messages for name in m.labels})


def _shown_labels(names: Sequence[str]) -> str:
    return listed([one_line(name)[:40] for name in names], SHOWN_LABELS) if names else "no labels"


def _why_no_acts(found: Points, conversations: Sequence[Conversation]) -> str:
    if found.labelled:
        return f"there are not two acts that {FEWEST_ACTS} or more of the messages in question have"
    others = [name for name in _labels_of_users(conversations) if name != ACTS]
    has = (
        f"these logs have {_shown_labels(others)} (--acts-label NAME)"
        if others
        else "convsim annotate gives it"
    )
    return f"no label {ACTS} names users' acts; {has}"


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
    acts_label: str | None = None,
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
        acts_label: The label of users' messages that names their dialogue acts, where that is not ``acts``: a text, a
            list of texts, or how many people saw each act, of which two must have.
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
        acts_label=acts_label,
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
