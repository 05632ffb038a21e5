"""The document of an agreement check: one entry a label and level."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from convsim._inputs import read_toml
from convsim.schema import ExplainedEstimate
from convsim.schema.record import Count, Number, Record

Level = Literal["message", "conversation"]
Scale = tuple[Number, Number]
Statistic = Literal["kendall_tau_b", "kappa", "kappa_quadratic", "alpha", "accuracy", "macro_f1"]


class Part(Record):
    """A part of the document."""

    model_config = ConfigDict(populate_by_name=True)


class ClassScore(Part):
    """One class (an act, or a value of a scale) against all others."""

    name: str
    n_reference: Count
    """Items that the reference puts into the class."""
    n_annotated: Count
    prevalence_reference: Number
    """Proportion of the items, from 0 to 1."""
    prevalence_annotated: Number
    precision: ExplainedEstimate
    recall: ExplainedEstimate
    f1: ExplainedEstimate
    accuracy: ExplainedEstimate
    """Proportion of the items that both put into the class, or neither."""
    kappa: ExplainedEstimate
    alpha: ExplainedEstimate
    always_f1: Number
    """F1 of an annotator that gives this class to every item; 2p / (1 + p) at prevalence p."""


class Confusion(Part):
    """How many items of each reference value (rows) got each annotated value (columns)."""

    reference: tuple[Number, ...]
    annotated: tuple[Number, ...]
    counts: tuple[tuple[Count, ...], ...]


class Published(Part):
    """A level that others reported for a label, and between whom."""

    label: str
    name: str | None = None
    """The class that it is about; None for the label as a whole."""
    statistic: Statistic
    value: Number
    between: tuple[str, str]
    """Two kinds of source, such as ``judge`` and ``self``."""
    comparable: bool = False
    """Whether the check is between these two kinds."""
    source: str


class Agreement(Part):
    """One label at one level: how far the annotator and the reference agree on the items that both labelled.

    Ordinal labels are numbers; sets are lists of names, such as acts. Sets have no order: their accuracy, kappa and
    alpha take each whole set for one category.
    """

    label: str
    level: Level
    kind: Literal["ordinal", "sets"]
    n: Count
    """Items (user messages or conversations) that carry both labels."""
    n_conversations: Count
    n_units: Count
    """Independent units: users where known, else personas, else conversations."""
    n_unlabelled: Count
    """Items that the reference labels and the annotator does not."""
    n_left_out: Count
    """Items with both labels that are not compared: on other scales than most, or of another kind."""
    scale_annotated: Scale | None
    scale_reference: Scale | None
    kendall_tau_b: ExplainedEstimate
    kappa: ExplainedEstimate
    """Cohen's kappa, unweighted."""
    kappa_quadratic: ExplainedEstimate
    """Cohen's kappa, disagreements weighted by the squared distance of the values."""
    alpha: ExplainedEstimate
    """Krippendorff's alpha: ordinal, or nominal for sets."""
    accuracy: ExplainedEstimate
    majority_accuracy: Number | None
    """Accuracy of always giving the reference's most frequent value or set."""
    macro_f1: ExplainedEstimate
    """Mean F1 of the classes that occur on either side."""
    majority_macro_f1: Number | None
    """Macro F1 of always giving the most frequent single class."""
    always_macro_f1: Number | None
    """Mean ``always_f1`` of the classes."""
    classes: tuple[ClassScore, ...]
    confusion: Confusion | None
    published: tuple[Published, ...] = ()


class AgreementReport(Part):
    """What ``convsim annotator check`` prints: labels by ``source`` held against labels by ``against``."""

    schema_: Literal["convsim.annotation.agreement/1"] = Field(
        "convsim.annotation.agreement/1", alias="schema"
    )
    source: str
    against: str
    n_conversations: Count
    """Conversations that are in both files."""
    n_unlabelled: Count
    """Of these, those that carry no label by ``source`` at all."""
    seed: int
    n_resamples: Count
    warnings: tuple[str, ...] = ()
    entries: tuple[Agreement, ...] = ()

    def for_label(self, name: str, level: Level) -> Agreement | None:
        """Return the entry of a label, None where both did not give it."""
        return next((e for e in self.entries if (e.label, e.level) == (name, level)), None)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        document = self.model_dump(mode="json", by_alias=True)
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        names = ", ".join(f"{each.label} of a {each.level}" for each in self.entries)
        return f"AgreementReport({self.source} against {self.against}: {names})"

    def _repr_html_(self) -> str:
        from convsim.report.notebook import agreement_html

        return agreement_html(self)


class _File(Part):
    source: str
    level: tuple[dict[str, object], ...] = Field(min_length=1)


def published_for(label: str, *, source: str, against: str) -> tuple[Published, ...]:
    """Return what was reported of ``label``; ``comparable`` where it is between the same two kinds of source."""
    between = {source_kind(source), source_kind(against)}
    return tuple(
        level.model_copy(update={"comparable": set(level.between) == between})
        for level in _levels()
        if level.label == label
    )


def source_kind(source: str) -> str:
    """Return the kind of a label's source: ``judge`` for ``judge:model:hash``, ``self`` for ``self``."""
    return source.partition(":")[0]


@cache
def _levels() -> tuple[Published, ...]:
    file = _File.model_validate(read_toml(Path(__file__).with_name("published.toml")))
    return tuple(Published.model_validate({**level, "source": file.source}) for level in file.level)
