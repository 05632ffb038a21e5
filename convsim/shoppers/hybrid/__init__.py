"""A shopper whose decisions are learned from people, and whose words come from people or from a model."""

from convsim.shoppers.hybrid.shopper import Hybrid

__all__ = ["Hybrid"]
