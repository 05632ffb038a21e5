"""Fits a model to examples: bf16, gradient accumulation, early stopping, resuming."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsim._loggers import logger_of
from convsim._progress import step
from convsim._text import one_line
from convsim.errors import TrainingError
from convsim.models.checkpoint import multiplies_bfloat16, quiet
from convsim.shoppers.finetuned.checkpoints import last_good, step_of
from convsim.shoppers.finetuned.compress import (
    Cut,
    Cutter,
    Cutting,
    Pruning,
    StateReduction,
    drop_layers,
)
from convsim.shoppers.finetuned.encode import Example
from convsim.shoppers.finetuned.settings import TrainingSettings


def adapt(model: Any, settings: TrainingSettings) -> Any:
    """Return what is trained of ``model``: a smaller one, one with LoRA beside it, or itself.

    Source:
        Hu et al. (2022), LoRA: Low-rank adaptation of large language models, ICLR; here on every linear layer.

    Raises:
        InputError: The layers cannot be found, or are not more than are kept; or weights cannot be cut out as asked.
    """
    cutter_of(model, settings)
    if settings.keep_layers is not None:
        model = drop_layers(model, settings.keep_layers)
    if not settings.lora:
        return model
    from peft import LoraConfig, get_peft_model

    rank = settings.lora_rank
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with warnings.catch_warnings():
        # peft reads an attribute that transformers has renamed.
        warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
        return get_peft_model(model, config)


def cutter_of(model: Any, settings: TrainingSettings) -> Cutter | None:
    """Return what chooses the weights that are cut out of ``model`` while it is trained; None where none are.

    Raises:
        InputError: The model is built in a way that does not allow it, or so much cannot go.
    """
    if settings.prune_share is not None:
        return Pruning(model, settings.prune_share)
    if settings.ssm_tau is not None:
        return StateReduction(model, settings.ssm_tau)
    return None


def merged(model: Any) -> Any:
    """Return a model with LoRA's matrices added to its own; any other as it is."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


LOG = logger_of(__name__)
MIN_STEPS_BETWEEN = 10
"""Steps between two evaluations, at least: each writes a checkpoint."""
LOOKED_AT = 32
"""Sequences that are looked at to choose what is cut out."""


@dataclass(frozen=True)
class Progress:
    """How far training is; ``perplexity`` is that of the held-out users' words, once it is known."""

    step: int
    steps: int
    loss: float | None = None
    perplexity: float | None = None


@dataclass(frozen=True)
class Fitted:
    """What fitting came to; ``perplexity`` is the best on held-out users' words, of the model that was kept."""

    model: Any
    steps: int
    best_step: int
    perplexity: float
    seconds: float
    """Of this call, evaluations and checkpoints included."""
    trained_tokens: int
    """Tokens read for learning in this call."""
    resumed_from: int
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """What is fitted to what; ``teacher`` is the model that a distilled student is held to."""

    model: Any
    learned: Sequence[Example]
    held_out: Sequence[Example]
    settings: TrainingSettings
    folder: Path
    """Where checkpoints go; it exists."""
    teacher: Any = None
    on_change: Callable[[Progress], None] = lambda progress: None

    @property
    def steps(self) -> int:
        """Optimizer steps at most."""
        return self.settings.planned_steps(len(self.learned))

    def run(self) -> Fitted:
        """Fit, from the last good checkpoint where there is one; the model of the best evaluation is kept.

        Raises:
            TrainingError: A checkpoint cannot be written or training diverged; or torch fails, and the last good
                checkpoint stays.
        """
        from safetensors import SafetensorError

        from convsim.shoppers.finetuned.trainer import UserTrainer

        before, cutting = last_good(self.folder), self._cutting()
        with quiet(), step("training", self.steps, unit="steps") as at:

            def show(*progress: Any) -> None:
                told = Progress(*progress)
                numbers = {"loss": told.loss, "held-out perplexity": told.perplexity}
                now = ", ".join(f"{name} {value:.3g}" for name, value in numbers.items() if value is not None)
                at.at(told.step, now=now, total=told.steps)
                self.on_change(told)

            trainer = UserTrainer(
                model=self.model,
                args=self._arguments(),
                learned=self.learned,
                held_out=self.held_out,
                teacher=self.teacher,
                patience=self.settings.patience,
                on_change=show,
                cutting=cutting,
            )
            start = time.perf_counter()
            try:
                trainer.go_on(before)
            except (OSError, RuntimeError, ValueError, LookupError, EOFError, SafetensorError) as error:
                if before is not None and not trainer.trained_tokens:
                    raise TrainingError(
                        f"the checkpoint {before} is broken ({one_line(error)}): delete it and run the same command "
                        "again"
                    ) from error
                if isinstance(error, RuntimeError):
                    raise TrainingError(f"training failed in torch: {one_line(error)}") from error
                raise
        state = trainer.state
        if state.best_global_step is None:
            raise TrainingError(
                f"training diverged within {state.global_step} steps, so nothing was saved: train into another --out "
                f"with a train.learning_rate below {self.settings.rate:g}"
            )
        LOG.info(
            "trained %d steps in %.1f s, the best after %d",
            state.global_step,
            at.seconds,
            state.best_global_step,
        )
        return Fitted(
            model=trainer.model,
            steps=state.global_step,
            best_step=state.best_global_step,
            perplexity=state.best_metric,
            seconds=time.perf_counter() - start,
            trained_tokens=trainer.trained_tokens,
            resumed_from=step_of(before) if before else 0,
            cuts=tuple(cutting.cuts) if cutting else (),
        )

    def _cutting(self) -> Cutting | None:
        cutter = cutter_of(self.model, self.settings)
        if cutter is None:
            return None
        looked_at = random.Random(self.settings.seed).sample(
            [*self.learned], min(LOOKED_AT, len(self.learned))
        )
        return Cutting(
            cutter=cutter,
            examples=looked_at,
            held_out=self.held_out,
            steps=self.steps,
            batch=self.settings.micro_batch,
        )

    def _arguments(self) -> Any:
        import torch
        from transformers import TrainingArguments

        settings = self.settings
        # A divisor, so that a step has exactly ``batch`` sequences.
        micro = max(n for n in range(1, settings.micro_batch + 1) if settings.batch % n == 0)
        an_epoch = -(-len(self.learned) // settings.batch)
        between = min(max(MIN_STEPS_BETWEEN, an_epoch), self.steps)
        return TrainingArguments(
            output_dir=str(self.folder),
            max_steps=self.steps,
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=settings.batch // micro,
            learning_rate=settings.rate,
            lr_scheduler_type="linear",
            warmup_steps=self.steps // 20,
            weight_decay=0.01,
            bf16=multiplies_bfloat16(),
            use_cpu=not torch.cuda.is_available(),
            eval_strategy="steps",
            eval_steps=between,
            save_strategy="steps",
            save_steps=between,
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model="eval_perplexity",
            greater_is_better=False,
            logging_steps=1,
            seed=settings.seed % 2**32,
            data_seed=settings.seed % 2**32,
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=torch.cuda.is_available(),
            restore_callback_states_from_checkpoint=True,
        )
