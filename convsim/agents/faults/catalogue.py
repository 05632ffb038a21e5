"""All faults by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from convsim.agents.faults.confusing_text import CONFUSING_TEXT
from convsim.agents.faults.contradiction import CONTRADICTION
from convsim.agents.faults.empty_carousel import EMPTY_CAROUSEL
from convsim.agents.faults.hooks import AnyFault
from convsim.agents.faults.ignored_constraint import IGNORED_CONSTRAINT
from convsim.agents.faults.irrelevant_items import IRRELEVANT_ITEMS
from convsim.agents.faults.off_topic_text import OFF_TOPIC_TEXT
from convsim.agents.faults.overlong_text import OVERLONG_TEXT
from convsim.agents.faults.partial_query import PARTIAL_QUERY
from convsim.agents.faults.repeated_items import REPEATED_ITEMS
from convsim.agents.faults.rude_text import RUDE_TEXT
from convsim.agents.faults.stale_context import STALE_CONTEXT
from convsim.agents.faults.unavailable import UNAVAILABLE
from convsim.agents.faults.wrong_category import WRONG_CATEGORY

_ALL: tuple[AnyFault, ...] = (
    PARTIAL_QUERY,
    WRONG_CATEGORY,
    IGNORED_CONSTRAINT,
    STALE_CONTEXT,
    REPEATED_ITEMS,
    IRRELEVANT_ITEMS,
    EMPTY_CAROUSEL,
    OFF_TOPIC_TEXT,
    CONFUSING_TEXT,
    RUDE_TEXT,
    OVERLONG_TEXT,
    CONTRADICTION,
    UNAVAILABLE,
)

FAULTS: Mapping[str, AnyFault] = MappingProxyType({fault.name: fault for fault in _ALL})
"""Each fault by the name that a study calls it by."""
