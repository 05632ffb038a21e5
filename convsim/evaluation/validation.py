"""Holds two sides of conversations against one another: read, guard, measure, validate."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, cast

from convsim._async import in_a_thread, outside_loops, stop_if_left
from convsim._loggers import logger_of
from convsim._progress import step
from convsim._text import described
from convsim._tracing import Value, span
from convsim.errors import ConvsimError, InputError
from convsim.evaluation.copied import without_credit_for_copies
from convsim.evaluation.family import one_family
from convsim.evaluation.gaps import find_gaps
from convsim.evaluation.guards import (
    find_overlap,
    mix_warnings,
    one_sided_labels,
    undefined_acts,
    undefined_in_language,
)
from convsim.evaluation.kept import Kept
from convsim.evaluation.label_agreement import agreements
from convsim.evaluation.on_ray import on_engine
from convsim.evaluation.scorecard import MadeBy, Scorecard
from convsim.evaluation.sensitivity import Variation, variations, with_sensitivity
from convsim.evaluation.side_warnings import side_warnings
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.spending import per_decided, run_use
from convsim.io import Source
from convsim.io.files import left_alone
from convsim.io.provenance import own_version
from convsim.lifting import AnnotatorLike, ValidatorLike, lift_validator
from convsim.metrics import MetricLike, Metrics, find_metrics, measure_both
from convsim.plugins import installed, load, make
from convsim.schema import Corpus, Finding, Validator
from convsim.schema.corpus import undefined_metrics
from convsim.schema.details import FormatDetails
from convsim.stats.tasks import as_they_end

LOG = logger_of("convsim.validators")
MAX_TRACEBACK_CHARACTERS = 8_000
"""Of the end of a traceback, which is where it was raised."""


@outside_loops
def validate(  # noqa: PLR0913  (what can be asked of a validation)
    real: Source,
    simulated: Source,
    *,
    seed: int,
    validators: str | ValidatorLike | Iterable[str | ValidatorLike] | None = None,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    annotator: str | AnnotatorLike | None = None,
    allow_overlap: bool = False,
    allow_failures: bool = False,
    sensitivity: bool = False,
    on_variation: Callable[[Variation], None] | None = None,
    cache: bool = True,
    on_cached: Callable[[str], None] | None = None,
    engine: str = "local",
    address: str | None = None,
) -> Scorecard:
    """Ask every validator whether the simulated conversations are like the real ones.

    Which side is human is decided by position, so that people can be held against people.

    Args:
        real: The people's conversations.
        simulated: The simulated conversations.
        seed: Random seed.
        validators: One or several: names, ``module:thing``, validators, classes or functions of both sides; by
            default all installed ones that need not be asked for.
        metrics: Judge these alone: names, ``module:thing``, metrics or functions of one conversation; with a "+" before
            a name, or "default" among them, beside the built-in ones. By default the built-in ones and every label.
        tasks: Keep only these tasks on both sides; all by default.
        arms: Keep only these arms on both sides; all by default.
        annotator: A name, an annotator or a function of one conversation: labels both sides first, so that acts and
            experience are compared too.
        allow_overlap: Judge a simulator even on conversations that it learned from.
        allow_failures: Go on although more than 5 % of a side's conversations failed.
        sensitivity: Judge all again with other seeds and settings, without each task and with halves of the metrics;
            each finding says how often it held.
        on_variation: Told of each of these before it is judged.
        cache: Keep tables of metrics and findings in ``.convsim-cache`` beside the simulated file, and take what was
            kept of the same conversations, settings, seed and code; of 1,000 conversations or more. Nothing that is
            found depends on it. The variable ``CONVSIM_NO_CACHE`` turns it off, too.
        on_cached: Told in a sentence what was not computed anew.
        engine: "local", or "ray": each validator, and what is long within it, is a task of a Ray cluster. What is found
            is the same.
        address: ``HOST:PORT`` of a Ray cluster that this machine has joined; without one, one is started here, and
            stopped in the end.

    Raises:
        InputError: A side cannot be read, is empty after the filters, or failed too often; or an event loop is running
            already, as in a notebook: there it is ``await convsim.avalidate(…)``.
        PluginError: No such validator or metric.
        MissingExtraError: Ray is wanted, and is not installed.
        ConvsimError: No cluster answers at the address, its nodes have another convsim, or it lost a part of the work
            time and again.
    """
    chosen, measured = find_validators(validators), find_metrics(metrics)
    selection = Selection(tasks=tasks, arms=arms, allow_failures=allow_failures)
    real_side = Side.of(real, "real", selection).labelled_by(annotator, "real")
    simulated_side = Side.of(simulated, "simulated", selection).labelled_by(annotator, "simulated")
    warnings = mix_warnings(real_side.conversations, simulated_side.conversations)

    def again(
        people: Side, shoppers: Side, asked: Sequence[Validator], other_seed: int, metrics: Metrics
    ) -> Sequence[Finding]:
        return judge(
            people,
            shoppers,
            asked,
            seed=other_seed,
            metrics=metrics,
            allow_overlap=allow_overlap,
            kept=Kept.of(people, shoppers) if cache else None,
        ).findings

    with on_engine(engine, address):
        kept = Kept.of(real_side, simulated_side) if cache else None
        card = judge(
            real_side, simulated_side, chosen, seed=seed, metrics=measured, warnings=warnings,
            allow_overlap=allow_overlap, kept=kept,
        )  # fmt: skip
        if kept and on_cached and kept.told:
            on_cached(kept.told)
        if not sensitivity:
            return card

        varied = variations((real_side, simulated_side), chosen, card.findings, seed=seed, metrics=measured)
        return with_sensitivity(card, [*varied], again, on_variation=on_variation)


avalidate = in_a_thread(validate)


def judge(
    real: Side | None,
    simulated: Side,
    validators: Iterable[Validator],
    *,
    seed: int,
    metrics: Metrics | None = None,
    warnings: Iterable[str] = (),
    allow_overlap: bool = False,
    kept: Kept | None = None,
) -> Scorecard:
    """Measure both sides, run every validator, and judge nobody on the people it copied.

    Args:
        real: The people; None where nothing is held against people, and validators get an empty corpus.
        simulated: The simulated side.
        validators: What is asked.
        seed: Random seed.
        metrics: What is measured; by default the catalogue and every label.
        warnings: What else the reader is to be warned of.
        allow_overlap: Judge a simulator even on conversations that it learned from.
        kept: What was measured and found of these very sides before, and where it is kept.
    """
    told = {
        "convsim.n_real": len(real.conversations) if real else 0,
        "convsim.n_simulated": len(simulated.conversations),
    }
    with left_alone(), span("convsim.judge", {**told, "convsim.seed": seed}) as traced:
        card = _judged(
            real,
            simulated,
            validators,
            seed=seed,
            metrics=metrics,
            warnings=warnings,
            allow_overlap=allow_overlap,
            kept=kept,
        )
        traced.set({f"convsim.verdict.{each.name}": each.verdict for each in card.headlines})
    return card


def _judged(
    real: Side | None,
    simulated: Side,
    validators: Iterable[Validator],
    *,
    seed: int,
    metrics: Metrics | None,
    warnings: Iterable[str],
    allow_overlap: bool,
    kept: Kept | None,
) -> Scorecard:
    people = real.conversations if real else ()
    said = [*(real.warnings if real else ()), *simulated.warnings, *warnings]
    reason = None
    if real is not None:
        with step("checking both sides"):
            overlap = find_overlap(
                people, simulated.conversations, hashes=(real.summary.sha256, simulated.summary.sha256)
            )
            reason = overlap.reason
            said += ["both sides are the same file"] if overlap.same_file else []
            said += [reason] if reason else []
            said += side_warnings(people, simulated.conversations)
    tables = kept.tables if kept else (None, None)
    corpora = measure_both(people, simulated.conversations, metrics=metrics, kept=tables)
    LOG.info("measured %d real and %d simulated conversations", *map(len, corpora))
    said += undefined_acts(*corpora)
    said += undefined_in_language(*corpora)
    if real is not None:
        said += one_sided_labels(*corpora)
    reliability, unknown = agreements(people, corpora[1].metrics.values(), seed=seed)
    said += unknown
    findings = run_all(validators, *corpora, seed=seed, kept=kept)
    undefined = undefined_metrics(*corpora)
    findings = one_family(
        f.but(verdict="undecided", reason=undefined[f.metric])
        if f.metric in undefined and f.verdict != "failed"
        else f
        for f in findings
    )
    unmeasured = failed_metrics(*corpora, seed=seed)
    said += [f"{f.validator}: {f.reason}" for f in (*findings, *unmeasured) if f.verdict == "failed"]
    if reason and not allow_overlap:
        findings = [
            f if f.verdict in ("failed", "copies") else f.but(verdict="undecided", reason=reason)
            for f in findings
        ]
    said += [f"near copies: {f.reason}" for f in findings if f.verdict == "copies"]
    said[:0] = [
        f"format alone tells the sides apart: {f.reason}"
        for f in findings
        if isinstance(f.details, FormatDetails) and f.verdict == "different"
    ]
    findings = without_credit_for_copies(findings)
    judgeable = real is not None and (reason is None or allow_overlap)
    run = run_use(simulated.file)
    return Scorecard(
        real=real.summary if real else None,
        simulated=simulated.summary,
        made_by=MadeBy(convsim=own_version()),
        warnings=tuple(said),
        reliability=tuple(reliability),
        gaps=find_gaps(*corpora, findings) if judgeable else (),
        run=run,
        per_decided=per_decided(findings, simulated.conversations, run),
        findings=(*findings, *unmeasured),
    )


def find_validators(wanted: object) -> list[Validator]:
    """Make validators by name or of their classes; instances pass through. None stands for all that need not be named.

    Args:
        wanted: One or several of: names with commas between, ``module:thing``, a validator, its class, a function.

    Raises:
        InputError: None is named.
        PluginError: No such validator, or something that is none.
    """
    if wanted is None:
        wanted = default_validators()
    alone = isinstance(wanted, str | bytes | type | Validator) or not isinstance(wanted, Iterable)
    each = [wanted] if alone else list(cast(Iterable[object], wanted))
    named = [part for one in each for part in (_names(one) if isinstance(one, str) else (one,))]
    if not named:
        raise InputError(f"no validator is named; installed: {', '.join(installed('validators'))}")
    return [make("validators", one) if isinstance(one, str) else lift_validator(one) for one in named]


def _names(said: str) -> list[str]:
    return [name.strip() for name in said.split(",") if name.strip()]


def default_validators() -> list[str]:
    """Name the installed validators that do not wait to be named (``on_request``)."""
    names = installed("validators")
    return [name for name in names if not getattr(load("validators", name), "on_request", False)]


class _Asked(NamedTuple):
    real: Corpus
    simulated: Corpus
    seed: int


class _Found(NamedTuple):
    findings: list[Finding]
    seconds: float


def run_all(
    validators: Iterable[Validator], real: Corpus, simulated: Corpus, *, seed: int, kept: Kept | None = None
) -> list[Finding]:
    """Run validators as tasks, and return the findings of all; what is kept of one is not run again."""
    asked = list(validators)
    found = [kept.findings(each, real, simulated, seed=seed) if kept else None for each in asked]
    missing = [number for number, findings in enumerate(found) if findings is None]
    with step("running validators", len(asked), done=len(asked) - len(missing)) as at:
        running = dict.fromkeys(missing)

        def tell() -> None:
            at.at(len(asked) - len(running), now=next((str(asked[n].name) for n in running), None))

        tell()
        wanted = [asked[number] for number in missing]
        for place, one in as_they_end(_run, wanted, shared=_Asked(real, simulated, seed)):
            del running[missing[place]]
            found[missing[place]] = one.findings
            if kept:
                kept.keep(wanted[place], real, simulated, one.findings, seed=seed)
            LOG.info("%s made %d findings in %.1f s", wanted[place].name, len(one.findings), one.seconds)
            tell()
    return [finding for findings in found for finding in findings or ()]


def _run(asked: _Asked, validator: Validator) -> _Found:
    begun = time.monotonic()
    findings = run_validator(validator, asked.real, asked.simulated, seed=asked.seed)
    return _Found(findings, time.monotonic() - begun)


def run_validator(validator: Validator, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
    """Run one validator; one that raises yields a failed finding with the reason, and loses no other's work."""
    stop_if_left()
    told: dict[str, Value] = {"convsim.validator": validator.name, "convsim.seed": seed}
    try:
        with span("convsim.validator", told) as traced:
            findings = list(validator.validate(real, simulated, seed=seed))
            traced.set({"convsim.findings": len(findings)})
            return findings
    except ConvsimError:
        raise
    except (Exception, SystemExit) as error:
        LOG.exception("the validator %s failed", validator.name)
        return [
            Finding(
                validator=validator.name,
                metric=validator.name,
                question="Did the validator run?",
                unit="-",
                verdict="failed",
                reason=f"the validator failed: {described(error)}",
                n_real=len(real),
                n_simulated=len(simulated),
                seed=seed,
                version=str(getattr(validator, "version", "unknown")),
                source=str(getattr(validator, "source", type(validator).__module__)),
                details={"traceback": "".join(traceback.format_exception(error))[-MAX_TRACEBACK_CHARACTERS:]},
            )
        ]


def failed_metrics(real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
    """Return one finding for each metric that could not be measured, which says at which conversation it failed."""
    return [
        Finding(
            validator="metrics",
            metric=name,
            question=f"Could {name} be measured?",
            unit="-",
            verdict="failed",
            reason=reason,
            n_real=len(real),
            n_simulated=len(simulated),
            seed=seed,
            version=own_version(),
            source="convsim.metrics",
        )
        for name, reason in {**simulated.failed, **real.failed}.items()
    ]
