"""``convsim data import``: a table made into conversations, with what was guessed and what became of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convsim._files import unwritten, write_whole
from convsim._text import plain
from convsim.cli import options
from convsim.cli.console import err, out, print_json
from convsim.cli.output import taking_file
from convsim.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from convsim.io.table import Account, Guess, TableImport
    from convsim.schema.conversation import Conversation

MAX_CHOICES = 40
ENDING = ".convsim.jsonl"
PACKED = (".gz", ".zst")

TableFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A table: CSV or TSV of any separator, rows of JSON, Parquet or Excel (.xlsx)."
    ),
]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="TOML that says what columns mean; the rest is guessed."),
]
SaveMap = Annotated[
    Path | None,
    typer.Option("--save-map", metavar="FILE", help="Save how the table was read, to edit or use again."),
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="File to write; by default beside the table, ending in .convsim.jsonl."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read all of it, and say what it would become.")]


def import_table(
    file: TableFile,
    map_file: Map = None,
    save_map: SaveMap = None,
    target: Target = None,
    dry_run: DryRun = False,
    skip_bad_lines: options.SkipBadLines = False,
    output: Annotated[
        options.TextOrJson, typer.Option("--format", help="Output format.")
    ] = options.TextOrJson.text,
    force: options.Force = False,
) -> None:
    """Import a table of messages as conversations.

    One row a message, a turn of two texts, or a conversation with its messages in a cell. What its columns mean is
    guessed from what stands in them and said; what is not clear is refused with the line of --map that decides.
    """
    from convsim.io import check_target
    from convsim.io.table import TableMapping, prepared, table_import

    written = target or default_target(file)
    for option, path in (("--out", written), ("--save-map", save_map)):
        if path is not None and path.resolve() == file.resolve():
            raise InputError(f"{option} {path}: is the table that is read; name another file")
    if not dry_run:
        check_target(written)
    with ExitStack() as taken:
        if not dry_run:
            taken.enter_context(taking_file(written, force=force))
        if save_map is not None:
            taken.enter_context(taking_file(save_map, force=force))
        mapping = TableMapping.read(map_file) if map_file else None
        found = prepared(file, mapping, skip_bad=skip_bad_lines)
        if output is options.TextOrJson.text:
            _print_guess(found, out())
        with table_import(found, skip_bad=skip_bad_lines) as imported:
            _deliver(imported, None if dry_run else written, mapping=save_map)
            if save_map is not None:
                write_whole(save_map, imported.mapping.to_toml(file))
    if output is options.TextOrJson.json:
        print_json(_document(imported, None if dry_run else written))
    else:
        _print_account(imported.account, out())
    for warning in imported.account.warnings():
        err().print(f"warning: {plain(warning)}")
    if dry_run:
        err().print("dry run: no conversation was written")
    else:
        err().print(f"wrote {imported.account.conversations} conversations to {written}")
    if save_map is not None:
        err().print(f"wrote the mapping to {save_map}")


def default_target(file: Path) -> Path:
    """Return the file beside a table that its conversations are written to."""
    name = "stdin" if file.name == "-" else file.name
    for ending in PACKED:
        name = name.removesuffix(ending)
    return file.parent / (Path(name).stem + ENDING)


def _deliver(imported: TableImport, target: Path | None, *, mapping: Path | None) -> None:
    """Write the conversations, or only make them.

    The file at ``mapping``, which is replaced afterwards, is taken away before they stand there: if this is killed, it
    never says of these how others were read.
    """
    from convsim.io import readable_line, write

    def conversations() -> Iterator[Conversation]:
        yield from imported.conversations()
        if target is not None and mapping is not None and mapping.is_file() and not mapping.is_symlink():
            with unwritten(mapping):
                mapping.unlink()

    if target is not None:
        write(target, conversations())
        return
    for conversation in conversations():
        readable_line(conversation)


def _print_guess(found: Guess, console: Console) -> None:
    """Print what each column was taken for."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for name in ("column", "meaning", "why", "example"):
        table.add_column(name, overflow="fold")
    for choice in found.choices[:MAX_CHOICES]:
        cells = (choice.column, choice.meaning, choice.why, choice.example)
        table.add_row(*(Text(plain(cell, limit=120)) for cell in cells))
    how: list[str] = [found.table.kind]
    how += [f"separator {found.table.separator!r}"] if found.table.separator else []
    how += [found.table.encoding] if found.table.encoding else []
    how += [f"sheet {found.table.sheet!r}"] if found.table.sheet else []
    console.print(Text(f"{plain(str(found.table.path))} ({plain(', '.join(how))})", style="bold"))
    console.print(table)
    kept = found.mapping.columns.keep or ()
    if kept:
        names = ", ".join(plain(name, limit=40) for name in kept[:MAX_CHOICES])
        console.print(Text(f"kept as metadata: {names}{', …' if len(kept) > MAX_CHOICES else ''}"))
    for said in found.said:
        console.print(Text(plain(said)))


def _print_account(account: Account, console: Console) -> None:
    """Print what became of the rows."""
    from rich.text import Text

    console.print()
    for line in _lines(account):
        console.print(Text(plain(line)))


def _lines(account: Account) -> Iterator[str]:
    dropped = "; none dropped"
    if account.dropped:
        unit = "" if account.unit == "rows" else f" {account.unit}"
        dropped = f"; dropped {account.dropped.total():,}{unit}: {_counted(account.dropped)}"
    yield f"rows: {account.rows:,} read, {account.used:,} used{dropped}"
    yield f"conversations: {account.conversations:,}; messages: {_counted(account.messages)}"
    if set(account.endings) - {"unknown"}:
        yield f"endings: {_counted(account.endings)}"
    if account.rated:
        yield f"ratings: {account.rated:,}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.most_common())


def _document(imported: TableImport, target: Path | None) -> dict[str, Any]:
    account = imported.account
    return {
        "file": str(account.path),
        "out": None if target is None else str(target),
        "format": imported.guess.table.kind,
        "columns": [asdict(choice) for choice in imported.guess.choices],
        "said": imported.guess.said,
        "mapping": imported.mapping.model_dump(mode="json", exclude_none=True),
        "account": {
            "rows": account.rows, "used": account.used, "dropped": account.dropped,
            "conversations": account.conversations, "messages": account.messages, "endings": account.endings,
            "ratings": account.rated,
        },
        "warnings": account.warnings(),
    }  # fmt: skip
