"""What training came to, as its manifest says it."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from pydantic import JsonValue, ValidationError

from convsim.errors import InputError
from convsim.io import MANIFEST
from convsim.schema.record import Count, Number, Record
from convsim.shoppers.finetuned.encode import Encoded
from convsim.shoppers.finetuned.fit import Fitted
from convsim.shoppers.finetuned.sampling import Decoding
from convsim.shoppers.finetuned.split import Chosen


class Outcome(Record):
    """Numbers of a training; perplexities are of the held-out users' words, per token of the model."""

    learned_conversations: Count
    held_out_conversations: Count
    excluded_conversations: Count
    excluded_users_conversations: Count
    sequences: Count
    learned_tokens: Count
    cut_conversations: Count
    dropped_messages: Count
    empty_turns: Count
    perplexity_before: Number
    perplexity_after: Number | None
    """Null where nothing was trained."""
    steps: Count
    best_step: Count | None
    resumed_from: Count
    seconds: Number
    """Of the last call; evaluations and checkpoints included."""
    tokens_per_second: Number | None
    """Null where the last call trained nothing."""
    peak_memory_bytes: Count
    """Of the process; on a GPU, of the GPU."""
    decoding: Decoding | None
    """Null where the sampling was not chosen: it was not asked for, or training was too short."""

    @classmethod
    def of(
        cls,
        chosen: Chosen,
        learned: Encoded,
        held_out: Encoded,
        *,
        before: float,
        fitted: Fitted | None,
        decoding: Decoding | None,
    ) -> Outcome:
        """Put together what was counted and measured."""
        counts = learned.counts + held_out.counts
        return cls(
            learned_conversations=len(chosen.learned),
            held_out_conversations=len(chosen.held_out),
            excluded_conversations=len(chosen.excluded),
            excluded_users_conversations=chosen.n_excluded_users,
            sequences=len(learned.examples),
            learned_tokens=learned.n_learned_tokens,
            cut_conversations=counts["cut_conversations"],
            dropped_messages=counts["dropped_messages"],
            empty_turns=counts["empty_turns"],
            perplexity_before=before,
            perplexity_after=fitted.perplexity if fitted else None,
            steps=fitted.steps if fitted else 0,
            best_step=fitted.best_step if fitted else None,
            resumed_from=fitted.resumed_from if fitted else 0,
            seconds=fitted.seconds if fitted else 0.0,
            tokens_per_second=fitted.trained_tokens / fitted.seconds
            if fitted and fitted.trained_tokens
            else None,
            peak_memory_bytes=_peak_memory(),
            decoding=decoding,
        )

    def to_plain(self) -> dict[str, JsonValue]:
        """Return it as the manifest holds it."""
        return self.model_dump(mode="json")


def read_outcome(folder: Path) -> Outcome:
    """Read the outcome of a training that is done.

    Raises:
        InputError: The manifest does not hold one.
    """
    path = folder / MANIFEST
    try:
        return Outcome.model_validate(json.loads(path.read_text(encoding="utf-8"))["outcome"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise InputError(f"{path}: holds no outcome of a training; name another --out") from error


def _peak_memory() -> int:
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
