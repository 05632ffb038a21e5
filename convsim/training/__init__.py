"""Fine-tunes shoppers on real conversations."""

from convsim.training.fitting import Standing
from convsim.training.outcome import Outcome
from convsim.training.run import Training
from convsim.training.settings import MIN_CONVERSATIONS, TrainingSettings

__all__ = ["MIN_CONVERSATIONS", "Outcome", "Standing", "Training", "TrainingSettings"]
