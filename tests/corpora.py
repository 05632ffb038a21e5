"""Corpora made of given numbers or texts, for tests of validators."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from convsim.metrics import METRICS
from convsim.schema import Corpus, Metric
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona


def metric(name: str, role: str = "metric", unit: str = "units") -> Metric:
    return Metric(
        name=name, unit=unit, level="conversation", description=name, source="a test",
        measure=lambda columns: np.zeros(columns.n), role="control" if role == "control" else "metric",
        moved_by_agent=METRICS[name].moved_by_agent if name in METRICS else None,
    )  # fmt: skip


def corpus(
    columns: Mapping[str, Sequence[float] | np.ndarray],
    *,
    texts: Sequence[str] | None = None,
    users: Sequence[str | None] | None = None,
    tasks: Sequence[str | None] | None = None,
    arms: Sequence[str | None] | None = None,
    personas: Sequence[Persona | None] | None = None,
    faults: Sequence[str | None] | None = None,
    severities: Sequence[float | None] | None = None,
    prefix: str = "c",
    controls: Sequence[str] = (),
    shares: Sequence[str] = (),
) -> Corpus:
    """Make a corpus whose table is ``columns``; what is not given is one user message and no user.

    ``shares`` names the columns whose unit is a share, and so lies between 0 and 1.
    """
    n = len(next(iter(columns.values()))) if columns else len(texts or ())
    conversations = [
        Conversation(
            id=f"{prefix}{i}",
            user=users[i] if users else None,
            task=tasks[i] if tasks else None,
            arm=arms[i] if arms else None,
            persona=personas[i] if personas else None,
            fault=faults[i] if faults else None,
            severity=severities[i] if severities else None,
            messages=(Message(role="user", content=texts[i] if texts else f"{prefix} {i}"),),
        )
        for i in range(n)
    ]
    table = pd.DataFrame(
        {name: np.asarray(values, float) for name, values in columns.items()},
        index=[c.id for c in conversations],
    )
    roles = {name: "control" if name in controls else "metric" for name in columns}
    metrics = {
        name: metric(name, roles[name], "proportion" if name in shares else "units") for name in columns
    }
    return Corpus(conversations, table, metrics)


def ladder(
    columns: Mapping[str, np.ndarray],
    severities: Sequence[float],
    *,
    fault: str = "stale_context",
    bare: bool = True,
    controls: Sequence[str] = (),
    shares: Sequence[str] = (),
) -> Corpus:
    """Make a corpus of personas met at every severity; each column has the shape (personas, severities).

    Severity 0 is the bare agent, or with ``bare=False`` the wrapped agent at severity 0.
    """
    n = len(next(iter(columns.values())))
    at_zero = [bare and severity == 0 for severity in severities]
    return corpus(
        {name: np.asarray(values, float).ravel() for name, values in columns.items()},
        personas=[Persona(id=f"p{i}", need="a coat") for i in range(n) for _ in severities],
        faults=[None if zero else fault for zero in at_zero] * n,
        severities=[None if zero else s for zero, s in zip(at_zero, severities, strict=True)] * n,
        controls=controls,
        shares=shares,
    )


EMPTY = corpus({})
"""What a validator that needs no human conversations is given for them."""
