"""What a study is made of, by name, in Python: models, agents, shoppers, annotators, and arms whose agent is worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from convsim._resources import shared
from convsim._text import shown
from convsim.agents.degraded import degrade
from convsim.agents.faults.registry import FaultLike
from convsim.errors import InputError
from convsim.io import Source, Transcripts, read_source
from convsim.lifting import AgentLike, lift_agent, lift_model
from convsim.models.fallback import Fallback
from convsim.plugins import Parts, installed, make
from convsim.schema import Agent, Annotator, ChatModel, Shopper
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation
from convsim.simulation.loop import Arm

DEFAULT_MODEL = "embedded"
DEMO_CATALOGUE = "demo/catalogue.jsonl"


def make_model(name: str | Path = DEFAULT_MODEL, *, fallback: object = (), **settings: object) -> ChatModel:
    """Make a chat model: ``make_model("openai_compatible", model="gpt-4o-mini")``.

    Args:
        name: An installed model (``convsim plugins`` lists them), ``module:attribute``, or the path of a folder or GGUF
            file, as text or ``Path``.
        fallback: Further models, asked in this order for each call in which those before fail: names, chat models, or
            tables of settings; one without a ``name`` is the first model with other settings, such as
            ``{"model": "gpt-4o"}``.
        settings: The model's own.

    Raises:
        PluginError: There is no such model, or no such setting.
        InputError: A setting cannot be used.
    """
    if fallback:
        return _in_order(name, settings, fallback)
    if isinstance(name, Path):
        return make("models", "local", **{"path": str(name), **settings})
    _check_name(
        "make_model", name, "the name of a model or the path of its file", "a model of yours goes in as it is"
    )
    path = Path(name)
    is_plugin = name in installed("models") or ":" in name
    # What is written like a path and is not there is for the model in this process to refuse.
    if not is_plugin and (path.exists() or "/" in name or path.suffix == ".gguf"):
        return make("models", "local", **{"path": name, **settings})
    return make("models", name, **settings)


def _in_order(name: str | Path, settings: Mapping[str, object], fallback: object) -> Fallback:
    """Make a model and those that stand in for it."""
    if isinstance(fallback, str | Mapping) or not isinstance(fallback, Sequence):
        raise InputError(f"model.fallback: expected a list of names or tables, but got {shown(fallback)}")
    made = [make_model(name, **settings)]
    for each in fallback:
        if isinstance(each, Mapping) and "fallback" in each:
            raise InputError("model.fallback: a model in it has a fallback itself; write all into one list")
        if isinstance(each, Mapping):
            own = {key: value for key, value in each.items() if key != "name"}
            other = each.get("name")
            made.append(
                make_model(name, **{**settings, **own}) if other is None else make_model(other, **own)
            )
        else:
            made.append(make_model(each) if isinstance(each, str | Path) else lift_model(each))
    if twice := next((each for place, each in enumerate(made) if each in made[:place]), None):
        raise InputError(f"model.fallback: {shown(twice.name)} stands there twice, with the same settings")
    return Fallback(tuple(made))


def make_agent(
    name: str = "retrieval",
    *,
    catalogue: Catalogue | Path | str | None = None,
    model: ChatModel | str | None = None,
    domain: str | None = None,
    **settings: object,
) -> Agent:
    """Make an agent: ``make_agent("http", url="http://localhost:8080/reply")``.

    Args:
        name: An installed agent, or ``module:attribute``.
        catalogue: What it sells, or the file of that; the demo's if none is given.
        model: The model that it asks, or that model's name; the embedded one if none is given.
        domain: What is talked about, such as ``films``; None names nothing.
        settings: The agent's own.

    Raises:
        PluginError: There is no such agent, or no such setting.
        InputError: A setting or the catalogue cannot be used.
    """
    _check_name(
        "make_agent", name, "the name of an agent", "an agent or function of yours goes into Study as it is"
    )
    _check_catalogue(f"make_agent({name!r})", catalogue)
    return make("agents", name, _parts(f"make_agent({name!r})", None, model, domain, catalogue), **settings)


def make_shopper(
    name: str,
    *,
    real: Source | None = None,
    model: ChatModel | str | None = None,
    domain: str | None = None,
    **settings: object,
) -> Shopper:
    """Make a shopper: ``make_shopper("resample", real=half_of_the_people)``.

    Args:
        name: An installed shopper, or ``module:attribute``.
        real: The people that it learns from, if it learns: a path or conversations; failed ones are left out.
        model: The model that plays it, or that model's name; the embedded one if none is given.
        domain: What is talked about, such as ``films``; None names nothing.
        settings: The shopper's own, such as ``prompts="folder"``.

    Raises:
        PluginError: There is no such shopper, or no such setting.
        InputError: A setting or ``real`` cannot be used, or the shopper learns from people and ``real`` is None.
    """
    _check_name(
        "make_shopper",
        name,
        "the name of a shopper",
        "a shopper or function of yours goes into Study as it is",
    )
    return make("shoppers", name, _parts(f"make_shopper({name!r})", real, model, domain, None), **settings)


def make_annotator(name: str, *, model: ChatModel | str | None = None, **settings: object) -> Annotator:
    """Make an annotator: ``make_annotator("judge", model=model, votes=3, temperature=0.7)``.

    Args:
        name: An installed annotator, or ``module:attribute``.
        model: The model that a judge asks, or that model's name; the embedded one if none is given.
        settings: The annotator's own.

    Raises:
        PluginError: There is no such annotator, or no such setting.
        InputError: A setting cannot be used.
    """
    _check_name(
        "make_annotator",
        name,
        "the name of an annotator",
        "one or a function of yours goes into annotate as it is",
    )
    return make("annotators", name, _parts(f"make_annotator({name!r})", None, model, None, None), **settings)


def worse_arm(
    agent: AgentLike,
    fault: FaultLike,
    severity: float = 1.0,
    *,
    name: str | None = None,
    catalogue: Catalogue | Path | str | None = None,
) -> Arm:
    """Make an arm of a study in which the agent is worse: ``Study(..., arms=["good", worse_arm(agent, "bad")])``.

    Args:
        agent: The agent, as good as it is.
        fault: A fault or preset, several with ``+`` between them, or a fault of your own.
        severity: From 0, the unchanged agent, to 1.
        name: The arm's; the fault's name if none is given.
        catalogue: Where other items and words come from, or the file of that; the agent's own if none is given.

    Raises:
        InputError: There is no such fault, the severity is not a number from 0 to 1, the name is no text or empty, or
            the catalogue cannot be used.
        PluginError: ``agent`` is none.
    """
    if name is not None and not (isinstance(name, str) and name.strip()):
        raise InputError(f"worse_arm: name must be text that is not empty, but is {shown(name)}")
    _check_catalogue("worse_arm", catalogue)
    asked = lift_agent(agent)
    own = getattr(asked, "catalogue", None)
    if isinstance(catalogue, str | Path):
        catalogue = Catalogue.read(catalogue)
    sold = catalogue if catalogue is not None else (own if isinstance(own, Catalogue) else None)
    degraded = degrade(asked, fault, severity, catalogue=sold)
    called = fault if isinstance(fault, str) else "+".join(degraded.faults)
    return Arm(name or called, degraded, called, severity)


def _check_name(call: str, name: object, expected: str, instead: str) -> None:
    if not isinstance(name, str) or not name:
        raise InputError(f"{call}: expected {expected}, but got {shown(name)}; {instead}")


def _check_catalogue(call: str, catalogue: object) -> None:
    if not isinstance(catalogue, Catalogue | Path | str | None):
        raise InputError(
            f"{call}: catalogue must be a Catalogue or the path of its file, but is {shown(catalogue)}"
        )


def _parts(
    said: str,
    real: Source | None,
    model: ChatModel | str | None,
    domain: str | None,
    catalogue: Catalogue | Path | str | None,
) -> Parts:
    """Say how the parts are made that a plugin asks for by name; ``said`` is the call that is being made."""

    @cache
    def people() -> Transcripts | Sequence[Conversation]:
        if real is None:
            raise InputError(f"{said} learns from people; add real=, a path or conversations")
        return read_source(real)

    def hash_of_file() -> str | None:
        found = people()
        return found.sha256 if isinstance(found, Transcripts) else None

    def sold() -> Catalogue:
        if isinstance(catalogue, Catalogue):
            return catalogue
        return Catalogue.read(shared(DEMO_CATALOGUE) if catalogue is None else Path(catalogue))

    return {
        "real": lambda: [c for c in people() if c.failure is None],
        "sha256": hash_of_file,
        "model": lambda: (
            make_model(model or DEFAULT_MODEL) if isinstance(model, str | None) else lift_model(model)
        ),
        "domain": lambda: domain,
        "catalogue": sold,
    }
