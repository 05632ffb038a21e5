"""Makes one printable line of what somebody else's agent said, to stand in an error message."""

MAX_CHARACTERS = 200


def one_line(text: object) -> str:
    """Join the words of ``text`` without control characters; at most 200 characters."""
    said = str(text)[: 10 * MAX_CHARACTERS]
    line = " ".join("".join(character if character.isprintable() else " " for character in said).split())
    return line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1] + "…"
