"""Every error that convsim raises on purpose.

ConvsimError                 exit 3: a model, agent or file failed
├── InputError               exit 2: used wrongly, or bad input
│   ├── TranscriptError      a transcript file cannot be read: file, line, field, what was expected
│   ├── PluginError          no such plugin, or one that cannot be used
│   ├── StudyError           a study or run folder that cannot be used as asked
│   └── MissingExtraError    an optional dependency is not installed
├── ModelError               a chat model did not answer as asked
│   └── EmptyAnswerError     it answered with nothing
├── AgentError               the recommender under test did not answer as asked
├── FetchError               a download failed, or its checksum differs
├── TrackingError            an experiment tracker did not take the results, which are complete
└── TrainingError            training a shopper failed or was stopped; the same command goes on
"""

from pathlib import Path

TIMED_OUT = "timed out"
"""The kind of a failure that is that time has run out."""


class ConvsimError(Exception):
    """A failure outside the caller's input; its message is one line for people."""

    exit_code = 3
    kind = ""
    """Of a server's failure, for whoever counts them, such as ``HTTP 429``; empty where it is of no kind."""


class InputError(ConvsimError):
    """What the caller gave cannot be used; the message says what was asked, what was found, what to do."""

    exit_code = 2


class TranscriptError(InputError):
    """A transcript file that cannot be read, with its place."""

    def __init__(self, path: Path | str, problem: str, *, line: int | None = None, field: str | None = None):
        self.path, self.line, self.field, self.problem = Path(path), line, field, problem
        place = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{place}: {field + ': ' if field else ''}{problem}")


class PluginError(InputError):
    """No plugin of that name, or one that cannot be loaded."""


class StudyError(InputError):
    """A study, or a run folder, that cannot be used as asked."""


class MissingExtraError(InputError):
    """An optional dependency that this call needs is not installed."""

    def __init__(self, what: str, extra: str):
        index, checkout = f'pip install "convsim[{extra}]"', f'pip install ".[{extra}]"'
        super().__init__(f'{what} needs the extra "{extra}": {index}, in a checkout {checkout}')


class ModelError(ConvsimError):
    """A chat model did not answer as asked."""


class EmptyAnswerError(ModelError):
    """A chat model answered with nothing."""


class AgentError(ConvsimError):
    """The recommender under test did not answer as asked."""

    def __init__(self, *said: object, kind: str = ""):
        super().__init__(*said)
        self.kind = kind


class FetchError(ConvsimError):
    """A download failed, or its checksum differs."""


class TrackingError(ConvsimError):
    """An experiment tracker did not take the results; what was written to disk is complete."""


class TrainingError(ConvsimError):
    """Training a shopper failed or was stopped; what was written before stays."""
