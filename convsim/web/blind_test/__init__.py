"""A blind test by a team's own people: can they tell simulated shoppers from human ones?"""

from convsim.web.blind_test.database import Database
from convsim.web.blind_test.discriminator import read_scores
from convsim.web.blind_test.results import results
from convsim.web.blind_test.study import ArenaStudy, Mode, prepare

__all__ = ["ArenaStudy", "Database", "Mode", "prepare", "read_scores", "results"]
