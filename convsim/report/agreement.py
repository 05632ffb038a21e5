"""How well an annotator's labels agree with people's, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.annotation.agreement import Agreement, AgreementReport, ClassScore
from convsim.report.tables import estimate, filled, number, verdict
from convsim.schema import Estimate, ExplainedEstimate, Finding
from convsim.schema.details import PrevalenceDetails

STATISTICS = {
    "kendall_tau_b": "Kendall's tau-b",
    "kappa": "Cohen's kappa",
    "kappa_quadratic": "Cohen's kappa, quadratic weights",
    "alpha": "Krippendorff's alpha",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
}
MAX_ROWS = 20
"""Classes and values that a table shows; the JSON holds all."""


def agreement_table(reliability: AgreementReport) -> Iterator[RenderableType]:
    """Yield the parts of the screen in order: who is compared with whom, then each label's tables."""
    of, against = plain(reliability.source, limit=80), plain(reliability.against, limit=80)
    yield Text(
        f"labels by {of}, compared with labels by {against}: {reliability.n_conversations} conversations"
    )
    if reliability.n_unlabelled:
        yield Text(f"warning: {reliability.n_unlabelled} of them have no label by {of}", style="yellow")
    for warning in reliability.warnings:
        yield Text(f"warning: {plain(warning)}", style="yellow")
    for entry in reliability.entries:
        yield _statistics(entry)
        if entry.classes:
            yield _classes(entry)
        if (
            entry.confusion is not None
            and max(map(len, (entry.confusion.reference, *entry.confusion.counts))) <= MAX_ROWS
        ):
            yield _confusion(entry)


def summary(reliability: AgreementReport) -> Iterator[RenderableType]:
    """Yield one line per label, shown beside findings that use the annotator's labels."""
    rows = []
    for entry in reliability.entries:
        field = "kendall_tau_b" if entry.kind == "ordinal" else "macro_f1"
        reported = [
            f"{number(p.value)} ({' / '.join(map(plain, p.between))})"
            for p in entry.published
            if p.statistic == field and p.name is None
        ]
        name = Text(f"{plain(entry.label, limit=40)} of a {entry.level}")
        rows.append(
            (
                name, str(entry.n), STATISTICS[field], written(getattr(entry, field)), written(entry.accuracy),
                number(entry.majority_accuracy), "; ".join(reported) or "–",
            )
        )  # fmt: skip
    of, against = plain(reliability.source, limit=80), plain(reliability.against, limit=80)
    yield Text(f"\nagreement of labels by {of} with labels by {against}, in the real data")
    columns = (
        "label",
        "n",
        "statistic",
        "agreement",
        "accuracy",
        "constant answer",
        "reported by others",
    )
    yield filled(columns, rows)


def corrected(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """Yield differences of proportions, as counted and as corrected for the annotator's errors."""
    rows: list[tuple[str | Text, ...]] = []
    for finding in findings:
        of = finding.details if isinstance(finding.details, PrevalenceDetails) else None
        shown = (of.raw, of.adjusted, of.sensitivity, of.specificity) if of else (None,) * 4
        rows.append((Text(plain(finding.metric)), *map(estimate, shown), verdict(finding)))
    columns = ("corrected for errors", "counted", "adjusted", "sensitivity", "specificity", "verdict")
    note = (
        "Differences of proportions, simulated minus real. sensitivity, specificity: of the annotator, where people "
        "labelled too; it is assumed to make the same errors on simulated users as on people."
    )
    yield filled(columns, rows, note)


def written(estimate: Estimate) -> str:
    """Write an estimate with its interval; a dash where it is undefined."""
    if estimate.interval is None:
        return number(estimate.estimate)
    return f"{number(estimate.estimate)} [{number(estimate.interval[0])}, {number(estimate.interval[1])}]"


def _statistics(entry: Agreement) -> RenderableType:
    constant = {"accuracy": entry.majority_accuracy, "macro_f1": entry.majority_macro_f1}
    rows = []
    for field, name in STATISTICS.items():
        found: ExplainedEstimate = getattr(entry, field)
        if found.estimate is None and (field == "kappa_quadratic" or entry.kind == "sets"):
            continue
        reported = [
            f"{number(p.value)} ({' / '.join(map(plain, p.between))}{'' if p.comparable else ', not comparable'})"
            for p in entry.published
            if p.statistic == field and p.name is None
        ]
        said = "; ".join([*filter(None, [found.reason]), *(f"reported {r}" for r in reported)])
        rows.append((name, written(found), number(constant.get(field)), Text(plain(said))))
    note = (
        f"{entry.n} {entry.level}s of {entry.n_conversations} conversations, by {entry.n_units} independent users or "
        "conversations"
    )
    if entry.n_unlabelled:
        note += f"; {entry.n_unlabelled} without a label"
    if entry.n_left_out:
        note += f"; {entry.n_left_out} left out (other scales)"
    title = f"{plain(entry.label, limit=40)} of a {entry.level}".replace("[", "\\[")
    return filled((title, "estimate", "constant answer", "note"), rows, note)


def _classes(entry: Agreement) -> RenderableType:
    shown = sorted(entry.classes, key=lambda score: -score.n_reference)[:MAX_ROWS]
    note = "always: F1 of giving this class to everything."
    if len(entry.classes) > len(shown):
        note += f" {len(entry.classes) - len(shown)} rarer classes are not shown."
    for level in entry.published:
        here = next((score for score in entry.classes if score.name == level.name), None)
        if here is not None:
            between = " / ".join(map(plain, level.between)) + ("" if level.comparable else ", not comparable")
            note += f" {plain(here.name)}: {level.statistic} {written(getattr(here, level.statistic))}, "
            note += f"reported {number(level.value)} ({between})."
    columns = ("class", "reference", "annotated", "precision", "recall", "F1", "always", "kappa")
    return filled(columns, [_row(score) for score in shown], note)


def _row(score: ClassScore) -> tuple[str | Text, ...]:
    found = [written(e) for e in (score.precision, score.recall, score.f1)]
    counts = (str(score.n_reference), str(score.n_annotated))
    return (Text(plain(score.name, limit=40)), *counts, *found, number(score.always_f1), written(score.kappa))


def _confusion(entry: Agreement) -> RenderableType:
    table = entry.confusion
    assert table is not None
    rows = [
        (number(value), *map(str, counts), str(sum(counts)))
        for value, counts in zip(table.reference, table.counts, strict=True)
    ]
    columns = ("reference", *(f"said {number(value)}" for value in table.annotated), "all")
    return filled(columns, rows)
