"""Runs a whole study: every variant, then what is asked of them, and writes its pages and ``summary.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from convsim._async import in_a_thread, outside_loops
from convsim._files import write_set
from convsim._inputs import read_input
from convsim._progress import step
from convsim._text import one_line, path_text
from convsim.errors import ConvsimError, InputError
from convsim.evaluation.comparing import compare
from convsim.evaluation.counterfactual import dose_response
from convsim.evaluation.gate import Gate
from convsim.evaluation.layout import SECTIONS
from convsim.evaluation.pooling import Run, pooled, same_but_for_the_seed
from convsim.evaluation.scorecard import MadeBy, Scorecard
from convsim.evaluation.validation import default_validators, find_validators
from convsim.io import read
from convsim.io.provenance import command, own_version
from convsim.plugins import load
from convsim.report.html.comparison import comparison_files
from convsim.simulation import Assembly, Outcome, Study
from convsim.workflow.page import to_page
from convsim.workflow.summary import StudySummary, VariantSummary
from convsim.workflow.variants import JudgeSection, Variant, folder_names, read_whole_study

if TYPE_CHECKING:
    from convsim.evaluation.comparison import Comparison, SimulatorReport
    from convsim.evaluation.simulators import Loaded
    from convsim.io import Transcripts
    from convsim.schema.protocols import Validator
    from convsim.simulation.config import StudyConfig

SUMMARY, PAGE = "summary.json", "index.html"
FINDINGS, REPORT = "findings.json", "report.html"
COMPARISON = "comparison.html"
RUN, REACTIONS = "run", "reactions"
INTERRUPTED = "interrupted"
SEED = "study.seed"
MAX_SUMMARY = 64 << 20

Hold = Callable[[Study, Path, Assembly], Outcome]
Tell = Callable[[str], None]


def _hold(study: Study, folder: Path, _: Assembly) -> Outcome:
    return study.run(folder)


@outside_loops
def run_study(
    file: Path | str,
    out: Path | str,
    *,
    hold: Hold = _hold,
    allow_failures: bool = False,
    tell: Tell = lambda said: None,
) -> StudySummary:
    """Run every variant of a study, hold all against the people that its ``[judge]`` names, and write the pages.

    Everything goes on where it was left: runs keep what was held, and what was judged is judged again only where a
    run, the people or ``[judge]`` has changed. A variant that fails is a record with the reason; the others go on.

    Args:
        file: A STUDY.toml, with ``[judge]`` and ``[sweep]`` where they are wanted.
        out: Folder of the study: ``summary.json``, ``index.html``, ``comparison.html`` and a folder a variant.
        hold: Runs one study in a folder, as ``Study.run`` does; is told what the study was made of, too.
        allow_failures: Judge runs of which more than 5 % have failed.
        tell: Is told what is done, a line each.

    Raises:
        InputError: Something of the study, the judge or the gate cannot be used; nothing has been run then. Or an event
            loop is running already.
    """
    whole, out = read_whole_study(Path(file)), Path(out)
    assemblies = [Assembly(variant.config) for variant in whole.variants]
    studies = [assembly.study() for assembly in assemblies]
    judging = None if whole.judge is None else _Judging.of(whole.judge, whole.variants[0].config.study.seed)
    for said in dict.fromkeys(said for assembly in assemblies for said in _said_by(assembly)):
        tell(said)
    if judging is None:
        tell(f"{file}: has no [judge], so the runs are held against nobody")
    ran: list[VariantSummary] = []
    stop = ""
    with step("running the study", len(studies)) as at:
        for variant, study, assembly in zip(whole.variants, studies, assemblies, strict=True):
            planned = _planned(variant, study)
            if stop == INTERRUPTED:
                ran.append(planned.but(reason="not begun: the study was interrupted"))
                continue
            at.at(now=variant.name)
            tell(f"run {len(ran) + 1} of {len(studies)}: {one_line(variant.name)}")
            holding = partial(hold, study, out / variant.name / RUN, assembly)
            summary_of_run, stop = _ran(planned, holding, allow_failures=allow_failures)
            ran.append(summary_of_run)
            at.advance()
    summary = StudySummary(
        name=whole.name,
        finished=_now(),
        made_by=MadeBy(convsim=own_version(), command=command()),
        seed=judging.seed if judging else whole.variants[0].config.study.seed,
        variants=tuple(ran),
    )
    if judging is not None and stop != INTERRUPTED and any(each.reason is None for each in ran):
        summary = judging.judged(summary, whole.variants, out, allow_failures=allow_failures, tell=tell)
    write_set(out, {SUMMARY: summary.to_json(), PAGE: to_page(summary)})
    return summary


arun_study = in_a_thread(run_study)


def _said_by(assembly: Assembly) -> Iterator[str]:
    yield from (f"using a default: {stand_in}" for stand_in in assembly.stand_ins)
    yield from (f"warning: {warning}" for warning in assembly.warnings)


def _planned(variant: Variant, study: Study) -> VariantSummary:
    n = study.n * len(study.arms)
    return VariantSummary(
        name=variant.name,
        changes=dict(variant.changes),
        folder=f"{variant.name}/{RUN}",
        planned=n,
        failed=0,
        missing=n,
    )


def _ran(
    summary: VariantSummary, hold: Callable[[], Outcome], *, allow_failures: bool
) -> tuple[VariantSummary, str]:
    """Run one study; return its summary, and why it stopped."""
    try:
        outcome = hold()
    except ConvsimError as error:
        return summary.but(reason=one_line(error)), "refused"
    reason = None
    if outcome.missing:
        reason = f"{outcome.missing} of {outcome.planned} conversations are missing ({outcome.stop})"
    elif outcome.too_many_failed and not allow_failures:
        reason = f"{outcome.failed_in_all} of {outcome.planned} conversations failed: more than 5 %"
    if reason and outcome.commonest_reason:
        reason += f"; most common reason: {one_line(outcome.commonest_reason)}"
    done = summary.but(
        planned=outcome.planned,
        failed=outcome.failed_in_all,
        missing=outcome.missing,
        cost_usd=outcome.cost_usd,
        reason=reason,
    )
    return done, outcome.stop


@dataclass(frozen=True)
class _Judging:
    """Holds runs against people."""

    section: JudgeSection
    seed: int
    people: Transcripts
    validators: Sequence[Validator]
    gate: Gate | None

    @classmethod
    def of(cls, section: JudgeSection, seed: int) -> _Judging:
        """Read and check all that is asked; raises InputError."""
        names = default_validators() if section.validators is None else list(section.validators)
        gate = None
        if section.gate is not None:
            gate = Gate.read(section.gate)
            reacting = [SECTIONS["shifts"]] if section.control else []
            gate.check([*names, *reacting])
        validators = find_validators(names if gate is None else gate.validators(names))
        if section.annotate is not None:
            load("annotators", section.annotate)
        people = read(section.real)
        arms = {conversation.arm for conversation in people.conversations}
        for arm in (section.control, section.treatment):
            if arm is not None and arm not in arms:
                known = ", ".join(sorted(one_line(each) for each in arms if each)) or "none"
                raise InputError(f"{section.real}: [judge] names the arm {arm!r}; its arms: {known}")
        return cls(section, section.seed if section.seed is not None else seed, people, validators, gate)

    def judged(
        self,
        summary: StudySummary,
        variants: Sequence[Variant],
        out: Path,
        *,
        allow_failures: bool,
        tell: Tell,
    ) -> StudySummary:
        """Judge all runs that are whole, write their pages, and return the summary with what was found."""
        runs = {each.name: read(out / each.folder) for each in summary.variants if each.reason is None}
        summary = summary.but(real=self.people.sha256, judged=self._hash(runs))
        if known := _known(out, summary):
            tell("nothing has changed since it was judged: the results are kept")
            return known
        tell(f"comparing {len(runs)} {'run' if len(runs) == 1 else 'runs'} with {self.section.real}")
        simulators, seeds = _pooled(variants, runs, summary.name)
        comparison = compare(
            self.people, runs, seed=self.seed, validators=self.validators, control=self.section.control,
            treatment=self.section.treatment, annotator=self.section.annotate, pool_seeds=bool(seeds) and summary.name,
            allow_overlap=self.section.allow_overlap, allow_failures=allow_failures,
        )  # fmt: skip
        comparison = self._gated(comparison.but(made_by=summary.made_by))
        judged_as = {run.name: name for name, group in seeds.items() for run in group}
        folders = _folders(variants, seeds)
        configs = {
            judged_as.get(variant.name, variant.name): variant.config for variant in reversed(variants)
        }
        failed = dict.fromkeys(comparison.failed)
        pages: dict[str, dict[str, str]] = {}
        for report in comparison.simulators:
            name, pages[report.name] = report.name, {}
            for what, folder, card, sides in self._cards(
                report, configs[name], simulators[name], allow_failures
            ):
                within = f"{folders.get(name, name)}/{folder}".rstrip("/")
                pages[name][what] = self._write(card, sides, out, within)
                failed.update({finding.validator: None for finding in card.failed})
        reports = {each.name: each for each in comparison.simulators}
        done = [
            _found(each, reports[name], pages[name]) if name in reports else each
            for each in summary.variants
            for name in (judged_as.get(each.name, each.name),)
        ]
        held = {path_text(run.path): run.conversations for run in runs.values()}
        write_set(out, comparison_files(comparison, held, out))
        return summary.but(variants=tuple(done), comparison=COMPARISON, failed=tuple(failed))

    def _cards(
        self, report: SimulatorReport, config: StudyConfig, run: Loaded, allow_failures: bool
    ) -> Iterator[tuple[str, str, Scorecard, _SidesOf]]:
        """Yield what each page is of, its folder, its scorecard and its conversations."""
        both = _SidesOf(self.people, run)
        if report.validation is not None:
            yield "scorecard", "", report.validation, both
        if report.counterfactual is not None:
            yield "reactions", REACTIONS, report.counterfactual, both
        faults = [*dict.fromkeys(arm.fault for arm in config.arm if arm.fault)]
        folders = folder_names(f"ladder-{fault}" for fault in faults)
        for fault, folder in zip(faults, folders, strict=True):
            if not any(conversation.fault == fault for conversation in run):
                continue
            ladder = dose_response(
                run, fault, seed=self.seed, annotator=self.section.annotate, allow_failures=allow_failures
            )
            yield f"ladder of {fault}", folder, ladder, _SidesOf(None, run)

    def _write(self, card: Scorecard, sides: _SidesOf, out: Path, folder: str) -> str:
        from convsim.report.html import to_html

        card = card.but(made_by=MadeBy(convsim=own_version(), command=command()))
        (out / folder).mkdir(parents=True, exist_ok=True)
        people = None if sides.people is None else sides.people.conversations
        page = to_html(card, people, tuple(sides.run))
        write_set(out / folder, {FINDINGS: card.to_json(), REPORT: page})
        return f"{folder}/{REPORT}"

    def _gated(self, comparison: Comparison) -> Comparison:
        if self.gate is None:
            return comparison
        gate = self.gate
        return comparison.but(
            simulators=tuple(each.but(gate=gate.judge_simulator(each)) for each in comparison.simulators)
        )

    def _hash(self, runs: Mapping[str, Transcripts]) -> str:
        """Return one hash of all that moves what is found."""
        gate = None if self.section.gate is None else read_input(self.section.gate, MAX_SUMMARY).hex()
        asked = self.section.model_dump(mode="json", exclude={"real", "gate"})
        told = [own_version(), self.seed, asked, gate, self.people.sha256]
        told += [[name, run.sha256] for name, run in runs.items()]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True)
class _SidesOf:
    people: Transcripts | None
    run: Loaded = field(repr=False)


def _pooled(
    variants: Sequence[Variant], runs: Mapping[str, Transcripts], name: str
) -> tuple[Mapping[str, Loaded], Mapping[str, Sequence[Run]]]:
    """Put runs together that differ in their seed alone; the runs of each simulator that has several."""
    if not any(SEED in variant.changes for variant in variants) or not same_but_for_the_seed(runs):
        return runs, {}
    return pooled(runs, name)


def _folders(variants: Sequence[Variant], seeds: Mapping[str, Sequence[Run]]) -> dict[str, str]:
    """Return a folder for each simulator of several runs: none that a variant has that is no run of it."""
    taken = {variant.name for variant in variants}
    folders = {}
    for name, group in seeds.items():
        [folders[name]] = folder_names([name], taken - {run.name for run in group})
        taken.add(folders[name])
    return folders


def _found(each: VariantSummary, report: SimulatorReport, pages: dict[str, str]) -> VariantSummary:
    alone = {run.name: run.mean_distance.estimate for run in report.seeds}
    return each.but(
        simulator=report.name if alone else None,
        own_distance=alone.get(each.name),
        headlines=report.validation.headlines if report.validation else (),
        reactions=report.counterfactual.headlines if report.counterfactual else (),
        mean_distance=report.mean_distance.estimate,
        hls=report.hls.estimate,
        passed=None if report.gate is None else report.gate.passed,
        reason=report.not_judged,
        pages=pages,
    )


def _known(out: Path, summary: StudySummary) -> StudySummary | None:
    """Return the summary with what was found before, if all of it was and its pages are there."""
    before = read_summary(out / SUMMARY)
    if before is None or before.judged != summary.judged or before.comparison is None or before.failed:
        return None
    found = {each.name: each for each in before.variants if each.headlines or each.reactions}
    again = [found.get(each.name) if each.reason is None else each for each in summary.variants]
    pages = [before.comparison, *(page for each in again if each for page in each.pages.values())]
    if None in again or not all((out / page).is_file() for page in pages):
        return None
    kept = [
        each if old is None or each.reason is not None else old.but(cost_usd=each.cost_usd)
        for each, old in zip(summary.variants, again, strict=True)
    ]
    return summary.but(variants=tuple(kept), comparison=before.comparison)


def read_summary(path: Path) -> StudySummary | None:
    """Read a ``summary.json`` of a study; None where there is none, or it is none of this version's."""
    try:
        return StudySummary.model_validate_json(read_input(path, MAX_SUMMARY))
    except (OSError, InputError, ValueError):
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
