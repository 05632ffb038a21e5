"""How well the labels in a comparison agree with people's, where people labelled real conversations too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convsim.annotation.agreement import AgreementReport, check
from convsim.errors import InputError
from convsim.schema import Metric
from convsim.schema.conversation import Conversation

PEOPLE = ("self", "third_party")
N_RESAMPLES = 199


def agreements(
    real: Sequence[Conversation], metrics: Iterable[Metric], *, seed: int
) -> tuple[list[AgreementReport], list[str]]:
    """Check every annotator that metrics are read from against people's own labels of the real side.

    Returns:
        One document per annotator and kind of person; a sentence for each annotator whose agreement is unknown.
    """
    known: list[AgreementReport] = []
    unknown: list[str] = []
    annotators = dict.fromkeys(m.label.source for m in metrics if m.label and m.label.source not in PEOPLE)
    for source in annotators:
        checked = [made for against in PEOPLE if (made := _checked(real, source, against, seed=seed))]
        known += checked
        if not checked:
            unknown.append(
                f"how well labels by {source} agree with people's is unknown: no person labelled these "
                "conversations; where people did, convsim annotator check measures it"
            )
    return known, unknown


def _checked(real: Sequence[Conversation], source: str, against: str, *, seed: int) -> AgreementReport | None:
    try:
        return check(real, real, source=source, against=against, seed=seed, n_resamples=N_RESAMPLES)
    except InputError:  # these people gave no label of that kind
        return None
