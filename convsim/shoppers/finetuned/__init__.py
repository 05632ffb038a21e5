"""The fine-tuned shopper: training one, and the folder that it comes from."""

from convsim.shoppers.finetuned.export import Outcome
from convsim.shoppers.finetuned.fit import Progress
from convsim.shoppers.finetuned.script import Script, asked, script
from convsim.shoppers.finetuned.settings import TrainingSettings, checked_settings
from convsim.shoppers.finetuned.shopper import SFT
from convsim.shoppers.finetuned.train import Training
from convsim.shoppers.finetuned.trained import SHOPPER_FILE, Trained, read_trained
from convsim.shoppers.finetuned.training import train_shopper
from convsim.shoppers.learnable import MIN_CONVERSATIONS

__all__ = [
    "MIN_CONVERSATIONS",
    "SFT",
    "SHOPPER_FILE",
    "Outcome",
    "Progress",
    "Script",
    "Trained",
    "Training",
    "TrainingSettings",
    "asked",
    "checked_settings",
    "read_trained",
    "script",
    "train_shopper",
]
