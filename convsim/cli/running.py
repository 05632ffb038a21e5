"""Runs a study as commands do: servers are asked first, and a bar shows how far it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from convsim.cli.console import err

if TYPE_CHECKING:
    from convsim.simulation import Assembly, Outcome, Study


def checking(study: Study, assembly: Assembly) -> Callable[[int], Awaitable[None]]:
    """Return what checks the servers of a study before many conversations are held."""
    from convsim.simulation.check import SHORT_RUN, check_before

    async def before(missing: int) -> None:
        if missing > SHORT_RUN:
            await check_before(study, catalogue=assembly.sold(), tell=err().print)

    return before


def run_shown(study: Study, run: Callable[..., Outcome]) -> Outcome:
    """Run a study with a progress bar where there is a terminal; ``run`` is its ``run``, but for ``on_change``."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from convsim.simulation import Progress
    from convsim.simulation.handles import affordable, file_limit

    talk = err()
    if (affords := affordable(study.concurrency)) < study.concurrency:
        talk.print(
            f"concurrency {study.concurrency} is lowered to {affords}: this process may have only {file_limit()} files "
            "and connections open (ulimit -n)"
        )
    total = study.n * len(study.arms)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=talk, transient=True, disable=not talk.is_terminal) as bar:
        task = bar.add_task("running conversations", total=total)
        told: list[str] = []

        def show(progress: Progress) -> None:
            if progress.stop == "interrupted" and not told:
                told.append(
                    "interrupted: the conversations that are running are finished; Ctrl-C again stops them"
                )
                talk.print(told[0])
            speed = bar.tasks[task].speed
            rate = f", {speed:.1f}/s" if speed else ""
            cost = f", ${progress.cost_usd:.2f}" if progress.cost_usd else ""
            unpriced = ", price unknown" if progress.unpriced else ""
            failed = f", {progress.failed} failed" if progress.failed else ""
            bar.update(
                task,
                completed=progress.ended,
                description=f"running conversations{rate}{cost}{unpriced}{failed}",
            )

        return run(on_change=show)
