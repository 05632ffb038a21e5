"""The seams: what convsim and its plugins promise one another."""

from convsim.contracts.agent import Agent, AgentReply
from convsim.contracts.annotator import Annotation, Annotator, BatchAnnotator
from convsim.contracts.base_validator import BaseValidator
from convsim.contracts.columns import WORD, Columns, ratio
from convsim.contracts.corpus import Corpus
from convsim.contracts.details import Details, Estimate, Interval
from convsim.contracts.finding import FAILING, Finding, NoiseFloor, Verdict
from convsim.contracts.metric import LabelOrigin, Metric
from convsim.contracts.mix import mix_differs
from convsim.contracts.model import ChatMessage, ChatModel, Choice, Completion, OpeningModel
from convsim.contracts.shopper import NoMoveError, Shopper, UserMove
from convsim.contracts.standing import Comparer, Standing
from convsim.contracts.validator import Validator

__all__ = [
    "FAILING",
    "WORD",
    "Agent",
    "AgentReply",
    "Annotation",
    "Annotator",
    "BaseValidator",
    "BatchAnnotator",
    "ChatMessage",
    "ChatModel",
    "Choice",
    "Columns",
    "Comparer",
    "Completion",
    "Corpus",
    "Details",
    "Estimate",
    "Finding",
    "Interval",
    "LabelOrigin",
    "Metric",
    "NoMoveError",
    "NoiseFloor",
    "OpeningModel",
    "Shopper",
    "Standing",
    "UserMove",
    "Validator",
    "Verdict",
    "mix_differs",
    "ratio",
]
