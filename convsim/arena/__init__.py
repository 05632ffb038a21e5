"""A blind test by a team's own people: can they tell simulated shoppers from human ones?"""

from convsim.arena.database import Database
from convsim.arena.results import results
from convsim.arena.scores import read_scores
from convsim.arena.study import ArenaStudy, Mode, prepare

__all__ = ["ArenaStudy", "Database", "Mode", "prepare", "read_scores", "results"]
