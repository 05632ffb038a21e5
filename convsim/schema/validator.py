"""What a validator does."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from convsim.schema.corpus import Corpus
from convsim.schema.finding import Finding


@runtime_checkable
class Validator(Protocol):
    """Compares simulated with real conversations; its settings are keyword fields with defaults.

    One that declares ``on_request = True`` runs only when it is named: what it asks must be set up first, such as which
    arms to compare.
    """

    @property
    def name(self) -> str:
        """What the validator is called in findings."""
        ...

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric; never raise for data that merely decide nothing."""
        ...
