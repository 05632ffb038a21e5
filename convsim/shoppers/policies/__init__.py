"""Decision policies: whether a shopper goes on, takes something or leaves, learned from what people did."""

from convsim.shoppers.policies.evaluation import Evaluation
from convsim.shoppers.policies.model import KINDS, TAU, Kind
from convsim.shoppers.policies.policy import Decided, Policy
from convsim.shoppers.policies.saved import POLICY_FILE
from convsim.shoppers.policies.train import PolicyTraining, checked_kind, train_policy

__all__ = [
    "KINDS",
    "POLICY_FILE",
    "TAU",
    "Decided",
    "Evaluation",
    "Kind",
    "Policy",
    "PolicyTraining",
    "checked_kind",
    "train_policy",
]
