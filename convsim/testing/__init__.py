"""What a test of yours asks of convsim: that findings pass, that a plugin keeps its contract, and a small study.

>>> from convsim.testing import assert_findings, hold_study
>>> run = hold_study("runs/ci", agent=my_agent, study={"n": 60, "seed": 3})    # doctest: +SKIP
>>> assert_findings(convsim.validate("people.jsonl", run, seed=3))             # doctest: +SKIP

A check raises AssertionError with one line that says what broke the contract, and where.
"""

from convsim.testing.checks_of_faults import check_fault
from convsim.testing.checks_of_measures import check_metric, check_validator
from convsim.testing.checks_of_models import check_model
from convsim.testing.checks_of_parts import check_agent, check_annotator, check_shopper
from convsim.testing.checks_of_readers import check_reader
from convsim.testing.gates import assert_findings, assert_gate
from convsim.testing.reports import SharedReports
from convsim.testing.studies import hold_study

__all__ = [
    "SharedReports",
    "assert_findings",
    "assert_gate",
    "check_agent",
    "check_annotator",
    "check_fault",
    "check_metric",
    "check_model",
    "check_reader",
    "check_shopper",
    "check_validator",
    "hold_study",
]
