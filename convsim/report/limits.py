"""What a pass does not show: the same three lines under every report."""

from importlib.resources import files


def limits() -> list[str]:
    """Return the lines."""
    return files("convsim.report").joinpath("limits.txt").read_text(encoding="utf-8").splitlines()
