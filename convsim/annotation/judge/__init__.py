"""A chat model that labels acts and experience: its prompts are files, its answers are checked, its votes counted."""

from convsim.annotation.judge.judge import Judge

__all__ = ["Judge"]
