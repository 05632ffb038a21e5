"""Text from transcripts made safe to print: transcripts are hostile text."""

import unicodedata


def plain(text: str, *, limit: int = 500) -> str:
    """Replace control and formatting characters and cut what is longer than ``limit`` characters."""
    shown = "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\t" else c for c in text[:limit]
    )
    return shown if len(text) <= limit else shown + "…"
