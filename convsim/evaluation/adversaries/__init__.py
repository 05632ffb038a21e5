"""Adversaries: simulators made of people's conversations that are wrong in one way each, and the people themselves."""

from convsim.evaluation.adversaries.catalogue import ADVERSARIES, NULL, find_adversaries
from convsim.evaluation.adversaries.definition import Adversary, adversary

__all__ = ["ADVERSARIES", "NULL", "Adversary", "adversary", "find_adversaries"]
