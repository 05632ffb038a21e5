"""Tells whether simulated users of a conversational recommender behave like people.

>>> import convsim
>>> card = convsim.validate("real.jsonl", "simulated.jsonl", seed=7)   # doctest: +SKIP
>>> card.findings[0].verdict                                           # doctest: +SKIP
"""

from convsim.battery import Scorecard, check_relations, counterfactual, dose_response, validate
from convsim.contracts import Corpus, Finding, Metric, Validator
from convsim.conversation import Conversation, Item, Label, Message
from convsim.errors import ConvsimError, InputError
from convsim.metrics import measure
from convsim.persona import Persona
from convsim.readers import read, write
from convsim.study import Study

__all__ = [
    "Conversation",
    "ConvsimError",
    "Corpus",
    "Finding",
    "InputError",
    "Item",
    "Label",
    "Message",
    "Metric",
    "Persona",
    "Scorecard",
    "Study",
    "Validator",
    "check_relations",
    "counterfactual",
    "dose_response",
    "measure",
    "read",
    "validate",
    "write",
]
