"""Probes a shopper: what would it do at each place where people moved, and is that what they did?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from convsim._async import in_a_thread, outside_loops
from convsim.evaluation.probing.document import Probe
from convsim.evaluation.probing.run import DRAWS, MARGIN, Plan, probe_with
from convsim.evaluation.sides import Selection, Side
from convsim.io import Source, Transcripts, read_source
from convsim.lifting import AnnotatorLike, ShopperLike, lift_annotator
from convsim.plugins import make
from convsim.schema import ChatModel
from convsim.schema.conversation import Conversation
from convsim.simulation import Assembly
from convsim.simulation.config import StudyConfig


@outside_loops
def probe(  # noqa: PLR0913  (what can be said of a probe)
    real: Source,
    shopper: str | ShopperLike,
    *,
    seed: int,
    model: str | None = None,
    settings: Mapping[str, Mapping[str, JsonValue]] | None = None,
    draws: int = DRAWS,
    limit: int | None = None,
    margin: float = MARGIN,
    learn_from: Source | None = None,
    annotator: str | AnnotatorLike | None = None,
    words_model: str | ChatModel | None = None,
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    allow_failures: bool = False,
    allow_overlap: bool = False,
    retry_failed: bool = False,
    concurrency: int = 8,
    out: Path | str | None = None,
    on_change: Callable[[int, int], None] = lambda done, total: None,
) -> Probe:
    """Ask a shopper what it would do at each place of real conversations at which a person moved, without a rollout.

    The person's moves so far stay as they were. The answers are held against what the person did: whether it goes on,
    accepts or leaves, which item it takes, and what its message does. Baselines know the turn and nothing else.

    Args:
        real: The people's conversations.
        shopper: A shopper, or its name. By name, one that learns from conversations is made anew for each fifth of the
            people, and learns from the others.
        seed: Random seed.
        model: The model behind a shopper that is named.
        settings: Of ``shopper`` and ``model``, where these are named: ``{"shopper": {"k": 3}}``.
        draws: How often a shopper is asked at each place; once where it says how likely each move is.
        limit: Ask at so many places alone, drawn at random.
        margin: Which calibration error (mean distance of probabilities from what happens) is still none.
        learn_from: What a shopper that is named learns from, in place of ``real``.
        annotator: Labels people's and the shopper's messages, so that their acts are compared.
        words_model: A model in this process that says how surprised it is by people's words: a name, a folder, or one.
        tasks: Keep only these tasks; all by default.
        arms: Keep only these arms; all by default.
        allow_failures: Go on although more than 5 % of the conversations failed.
        allow_overlap: Ask even about what the shopper learned from.
        retry_failed: Ask again where the shopper failed in an earlier call with the same ``out``.
        concurrency: Answers at a time.
        out: A folder in which answers are kept as they come, so that the same call goes on after an interruption.
        on_change: Told at how many places it has been asked, of how many.

    Raises:
        InputError: The people cannot be read or are none after the filters; no place is left to ask at; a number is out
            of bounds; the shopper learned from all of these people; or an event loop is running already: there it is
            ``await convsim.aprobe(…)``.
        StudyError: ``out`` holds another probe, or something else.
        PluginError: No such shopper, model or annotator.
    """
    plan = Plan(
        seed=seed, draws=draws, limit=limit, margin=margin, concurrency=concurrency, allow_overlap=allow_overlap,
        retry_failed=retry_failed,
    )  # fmt: skip
    side = Side.of(real, "real", Selection(tasks=tasks, arms=arms, allow_failures=allow_failures))
    learned = None if learn_from is None else transcripts_of(read_source(learn_from))
    stated = {
        part: {"name": name, "settings": dict((settings or {}).get(part, {})) or None}
        for part, name in (("shopper", shopper if isinstance(shopper, str) else None), ("model", model))
    }
    assembly = Assembly(
        StudyConfig().with_flags(stated), shopper=None if isinstance(shopper, str) else shopper,
        transcripts=learned or transcripts_of(side.conversations, sha256=side.summary.sha256),
    )  # fmt: skip
    lifted = make("annotators", annotator) if isinstance(annotator, str) else annotator
    return probe_with(
        assembly, side, plan, learned=learned, annotator=None if lifted is None else lift_annotator(lifted),
        words_model=words_model, out=None if out is None else Path(out), on_change=on_change,
    )  # fmt: skip


aprobe = in_a_thread(probe)


def transcripts_of(given: Transcripts | Sequence[Conversation], *, sha256: str | None = None) -> Transcripts:
    """Return conversations as what was read, wherever they come from."""
    if isinstance(given, Transcripts):
        return given
    said = hashlib.sha256("".join(c.fingerprint for c in given).encode()).hexdigest()
    return Transcripts(
        path=Path("conversations"), sha256=sha256 or said, conversations=tuple(given), format="convsim"
    )
