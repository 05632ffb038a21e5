"""Trains a shopper from transcripts, into a folder that ``convsim simulate --shopper sft --model`` takes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from convsim.conversation import Conversation, LearnedFrom
from convsim.errors import InputError
from convsim.models.checkpoint import Checkpoint, require_packages
from convsim.provenance import provenance
from convsim.readers import Transcripts
from convsim.shoppers.prompts import prompt_hashes
from convsim.shoppers.sft import SHOPPER_FILE, Trained
from convsim.store import Manifest, amend, claim
from convsim.training.adapting import adapt
from convsim.training.base import base_path, load_base, model_hashes, trained_base
from convsim.training.choosing import Chosen, choose
from convsim.training.encoding import Encoded, encode
from convsim.training.finishing import finish
from convsim.training.fitting import Fitted, Fitting, Standing
from convsim.training.outcome import Outcome, read_outcome
from convsim.training.perplexity import user_perplexity
from convsim.training.settings import MIN_CALIBRATED_STEPS, TrainingSettings

CHECKPOINTS = "checkpoints"
MIN_MESSAGE_TOKENS, MAX_MESSAGE_TOKENS = 16, 256
"""Bounds on the longest message that a shopper may say, which is otherwise the longest that it learned."""


@dataclass(frozen=True)
class Training:
    """What is trained, on whom; ``run`` does it, and goes on where it was interrupted.

    The model learns the users' messages alone. Users (conversations, where no user is known) are held out within
    task and arm: their words' perplexity stops the training, and what they said chooses how the shopper is sampled.
    """

    transcripts: Transcripts
    base: str
    """"embedded", a folder of transformers, a GGUF file, or a shopper that was trained before."""
    _: KW_ONLY
    settings: TrainingSettings
    learn_arm: str | None = None
    exclude: Sequence[Conversation] = ()
    on_change: Callable[[Standing], None] = lambda standing: None
    on_note: Callable[[str], None] = lambda note: None
    """Is told what a person would want to know while it happens."""

    def run(self, folder: Path | str) -> Outcome:
        """Train into ``folder``; the outcome stands in its manifest too.

        Raises:
            InputError: The base, the transcripts, the settings or the folder cannot be used as asked.
            TrainingError: Training failed; the last good checkpoint stays, and the same call goes on from it.
        """
        needed = ("torch", "transformers", "accelerate", *(["peft"] if self.settings.lora else []))
        require_packages(*needed, extra="train")
        if self.settings.compress == "int8":
            require_packages("torchao", extra="lean")
        out, path = Path(folder), base_path(self.base)
        self.settings.check(is_trained=trained_base(path) is not None)
        chosen = choose(
            self.transcripts.conversations,
            learn_arm=self.learn_arm,
            exclude=self.exclude,
            held_out=self.settings.held_out,
            seed=self.settings.seed,
        )
        is_new = not out.exists()
        with claim(out, self._manifest(path, chosen)):
            if (out / SHOPPER_FILE).exists():
                self.on_note(f"{out}: is trained already; name another --out to train anew")
                return read_outcome(out)
            try:
                done = self._train(out, path, chosen)
            except InputError:
                if is_new:
                    shutil.rmtree(out)
                raise
            amend(out, {"outcome": done.model_dump(mode="json", exclude={"metadata"})})
            return done

    def _train(self, out: Path, path: Path, chosen: Chosen) -> Outcome:
        settings = self.settings
        checkpoint, is_bare = load_base(path)
        if is_bare:
            self.on_note("the base has no chat template, so a plain one is used, and saved with the shopper")
        max_tokens = min(settings.max_tokens, checkpoint.context)
        learned, held_out = (
            encode(checkpoint, part, max_tokens=max_tokens, n_items=settings.n_items)
            for part in (chosen.learned, chosen.held_out)
        )
        before = self._measured(checkpoint, learned, held_out, max_tokens)
        student = adapt(checkpoint.model, settings)
        fitted = self._fit(student, learned, held_out, out, path) if settings.max_steps != 0 else None
        trained = Trained(
            learned_from=self._learned_from(path, chosen),
            n_items=settings.n_items,
            max_prompt_tokens=max_tokens,
            max_tokens=min(max(learned.longest_message, MIN_MESSAGE_TOKENS), MAX_MESSAGE_TOKENS),
        )
        decoding = finish(
            out,
            fitted.model if fitted else student,
            checkpoint.tokenizer,
            trained,
            held_out=chosen.held_out,
            settings=settings,
            n_calibrate=settings.calibrate if fitted and fitted.steps >= MIN_CALIBRATED_STEPS else 0,
        )
        shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        return Outcome.of(chosen, learned, held_out, before=before, fitted=fitted, decoding=decoding)

    def _measured(
        self, checkpoint: Checkpoint, learned: Encoded, held_out: Encoded, max_tokens: int
    ) -> float:
        """Return the perplexity before training; raises InputError where nothing can be learned or measured."""
        before = None
        if learned.examples and held_out.examples:
            before = user_perplexity(checkpoint.model, held_out.examples, batch=self.settings.micro_batch)
        if before is None:
            raise InputError(
                f"no user message is left to learn or to hold out: with what precedes them they are longer than "
                f"{max_tokens} tokens"
            )
        for count, what in (
            ("cut_conversations", "conversations were longer than {} tokens and cut at a message border"),
            (
                "dropped_messages",
                "user messages were dropped: alone with what they answer they are longer than {} tokens",
            ),
            ("empty_turns", "user turns without text are shown and not learned"),
        ):
            n = learned.counts[count] + held_out.counts[count]
            if n:
                self.on_note(f"{n} {what.format(max_tokens)}")
        self.on_note(
            f"{len(learned.examples)} sequences to learn from, {learned.n_learned_tokens} tokens of users; perplexity "
            f"of the held-out users' words before training: {before:.2f}"
        )
        return before

    def _fit(self, student: Any, learned: Encoded, held_out: Encoded, out: Path, path: Path) -> Fitted:
        folder = out / CHECKPOINTS
        folder.mkdir(exist_ok=True)
        return Fitting(
            model=student,
            teacher=load_base(path)[0].model if self.settings.compress == "distill" else None,
            learned=learned.examples,
            held_out=held_out.examples,
            settings=self.settings,
            folder=folder,
            on_change=self.on_change,
        ).run()

    def _learned_from(self, path: Path, chosen: Chosen) -> LearnedFrom:
        """Say what the shopper learned from: what its base did, and now these."""
        now = LearnedFrom.of(chosen.conversations, file=self.transcripts.sha256)
        base = trained_base(path)
        if base is None:
            return now
        earlier = base.learned_from
        return LearnedFrom(
            file=now.file,
            conversations=tuple(dict.fromkeys((*earlier.conversations, *now.conversations))),
            arms=tuple(sorted({*earlier.arms, *now.arms})),
        )

    def _manifest(self, path: Path, chosen: Chosen) -> Manifest:
        plan: dict[str, JsonValue] = {
            "base": {"name": path.name, "files": {**model_hashes(path)}},
            "data": {
                "sha256": self.transcripts.sha256,
                "learn_arm": self.learn_arm,
                "arms": [*sorted({c.arm for c in chosen.conversations if c.arm is not None})],
                "learned": len(chosen.learned),
                "held_out": [*sorted(c.fingerprint for c in chosen.held_out)],
                "excluded": [*sorted(chosen.excluded)],
                "excluded_users": chosen.n_excluded_users,
            },
            "settings": self.settings.model_dump(mode="json", exclude={"metadata"}),
            "prompts": {**prompt_hashes("sft", "opening")},
        }
        return {"schema": "convsim.training/1", "plan": plan, **provenance()}
