"""Comparisons: sides of conversations in, a scorecard out; several simulators in, a ranking out."""

from convsim.evaluation.budgets import Budget, budgets_of
from convsim.evaluation.calibrating import acalibrate, calibrate
from convsim.evaluation.calibration import Calibration
from convsim.evaluation.comparing import acompare, compare
from convsim.evaluation.comparison import Comparison, People, SimulatorReport
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
from convsim.evaluation.scorecard import FailOn, Scorecard, SideSummary
from convsim.evaluation.severity_zero import check_severity_zero
from convsim.evaluation.side_warnings import refuse_simulated_people
from convsim.evaluation.simulators import Simulators
from convsim.evaluation.tune import atune, tune
from convsim.evaluation.tuning import Tuning
from convsim.evaluation.until_decided import UntilDecided
from convsim.evaluation.validation import avalidate, default_validators, find_validators, validate

__all__ = [
    "Budget",
    "Calibration",
    "Comparison",
    "Drift",
    "FailOn",
    "Gate",
    "People",
    "Plan",
    "Probe",
    "Ranking",
    "Scorecard",
    "SideSummary",
    "SimulatorReport",
    "Simulators",
    "Tuning",
    "UntilDecided",
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
    "budgets_of",
    "calibrate",
    "check_relations",
    "check_severity_zero",
    "compare",
    "counterfactual",
    "default_validators",
    "dose_response",
    "drift",
    "find_validators",
    "plan",
    "probe",
    "rank",
    "refuse_simulated_people",
    "tune",
    "validate",
]
