"""What everything speaks: conversations, personas, findings, and the protocols of plugins."""

from convsim.schema.agent import Agent, AgentReply
from convsim.schema.annotator import Annotation, Annotator, BatchAnnotator
from convsim.schema.base_validator import BaseValidator
from convsim.schema.columns import WORD, Columns, ratio
from convsim.schema.corpus import Corpus
from convsim.schema.details import Details, Estimate, Interval
from convsim.schema.finding import FAILING, Finding, NoiseFloor, Verdict
from convsim.schema.metric import LabelOrigin, Metric
from convsim.schema.mix import mix_differs
from convsim.schema.model import ChatMessage, ChatModel, Choice, Completion, OpeningModel
from convsim.schema.shopper import NoMoveError, Shopper, UserMove
from convsim.schema.standing import Comparer, Standing
from convsim.schema.validator import Validator

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
