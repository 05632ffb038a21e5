"""Objects as bytes for another process: what is of this process alone, such as a lock, is new there."""

from __future__ import annotations

import io
import pickle
import threading
import weakref
from typing import Any

from convsim._text import described
from convsim.errors import InputError

OF_THIS_PROCESS = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    weakref.WeakKeyDictionary: weakref.WeakKeyDictionary,
}


def pickled(thing: object, base: type[Any], what: str) -> bytes:
    """Return an object as bytes.

    Args:
        thing: The object.
        base: The pickler, such as ``pickle.Pickler`` or ``cloudpickle``'s.
        what: What it is called where it cannot be sent.

    Raises:
        InputError: A part of it cannot be sent.
    """

    class Sending(base):  # type: ignore[misc]
        def reducer_override(self, each: Any) -> Any:
            for kind, make in OF_THIS_PROCESS.items():
                if type(each) is kind:
                    return make, ()
            above = getattr(super(), "reducer_override", None)
            return NotImplemented if above is None else above(each)

    file = io.BytesIO()
    try:
        Sending(file, protocol=pickle.HIGHEST_PROTOCOL).dump(thing)
    except Exception as error:  # whatever somebody's part raises
        raise InputError(
            f"{what} cannot be sent to other processes ({described(error)}): name its parts in a study file or on the "
            "command line, make them of classes and functions at the top of a module, or work in this process"
        ) from error
    return file.getvalue()
