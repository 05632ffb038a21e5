"""The rules: an annotator of English that needs no model, documented rule by rule in ``rules.toml``."""

from convsim.annotation.rules.annotator import Rules

__all__ = ["Rules"]
