"""Trains a shopper from transcripts, into a folder that ``convsim simulate --shopper sft --model`` takes."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from convsim._files import refuse_link
from convsim._progress import step
from convsim.errors import InputError, ModelError
from convsim.io import MANIFEST, Manifest, amend, claim
from convsim.io.provenance import provenance
from convsim.models.checkpoint import Checkpoint, require_packages
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.shoppers.finetuned.base_model import base_path, load_base, model_hashes, trained_base
from convsim.shoppers.finetuned.compress import check_steps, n_parameters
from convsim.shoppers.finetuned.encode import Encoded, encode
from convsim.shoppers.finetuned.export import Outcome, finish, read_outcome, seal, writing
from convsim.shoppers.finetuned.fit import Fitted, Fitting, Progress, adapt
from convsim.shoppers.finetuned.perplexity import user_perplexity
from convsim.shoppers.finetuned.settings import MIN_CALIBRATED_STEPS, TrainingSettings, default_settings
from convsim.shoppers.finetuned.split import Chosen, choose
from convsim.shoppers.finetuned.trained import SHOPPER_FILE, Trained
from convsim.shoppers.prompts import prompt_hashes

COUNTED = {
    "cut_conversations": "conversations were longer than {} tokens and cut at a message border",
    "dropped_messages": "user messages were dropped: with the message that they answer they are longer than {} tokens",
    "empty_turns": "user turns without text are context only and not learned",
}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is trained on what; ``perplexity`` is the base's, of the held-out users' words."""

    checkpoint: Checkpoint
    student: Any
    """The model that is trained: the base's own, or one made of it."""
    learned: Encoded
    held_out: Encoded
    max_tokens: int
    """Of a sequence."""
    perplexity: float
    parameters: int
    """Of the base."""


def prepare(
    base: Path, chosen: Chosen, settings: TrainingSettings, *, on_note: Callable[[str], None]
) -> Prepared:
    """Load the base, write the conversations as it reads them, and measure it.

    Raises:
        InputError: The base cannot be trained as asked, or nothing can be learned or measured.
        ModelError: The base's chat template refuses a conversation.
    """
    for warning in chosen.warnings:
        on_note(warning)
    checkpoint, is_bare = load_base(base)
    if is_bare:
        on_note("the base has no chat template, so a plain one is used and saved with the shopper")
    max_tokens = min(settings.max_tokens, checkpoint.context)
    learned, held_out = (
        encode(checkpoint, part, max_tokens=max_tokens, n_items=settings.n_items)
        for part in (chosen.learned, chosen.held_out)
    )
    if settings.cuts and learned.examples:
        check_steps(settings.planned_steps(len(learned.examples)), str(settings.compress))
    before = None
    if learned.examples and held_out.examples:
        before = user_perplexity(checkpoint.model, held_out.examples, batch=settings.micro_batch)
    if before is None:
        raise InputError(
            f"no user message is left to learn from or to hold out: with their context they are longer than "
            f"{max_tokens} tokens"
        )
    if math.isinf(before):
        raise InputError(f"the base {base} is broken: its probability of people's words is 0")
    for count, what in COUNTED.items():
        if n := learned.counts[count] + held_out.counts[count]:
            on_note(f"{n} {what.format(max_tokens)}")
    on_note(
        f"{len(learned.examples)} training sequences with {learned.n_learned_tokens} tokens by users; perplexity "
        f"of the held-out users' words before training: {before:.2f}"
    )
    parameters = n_parameters(checkpoint.model)
    return Prepared(
        checkpoint=checkpoint,
        student=adapt(checkpoint.model, settings),
        learned=learned,
        held_out=held_out,
        max_tokens=max_tokens,
        perplexity=before,
        parameters=parameters,
    )


CHECKPOINTS = "checkpoints"
MIN_MESSAGE_TOKENS, MAX_MESSAGE_TOKENS = 16, 256
"""Bounds on the longest message that a shopper may say, which is otherwise the longest that it learned."""
MAX_OPENING_TOKENS = 16
"""Room for what a message opens with: ``accept 12:`` has eleven bytes."""


@dataclass(frozen=True)
class Training:
    """What is trained, on whom; ``run`` does it, and goes on where it was interrupted.

    The model learns the users' messages alone. Users (conversations, where no user is known) are held out within
    task and arm: their words' perplexity stops the training, and what they said chooses how the shopper is sampled.
    """

    conversations: Sequence[Conversation]
    base: str
    """"embedded", a folder of transformers, a GGUF file, or a shopper that was trained before."""
    _: KW_ONLY
    settings: TrainingSettings
    sha256: str | None = None
    """Of the file that ``conversations`` were read from."""
    learn_arm: str | None = None
    exclude: Sequence[Conversation] = ()
    on_change: Callable[[Progress], None] = lambda progress: None
    on_note: Callable[[str], None] = lambda note: None
    """Is told what a person would want to know while it happens."""

    def run(self, folder: Path | str) -> Outcome:
        """Train into ``folder``; the outcome stands in its manifest too.

        Raises:
            InputError: The base, the conversations, the settings or the folder cannot be used as asked.
            TrainingError: Training failed; the last good checkpoint stays, and the same call goes on from it.
        """
        needed = ("torch", "transformers", "accelerate", *(["peft"] if self.settings.lora else []))
        require_packages(*needed, extra="train")
        out, path = Path(folder), base_path(self.base)
        self.settings.check(is_trained=trained_base(path) is not None)
        if self.settings.compress == "int8":
            require_packages("torchao", extra="lean")
        chosen = choose(
            self.conversations,
            learn_arm=self.learn_arm,
            exclude=self.exclude,
            held_out=self.settings.held_out,
            seed=self.settings.seed,
        )
        is_new, is_first = not out.exists(), not (out / MANIFEST).exists()
        with claim(out, self._manifest(path, chosen), defaults={"settings": default_settings()}):
            if (out / SHOPPER_FILE).exists():
                self.on_note(f"{out}: is already trained; name another --out to train again")
                done = read_outcome(out)
            else:
                try:
                    with step("preparing the base model"):
                        prepared = prepare(path, chosen, self.settings, on_note=self.on_note)
                except (InputError, ModelError):
                    if is_first:
                        _take_back(out, is_new=is_new)
                    raise
                done = self._train(out, path, chosen, prepared)
            # Only now: whatever interrupted what came before, the same call needs them.
            shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
            return done

    def _train(self, out: Path, path: Path, chosen: Chosen, prepared: Prepared) -> Outcome:
        settings = self.settings
        fitted = self._fit(prepared, out) if settings.max_steps != 0 else None
        with writing(out), step("finishing the shopper"):
            model = fitted.model if fitted else prepared.student
            trained, decoding = finish(
                out,
                model,
                prepared.checkpoint.tokenizer,
                self._trained(path, chosen, prepared, is_fitted=fitted is not None),
                held_out=chosen.held_out,
                settings=settings,
                n_calibrate=settings.calibrate if fitted and fitted.steps >= MIN_CALIBRATED_STEPS else 0,
            )
            done = Outcome.of(
                chosen,
                prepared.learned,
                prepared.held_out,
                before=prepared.perplexity,
                parameters=(prepared.parameters, n_parameters(model)),
                fitted=fitted,
                decoding=decoding,
            )
            amend(out, {"outcome": done.to_plain()})
            seal(out, trained)
        return done

    def _fit(self, prepared: Prepared, out: Path) -> Fitted:
        folder = out / CHECKPOINTS
        refuse_link(folder)
        with writing(out):
            folder.mkdir(exist_ok=True)
        return Fitting(
            model=prepared.student,
            teacher=prepared.checkpoint.model if self.settings.compress == "distill" else None,
            learned=prepared.learned.examples,
            held_out=prepared.held_out.examples,
            settings=self.settings,
            folder=folder,
            on_change=self.on_change,
        ).run()

    def _trained(self, path: Path, chosen: Chosen, prepared: Prepared, *, is_fitted: bool) -> Trained:
        message = min(max(prepared.learned.longest_message, MIN_MESSAGE_TOKENS), MAX_MESSAGE_TOKENS)
        room = prepared.checkpoint.context - MAX_OPENING_TOKENS - message
        base = trained_base(path)
        trained = Trained(
            learned_from=self._learned_from(base, chosen),
            n_items=self.settings.n_items,
            max_prompt_tokens=max(1, min(prepared.max_tokens, room)),
            max_tokens=message,
        )
        if base is None or is_fitted:
            return trained
        # The same model as before, but smaller.
        return trained.but(temperature=base.temperature, top_p=base.top_p)

    def _learned_from(self, base: Trained | None, chosen: Chosen) -> LearnedFrom:
        """Say what the shopper learned from: what its base did, and now these."""
        now = LearnedFrom.of(chosen.conversations, sha256=self.sha256)
        if base is None:
            return now
        return LearnedFrom.joined([base.learned_from, now])

    def _manifest(self, path: Path, chosen: Chosen) -> Manifest:
        plan: dict[str, JsonValue] = {
            "base": {"name": path.name, "files": {**model_hashes(path)}},
            "data": {
                "sha256": self.sha256,
                "learn_arm": self.learn_arm,
                "arms": [*sorted({c.arm for c in chosen.conversations if c.arm is not None})],
                "learned": [*sorted(c.fingerprint for c in chosen.learned)],
                "held_out": [*sorted(c.fingerprint for c in chosen.held_out)],
                "excluded": [*sorted(chosen.excluded)],
                "excluded_users": chosen.n_excluded_users,
            },
            "settings": self.settings.model_dump(mode="json"),
            "prompts": {**prompt_hashes("sft", "opening")},
        }
        return {"schema": "convsim.shoppers.finetuned/1", "plan": plan, **provenance()}


def _take_back(out: Path, *, is_new: bool) -> None:
    """Remove what a training that cannot be had has put into its folder, and the folder that was made for it."""
    for entry in out.iterdir():
        entry.unlink()
    if is_new:
        out.rmdir()
