"""A classifier of acts and experience: trained on labelled conversations, kept in a file, checked out of fold."""

from convsim.annotation.classifier.annotator import Classifier
from convsim.annotation.classifier.dataset import Target
from convsim.annotation.classifier.file import Card, check_model_path, load, save
from convsim.annotation.classifier.train import OUT_OF_FOLD, Trained, train

__all__ = [
    "OUT_OF_FOLD",
    "Card",
    "Classifier",
    "Target",
    "Trained",
    "check_model_path",
    "load",
    "save",
    "train",
]
