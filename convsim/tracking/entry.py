"""What is logged of a result: parameters, numbers, tags that say what has no number and why, and files."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from convsim._inputs import open_input
from convsim._secrets import without_keys
from convsim._text import plain
from convsim.errors import InputError
from convsim.evaluation import Comparison, Scorecard
from convsim.evaluation.comparison import SimulatorReport
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.io import CONVERSATIONS, MANIFEST, read
from convsim.io.manifest import read_manifest
from convsim.schema import GateResult, Headline, Verdict
from convsim.schema.conversation import Usage
from convsim.schema.headline import HeadlineName
from convsim.workflow import StudySummary
from convsim.workflow.summary import VariantSummary

NUMBERS: dict[HeadlineName, str] = {
    "habits": "joint_distance",
    "words": "human_likeness_score",
    "coherence": "coherence_distance",
    "diversity": "diversity",
    "reactions": "reaction_ratio",
}
"""What the number is called that each headline's verdict stands on."""
UNDECIDED = frozenset({"undecided", "failed"})
"""Verdicts of which no number is logged: a reader would take it for one."""
COUNTED: tuple[Verdict, ...] = ("aligned", "different", "undecided")
NOT_KNOWN = "not known"
DRAWN = ("study_seed", "personas")
"""Of a plan: what a seed changes."""
FINDINGS, REPORT = "findings.json", "report.html"
PAGES = ("comparison.html", "distances.csv")
MAX_PARAMETERS, MAX_CHARACTERS, MAX_KEY = 100, 500, 100
"""Of one run: parameters, and characters of a value and of its name; trackers refuse more."""
ODD = re.compile(r"[^\w./-]")
"""What trackers take in no name."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run of a tracker; ``parts`` are runs below it: a comparison's simulators, a study's variants."""

    name: str
    kind: str
    params: Mapping[str, str | int | float | bool]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    files: Mapping[str, str | Path] = field(default_factory=dict)
    """By name: what a file holds, or where it is."""
    parts: tuple[Entry, ...] = ()


@dataclass
class _Writing:
    """An entry that is being put together."""

    params: dict[str, JsonValue] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, str | Path] = field(default_factory=dict)

    def number(self, name: str, value: float | None, reason: str) -> None:
        """Log a number; where there is none, a tag says why, and there is neither 0 nor NaN."""
        if value is None:
            self.tags[f"absent.{name}"] = reason
        else:
            self.metrics[name] = value

    def headlines(self, headlines: tuple[Headline, ...]) -> None:
        """Add verdicts as tags."""
        for each in headlines:
            self.tags["verdict" if each.name == "all" else f"verdict.{each.name}"] = each.verdict
            if each.name == "all":
                self.tags["reason"] = each.reason

    def gate(self, gate: GateResult | None) -> None:
        """Add what a gate said."""
        if gate is not None:
            self.tags["gate"] = "passed" if gate.passed else "failed"

    def page(self, folder: Path | None, *names: str) -> None:
        """Add files of a folder, those that are there."""
        for name in names:
            if folder is not None and (folder / name).is_file():
                self.files[name] = folder / name

    def entry(self, name: str, kind: str, parts: tuple[Entry, ...] = ()) -> Entry:
        """Return what was put together, its texts cut and without keys."""
        self.tags["convsim.kind"] = kind
        return Entry(
            name=_text(name),
            kind=kind,
            params={_key(key): _value(value) for key, value in [*_flat(self.params)][:MAX_PARAMETERS]},
            metrics={_key(key): value for key, value in self.metrics.items()},
            tags={_key(key): _text(value) for key, value in self.tags.items()},
            files=self.files,
            parts=parts,
        )


def entry_of_scorecard(card: Scorecard, *, folder: Path | None, name: str | None = None) -> Entry:
    """Return what is logged of a scorecard."""
    writing = _Writing()
    _findings(writing, card)
    writing.files[FINDINGS] = card.to_json()
    writing.page(folder, REPORT)
    return writing.entry(name or card.simulated.simulator or "scorecard", "scorecard")


def _findings(writing: _Writing, card: Scorecard) -> None:
    writing.params |= _made(card.made_by) | {
        "seed": next((finding.seed for finding in card.findings), None),
        "simulated": _side(card.simulated),
        "real": None if card.real is None else _side(card.real),
        **_run_of(card.simulated),
    }
    _numbers(writing, card)
    counts = Counter(finding.verdict for finding in card.judged)
    writing.metrics |= {f"findings.{verdict}": counts[verdict] for verdict in {*COUNTED, *counts}}
    writing.headlines(card.headlines)
    writing.gate(card.gate)
    if card.baseline is not None:
        writing.metrics["findings.worse_than_baseline"] = len(card.baseline.worse)


def _numbers(writing: _Writing, card: Scorecard) -> None:
    """Add the numbers that headlines of a scorecard stand on."""
    by_name = {(f.validator, f.metric): f for f in card.judged}
    for family, name in NUMBERS.items():
        if (finding := by_name.get(STANDS_ON[family])) is not None:
            decided = finding.estimate if finding.verdict not in UNDECIDED else None
            writing.number(name, decided, f"{finding.verdict}: {finding.reason}")


def entry_of_comparison(comparison: Comparison, *, folder: Path | None, name: str | None = None) -> Entry:
    """Return what is logged of a comparison: a run for the whole, and one below it for each simulator."""
    writing = _Writing()
    writing.params |= _made(comparison.made_by) | {
        "seed": comparison.seed,
        "real": _side(comparison.people.side),
        "simulators": [each.name for each in comparison.simulators],
        "arms": [*comparison.arms],
        "control": comparison.control,
        "treatment": comparison.treatment,
    }
    writing.metrics["simulators"] = len(comparison.simulators)
    writing.files["comparison.json"] = comparison.to_json()
    writing.page(folder, *PAGES)
    parts = tuple(map(_simulator, comparison.simulators))
    return writing.entry(name or "comparison", "comparison", parts)


def _simulator(report: SimulatorReport) -> Entry:
    writing = _Writing()
    if report.validation is not None:
        _findings(writing, report.validation)
        writing.files[FINDINGS] = report.validation.to_json()
    else:
        writing.params |= {"simulated": _side(report.side)} | _run_of(report.side)
        writing.tags["reason"] = report.not_judged or "nothing was asked"
    writing.params |= {"shoppers": [*report.shoppers], "models": [*report.models]}
    known = {"mean_distance": report.mean_distance, "reaction_ratio": report.reactions.ratio}
    if report.validation is None:
        known["human_likeness_score"] = report.hls
    for name, found in known.items():
        if found is not None:
            decided = None if found.verdict in UNDECIDED else found.estimate
            writing.number(name, decided, found.reason)
    if report.counterfactual is not None:
        writing.tags |= {
            f"verdict.{h.name}": h.verdict for h in report.counterfactual.headlines if h.name != "all"
        }
    writing.gate(report.gate)
    return writing.entry(report.name, "simulator")


def entry_of_study(summary: StudySummary, *, folder: Path | None, name: str | None = None) -> Entry:
    """Return what is logged of a whole study: a run for it, and one below it for each variant.

    Where runs were judged together there is a run with what was found of them, and after it one for each of them.
    """
    writing = _Writing()
    writing.params |= _made(summary.made_by) | {
        "study": summary.name,
        "seed": summary.seed,
        "real": summary.real,
    }
    writing.metrics |= {"variants": len(summary.variants), "variants.unfinished": len(summary.unfinished)}
    writing.files["summary.json"] = summary.to_json()
    writing.page(folder, "index.html", *(PAGES if summary.comparison is not None else ()))
    parts = tuple(part for group in summary.together for part in _group(group, folder))
    return writing.entry(name or summary.name, "study", parts)


def _group(group: Sequence[VariantSummary], folder: Path | None) -> Iterator[Entry]:
    """Yield what is logged of a variant, or of variants that were judged together and of each of them."""
    first = group[0]
    writing = _Writing()
    _ran(writing, group, folder)
    _judged(writing, first, folder)
    if first.simulator is None:
        yield writing.entry(first.name, "variant")
        return
    writing.metrics["seeds"] = len(group)
    yield writing.entry(first.simulator, "simulator")
    for each in group:
        writing = _Writing()
        _ran(writing, [each], folder)
        writing.params["judged_as"] = first.simulator
        writing.number("own_distance", each.own_distance, each.reason or NOT_KNOWN)
        yield writing.entry(each.name, "variant")


def _ran(writing: _Writing, group: Sequence[VariantSummary], folder: Path | None) -> None:
    """Add what variants change, the plan of their run, and what they came to together; no seed where they differ."""
    first = group[0]
    several = len(group) > 1
    changes = {k: v for k, v in first.changes.items() if all(each.changes.get(k) == v for each in group)}
    writing.params["changes"] = changes
    if folder is not None:
        plan = _plan(folder / first.folder)
        writing.params |= {k: v for k, v in plan.items() if not (several and k in DRAWN)}
    writing.metrics |= {
        "conversations": sum(each.planned - each.missing for each in group),
        "failed": sum(each.failed for each in group),
    }
    costs = [each.cost_usd for each in group if each.cost_usd is not None]
    whole = sum(costs) if len(costs) == len(group) else None
    writing.number("cost_usd", whole, first.reason or NOT_KNOWN)


def _judged(writing: _Writing, variant: VariantSummary, folder: Path | None) -> None:
    """Add what was found of a variant, with the reports that its summary names: no others that lie in its folder."""
    if (card := _card(folder, variant, "scorecard")) is not None:
        _findings(writing, card)
        writing.page((folder or Path()) / Path(variant.pages["scorecard"]).parent, FINDINGS, REPORT)
    if (card := _card(folder, variant, "reactions")) is not None:
        _numbers(writing, card)
    writing.number("mean_distance", variant.mean_distance, variant.reason or NOT_KNOWN)
    writing.headlines(variant.headlines)
    writing.tags |= {f"verdict.{each.name}": each.verdict for each in variant.reactions if each.name != "all"}
    for each in (*variant.headlines, *variant.reactions):
        if each.name != "all" and (name := NUMBERS[each.name]) not in writing.metrics:
            undecided = each.verdict in UNDECIDED
            reason = f"{each.verdict}: {each.reason}" if undecided else "its report was not there to read"
            writing.tags.setdefault(f"absent.{name}", reason)
    if variant.passed is not None:
        writing.tags["gate"] = "passed" if variant.passed else "failed"
    if variant.reason is not None:
        writing.tags["reason"] = variant.reason


def _card(folder: Path | None, variant: VariantSummary, what: str) -> Scorecard | None:
    """Read one of a variant's reports; None where its summary names none, or it is not there."""
    from convsim.report import read_scorecard

    if folder is None or what not in variant.pages:
        return None
    within = (folder / variant.pages[what]).parent
    return read_scorecard(within) if (within / FINDINGS).is_file() else None


def entry_of_run(folder: Path, *, name: str | None = None) -> Entry:
    """Return what is logged of a run folder; raises InputError where it is none."""
    writing = _Writing()
    writing.params |= _plan(folder)
    if not writing.params:
        raise InputError(f"{folder}: is no run folder: it has no {MANIFEST}")
    conversations = read(folder).conversations
    used = Usage.sum(tuple(each.usage for each in conversations if each.usage is not None))
    writing.metrics |= {
        "conversations": len(conversations),
        "failed": sum(each.failure is not None for each in conversations),
    }
    writing.metrics |= {f"ending.{e}": n for e, n in Counter(each.ending for each in conversations).items()}
    unknown = "not known of every conversation"
    writing.number("cost_usd", used.cost_usd, unknown)
    writing.number("input_tokens", used.input_tokens, unknown)
    writing.number("output_tokens", used.output_tokens, unknown)
    writing.files[MANIFEST] = folder / MANIFEST
    return writing.entry(name or str(writing.params["study"]), "run")


def _made(made_by: MadeBy | None) -> dict[str, JsonValue]:
    if made_by is None:
        return {}
    return {"convsim": made_by.convsim, **({"command": [*made_by.command]} if made_by.command else {})}


def _side(side: SideSummary) -> dict[str, JsonValue]:
    return {
        "n": side.n,
        "sha256": side.sha256,
        "simulator": side.simulator,
        "arms": [*side.arms],
        "tasks": [*side.tasks],
    }


def _run_of(side: SideSummary) -> dict[str, JsonValue]:
    """Return the plan of the run that a side was read from, if it still is there and is the same."""
    folder = Path(side.path) if side.path else None
    if folder is None or not (folder / MANIFEST).is_file() or not (folder / CONVERSATIONS).is_file():
        return {}
    with open_input(folder / CONVERSATIONS) as file:
        is_same = hashlib.file_digest(file, "sha256").hexdigest() == side.sha256
    return _plan(folder) if is_same else {}


def _plan(folder: Path) -> dict[str, JsonValue]:
    """Return who spoke with whom in a run, with which versions; empty where there is no manifest."""
    if not (folder / MANIFEST).is_file():
        return {}
    manifest = read_manifest(folder)
    plan = manifest["plan"]
    assert isinstance(plan, dict)  # ``read_manifest`` has looked
    personas = plan.get("personas")
    told = {key: value for key, value in plan.items() if key not in ("personas", "seed")}
    return {
        **told,
        "personas": len(personas) if isinstance(personas, list) else None,
        "study_seed": plan.get("seed"),
        "versions": manifest.get("versions"),
        "git": manifest.get("git"),
    }


def _flat(document: Mapping[str, JsonValue], above: str = "") -> Iterator[tuple[str, JsonValue]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        elif value is not None:
            yield f"{above}{key}", value


def _key(name: str) -> str:
    return ODD.sub("_", name)[:MAX_KEY]


def _value(value: JsonValue) -> str | int | float | bool:
    if isinstance(value, int | float):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return _text(", ".join(map(str, value)))
    return _text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _text(value: str) -> str:
    return plain(without_keys(value[: 4 * MAX_CHARACTERS]), limit=MAX_CHARACTERS - 1)
