"""What may come back from somebody's annotator or validator, and the one-line reason when it may not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from pydantic import ValidationError

from convsim._text import complaint
from convsim.errors import ModelError
from convsim.lifting.moves import readable, validated
from convsim.lifting.reasons import kind_of, unknown_key
from convsim.schema import Annotation, Finding
from convsim.schema.conversation import Conversation, Label, Usage


def to_annotation(answer: object, conversation: Conversation, *, source: str, annotator: str) -> Annotation:
    """Make an annotation of what ``annotator`` answered, in any form that ``lift_annotator`` names.

    Raises:
        ModelError: Nothing, a wrong type, labels that are not JSON, or not as many as there are user messages.
    """
    with readable(annotator, ModelError):
        if isinstance(answer, Annotation):
            return answer
        if isinstance(answer, Mapping):
            is_whole = bool(answer) and all(
                key in ("messages", "conversation", "usage") and isinstance(value, Mapping | Usage)
                for key, value in answer.items()
            )
            parts = answer if is_whole else {"conversation": answer}
        elif isinstance(answer, list | tuple):
            places = [n for n, message in enumerate(conversation.messages) if message.role == "user"]
            if len(answer) != len(places) or not all(isinstance(part, Mapping | None) for part in answer):
                raise ModelError(
                    f"{annotator} returned {kind_of(answer)}; a list must have one dict of labels for each of the "
                    f"{len(places)} user messages"
                )
            parts = {"messages": {n: labels for n, labels in zip(places, answer, strict=True) if labels}}
        else:
            raise ModelError(f"{annotator} must return a dict of labels, but returned {kind_of(answer)}")
        stated = {
            "conversation": _labels(parts.get("conversation") or {}, source),
            "messages": {n: _labels(labels, source) for n, labels in (parts.get("messages") or {}).items()},
            **({"usage": parts["usage"]} if "usage" in parts else {}),
        }
        return validated(Annotation, stated, annotator, ModelError)


def _labels(labels: Mapping[object, object], source: str) -> dict[object, object]:
    return {name: _label(value, source) for name, value in labels.items()}


def _label(value: object, source: str) -> object:
    if isinstance(value, Label):
        return value
    if isinstance(value, Mapping) and "value" in value:
        return {"source": source, **value}
    return {
        "value": sorted(value) if isinstance(value, set | frozenset) else plain_number(value),
        "source": source,
    }


def to_findings(answer: object, known: Mapping[str, object], validator: str) -> Iterator[Finding]:
    """Yield the findings in what ``validator`` answered, in any form that ``lift_validator`` names.

    Args:
        answer: What it answered.
        known: The fields that the harness knows.
        validator: Who answered.

    Raises:
        TypeError: A wrong type, or fields that a finding does not have.
    """
    answer = plain_number(answer)
    if isinstance(answer, Finding):
        yield answer
    elif isinstance(answer, bool):
        verdict = "aligned" if answer else "different"
        yield Finding.model_validate(
            {**known, "verdict": verdict, "reason": f"{validator} answered {answer}"}
        )
    elif isinstance(answer, int | float):
        is_defined = math.isfinite(answer)
        reason = "the validator gives a number but no verdict" if is_defined else f"undefined ({answer})"
        stated = {"estimate": float(answer) if is_defined else None, "verdict": "undecided", "reason": reason}
        yield Finding.model_validate({**known, **stated})
    elif isinstance(answer, Mapping):
        names = [name for name in Finding.model_fields if name != "metadata"]
        for key in answer:
            if key not in names:
                raise TypeError(f"{validator} answered with {unknown_key(str(key), names)}")
        stated = {"verdict": "undecided", "reason": "no reason was given"}
        plain = {str(key): plain_number(value) for key, value in answer.items()}
        try:
            yield Finding.model_validate({**known, **stated, **plain})
        except ValidationError as error:
            raise TypeError(
                f"{validator} returned something invalid: {complaint(error, with_value=True)}"
            ) from None
    elif isinstance(answer, Iterable) and not isinstance(answer, str | bytes):
        for part in answer:
            yield from to_findings(part, known, validator)
    else:
        raise TypeError(
            f"{validator} must return findings, a number or a bool, but returned {kind_of(answer)}"
        )


def plain_number(value: object) -> object:
    """Return the Python number of a NumPy scalar; anything else is as it is."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        item: Callable[[], object] = value.item  # type: ignore[attr-defined]
        return item()
    return value
