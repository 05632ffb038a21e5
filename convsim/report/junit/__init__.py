"""What was found, and what a gate said of it, as JUnit XML for the dashboards of CI servers."""

from convsim.report.junit.document import Case, Suite, document, judged
from convsim.report.junit.scorecard import comparison_to_junit, suites_of, to_junit
from convsim.report.junit.verdicts import (
    agreement_to_junit,
    calibration_to_junit,
    checks_to_junit,
    drift_to_junit,
    probe_to_junit,
    ranking_to_junit,
    tuning_to_junit,
)

__all__ = [
    "Case",
    "Suite",
    "agreement_to_junit",
    "calibration_to_junit",
    "checks_to_junit",
    "comparison_to_junit",
    "document",
    "drift_to_junit",
    "judged",
    "probe_to_junit",
    "ranking_to_junit",
    "suites_of",
    "to_junit",
    "tuning_to_junit",
]
