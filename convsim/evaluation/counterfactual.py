"""When the recommender gets worse, do simulated shoppers react as people do? Three ways to ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from convsim._async import in_a_thread, outside_loops
from convsim._text import nearest
from convsim.errors import InputError
from convsim.evaluation.kept import Kept
from convsim.evaluation.layout import FIRST_WORDS_OF_PEOPLE, SECTIONS
from convsim.evaluation.on_ray import on_engine
from convsim.evaluation.scorecard import Scorecard
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import judge
from convsim.io import Source
from convsim.lifting import AnnotatorLike
from convsim.metrics import MetricLike, Metrics, find_metrics, measure_both
from convsim.plugins import make
from convsim.schema import Finding, Validator

NO_SETTINGS: Mapping[str, object] = {}


@outside_loops
def counterfactual(  # noqa: PLR0913  (what can be asked of reactions)
    real: Source,
    simulated: Source,
    *,
    control: str,
    treatment: str,
    seed: int,
    saw_both: Source | None = None,
    tasks: Collection[str] = (),
    settings: Mapping[str, object] = NO_SETTINGS,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    annotator: str | AnnotatorLike | None = None,
    allow_overlap: bool = False,
    allow_failures: bool = False,
    cache: bool = True,
    on_cached: Callable[[str], None] | None = None,
    engine: str = "local",
    address: str | None = None,
) -> Scorecard:
    """Ask whether simulated shoppers change from one arm to another as people did.

    Args:
        real: People's conversations of both arms.
        simulated: Simulated conversations of both arms.
        control: The arm to start from, such as the good agent's.
        treatment: The arm to go to, such as the bad agent's; the other way round is asked by exchanging them.
        seed: Random seed.
        saw_both: Conversations of a simulator that learned from both arms: tells what it costs not to have seen one.
        tasks: Keep only these tasks; all by default.
        settings: Further settings of the validator ``counterfactual``, such as ``margin_sd``.
        metrics: Judge these alone: names, ``module:thing``, metrics or functions of one conversation; with a "+" before
            a name, or "default" among them, beside the built-in ones. By default the built-in ones and every label.
        annotator: Labels all sides first, so that acts and experience are compared too.
        allow_overlap: Judge a simulator even on conversations that it learned from.
        allow_failures: Go on although more than 5 % of a side's conversations failed.
        cache: Keep findings beside the simulated file, and take those of the same conversations, as ``validate`` does.
        on_cached: Told in a sentence what was not computed anew.
        engine: "local", or "ray": what is long is a task of a Ray cluster. What is found is the same.
        address: ``HOST:PORT`` of a Ray cluster that this machine has joined; without one, one is started here, and
            stopped in the end.

    Raises:
        InputError: A side cannot be read, lacks one of the arms, or failed too often; the arms are one; or an
            event loop is running already: there it is ``await convsim.acounterfactual(…)``.
        MissingExtraError: Ray is wanted, and is not installed.
        ConvsimError: The Ray cluster cannot be used, or lost a part of the work time and again.
    """
    if control == treatment:
        raise InputError(f"control and treatment are the same arm, {control!r}; name two")
    if reserved := sorted({"control", "treatment", "saw_both"} & settings.keys()):
        raise InputError(f"counterfactual.{reserved[0]} is not a setting; it has an argument of its own")
    measured = find_metrics(metrics)
    selection = Selection(tasks=tasks, arms=(control, treatment), allow_failures=allow_failures)
    real_side = Side.of(real, "real", selection).labelled_by(annotator, "real")
    simulated_side = Side.of(simulated, "simulated", selection).labelled_by(annotator, "simulated")
    given = {**settings, "control": control, "treatment": treatment}
    if saw_both is not None:
        informed = Side.of(saw_both, "saw-both", selection).labelled_by(annotator, "saw-both")
        given["saw_both"] = measure_both(real_side.conversations, informed.conversations, metrics=measured)[1]
    validators = [_made(SECTIONS["shifts"], given)]
    kept = Kept.of(real_side, simulated_side) if cache else None
    with on_engine(engine, address):
        card = judge(
            real_side,
            simulated_side,
            validators,
            seed=seed,
            metrics=measured,
            allow_overlap=allow_overlap,
            kept=kept,
        )
    if kept and on_cached and kept.told:
        on_cached(kept.told)
    return card.but(warnings=(*card.warnings, *_failed_checks(card.findings)))


acounterfactual = in_a_thread(counterfactual)


@outside_loops
def dose_response(
    simulated: Source,
    fault: str,
    *,
    seed: int,
    tasks: Collection[str] = (),
    settings: Mapping[str, object] = NO_SETTINGS,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    annotator: str | AnnotatorLike | None = None,
    allow_failures: bool = False,
    engine: str = "local",
    address: str | None = None,
) -> Scorecard:
    """Ask how simulated shoppers change as an agent's fault grows from severity 0 to 1.

    Args:
        simulated: Conversations of the same personas at several severities of one fault.
        fault: The fault or preset; conversations with the agent as it is are severity 0.
        seed: Random seed.
        tasks: Keep only these tasks; all by default.
        settings: Further settings of the validator ``dose_response``.
        metrics: Judge these alone: names, ``module:thing``, metrics or functions of one conversation; with a "+" before
            a name, or "default" among them, beside the built-in ones. By default the built-in ones and every label.
        annotator: Labels the conversations first, so that acts and experience are asked about too.
        allow_failures: Go on although more than 5 % of the conversations failed.
        engine: "local" or "ray", as ``counterfactual`` has it.
        address: Of a Ray cluster, as ``counterfactual`` has it.

    Raises:
        InputError: Nothing was held with that fault; the conversations cannot be read or failed too often; or an
            event loop is running already: there it is ``await convsim.adose_response(…)``.
        MissingExtraError: Ray is wanted, and is not installed.
        ConvsimError: The Ray cluster cannot be used, or lost a part of the work time and again.
    """
    measured = find_metrics(metrics)
    side = Side.of(simulated, "simulated", Selection(tasks=tasks, allow_failures=allow_failures)).labelled_by(
        annotator, "simulated"
    )
    recorded = Counter(c.fault for c in side.conversations if c.fault is not None)
    if fault not in recorded:
        known = ", ".join(name[:40] for name in sorted(recorded)[:20]) or "none"
        meant = nearest(fault, recorded)
        raise InputError(
            f"no conversation has the fault {fault!r}; recorded faults: {known}; "
            f"{f'did you mean {meant[:40]!r}? ' if meant else ''}"
            f"run some with convsim simulate --arm good --fault {fault}=0.5 --fault {fault}=1"
        )
    kept = side.keep(lambda conversation: conversation.fault in (None, fault))
    validators = [_made(SECTIONS["ladder"], {**settings, "fault": fault})]
    with on_engine(engine, address):
        return judge(None, kept, validators, seed=seed, metrics=measured)


adose_response = in_a_thread(dose_response)


@outside_loops
def check_relations(
    simulated: Source,
    relations: Path | str | Sequence[object] | None = None,
    *,
    seed: int,
    tasks: Collection[str] = (),
    settings: Mapping[str, object] = NO_SETTINGS,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    annotator: str | AnnotatorLike | None = None,
    further: Iterable[Finding] = (),
    allow_failures: bool = False,
    engine: str = "local",
    address: str | None = None,
) -> Scorecard:
    """Ask whether simulated shoppers keep metamorphic relations, which need no human log of a bad agent.

    Args:
        simulated: Conversations of the same personas with and without faults.
        relations: A TOML file of relations, or relations; the built-in ones by default.
        seed: Random seed.
        tasks: Keep only these tasks; all by default.
        settings: Further settings of the validator ``relations``.
        further: Findings to put beside, such as those of ``check_severity_zero``.
        metrics: Judge these alone: names, ``module:thing``, metrics or functions of one conversation; with a "+" before
            a name, or "default" among them, beside the built-in ones. By default the built-in ones and every label.
        annotator: Labels the conversations first, so that acts and experience are asked about too.
        allow_failures: Go on although more than 5 % of the conversations failed.
        engine: "local" or "ray", as ``counterfactual`` has it.
        address: Of a Ray cluster, as ``counterfactual`` has it.

    Raises:
        InputError: A relation cannot be used; the conversations cannot be read or failed too often; or an event loop is
            running already: there it is ``await convsim.acheck_relations(…)``.
        MissingExtraError: Ray is wanted, and is not installed.
        ConvsimError: The Ray cluster cannot be used, or lost a part of the work time and again.
    """
    measured = find_metrics(metrics)
    given = dict(settings)
    if isinstance(relations, str | Path):
        given["file"] = Path(relations)
    elif relations is not None:
        given["relations"] = tuple(relations)
    validator = _made(SECTIONS["relations"], given)
    side = Side.of(simulated, "simulated", Selection(tasks=tasks, allow_failures=allow_failures)).labelled_by(
        annotator, "simulated"
    )
    with on_engine(engine, address):
        card = judge(None, side, [validator], seed=seed, metrics=measured)
    return card.but(findings=(*card.findings, *further))


acheck_relations = in_a_thread(check_relations)


def _made(name: str, settings: Mapping[str, object]) -> Validator:
    return make("validators", name, **settings)


def _failed_checks(findings: Iterable[Finding]) -> list[str]:
    """Name controls that differ where they must not: people's first messages that depend on the arm."""
    return [f.reason for f in findings if f.metric == FIRST_WORDS_OF_PEOPLE and f.verdict == "different"]
