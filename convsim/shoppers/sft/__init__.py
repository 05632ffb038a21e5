"""The fine-tuned shopper: what it is asked, how it answers, and the folder that it comes from."""

from convsim.shoppers.sft.script import Script, asked, script
from convsim.shoppers.sft.shopper import SFT
from convsim.shoppers.sft.trained import SHOPPER_FILE, Trained, read_trained

__all__ = ["SFT", "SHOPPER_FILE", "Script", "Trained", "asked", "read_trained", "script"]
