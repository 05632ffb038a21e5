"""A classifier of acts and experience: trained on labelled conversations, kept in a file, scored out of fold."""

from convsim.annotators.classifier.annotator import Classifier
from convsim.annotators.classifier.card import Card
from convsim.annotators.classifier.file import check_model_path, load, save
from convsim.annotators.classifier.fitting import OUT_OF_FOLD
from convsim.annotators.classifier.scores import ClassScores, Score, Scores
from convsim.annotators.classifier.targets import Target
from convsim.annotators.classifier.training import Trained, train

__all__ = [
    "OUT_OF_FOLD",
    "Card",
    "ClassScores",
    "Classifier",
    "Score",
    "Scores",
    "Target",
    "Trained",
    "check_model_path",
    "load",
    "save",
    "train",
]
