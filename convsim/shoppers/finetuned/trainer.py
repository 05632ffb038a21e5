"""transformers' Trainer, with what a shopper's training asks of it; imported only where training runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainerCallback, TrainerState
from transformers.trainer import TRAINER_STATE_NAME

from convsim.shoppers.finetuned.checkpoints import checkpoint_of, checkpointing
from convsim.shoppers.finetuned.compress import Cutting, distillation_loss
from convsim.shoppers.finetuned.encode import Example
from convsim.shoppers.finetuned.perplexity import laid_out, user_perplexity

DISTILLATION_TEMPERATURE, DISTILLATION_WEIGHT = 2.0, 0.5

OnChange = Callable[[int, int, float | None, float | None], None]
"""Is told step, steps at most, loss, and perplexity of the held-out users' words."""


class UserTrainer(Trainer):  # type: ignore[misc]
    """Learns the user's messages; what it is judged by is the perplexity of held-out users' words.

    With a ``teacher`` the student is held to the teacher's distribution and to people's words, half and half. With a
    ``cutting`` weights are cut out after steps of its own; until the last cut no evaluation counts as the best, nor
    against the patience, as what would be kept is larger than what was asked for.
    """

    control: Any

    def __init__(
        self,
        *,
        learned: Sequence[Example],
        held_out: Sequence[Example],
        teacher: Any,
        patience: int,
        on_change: OnChange,
        cutting: Cutting | None = None,
        **given: Any,
    ) -> None:
        callbacks = [EarlyStoppingCallback(early_stopping_patience=patience), _Tell(on_change)]
        super().__init__(
            train_dataset=list(learned),
            eval_dataset=list(held_out),
            data_collator=_collated,
            callbacks=callbacks,
            **given,
        )
        self.remove_callback(PrinterCallback)
        self.cutting = cutting
        if cutting is not None:
            self.add_callback(_Cut(self, cutting))
        self.teacher, self.patience = teacher, patience
        self.trained_tokens = 0

    def go_on(self, checkpoint: Path | None) -> None:
        """Train, from a checkpoint where there is one; what had come to its end is only loaded."""
        if checkpoint is None:
            self.train()
            return
        if self.cutting is not None:
            self.cutting.restore(checkpoint, self.model)
        state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
        stopping: Any = state.stateful_callbacks[EarlyStoppingCallback.__name__]
        waited: int = stopping["attributes"]["early_stopping_patience_counter"]
        if state.global_step < self.args.max_steps and waited < self.patience:
            self.train(resume_from_checkpoint=str(checkpoint))
            return
        self.state = state
        if state.best_global_step is not None:
            state.best_model_checkpoint = str(checkpoint_of(checkpoint.parent, state.best_global_step))
            self._load_best_model()

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the cross entropy of the user's tokens, mixed with that to the teacher where there is one."""
        self.trained_tokens += int(inputs["attention_mask"].sum())
        if self.teacher is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        read = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            taught = self.teacher(**read).logits
        outputs = model(**read)
        loss = distillation_loss(
            outputs.logits, taught, inputs["labels"],
            temperature=DISTILLATION_TEMPERATURE, weight=DISTILLATION_WEIGHT,
            num_items_in_batch=None if num_items_in_batch is None else int(num_items_in_batch),
        )  # fmt: skip
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Return the perplexity of the held-out users' words."""
        batch = self.args.per_device_train_batch_size
        perplexity = user_perplexity(self.model, self.eval_dataset, batch=batch)
        metrics = {f"{metric_key_prefix}_perplexity": float("inf") if perplexity is None else perplexity}
        self.log(metrics)
        if self._is_final:
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    @property
    def _is_final(self) -> bool:
        """Whether the model is of the size that will be kept."""
        return self.cutting is None or self.cutting.is_done

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        return self._is_final and bool(super()._determine_best_metric(metrics, trial))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with checkpointing(Path(self.args.output_dir), self.state.global_step):
            super()._save_checkpoint(model, trial)
            if self.cutting is not None:
                self.cutting.save(checkpoint_of(Path(self.args.output_dir), self.state.global_step))


class _Cut(TrainerCallback):  # type: ignore[misc]
    """Cuts after a step, before the model is evaluated and saved."""

    def __init__(self, trainer: UserTrainer, cutting: Cutting):
        self._trainer, self._cutting = trainer, cutting

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._cutting.after_step(state.global_step, self._trainer.model, self._trainer.optimizer)


class _Tell(TrainerCallback):  # type: ignore[misc]
    """Passes on how far training is."""

    def __init__(self, on_change: OnChange):
        self._on_change, self._seen = on_change, dict[str, float]()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        self._seen.update(logs or {})
        self.on_step_end(args, state, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        seen = self._seen
        self._on_change(state.global_step, state.max_steps, seen.get("loss"), seen.get("eval_perplexity"))


def _collated(examples: Sequence[Example]) -> dict[str, torch.Tensor]:
    tokens, mask, labels = laid_out(examples, [example.labels for example in examples])
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}
