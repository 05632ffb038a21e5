"""``convsim metrics``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, NamedTuple, cast

import typer

from convsim._text import nearest, plain
from convsim.cli import options
from convsim.cli.console import out, print_json
from convsim.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from convsim.schema import Columns, Metric
    from convsim.text.language import Language
    from convsim.text.lexicons import Lexicon

NOTE = (
    "Of the agent or the data, and so not judged: control. Judge some alone: --metrics NAMES. Your own: --metrics "
    "module:function."
)

WITHOUT_LISTS = "fi"
"""A language without word lists of ours, written with spaces, capitals and final marks."""


class Listed(NamedTuple):
    """A metric, and the validator that judges it."""

    metric: Metric
    validator: str


def metrics(
    name: Annotated[str | None, typer.Argument(help="Show this metric alone, with its source.")] = None,
    output: Annotated[
        options.TextOrJson, typer.Option("--format", help="Output format.")
    ] = options.TextOrJson.text,
) -> None:
    """List the metrics: what each counts, and who judges it."""
    found = _built_in()
    if name is not None:
        known = [each.metric.name for each in found]
        if name not in known:
            meant = nearest(name, known)
            hint = f"; did you mean {meant!r}?" if meant else ""
            raise InputError(f"there is no metric {name!r}{hint} (convsim metrics lists them)")
        found = [each for each in found if each.metric.name == name]
    if output is options.TextOrJson.json:
        print_json([_document(each) for each in found])
        return
    console = out()
    for part in _table(found) if name is None else _page(found[0]):
        console.print(part)


def _built_in() -> list[Listed]:
    from convsim.evaluation.layout import SECTIONS
    from convsim.metrics import FAMILY_METRICS, METRICS, RELATION_METRICS

    judged = [Listed(metric, metric.judged_by) for metric in (*METRICS.values(), *FAMILY_METRICS.values())]
    return [*judged, *(Listed(metric, SECTIONS["relations"]) for metric in RELATION_METRICS.values())]


def _document(listed: Listed) -> dict[str, object]:
    metric = listed.metric
    languages, others = _languages(metric)
    return {
        "name": metric.name,
        "description": metric.description,
        "unit": metric.unit,
        "level": metric.level,
        "role": metric.role,
        "judged_by": listed.validator,
        "languages": languages,
        "other_languages": others,
        "moved_by_agent": metric.moved_by_agent,
        "source": metric.source,
    }


def _table(found: Sequence[Listed]) -> Iterator[RenderableType]:
    """Yield a heading for each validator, and a row for each metric that it judges."""
    from rich.table import Table
    from rich.text import Text

    for validator in dict.fromkeys(each.validator for each in found):
        yield Text(f"\njudged by {validator}", style="bold")
        rows = Table.grid(padding=(0, 2))
        for each in found:
            if each.validator == validator:
                said = Text(_first_sentence(each.metric.description))
                said.append(f" [{'; '.join(_facts(each.metric))}]", style="dim")
                rows.add_row(Text(f"  {each.metric.name}", no_wrap=True), said)
        yield rows
    yield Text(f"\n{NOTE}", style="dim")


def _page(listed: Listed) -> Iterator[RenderableType]:
    from rich.text import Text

    metric = listed.metric
    yield Text(f"{metric.name}: {'; '.join(_facts(metric))}", style="bold")
    yield Text(plain(metric.description, limit=10_000))
    yield Text(f"judged by: {listed.validator}")
    if metric.moved_by_agent:
        yield Text(f"no reaction to another agent: {metric.moved_by_agent}")
    yield Text(f"source: {plain(metric.source)}")


def _facts(metric: Metric) -> Iterator[str]:
    yield metric.unit
    if metric.role == "control":
        yield "control"
    languages, others = _languages(metric)
    if not others:
        yield f"in {' '.join(languages) or 'no language'} alone"
    elif lacking := [code for code in _sides() if code not in (*languages, WITHOUT_LISTS)]:
        yield f"not in {' '.join(lacking)}"


def _first_sentence(text: str) -> str:
    first = text.partition(". ")[0].removesuffix(".")
    return f"{plain(first)}."


@dataclass(frozen=True)
class _Side:
    """What a metric looks at to say whether it is defined in a language."""

    language: Language
    lexicon: Lexicon


@lru_cache
def _sides() -> dict[str, _Side]:
    """Make a side of each language that has word lists, and of one that has none."""
    from convsim.text.language import Language, tell_language
    from convsim.text.lexicons import SHIPPED, Lexicon, read_lexicon

    sides = {WITHOUT_LISTS: _Side(Language(code=WITHOUT_LISTS, n_letters=1), Lexicon())}
    for folder in sorted(path for path in SHIPPED.iterdir() if path.is_dir()):
        script = tell_language([" ".join(read_lexicon("thanks", folder.name))])
        language = Language(code=folder.name, n_letters=script.n_letters, has_case=script.has_case)
        sides[folder.name] = _Side(language, Lexicon())
    return sides


def _languages(metric: Metric) -> tuple[list[str], bool]:
    """Name the languages, of those with word lists, in which a metric has values, and tell whether it has in others."""
    reads = [code for code, side in _sides().items() if metric.why_undefined(cast("Columns", side)) is None]
    return [code for code in reads if code != WITHOUT_LISTS], WITHOUT_LISTS in reads
