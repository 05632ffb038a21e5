"""Do shoppers react to a worse agent as any shopper must? Declared relations, tested without a log of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from convsim._settings import ResampleCount, check_settings
from convsim.errors import InputError
from convsim.schema import Corpus, Finding
from convsim.stats.multiplicity import across_families
from convsim_validators.relations.cases import Case, cases_of, measure_relations
from convsim_validators.relations.relation import Relation, built_in_relations, check_names, read_relations
from convsim_validators.relations.relation_findings import RelationFindings


@dataclass(frozen=True, kw_only=True)
class Relations:
    """Tests metamorphic relations on simulated conversations of the same personas with a good and a worse agent.

    Directional relations are tested on paired differences over personas, one-sided; H0 is that a relation does not
    hold. Chance is what the same persona did at severity 0. That all hold says that shoppers react in the right
    direction, not that they react as strongly as people. ``real`` is not read.

    Source:
        Chen et al. (2018), Metamorphic testing: a review of challenges and opportunities, ACM Computing Surveys 51(1);
        the relations are declared in ``relations.toml``, and ours.
    """

    name: ClassVar[str] = "relations"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "relations declared by convsim; Chen et al. (2018), Metamorphic testing, ACM Computing Surveys 51(1)"
    )
    on_request: ClassVar[bool] = True

    relations: Sequence[Relation] | None = None
    """What is tested; by default the built-in list."""
    file: Path | str | None = None
    """A TOML file of relations, in place of the built-in list."""
    n_resamples: ResampleCount = 1999

    def __post_init__(self) -> None:
        """Check the settings and read the file; raises InputError."""
        check_settings(self, self.name)
        if self.relations is not None and self.file is not None:
            raise InputError(f"{self.name}: relations and file were both given; give one of them")
        if self.relations is not None and not self.relations:
            raise InputError(f"{self.name}.relations is empty; leave it out for the built-in list")
        check_names(self.chosen, self._where)

    @cached_property
    def chosen(self) -> list[Relation]:
        """The relations that are tested."""
        if self.file is not None:
            return read_relations(self.file)
        return list(built_in_relations() if self.relations is None else self.relations)

    @property
    def _where(self) -> str:
        return f"{self.name}.relations" if self.file is None else str(self.file)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return a finding a relation, or one a fault where it is asked of any, and ``severity_zero``.

        Raises:
            InputError: A relation names a metric that is not known.
        """
        measured = measure_relations(self.chosen, simulated, where=self._where)
        cases: dict[str, list[Case]] = {
            relation.name: list(
                cases_of(
                    relation, simulated, measured[relation.name], n_resamples=self.n_resamples, seed=seed
                )
            )
            for relation in self.chosen
            if relation.kind == "directional"
        }
        tested = {
            case.name: case.tested
            for found in cases.values()
            for case in found
            if case.tested and not case.tested.untestable
        }
        adjusted = across_families({name: [one.p_value] for name, one in tested.items()})
        opposite = across_families({name: [one.p_opposite] for name, one in tested.items()})
        report = RelationFindings(
            validator=self.name, version=self.version, source=self.source,
            n_real=len(real), seed=seed, n_resamples=self.n_resamples,
        )  # fmt: skip
        findings: list[Finding] = []
        for relation in self.chosen:
            if relation.kind == "hard":
                findings.append(report.hard(relation, simulated, measured[relation.name]))
            findings += [
                report.directional(
                    case, *(p_values.get(case.name, [None])[0] for p_values in (adjusted, opposite))
                )
                for case in cases.get(relation.name, ())
            ]
        return [*findings, report.severity_zero(simulated)]
