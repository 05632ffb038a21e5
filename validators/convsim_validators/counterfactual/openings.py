"""First user messages in two arms, and who said them of what need."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, IntArray
from convsim_validators.counterfactual.two_arm import NO_TASK, Arms

SAME_SHARE = 0.95
"""Of the units that met both arms: where so many say the very same in both, nothing depends on the arm."""


@dataclass(frozen=True)
class Openings:
    """First user messages of one side, in the tasks that both arms have."""

    texts: list[str]
    treated: BoolArray
    """Shape (n,)."""
    units: list[str]
    tasks: list[str]
    needs: list[tuple[str, str] | None]
    """Id and need of each conversation's persona, where it has one."""
    n_agent_first: int
    """Conversations left out because the agent spoke first."""
    n_without_text: int
    """Conversations left out because the user's first message is empty, or nobody said anything."""
    n_other_tasks: int
    """Conversations left out because the other arm has none of their task."""

    @classmethod
    def of(cls, corpus: Corpus, arms: Arms) -> Openings:
        """Take the first message of each conversation of either arm."""
        rows: list[tuple[str, bool, str, str, tuple[str, str] | None]] = []
        n_agent_first = n_without_text = 0
        for conversation, unit in zip(corpus.conversations, corpus.units, strict=True):
            if conversation.arm not in arms:
                continue
            first = next((m for m in conversation.messages if m.role in ("user", "assistant")), None)
            if first is not None and first.role == "assistant":
                n_agent_first += 1
            elif first is None or not first.content.strip():
                n_without_text += 1
            else:
                treated, persona = conversation.arm == arms.treatment, conversation.persona
                need = None if persona is None else (persona.id, persona.need)
                rows.append((first.content, treated, unit, conversation.task or NO_TASK, need))
        seen: dict[str, set[bool]] = defaultdict(set)
        for _, treated, _, task, _ in rows:
            seen[task].add(treated)
        kept = [row for row in rows if len(seen[row[3]]) == 2]
        return cls(
            [row[0] for row in kept],
            np.asarray([row[1] for row in kept], bool),
            [row[2] for row in kept],
            [row[3] for row in kept],
            [row[4] for row in kept],
            n_agent_first,
            n_without_text,
            len(rows) - len(kept),
        )

    @cached_property
    def unit_of(self) -> IntArray:
        """Shape (n,): the number of each conversation's unit."""
        return np.unique(np.asarray(self.units, str), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def task_of(self) -> IntArray:
        """Shape (n,): the number of each conversation's task."""
        return np.unique(np.asarray(self.tasks, str), return_inverse=True)[1].astype(np.int64)

    def n_units(self, *, treated: bool) -> int:
        """Count the units that met an arm."""
        return len(np.unique(self.unit_of[self.treated == treated]))

    @cached_property
    def pairs(self) -> list[bool]:
        """For each unit that met both arms, whether it said the same in both, message by message.

        Repeats stand in no known order, so the arms' messages are compared as heaps; where one arm has fewer, all of
        its messages must stand in the other.
        """
        said: dict[str, tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]] = {}
        for text, treated, unit, task in zip(self.texts, self.treated, self.units, self.tasks, strict=True):
            said.setdefault(unit, (Counter(), Counter()))[int(treated)][task, text] += 1
        return [one <= other or other <= one for one, other in said.values() if one and other]

    @cached_property
    def same_needs(self) -> bool:
        """Whether the same personas with the same needs opened in both arms."""
        met: tuple[Counter[object], Counter[object]] = (Counter(), Counter())
        for need, treated in zip(self.needs, self.treated, strict=True):
            if need is not None:
                met[int(treated)][need] += 1
        return 2 * (met[0] & met[1]).total() >= SAME_SHARE * len(self.needs)
