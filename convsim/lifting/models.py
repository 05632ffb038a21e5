"""A chat model is taken as it is, since no function stands for its three methods; what is none is refused."""

from __future__ import annotations

from convsim._async import said_of
from convsim._text import shown
from convsim.errors import PluginError
from convsim.lifting.targets import make_class
from convsim.schema import ChatModel


def lift_model(thing: object) -> ChatModel:
    """Return a chat model, or make one of its class.

    Raises:
        PluginError: It lacks a part of one, or raises when it is made or looked at.
    """
    found = make_class(thing, "the model") if isinstance(thing, type) else thing
    try:
        is_model = isinstance(found, ChatModel)
    except Exception as error:  # asking looks at its properties, which may raise anything
        raise PluginError(f"the model: inspecting it raised {said_of(error)}") from error
    if not is_model:
        raise PluginError(
            f"the model: {shown(found)} needs a name and async complete(), continue_text() and choose()"
        )
    assert isinstance(found, ChatModel)
    return found
