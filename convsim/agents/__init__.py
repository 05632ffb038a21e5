"""Recommenders under test: two built in, adapters for the user's own, and faults to give any of them."""

from convsim.agents.command import Command
from convsim.agents.degraded import Degraded, degrade
from convsim.agents.faults import fault
from convsim.agents.http import HTTP
from convsim.agents.langchain import LangChain
from convsim.agents.llm import LLM
from convsim.agents.openai_chat import OpenAIChat
from convsim.agents.python import PythonAgent
from convsim.agents.retrieval import Retrieval

__all__ = [
    "HTTP",
    "LLM",
    "Command",
    "Degraded",
    "LangChain",
    "OpenAIChat",
    "PythonAgent",
    "Retrieval",
    "degrade",
    "fault",
]
