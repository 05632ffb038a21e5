"""All that convsim reads of strangers, each a function of a file: it gives a value, or raises what it promises."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic_core import from_json

from convsim.agents.answer import parse_answer
from convsim.annotation.classifier.file import load as load_classifier
from convsim.annotation.definitions import definitions
from convsim.annotation.judge.asking import message_schema, read_verdict
from convsim.annotation.mapping import read_map
from convsim.annotation.run import open_saved
from convsim.errors import ConvsimError
from convsim.io import describe, open_run, read, write
from convsim.io.commit import commit_of
from convsim.io.table import TableMapping, prepared, table_import
from convsim.lifting import Form
from convsim.models import OpenAICompatible, Recorded
from convsim.models.answers import ReportedError
from convsim.models.failures import Asked, failure
from convsim.models.model_size import check_gguf_layers, check_layers
from convsim.models.prices import price_of
from convsim.models.refusals import named_parameters, teaches_nothing
from convsim.models.structured import accepted, choice_of
from convsim.models.waits import asked_wait
from convsim.report.document import read_comparison, read_scorecard
from convsim.report.markdown import to_markdown
from convsim.schema import ChatMessage
from convsim.schema.catalogue import Catalogue
from convsim.shoppers.finetuned.trained import read_trained
from convsim.simulation.config import read_study
from convsim.simulation.personas import read_personas
from convsim.text.control_tokens import with_own
from convsim.text.money import amount_in
from convsim.text.reasoning import split_reasoning
from convsim.web.blind_test import Database, read_scores, results
from convsim_validators.relations.relation import read_relations

REPOSITORY = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
FROZEN = REPOSITORY / "tests/frozen/files"
SECONDS = 20.0
"""Hundreds of times what reading a few kilobytes takes."""


@dataclass(frozen=True)
class Reader:
    """What is read, the made-up files that it is tried with, and what it may raise besides errors of one line."""

    read: Callable[[Path], object]
    files: tuple[Path, ...]
    may_raise: tuple[type[Exception], ...] = field(default=())


class OutOfTimeError(BaseException):
    """It has not come to an end; no reader may catch it as an error of its own."""


def _conversations(path: Path) -> object:
    """Read, describe, write and read again what was read."""
    found = read(path, skip_bad_lines=True)
    describe(found)
    again = path.with_name("again.jsonl")
    try:
        write(again, found.conversations)
        same = read(again, skip_bad_lines=True).conversations
    finally:
        again.unlink(missing_ok=True)
    assert same == found.conversations, "what was read is not what is read of what was written of it"
    return found


def _imported(path: Path, mapping: TableMapping | None = None) -> object:
    """Import a table, write its conversations and read them again."""
    again = path.with_name("again.jsonl")
    with table_import(prepared(path, mapping, skip_bad=True), skip_bad=True) as table:
        found = tuple(table.conversations())
    try:
        write(again, found)
        same = read(again, skip_bad_lines=True).conversations
    finally:
        again.unlink(missing_ok=True)
    assert same == found, "what was imported is not what is read of what was written of it"
    return found


def _mapped(path: Path) -> object:
    table = Path(shutil.copy(CORPUS / "chats.csv", path.with_name("chats.csv")))
    return _imported(table, TableMapping.read(path))


def _survey(path: Path) -> object:
    return read(FROZEN / "convapparel.json", survey_map=path)


def _in_folder(name: str, call: Callable[[Path], object]) -> Callable[[Path], object]:
    def reads(path: Path) -> object:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            place = Path(folder) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
            return call(Path(folder))

    return reads


def _annotations(path: Path) -> object:
    with open_saved(path) as saved:
        return saved


def _run(folder: Path) -> object:
    """Go on with a run as its manifest and its lines are, failed ones again; the corpus has what is missing."""
    manifest = CORPUS / "manifest.json"
    if not (folder / manifest.name).exists():
        shutil.copy(manifest, folder)
    with open_run(folder, json.loads(manifest.read_text(encoding="utf-8")), retry_failed=True) as run:
        return run


def _model_that_answers(path: Path) -> OpenAICompatible:
    body = path.read_bytes()

    async def post(*_: object, read: Callable[[bytes], object], **__: object) -> object:
        try:
            return read(body)
        except ReportedError as error:
            asked = Asked(who="the model", path="/chat/completions", key_env="")
            raise failure(200, error.said, headers={}, asked=asked) from None

    model: Any = OpenAICompatible(model="m", base_url="http://127.0.0.1:9/v1", max_retries=0)
    model._endpoint.post = post
    found: OpenAICompatible = model
    return found


SAID = [ChatMessage(role="user", content="boots")]


def _chat(path: Path) -> object:
    asked = _model_that_answers(path).complete(SAID, max_tokens=99, temperature=0.5, seed=1)
    return asyncio.run(asked)


def _continued(path: Path) -> object:
    asked = _model_that_answers(path).continue_text("boots", max_tokens=99, temperature=0.5, seed=1)
    return asyncio.run(asked)


def _server_error(path: Path) -> object:
    """Read an error as what it means, and as what it teaches."""
    said = from_json(path.read_bytes())
    asked = Asked(who="the model", path="/chat/completions", key_env="")
    for status in (200, 400, 429, 500):
        error = failure(status, said, headers={}, asked=asked)
        assert "\n" not in str(error)
    return (
        named_parameters(said, ("seed", "temperature", "stop")),
        teaches_nothing(said),
        asked_wait({}, said),
    )


def _answered(path: Path) -> object:
    return parse_answer(path.read_bytes(), "shop", answers="c1")


def _served(path: Path) -> object:
    kind = {".sse": "text/event-stream", ".ndjson": "application/x-ndjson"}.get(
        path.suffix, "application/json"
    )
    form = Form(content="reply.text", items="data.products", fields={"id": "sku", "price": "amount.value"})
    return parse_answer(path.read_bytes(), "shop", kind=kind, form=form if path.suffix == ".json" else Form())


def _price(path: Path) -> object:
    return amount_in(_text(path))


def _cut(path: Path) -> object:
    return with_own(path).cut("[ACCEPT] bye @@BYE@@ over and out")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _judged(path: Path) -> object:
    schema = message_schema(definitions())
    text, _ = accepted(_text(path), schema, who="the judge")
    return read_verdict(text, schema, who="the judge")


def _chosen(path: Path) -> object:
    return accepted(_text(path), choice_of(["say", "leave"]), who="the model")


def _scorecard(path: Path) -> object:
    return to_markdown(read_scorecard(path))


def _weights(folder: Path) -> object:
    if not (folder / "config.json").exists():
        shutil.copy(CORPUS / "config.json", folder)
    if not (folder / "model.safetensors").exists():
        shutil.copy(CORPUS / "model.safetensors", folder)
    check_layers(folder)
    return None


def _recorded(path: Path) -> object:
    asyncio.run(Recorded(store=path).check_ready())
    return None


def kept(*names: str) -> tuple[Path, ...]:
    """Return the files of the corpus with these names, and those that once crashed a reader of them."""
    files = [CORPUS / name for name in names]
    found = [path for name in names for path in sorted(CORPUS.glob(f"found-*-{name}"))]
    return (*files, *found)


FOREIGN = tuple(sorted(FROZEN.iterdir()))
READERS: dict[str, Reader] = {
    "conversations": Reader(_conversations, (*kept("full.jsonl"), *FOREIGN)),
    "logs of other systems": Reader(_conversations, tuple(sorted(CORPUS.glob("*log.*.jsonl")))),
    "containers": Reader(
        _conversations, kept("values.json", "utf16.jsonl", "wrapped.json", "members.zip", "taubench.json")
    ),
    "folder of files": Reader(_in_folder("logs/a.json", read), kept("values.json", "wrapped.json", "exported.json")),
    "control tokens": Reader(_cut, kept("tokens.toml")),
    "packed conversations": Reader(_conversations, kept("full.jsonl.gz", "full.jsonl.zst", "convapparel.zip")),
    "Parquet": Reader(_conversations, kept("full.parquet", "messages.parquet")),
    "manifest": Reader(_in_folder("manifest.json", _run), kept("manifest.json")),
    "conversations of a run": Reader(_in_folder("conversations.jsonl", _run), kept("full.jsonl")),
    "study": Reader(read_study, kept("study.toml")),
    "personas": Reader(read_personas, kept("personas.toml", "personas.jsonl")),
    "relations": Reader(read_relations, kept("relations.toml")),
    "table": Reader(_imported, kept("chats.csv", "chats.tsv", "chats.jsonl", "chats.parquet", "chats.xlsx")),
    "table mapping": Reader(_mapped, kept("chats.toml")),
    "survey map": Reader(_survey, kept("survey.toml")),
    "map of acts": Reader(read_map, kept("acts.toml")),
    "prices": Reader(lambda path: price_of("m-1", "api.example", table=path), kept("prices.toml")),
    "catalogue": Reader(Catalogue.read, kept("catalogue.jsonl", "catalogue.csv")),
    "findings": Reader(_scorecard, kept("findings.json")),
    "comparison": Reader(read_comparison, kept("comparison.json")),
    "scores": Reader(read_scores, kept("findings.json")),
    "blind test": Reader(lambda path: results(Database(path, wait_s=0.1)), kept("arena.sqlite")),
    "agent's answer": Reader(_answered, kept("answer.agent.json")),
    "shop's answer": Reader(_served, kept("answer.shop.json", "answer.shop.sse", "answer.shop.ndjson")),
    "price": Reader(_price, kept("price.txt")),
    "chat completion": Reader(_chat, kept("answer.chat.json", "answer.events.txt", "answer.response.json")),
    "server's error": Reader(_server_error, kept("answer.error.json"), (ValueError,)),
    "text completion": Reader(_continued, kept("answer.text.json")),
    "judge's answer": Reader(_judged, kept("answer.judge.json")),
    "choice": Reader(_chosen, kept("answer.choice.txt")),
    "reasoning": Reader(lambda path: split_reasoning(_text(path)), kept("answer.reasoning.txt")),
    "recordings": Reader(_recorded, kept("recordings.jsonl")),
    "annotations": Reader(_annotations, kept("annotations.jsonl")),
    "classifier": Reader(load_classifier, kept("classifier.npz")),
    "trained shopper": Reader(_in_folder("shopper.json", read_trained), kept("shopper.json")),
    "GGUF": Reader(check_gguf_layers, kept("model.gguf"), (OSError, ValueError)),
    "git's HEAD": Reader(_in_folder(".git/HEAD", commit_of), kept("HEAD")),
    "git's references": Reader(_in_folder(".git", commit_of), kept("gitdir")),
}  # fmt: skip
IN_THIS_PROCESS = ("config.json", "safetensors")
"""Readers that need the extra "local"."""
if find_spec("torch") and find_spec("safetensors"):
    from safetensors import SafetensorError

    # What load_checkpoint makes one line of.
    MAY_RAISE = (OSError, ValueError, SafetensorError)
    READERS["config.json"] = Reader(_in_folder("config.json", _weights), kept("config.json"), MAY_RAISE)
    READERS["safetensors"] = Reader(
        _in_folder("model.safetensors", _weights), kept("model.safetensors"), MAY_RAISE
    )


def broken(reader: Reader, path: Path) -> str | None:
    """Read a file and say what is broken of what is promised; None where nothing is."""
    try:
        with _in_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(path)
    except ConvsimError as error:
        lines = str(error).splitlines()
        return None if len(lines) == 1 else f"a message of {len(lines)} lines: {lines[:3]}"
    except reader.may_raise:
        return None
    except OutOfTimeError:
        return f"has not come to an end in {SECONDS:g} s"
    except (Exception, SystemExit) as error:  # whatever it is, it is what is looked for
        return f"{type(error).__name__}: {str(error)[:200]} {_place(error)}"
    return None


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "convsim" in code.co_filename:
            place = f"({Path(code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


@contextmanager
def _in_time() -> Iterator[None]:
    def give_up(number: int, frame: FrameType | None) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
