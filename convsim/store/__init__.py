"""What lies on disk while it is made, and is gone on with after an interruption."""

from convsim.store.folder import MANIFEST, Manifest, amend, claim
from convsim.store.run import CONVERSATIONS, Run, open_run

__all__ = ["CONVERSATIONS", "MANIFEST", "Manifest", "Run", "amend", "claim", "open_run"]
