"""What everything speaks: conversations, personas, findings, and the protocols of plugins."""

from convsim.schema.base_validator import BaseValidator
from convsim.schema.chat_model import ChatMessage, ChatModel, Choice, Completion, OpeningModel
from convsim.schema.columns import Columns, ratio
from convsim.schema.corpus import Corpus, mix_differs
from convsim.schema.details import Details, Estimate, ExplainedEstimate, Interval, Needs
from convsim.schema.finding import FAILING, Finding, HumanBaseline, Verdict
from convsim.schema.gap import Example, Gap
from convsim.schema.gate import GateCheck, GateResult
from convsim.schema.headline import Headline, HeadlineName
from convsim.schema.metric import LabelOrigin, Metric
from convsim.schema.planned import PlannedFinding, PlannedPower, Truth
from convsim.schema.protocols import (
    Agent,
    AgentReply,
    Annotation,
    Annotator,
    BatchAnnotator,
    Comparer,
    Decider,
    Decision,
    NoMoveError,
    Planner,
    Shopper,
    SimulatorScore,
    UserMove,
    Validator,
)

__all__ = [
    "FAILING",
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
    "Decider",
    "Decision",
    "Details",
    "Estimate",
    "Example",
    "ExplainedEstimate",
    "Finding",
    "Gap",
    "GateCheck",
    "GateResult",
    "Headline",
    "HeadlineName",
    "HumanBaseline",
    "Interval",
    "LabelOrigin",
    "Metric",
    "Needs",
    "NoMoveError",
    "OpeningModel",
    "PlannedFinding",
    "PlannedPower",
    "Planner",
    "Shopper",
    "SimulatorScore",
    "Truth",
    "UserMove",
    "Validator",
    "Verdict",
    "mix_differs",
    "ratio",
]
