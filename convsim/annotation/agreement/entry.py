"""One entry of the document, from what both kinds of label have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from convsim.annotation.agreement.document import Agreement, ClassScore, Confusion
from convsim.annotation.agreement.matching import Matched
from convsim.schema import ExplainedEstimate


def entry(
    matched: Matched,
    estimates: Mapping[str, ExplainedEstimate],
    *,
    classes: tuple[ClassScore, ...] = (),
    confusion: Confusion | None = None,
    comparable: bool = True,
) -> Agreement:
    """Put an entry together; ``estimates`` holds one of each statistic of ``Agreement``.

    Args:
        matched: The items.
        estimates: By the statistic's name.
        classes: Each class against all others.
        confusion: The table of values, where there is one.
        comparable: Whether the two sides' values mean the same, so that a constant answer has an accuracy.
    """
    always = [score.always_f1 for score in classes]
    most_frequent = Counter(matched.reference).most_common(1)[0][1]
    return Agreement(
        label=matched.label,
        level=matched.level,
        kind=matched.kind.kind,
        n=len(matched.annotated),
        n_conversations=len(set(matched.conversations)),
        n_units=len(set(matched.units)),
        n_unlabelled=matched.n_unlabelled,
        n_left_out=matched.n_left_out,
        scale_annotated=matched.kind.scale_annotated,
        scale_reference=matched.kind.scale_reference,
        majority_accuracy=most_frequent / len(matched.reference) if comparable else None,
        majority_macro_f1=max(always) / len(always) if always else None,
        always_macro_f1=sum(always) / len(always) if always else None,
        classes=classes,
        confusion=confusion,
        **estimates,
    )
