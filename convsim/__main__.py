"""``python -m convsim``."""

from convsim.cli import main

main()
