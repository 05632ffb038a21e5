"""Tells whether simulated users of a conversational recommender behave like people.

>>> import convsim
>>> card = convsim.validate("real.jsonl", "simulated.jsonl", seed=7)   # doctest: +SKIP
>>> card.findings[0].verdict                                           # doctest: +SKIP
"""

from importlib import import_module

TYPE_CHECKING = False  # typing takes longer to import than all of this
if TYPE_CHECKING:
    from convsim._progress import Step, progress_to
    from convsim.agents import fault
    from convsim.annotation import aannotate, acheck_annotator, annotate, check_annotator

    __version__: str
    from convsim.errors import ConvsimError, InputError
    from convsim.evaluation.calibrating import acalibrate, calibrate
    from convsim.evaluation.calibration import Calibration
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
    from convsim.evaluation.drifting import Drift, adrift, drift
    from convsim.evaluation.gate import Gate
    from convsim.evaluation.planned import Plan
    from convsim.evaluation.planning import aplan, plan
    from convsim.evaluation.probe import aprobe, probe
    from convsim.evaluation.probing.document import Probe
    from convsim.evaluation.ranking import Ranking, arank, rank
    from convsim.evaluation.scorecard import Scorecard
    from convsim.evaluation.tune import atune, tune
    from convsim.evaluation.tuning import Tuning
    from convsim.evaluation.validation import avalidate, validate
    from convsim.io import Transcripts, demo_data, read, read_table, split, write
    from convsim.metrics import measure, metric
    from convsim.models.own_prompts import export_prompts
    from convsim.report import read_comparison, read_scorecard
    from convsim.schema import BaseValidator, Corpus, Finding, Metric, Validator
    from convsim.schema.conversation import Conversation, Item, Label, Message
    from convsim.schema.persona import Persona
    from convsim.shoppers.finetuned import train_shopper
    from convsim.shoppers.policies import Policy, train_policy
    from convsim.simulation import (
        Arm,
        Study,
        draw_personas,
        make_agent,
        make_annotator,
        make_model,
        make_shopper,
        read_personas,
        worse_arm,
    )
    from convsim.tracking import log_to
    from convsim.workflow import StudySummary, arun_study, run_study

HOMES = {
    "_progress": ("Step", "progress_to"),
    "agents": ("fault",),
    "annotation": ("aannotate", "acheck_annotator", "annotate", "check_annotator"),
    "evaluation": (
        "Calibration",
        "Comparison",
        "Drift",
        "Gate",
        "Plan",
        "Probe",
        "Ranking",
        "Scorecard",
        "Tuning",
        "acalibrate",
        "acheck_relations",
        "acompare",
        "acounterfactual",
        "adose_response",
        "adrift",
        "aplan",
        "aprobe",
        "arank",
        "atune",
        "avalidate",
        "calibrate",
        "check_relations",
        "compare",
        "counterfactual",
        "dose_response",
        "drift",
        "plan",
        "probe",
        "rank",
        "tune",
        "validate",
    ),
    "schema": ("BaseValidator", "Corpus", "Finding", "Metric", "Validator"),
    "schema.conversation": ("Conversation", "Item", "Label", "Message"),
    "errors": ("ConvsimError", "InputError"),
    "metrics": ("measure", "metric"),
    "schema.persona": ("Persona",),
    "models.own_prompts": ("export_prompts",),
    "io": ("Transcripts", "demo_data", "read", "read_table", "split", "write"),
    "report": ("read_comparison", "read_scorecard"),
    "shoppers.finetuned": ("train_shopper",),
    "shoppers.policies": ("Policy", "train_policy"),
    "simulation": (
        "Arm",
        "Study",
        "draw_personas",
        "make_agent",
        "make_annotator",
        "make_model",
        "make_shopper",
        "read_personas",
        "worse_arm",
    ),
    "tracking": ("log_to",),
    "workflow": ("StudySummary", "arun_study", "run_study"),
}
"""Where each public name lives; it is imported when it is first asked for, so that the command line starts at once."""

__all__ = [
    "Arm",
    "BaseValidator",
    "Calibration",
    "Comparison",
    "Conversation",
    "ConvsimError",
    "Corpus",
    "Drift",
    "Finding",
    "Gate",
    "InputError",
    "Item",
    "Label",
    "Message",
    "Metric",
    "Persona",
    "Plan",
    "Policy",
    "Probe",
    "Ranking",
    "Scorecard",
    "Step",
    "Study",
    "StudySummary",
    "Transcripts",
    "Tuning",
    "Validator",
    "aannotate",
    "acalibrate",
    "acheck_annotator",
    "acheck_relations",
    "acompare",
    "acounterfactual",
    "adose_response",
    "adrift",
    "annotate",
    "aplan",
    "aprobe",
    "arank",
    "arun_study",
    "atune",
    "avalidate",
    "calibrate",
    "check_annotator",
    "check_relations",
    "compare",
    "counterfactual",
    "demo_data",
    "dose_response",
    "draw_personas",
    "drift",
    "export_prompts",
    "fault",
    "log_to",
    "make_agent",
    "make_annotator",
    "make_model",
    "make_shopper",
    "measure",
    "metric",
    "plan",
    "probe",
    "progress_to",
    "rank",
    "read",
    "read_comparison",
    "read_personas",
    "read_scorecard",
    "read_table",
    "run_study",
    "split",
    "train_policy",
    "train_shopper",
    "tune",
    "validate",
    "worse_arm",
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
