"""Every chat model keeps the contract, behind whatever transport."""

import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from convsim.contracts.model import ChatMessage, ChatModel
from convsim.models import Embedded, Local, OpenAICompatible, Recorded, Scripted
from tests.unit.models.loopback import Loopback, Request, loopback
from tests.unit.models.tiny import make_tiny

HELLO = [ChatMessage(role="user", content="Hello"), ChatMessage(role="assistant", content="Hi. What do you need?")]
