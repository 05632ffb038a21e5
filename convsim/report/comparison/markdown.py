"""The comparison as Markdown, for pull requests."""

from __future__ import annotations

from convsim.evaluation import Comparison
from convsim.report.comparison.sentences import limits, sentences, warnings
from convsim.report.comparison.tables import tables
from convsim.report.markdown import table_cell


def comparison_to_markdown(comparison: Comparison) -> str:
    """Return the comparison as GitHub-flavoured Markdown; names are escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("convsim.report"), autoescape=False, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["cell"] = table_cell
    return environment.get_template("comparison.md.j2").render(
        comparison=comparison,
        tables=list(tables(comparison)),
        sentences=sentences(comparison),
        warnings=warnings(comparison),
        limits=limits(),
    )
