"""What a trained classifier learned from and how well it does, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.annotation.classifier import Card, Score, Scores, Target
from convsim.report.tables import filled, number


def card_tables(card: Card) -> Iterator[RenderableType]:
    """Yield the parts of the screen in order: what it learned from, then one table per label."""
    n = len(card.learned_from.conversations)
    yield Text(
        f"classifier:{card.version}, learned from {n} conversations labelled by {plain(card.source, limit=80)}; "
        f"scores are from {card.folds}-fold cross-validation in which training and test folds share no user"
    )
    for warning in card.warnings:
        yield Text(f"warning: {plain(warning)}", style="yellow")
    for target, scores in zip(card.targets, card.scores, strict=True):
        yield _scores(target, scores)


def _scores(target: Target, scores: Scores) -> RenderableType:
    rows: list[tuple[str | Text, ...]] = [
        (
            Text(plain(found.name, limit=40)), str(found.n), _written(found.precision), _written(found.recall),
            _written(found.f1), number(found.f1_of_always),
        )
        for found in scores.classes
    ]  # fmt: skip
    tau = f"; Kendall's tau-b {_written(scores.tau_b)}" if scores.tau_b else ""
    note = (
        f"{scores.n} {target.level}s of {scores.n_groups} users or conversations. accuracy {_written(scores.accuracy)} "
        f"(always the most common: {number(scores.accuracy_of_commonest)}); macro F1 {_written(scores.macro_f1)} "
        f"(most common: {number(scores.macro_f1_of_commonest)}){tau}. always: F1 of giving this class to everything."
    )
    title = f"{plain(target.name, limit=40)} of a {target.level}".replace("[", "\\[")
    return filled((title, "n", "precision", "recall", "F1", "always"), rows, note)


def _written(score: Score) -> str:
    if score.interval is None:
        return number(score.estimate)
    return f"{number(score.estimate, figures=2)} [{', '.join(number(x, figures=2) for x in score.interval)}]"
