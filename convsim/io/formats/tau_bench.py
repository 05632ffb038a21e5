"""tau-bench: trajectories, as its ``historical_trajectories`` and ``results`` hold them, objects with ``traj``.

Source: sierra-research/tau-bench, ``tau_bench/types.py`` (``EnvRunResult``: task_id, reward, info, traj, trial). Every
user in such a file is simulated; the token that ends a conversation (``###STOP###``) is cut with all others. A
trajectory that an error broke off is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from convsim._text import one_line
from convsim.io.formats.contract import Format, Made, Notes, Record
from convsim.io.problems import MalformedError, shown

SOURCE = "tau-bench"
KEPT = ("reward", "info", "trial")


def _recognises(value: JsonValue) -> bool:
    return isinstance(value, dict) and isinstance(value.get("traj"), list) and "task_id" in value


def _conversations(record: Record, _: Notes) -> Iterator[Made]:
    value = record.value
    if not isinstance(value, dict) or not isinstance(value.get("traj"), list):
        raise MalformedError("must be an object with task_id and traj", field=None)
    task, trial = value.get("task_id"), value.get("trial")
    if not isinstance(task, int | str) or isinstance(task, bool):
        raise MalformedError(f"must be text or a whole number, but is {shown(task)}", field="task_id")
    info = value.get("info")
    error = info.get("error") if isinstance(info, dict) else None
    yield {
        "id": f"{SOURCE}-{task}" if trial is None else f"{SOURCE}-{task}-{trial}",
        "task": str(task),
        "simulator": f"{SOURCE} user",
        "source": SOURCE,
        "messages": value["traj"],
        "failure": {"reason": f"{SOURCE}: {one_line(error)}"} if error else None,
        "metadata": {key: value[key] for key in KEPT if value.get(key) is not None},
    }


TAU_BENCH = Format(
    "tau-bench", "tau-bench", ("task_id", "reward", "info", "traj", "trial"), _recognises, _conversations
)
