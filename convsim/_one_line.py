"""Makes one printable line of what a server, a library or somebody's agent said, to stand in an error message."""

MAX_LENGTH = 200


def one_line(text: object, *, without: str = "") -> str:
    """Join the words of ``text`` without control characters and the secret ``without``; 200 characters."""
    said = str(text)[: 10 * MAX_LENGTH]
    if without:
        said = said.replace(without, "***")
    printable = "".join(character if character.isprintable() else " " for character in said)
    line = " ".join(printable.split())
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"
