"""Checks an annotator: its labels held against a reference's on the same conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from convsim._text import listed
from convsim.annotation.agreement.document import Agreement, AgreementReport, published_for
from convsim.annotation.agreement.matching import Matched, Pair, match_conversations, match_labels, sources
from convsim.annotation.agreement.ordinal import ordinal_agreement
from convsim.annotation.agreement.sets import set_agreement
from convsim.errors import InputError
from convsim.metrics.labels import ACTS
from convsim.schema.conversation import Conversation
from convsim.seeds import generator

MIN_RESAMPLES = 9
MAX_NAMED = 8


def check(
    annotated: Sequence[Conversation],
    reference: Sequence[Conversation],
    *,
    source: str,
    against: str,
    seed: int,
    n_resamples: int = 999,
    acts: Collection[str] | None = None,
) -> AgreementReport:
    """Measure how far labels by ``source`` agree with labels by ``against``, with 95 % intervals.

    Intervals are percentile bootstraps that draw whole units with replacement: users where known, else personas,
    else conversations.

    Args:
        annotated: Conversations that carry labels by ``source``.
        reference: The same conversations with labels by ``against``: the very same objects, or another file's, matched
            by id and words.
        source: The label source under test, such as ``rules:1``.
        against: The source it is held against, such as ``self``, ``third_party`` or another annotator's.
        seed: Moves the resampling.
        n_resamples: How often units are drawn.
        acts: The acts that exist; others are an error. None takes them as they come.

    Raises:
        InputError: No conversation is in both; a source gave no label; the two gave no label of the same name and level
            to the same item; an act does not exist; or too few resamples.
    """
    if n_resamples < MIN_RESAMPLES:
        raise InputError(f"n_resamples must be at least {MIN_RESAMPLES}, but is {n_resamples}")
    if annotated is reference and source == against:
        raise InputError(f"{source!r} cannot be compared with itself; give another source or another file")
    pairs, warnings = match_conversations(annotated, reference)
    matched = _common(pairs, source, against)
    if acts is not None:
        _check_acts(matched, acts)
    return AgreementReport(
        source=source,
        against=against,
        n_conversations=len(pairs),
        n_unlabelled=sum(source not in sources([pair[0]]) for pair in pairs),
        seed=seed,
        n_resamples=n_resamples,
        warnings=tuple(warnings),
        entries=tuple(_entry(labels, source, against, n_resamples, seed=seed) for labels in matched),
    )


def _common(pairs: Sequence[Pair], source: str, against: str) -> list[Matched]:
    given = sources([pair[0] for pair in pairs]), sources([pair[1] for pair in pairs])
    for wanted, names, side in ((source, given[0], "annotated"), (against, given[1], "reference")):
        if wanted not in names:
            raise InputError(
                f"no {side} conversation has a label by {wanted!r}; found: {_listed(names) or 'no labels at all'}"
            )
    matched = list(match_labels(pairs, source, against))
    if not matched:
        raise InputError(
            f"{source!r} and {against!r} have no labels in common: {_listed(given[0][source])} by the first, "
            f"{_listed(given[1][against])} by the second; names and levels must be the same"
        )
    return matched


def _entry(matched: Matched, source: str, against: str, n_resamples: int, *, seed: int) -> Agreement:
    rng = generator(seed, "reliability", matched.level, matched.label)
    compare = set_agreement if matched.kind.kind == "sets" else ordinal_agreement
    entry = compare(matched, n_resamples=n_resamples, rng=rng)
    known = published_for(matched.label, source=source, against=against)
    return entry.model_copy(update={"published": known})


def _check_acts(matched: Sequence[Matched], acts: Collection[str]) -> None:
    unknown = Counter(
        name
        for labels in matched
        if labels.label == ACTS
        for value in (*labels.annotated, *labels.reference)
        if isinstance(value, tuple)
        for name in value
        if name not in acts
    )
    if unknown:
        found = ", ".join(f"{name[:40]!r} ({n} times)" for name, n in unknown.most_common(MAX_NAMED))
        raise InputError(f"unknown acts among the labels: {found}; the acts are: {', '.join(acts)}")


def _listed(names: Collection[str]) -> str:
    return listed([repr(name[:40]) for name in sorted(names)], MAX_NAMED)
