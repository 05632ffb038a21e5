"""Whether simulators order recommenders as people do, or as it is known beforehand."""

from convsim.evaluation.ranking.rank import arank, rank
from convsim.evaluation.ranking.record import Ranking

__all__ = ["Ranking", "arank", "rank"]
