"""The run of a probe: who is asked where, what is kept, and all questions that the answers answer."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue

from convsim._async import run_to_its_end
from convsim._settings import Positive, check_settings
from convsim._text import shown
from convsim.errors import InputError
from convsim.evaluation.probing.acting import acts_of
from convsim.evaluation.probing.asking import Answer, Asked, ask_all, keeping
from convsim.evaluation.probing.choosing import ask_about_acts, ask_about_items
from convsim.evaluation.probing.deciding import DECISION, ENDING, ask_about
from convsim.evaluation.probing.document import Probe, Question, Words
from convsim.evaluation.probing.learning import LEARNED, find_learners
from convsim.evaluation.probing.places import Found, Place, find_places
from convsim.evaluation.probing.wording import Scoring, words_of
from convsim.evaluation.scorecard import MadeBy
from convsim.evaluation.side_warnings import simulated_people
from convsim.evaluation.sides import Side
from convsim.io import Transcripts
from convsim.io.provenance import own_version, provenance
from convsim.lifting import check_ready
from convsim.schema import Annotator, ChatModel, Shopper
from convsim.schema.conversation import Usage
from convsim.seeds import generator
from convsim.simulation import Assembly
from convsim.simulation.config import StudyConfig
from convsim.stats.decision import ALPHA
from convsim.stats.multiplicity import across_families

DRAWS = 5
MARGIN = 0.1
MOST_REASONS = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a shopper is probed."""

    seed: int
    draws: Annotated[int, Field(ge=1, le=1_000)] = DRAWS
    limit: Positive | None = None
    margin: Annotated[float, Field(gt=0, lt=1)] = MARGIN
    concurrency: Positive = 8
    allow_overlap: bool = False
    retry_failed: bool = False

    def __post_init__(self) -> None:
        check_settings(self, "probe")


def probe_with(
    assembly: Assembly,
    side: Side,
    plan: Plan,
    *,
    learned: Transcripts | None,
    annotator: Annotator | None,
    words_model: str | ChatModel | None,
    out: Path | None,
    on_change: Callable[[int, int], None] = lambda done, total: None,
) -> Probe:
    """Probe the shopper of an assembly on one side of people; it learns from ``learned``, else from other people there.

    Raises:
        InputError: As ``probe``.
    """
    started = time.perf_counter()
    names = Counter(c.id for c in side.conversations)
    if repeated := [name for name, n in names.items() if n > 1]:
        raise InputError(
            f"{len(repeated)} ids stand at several conversations, such as {shown(repeated[0])}: give each its own"
        )
    found = find_places(side.conversations)
    people = {place.conversation.id for place in found.places}
    talked_about = [c for c in side.conversations if c.id in people]
    if not talked_about:
        why = "; ".join(f"{n} {reason}" for reason, n in found.left_out.most_common())
        raise InputError(f"there is no place at which a person moved whose need is known: {why}")
    learners = find_learners(
        assembly.shopper_from, side.conversations, learned=None if learned is None else learned.conversations,
        sha256=side.summary.sha256, allow_overlap=plan.allow_overlap, seed=plan.seed,
    )  # fmt: skip
    places = [place for place in found.places if place.conversation.id in learners.by_conversation]
    if not places:
        raise InputError("no place is left: the shopper learned from all people whose need is known")
    found.left_out[LEARNED] = len(people - {place.conversation.id for place in places})
    chosen = _chosen(places, plan)
    asked = [Asked(place, learners.by_conversation[place.conversation.id]) for place in chosen]
    scoring = _scoring(words_model, assembly)
    run_to_its_end(
        lambda: check_ready(learners.shoppers)
    )  # so that no folder is made for what cannot be asked
    name, model_name = asked[0].shopper.name, _model_name(asked[0].shopper)
    with keeping(
        out, _manifest(plan, side, assembly, asked[0].shopper, learned, with_words=annotator is not None),
        retry_failed=plan.retry_failed,
    ) as kept:  # fmt: skip
        run_to_its_end(
            lambda: ask_all(
                asked, kept, draws=plan.draws, with_words=annotator is not None, seed=plan.seed,
                concurrency=plan.concurrency, on_change=lambda done: on_change(done, len(asked)),
            )
        )  # fmt: skip
        given = {place.key: kept.of(place) for place in chosen}
        answers = {key: [a for a in each if a.failure is None] for key, each in given.items()}
        questions, problems = _questions(places, chosen, answers, plan, annotator)
        words: tuple[Words, ...] = ()
        words_reason = ""
        if scoring is not None:
            words, words_reason = words_of(
                chosen, scoring, sha256=side.summary.sha256, allow_overlap=plan.allow_overlap,
                concurrency=plan.concurrency, seed=plan.seed,
            )  # fmt: skip
    every = [answer for each in given.values() for answer in each]
    reasons = Counter(answer.failure for answer in every if answer.failure is not None)
    return Probe(
        real=side.summary,
        shopper=name,
        model=model_name,
        learned=learners.said,
        seed=plan.seed,
        draws=plan.draws,
        n_places=len(places),
        n_asked=len(chosen),
        n_units=len({place.unit for place in chosen}),
        n_moves=sum(answer.failure is None for answer in every),
        n_failed=reasons.total(),
        reasons=dict(reasons.most_common(MOST_REASONS)),
        left_out=+found.left_out,
        is_complete=not kept.stopped,
        usage=Usage.sum(answer.usage for answer in every),
        seconds=time.perf_counter() - started,
        made_by=MadeBy(convsim=own_version()),
        warnings=(*_warnings(side, found), *assembly.warnings, *problems),
        questions=tuple(_corrected(questions)),
        words_model=None if scoring is None else scoring.model.name,
        words=words,
        words_reason=words_reason,
    )


def _chosen(places: Sequence[Place], plan: Plan) -> list[Place]:
    """Draw as many places as are asked for, in their order."""
    if plan.limit is None or plan.limit >= len(places):
        return list(places)
    rows = generator(plan.seed, "probe", "limit").permutation(len(places))[: plan.limit]
    return [places[int(row)] for row in sorted(rows)]


def _scoring(words_model: str | ChatModel | None, assembly: Assembly) -> Scoring | None:
    """Return what scores words; None where nothing is asked."""
    if words_model is None:
        return None
    model = (
        Assembly(StudyConfig().with_flags({"model": {"name": words_model}})).model()
        if isinstance(words_model, str)
        else words_model
    )
    return Scoring.of(model, domain=assembly.domain())


def _model_name(shopper: Shopper) -> str | None:
    name = getattr(getattr(shopper, "model", None), "name", None)
    return name if isinstance(name, str) and name else None


def _manifest(
    plan: Plan,
    side: Side,
    assembly: Assembly,
    shopper: Shopper,
    learned: Transcripts | None,
    *,
    with_words: bool,
) -> Mapping[str, JsonValue]:
    """Return what tells this probe from others, and where it was made."""
    stated: dict[str, JsonValue] = {
        "probe": shopper.name,
        "model": _model_name(shopper),
        "settings": {
            "shopper": {**assembly.config.shopper.settings},
            "model": {**assembly.config.model.settings} if assembly.config.model else {},
        },
        "prompts": {**getattr(shopper, "prompt_hashes", {})},
        "real": hashlib.sha256("".join(c.fingerprint for c in side.conversations).encode()).hexdigest(),
        "learned": None if learned is None else learned.sha256,
        "seed": plan.seed,
        "draws": plan.draws,
        "limit": plan.limit,
        "allow_overlap": plan.allow_overlap,
        "words": with_words,
    }
    return {"schema": "convsim.run/1", "plan": stated, **provenance()}


def _questions(
    places: Sequence[Place],
    chosen: Sequence[Place],
    answers: Mapping[str, Sequence[Answer]],
    plan: Plan,
    annotator: Annotator | None,
) -> tuple[list[Question], list[str]]:
    """Answer every question, and say what an annotator could not label."""
    found = [
        ask_about(
            kinds, places, chosen, answers, margin=plan.margin, rng=generator(plan.seed, "probe", kinds.name)
        )
        for kinds in (ENDING, DECISION)
    ]
    found.append(ask_about_items(chosen, answers, rng=generator(plan.seed, "probe", "item")))
    if annotator is None:
        return found, []
    acts, problems = acts_of(chosen, answers, annotator, concurrency=plan.concurrency)
    found.append(
        ask_about_acts(
            chosen, answers, acts, source=annotator.source, rng=generator(plan.seed, "probe", "act")
        )
    )
    return found, [f"{annotator.source} left messages unlabelled: {reason}" for reason in problems]


def _corrected(questions: Sequence[Question]) -> Iterator[Question]:
    """Correct the p-values of ``different`` for the number of questions (Holm); what is above 5 % then is not shown."""
    p_values: dict[str, list[float]] = {q.name: [q.p_value] for q in questions if q.p_value is not None}
    adjusted = across_families(p_values)
    for question in questions:
        if question.name not in adjusted:
            yield question
            continue
        p_adjusted = min(1.0, adjusted[question.name][0])
        if question.verdict == "different" and p_adjusted > ALPHA:
            reason = f"not shown, once {len(adjusted)} questions are asked: {question.reason}"
            yield question.but(verdict="undecided", reason=reason, p_adjusted=p_adjusted)
        else:
            yield question.but(p_adjusted=p_adjusted)


def _warnings(side: Side, found: Found) -> Iterator[str]:
    yield from side.warnings
    if said := simulated_people(side.conversations, side.conversations):
        yield said
    if found.late_controls:
        yield (
            f"{found.late_controls} personas of the log state what is known only once the conversation has ended: that "
            "is withheld from the shopper"
        )
