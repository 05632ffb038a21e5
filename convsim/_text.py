"""Text from transcripts made safe to print: transcripts are hostile text."""

import unicodedata


def described(error: BaseException) -> str:
    """Say in one line what was raised; of pydantic's complaints the record, the place and the first one."""
    from pydantic import ValidationError

    said = " ".join(str(error).split())
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        said = f"{error.title}: {place + ': ' if place else ''}{first['msg']}"
    return f"{type(error).__name__}: {said}"


def plain(text: str, *, limit: int = 500) -> str:
    """Replace control and formatting characters and cut what is longer than ``limit`` characters."""
    shown = "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\t" else c for c in text[:limit]
    )
    return shown if len(text) <= limit else shown + "…"
