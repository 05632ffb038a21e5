"""How well an annotator agrees with people, asked in one call: it labels conversations that people have labelled."""

from __future__ import annotations

from convsim._async import refuse_in_a_loop, run_to_its_end
from convsim.annotation.agreement import AgreementReport, check
from convsim.annotation.run import aannotate
from convsim.errors import InputError
from convsim.io import Source
from convsim.lifting import AnnotatorLike, lift_annotator


def check_annotator(
    real: Source, annotator: AnnotatorLike, *, against: str = "self", seed: int = 0
) -> AgreementReport:
    """Measure how far an annotator, such as a judge, agrees with the labels that people gave.

    Args:
        real: Conversations that carry labels by ``against``.
        annotator: Who labels them: an annotator, or a function of one conversation.
        against: Whose labels are the reference, such as ``self`` (the user's own) or ``third_party``.
        seed: Random seed of the intervals.

    Raises:
        InputError: The conversations cannot be read or labelled, or have no label by ``against``; or an event loop is
            running already, where it is ``await acheck_annotator(…)``.
        PluginError: ``annotator`` is none.
    """
    refuse_in_a_loop("convsim.check_annotator", "await convsim.acheck_annotator(…)")
    return run_to_its_end(lambda: acheck_annotator(real, annotator, against=against, seed=seed))


async def acheck_annotator(
    real: Source, annotator: AnnotatorLike, *, against: str = "self", seed: int = 0
) -> AgreementReport:
    """Do as ``check_annotator`` does, in the caller's own event loop.

    Raises:
        InputError: The conversations cannot be read or labelled, or have no label by ``against``.
        PluginError: ``annotator`` is none.
    """
    lifted = lift_annotator(annotator)
    done = await aannotate(real, lifted)
    if done.n_failed and not done.n_labelled + done.n_already:
        reason = done.reasons.most_common(1)[0][0]
        raise InputError(
            f"{lifted.name} could label none of {len(done.conversations)} conversations: {reason}"
        )
    return check(done.conversations, done.conversations, source=done.source, against=against, seed=seed)
