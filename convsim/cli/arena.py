"""``convsim arena REAL SIM [SIM …]``."""

from __future__ import annotations

import contextlib
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from convsim._files import write_whole
from convsim._text import plain
from convsim.cli import options
from convsim.cli.console import err
from convsim.cli.deliver import deliver, taking
from convsim.cli.gating import check_junit
from convsim.cli.output import taking_file
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.web.blind_test import ArenaStudy, Database


TOKEN = "CONVSIM_ARENA_TOKEN"
"""The environment variable that may hold the token."""


class Shape(StrEnum):
    """What a rater is asked."""

    single = "single"
    pair = "pair"


def arena(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="REAL SIM...", help="Real conversations, then one file or run folder per simulator."
        ),
    ] = None,
    mode: Annotated[
        Shape,
        typer.Option(
            help="single: is this conversation human or simulated? pair: which of two is the human's?"
        ),
    ] = Shape.single,
    n: Annotated[int, typer.Option("--n", min=2, max=2000, help="Maximum number of trials per rater.")] = 60,
    seed: options.Seed = 0,
    database: Annotated[Path, typer.Option(help="SQLite file for the answers.")] = Path("arena.sqlite"),
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; raters need the token in the printed address unless it is loopback."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 8765,
    certificate: Annotated[
        Path | None, typer.Option(help="PEM certificate, with its chain: serve over HTTPS.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="PEM private key (default: in the certificate's file).")
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="https address that leads here, through a proxy or by a name."),
    ] = None,
    precision: Annotated[
        float,
        typer.Option(
            min=0.01, max=0.5, help="Half-width of the accuracy's interval at which there are enough answers."
        ),
    ] = 0.1,
    results: Annotated[
        bool, typer.Option("--results", help="Print the results in --database instead of serving.")
    ] = False,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --results: write every answer to FILE, which ends in .jsonl or .csv."
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(help="findings.json whose human-likeness scores are compared with the raters' answers."),
    ] = None,
    out_dir: Annotated[Path | None, options.OUT] = None,
    output: Annotated[options.Format, options.FORMAT] = options.Format.text,
    junit: options.Junit = None,
    allow_overlap: options.AllowOverlap = False,
    allow_failures: options.AllowFailures = False,
    force: options.Force = False,
) -> None:
    """Serve a blind test: can people spot simulated shoppers?"""
    from convsim.web.blind_test import Database

    if answers is not None and not results:
        raise InputError(f"--answers {answers}: belongs to --results; add it")
    if junit is not None and not results:
        raise InputError(f"--junit {junit}: belongs to --results; add it")
    check_junit(junit)
    kept = Database(database)
    study = None
    if files or not results:
        study = _study(files or [], mode, n, seed, allow_failures=allow_failures)
    if results:
        with taking(out_dir, force=force):
            if answers is not None:
                _export(kept, answers, force=force)
            _print_results(
                kept,
                study,
                scores=scores,
                out_dir=out_dir,
                output=output,
                junit=junit,
                allow_overlap=allow_overlap,
            )
    elif study is not None:
        where = _Where(host=host, port=port, certificate=certificate, key=key, public_url=public_url)
        _serve(kept, study, where, precision=precision)


def _study(files: list[Path], mode: Shape, n: int, seed: int, *, allow_failures: bool) -> ArenaStudy:
    from convsim.io import read
    from convsim.web.blind_test import prepare

    if len(files) < 2:
        raise InputError(
            f"convsim arena needs real conversations and those of at least one simulator; found {len(files)} files"
        )
    real, *simulated = [read(file) for file in files]
    return prepare(real, simulated, mode=mode.value, n=n, seed=seed, allow_failures=allow_failures)


def _export(database: Database, path: Path, *, force: bool) -> None:
    from convsim.web.blind_test.export import check_ending, exported

    check_ending(path)
    with taking_file(path, force=force):
        write_whole(path, exported(database, path))
    err().print(f"wrote {path}")


def _print_results(
    database: Database,
    study: ArenaStudy | None,
    *,
    scores: Path | None,
    out_dir: Path | None,
    output: options.Format,
    junit: Path | None,
    allow_overlap: bool,
) -> None:
    from convsim.web.blind_test import read_scores
    from convsim.web.blind_test import results as judged

    if study is not None and database.path.exists():
        database.open_for(study)
    card = judged(database, scores=read_scores(scores) if scores else None, allow_overlap=allow_overlap)
    deliver(card, out=out_dir, output=output, fail_on=None, junit=junit)


class _Where(NamedTuple):
    """Where the page is served, and how."""

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    public_url: str | None


def _serve(database: Database, study: ArenaStudy, where: _Where, *, precision: float) -> None:
    from convsim.web.blind_test.answers import number_of_answers
    from convsim.web.blind_test.progress import planned
    from convsim.web.security import Access, is_loopback
    from convsim.web.serving import address, certified, check_installed, listen, serve

    check_installed("serving an arena")
    from convsim.web.blind_test.application import application

    host, port, certificate, key, public_url = where
    if key is not None and certificate is None:
        raise InputError(f"--key {key}: the certificate is missing; add --certificate FILE")
    tls = certified(certificate, key) if certificate is not None else None
    access = Access.at(host, os.environ, variable=TOKEN, secure=tls is not None, public_url=public_url)
    kept = database.open_for(study)
    talk = err()
    with listen(host, port) as listening:
        said = [*kept.warnings, *([kept.overlap] if kept.overlap else [])]
        if not (access.secure or is_loopback(host)):
            said.append(
                "without HTTPS others on the network can read the token and all answers; --certificate FILE serves it"
            )
        for warning in said:
            talk.print(f"warning: {plain(warning)}")
        talk.print(f"seed {kept.seed}; {len(kept.trials)} trials per rater; answers go to {database.path}")
        enough = planned(precision)
        if enough is not None:
            talk.print(f"{enough} answers of all raters together make the accuracy precise to {precision:g}")
        talk.print(
            "open this address, or send it to your raters; Ctrl-C stops, and the same command continues:"
        )
        typer.echo(address(host, listening, access))
        with contextlib.suppress(KeyboardInterrupt):
            site = application(kept, database, access=access, precision=precision)
            serve(site, listening=listening, access=access, tls=tls)
        # Where the shell had SIGINT ignored, as in the background, the server ends on it without raising.
        n = number_of_answers(database)
        talk.print(
            f"stopped; {n} answers are saved; for the results: convsim arena --results --database FILE"
        )
