"""Runs a study as commands do: servers are asked first, and what a user should know at once is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from convsim.cli.console import err

if TYPE_CHECKING:
    from convsim.simulation import Assembly, Outcome, Study, Workers


def checking(study: Study, assembly: Assembly) -> Callable[[int], Awaitable[None]]:
    """Return what checks the servers of a study before many conversations are held."""
    from convsim.simulation.check import SHORT_RUN, check_before

    async def before(missing: int) -> None:
        if missing > SHORT_RUN:
            await check_before(study, catalogue=assembly.sold(), tell=err().print)

    return before


def run_shown(study: Study, run: Callable[..., Outcome], workers: Workers | None = None) -> Outcome:
    """Run a study, and say what becomes of Ctrl-C; ``run`` is its ``run``, but for ``on_change``."""
    from convsim.simulation import Progress
    from convsim.simulation.handles import affordable, file_limit

    talk = err()
    stated = study.concurrency
    is_here = workers is None or workers.are_here  # other processes have files of their own
    if is_here and isinstance(stated, int) and (affords := affordable(stated)) < stated:
        talk.print(
            f"concurrency {stated} is lowered to {affords}: this process may have only {file_limit()} files "
            "and connections open (ulimit -n)"
        )
    told: list[str] = []

    def tell(progress: Progress) -> None:
        if progress.stop == "interrupted" and not told:
            told.append(
                "interrupted: the conversations that are running are finished; Ctrl-C again stops them"
            )
            talk.print(told[0])

    return run(on_change=tell)
