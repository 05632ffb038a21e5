"""Corpora made of given numbers or texts, for tests of validators."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from convsim.contracts import Corpus, Metric
from convsim.conversation import Conversation, Message


def metric(name: str, role: str = "metric") -> Metric:
    return Metric(
        name=name, unit="units", level="conversation", description=name, source="a test",
        measure=lambda columns: np.zeros(columns.n), role="control" if role == "control" else "metric",
    )  # fmt: skip


def corpus(
    columns: Mapping[str, Sequence[float] | np.ndarray],
    *,
    texts: Sequence[str] | None = None,
    users: Sequence[str | None] | None = None,
    tasks: Sequence[str | None] | None = None,
    arms: Sequence[str | None] | None = None,
    prefix: str = "c",
    controls: Sequence[str] = (),
) -> Corpus:
    """Make a corpus whose table is ``columns``; what is not given is one user message and no user."""
    n = len(next(iter(columns.values()))) if columns else len(texts or ())
    conversations = [
        Conversation(
            id=f"{prefix}{i}",
            user=users[i] if users else None,
            task=tasks[i] if tasks else None,
            arm=arms[i] if arms else None,
            messages=(Message(role="user", content=texts[i] if texts else f"{prefix} {i}"),),
        )
        for i in range(n)
    ]
    table = pd.DataFrame(
        {name: np.asarray(values, float) for name, values in columns.items()},
        index=[c.id for c in conversations],
    )
    roles = {name: "control" if name in controls else "metric" for name in columns}
    return Corpus(conversations, table, {name: metric(name, roles[name]) for name in columns})
