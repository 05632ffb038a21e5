"""Chat models: a server that speaks the OpenAI protocol, one in this process, and test doubles."""

from convsim.models.embedded import Embedded, embedded_folder
from convsim.models.lite_llm import LiteLLM
from convsim.models.local import Local
from convsim.models.openai_compatible import OpenAICompatible
from convsim.models.recorded import Recorded
from convsim.models.scripted import Asked, Scripted

__all__ = [
    "Asked",
    "Embedded",
    "LiteLLM",
    "Local",
    "OpenAICompatible",
    "Recorded",
    "Scripted",
    "embedded_folder",
]
