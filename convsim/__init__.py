"""Tells whether simulated users of a conversational recommender behave like people.

>>> import convsim
>>> card = convsim.validate("real.jsonl", "simulated.jsonl", seed=7)   # doctest: +SKIP
>>> card.findings[0].verdict                                           # doctest: +SKIP
"""

from importlib import import_module

TYPE_CHECKING = False  # typing takes longer to import than all of this
if TYPE_CHECKING:
    from convsim.agents import fault

    __version__: str
    from convsim.errors import ConvsimError, InputError
    from convsim.evaluation.comparing import acompare, compare
    from convsim.evaluation.comparison import Comparison
    from convsim.evaluation.counterfactual import (
        acheck_relations,
        acounterfactual,
        adose_response,
        check_relations,
        counterfactual,
        dose_response,
    )
    from convsim.evaluation.gate import Gate
    from convsim.evaluation.planned import Plan
    from convsim.evaluation.planning import aplan, plan
    from convsim.evaluation.scorecard import Scorecard
    from convsim.evaluation.tune import atune, tune
    from convsim.evaluation.tuning import Tuning
    from convsim.evaluation.validation import avalidate, validate
    from convsim.io import Transcripts, read, write
    from convsim.metrics import measure, metric
    from convsim.report import read_comparison, read_scorecard
    from convsim.schema import BaseValidator, Corpus, Finding, Metric, Validator
    from convsim.schema.conversation import Conversation, Item, Label, Message
    from convsim.schema.persona import Persona
    from convsim.simulation import Study

HOMES = {
    "agents": ("fault",),
    "evaluation": (
        "Comparison",
        "Gate",
        "Plan",
        "Scorecard",
        "Tuning",
        "acheck_relations",
        "acompare",
        "acounterfactual",
        "adose_response",
        "aplan",
        "atune",
        "avalidate",
        "check_relations",
        "compare",
        "counterfactual",
        "dose_response",
        "plan",
        "tune",
        "validate",
    ),
    "schema": ("BaseValidator", "Corpus", "Finding", "Metric", "Validator"),
    "schema.conversation": ("Conversation", "Item", "Label", "Message"),
    "errors": ("ConvsimError", "InputError"),
    "metrics": ("measure", "metric"),
    "schema.persona": ("Persona",),
    "io": ("Transcripts", "read", "write"),
    "report": ("read_comparison", "read_scorecard"),
    "simulation": ("Study",),
}
"""Where each public name lives; it is imported when it is first asked for, so that the command line starts at once."""

__all__ = [
    "BaseValidator",
    "Comparison",
    "Conversation",
    "ConvsimError",
    "Corpus",
    "Finding",
    "Gate",
    "InputError",
    "Item",
    "Label",
    "Message",
    "Metric",
    "Persona",
    "Plan",
    "Scorecard",
    "Study",
    "Transcripts",
    "Tuning",
    "Validator",
    "acheck_relations",
    "acompare",
    "acounterfactual",
    "adose_response",
    "aplan",
    "atune",
    "avalidate",
    "check_relations",
    "compare",
    "counterfactual",
    "dose_response",
    "fault",
    "measure",
    "metric",
    "plan",
    "read",
    "read_comparison",
    "read_scorecard",
    "tune",
    "validate",
    "write",
]


if not TYPE_CHECKING:  # or else a type checker would take any name for one of ours

    def __getattr__(name):
        if name == "__version__":
            return import_module("convsim.io.provenance").own_version()
        for home, names in HOMES.items():
            if name in names:
                return getattr(import_module(f"convsim.{home}"), name)
        raise AttributeError(f"module 'convsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
