"""What a smaller model loses by saying something else than its teacher and than people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsim.shoppers.finetuned.encode import IGNORED

if TYPE_CHECKING:
    import torch


def distillation_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    labels: torch.Tensor,
    *,
    temperature: float,
    weight: float,
    num_items_in_batch: int | None = None,
) -> torch.Tensor:
    """Return how far a student is from its teacher and from what was said, a token.

    ``weight`` of the Kullback-Leibler divergence of the student's softened distribution from the teacher's, times the
    squared temperature, and the rest of the cross entropy, at the tokens that are learned.

    Args:
        student_logits: Shape (rows, tokens, vocabulary); those at a token are for the next one.
        teacher_logits: The same shape.
        labels: Shape (rows, tokens); -100 where nothing is learned.
        temperature: What both distributions are softened by; above 0.
        weight: Proportion of the teacher, from 0 to 1.
        num_items_in_batch: Learned tokens of all rows that one optimizer step adds up; None takes those of these rows.

    Raises:
        ValueError: The shapes of the logits differ: the models do not share a vocabulary.

    Source:
        Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network, arXiv 1503.02531, section 2,
        with the divergence in place of the cross entropy, which differ by what the student cannot change.
    """
    from torch.nn import functional

    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            "a student needs its teacher's vocabulary: their logits have the shapes "
            f"{tuple(student_logits.shape)} and {tuple(teacher_logits.shape)}"
        )
    following = labels[:, 1:]
    learned = following != IGNORED
    student = student_logits[:, :-1][learned].float()
    teacher = teacher_logits[:, :-1][learned].float()
    divergence = functional.kl_div(
        (student / temperature).log_softmax(-1),
        (teacher / temperature).log_softmax(-1),
        log_target=True,
        reduction="sum",
    )
    surprise = functional.cross_entropy(student, following[learned], reduction="sum")
    count = num_items_in_batch if num_items_in_batch is not None else learned.sum()
    loss: torch.Tensor = (weight * temperature**2 * divergence + (1 - weight) * surprise) / count
    return loss
