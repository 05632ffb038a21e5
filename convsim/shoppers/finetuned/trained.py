"""What a folder of a trained shopper says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from convsim._inputs import read_input
from convsim._text import complaint
from convsim.errors import InputError
from convsim.schema.conversation import LearnedFrom
from convsim.schema.record import Count, Number, Record, Text

SHOPPER_FILE = "shopper.json"
MAX_BYTES = 64 << 20


class Trained(Record):
    """How a trained shopper is asked and sampled; written last, so that a folder without it is not finished."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.shopper/1"] = Field("convsim.shopper/1", alias="schema")
    learned_from: LearnedFrom
    weights: dict[str, Text] = Field(default_factory=dict)
    """SHA-256 of the files that make the model what it is, by name."""
    n_items: Annotated[Count, Field(ge=1)]
    """How many items of a carousel it was shown."""
    max_prompt_tokens: Annotated[Count, Field(ge=1)]
    """The longest prompt that it learned from; of a longer conversation the oldest messages are left out."""
    max_tokens: Annotated[Count, Field(ge=1)]
    """The longest message that it may say."""
    temperature: Annotated[Number, Field(ge=0)] = 1.0
    top_p: Annotated[Number, Field(gt=0, le=1)] = 1.0


def read_trained(folder: Path) -> Trained:
    """Read what ``convsim train`` wrote of the shopper in a folder.

    Raises:
        InputError: There is no such file, or it is something else.
    """
    path = folder / SHOPPER_FILE
    try:
        return Trained.model_validate_json(read_input(path, MAX_BYTES))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{folder} is not a trained shopper: it has no {SHOPPER_FILE}; make one with convsim train, "
            "run that again if it was interrupted, and give its folder with --model"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise InputError(f"{path}: {complaint(error)}") from error
