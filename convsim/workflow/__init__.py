"""A whole study in one call: its runs and their variants, what they are held against, one page, and a history."""

from convsim.workflow.history import Past, past_studies
from convsim.workflow.study import arun_study, run_study
from convsim.workflow.summary import StudySummary

__all__ = ["Past", "StudySummary", "arun_study", "past_studies", "run_study"]
