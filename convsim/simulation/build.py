"""Puts a study together from a STUDY.toml and the command line; the demo's files stand in for what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import JsonValue

from convsim._inputs import open_input
from convsim._resources import shared
from convsim.errors import StudyError
from convsim.io import Transcripts, read
from convsim.lifting import AgentLike, ShopperLike, lift_agent, lift_shopper
from convsim.plugins import Parts, installed, make
from convsim.schema import Agent, Annotator, ChatModel, Shopper
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.conversation import Conversation, Item
from convsim.schema.persona import Persona
from convsim.shoppers.needs import FIRST_MESSAGES
from convsim.shoppers.prompts import SHOP
from convsim.simulation.config import ArmSection, ComponentSection, PluginSection, StudyConfig, folders_of
from convsim.simulation.domains import domain_of_catalogue, domain_of_needs, domain_of_records
from convsim.simulation.given import checked_opening
from convsim.simulation.loop import Arm
from convsim.simulation.mixture import Component
from convsim.simulation.parts import DEFAULT_MODEL, DEMO_CATALOGUE, make_model, worse_arm
from convsim.simulation.personas import draw_personas, instructed_personas, read_personas, stated_needs
from convsim.simulation.study import Study

TEXTS = ("description", "features")


def archived_catalogue(archive: Transcripts) -> Catalogue:
    """Gather every item that was shown, once each; what an archive says of it becomes its description.

    Raises:
        StudyError: No item was ever shown.
    """
    shown = {item.id: item for c in archive.conversations for m in c.messages for item in m.items}
    if not shown:
        raise StudyError(f"{archive.path}: shows no items to make a catalogue from")
    return Catalogue.of(_sold(item) for item in shown.values())


def _sold(item: Item) -> CatalogueItem:
    said = [item.attributes.get(name) for name in TEXTS]
    lines = [
        part
        for text in said
        for part in (text if isinstance(text, list) else [text])
        if isinstance(part, str)
    ]
    rest = {name: value for name, value in item.attributes.items() if name not in TEXTS}
    title = item.title or item.id
    return CatalogueItem(
        id=item.id, title=title, description=" ".join(lines), price=item.price, attributes=rest
    )


SPEAKERS = ("user", "assistant")
OPENING = "opening"
"""The setting of ``[agent]`` that is the study's: what the agent says before the user first speaks."""
PATIENCE = "max_wait_s"
"""The setting of a model that is no part of a run's plan."""
ARCHIVES = (".zip", ".json")
"""Endings of ConvApparel archives, which hold items and instructions too."""
CONVAPPAREL = "convapparel"
"""Begins the source of conversations of ConvApparel, also where they were converted."""
DEMO_PEOPLE = "demo/convapparel_standin.json"


class Assembly:
    """Makes the parts of a study, each once, and remembers what stood in for what was not given."""

    def __init__(
        self,
        config: StudyConfig,
        *,
        shopper: ShopperLike | None = None,
        agent: AgentLike | None = None,
        transcripts: Transcripts | None = None,
    ):
        """Take ``shopper`` and ``agent`` in place of those that ``config`` names, where they are given.

        ``transcripts`` are those that ``data.real`` names, where they have been read.
        """
        self.config = config
        self._own_shopper = None if shopper is None else lift_shopper(shopper)
        self._own_agent = None if agent is None else lift_agent(agent)
        self.stand_ins: list[str] = []
        self.warnings: list[str] = []
        """What of the study is likely to be another than is meant."""
        self._model: ChatModel | None = None
        self._models: dict[str, ChatModel | None] = {}
        """Of the shoppers of a mixture, by what is stated of them: one is not loaded twice."""
        self._transcripts, self._is_given = transcripts, transcripts is not None
        self._catalogue: Catalogue | None = None
        self._domain: tuple[str | None] | None = None
        self._needs: Sequence[str] | None = None

    def study(self) -> Study:
        """Make the study; raises StudyError or PluginError for what cannot be used."""
        config = self.config
        mixture = [self._component(section) for section in config.mixture]
        shopper = mixture[0].shopper if mixture else self.shopper()
        agent = self.agent()
        opening = checked_opening(config.agent.settings.get(OPENING))
        if self._transcripts is not None and opening is None:
            self._warn_of_greetings()
        personas = self.personas()
        for each in [part.shopper for part in mixture] or [shopper]:
            doubts = getattr(each, "doubts", None)
            self.warnings += doubts(personas) if callable(doubts) else []
        return Study(
            shopper,
            agent,
            personas,
            seed=config.study.seed,
            name=config.study.name,
            n=config.study.n,
            arms=[self._arm(arm, agent) for arm in config.arm],
            max_turns=config.study.max_turns,
            concurrency=config.study.concurrency,
            budget_usd=config.study.budget_usd,
            model=_model_name(shopper),
            opening=opening,
            provenance=self._provenance(),
            mixture=mixture,
            persona_weights=config.data.persona_weights,
        )

    def _component(self, section: ComponentSection) -> Component:
        """Make one shopper of a mixture, which learns from the study's data where it names none."""
        learned = {name: value for name, value in section.data if value is not None}
        own = Assembly(
            self.config.model_copy(
                update={
                    "shopper": section.shopper,
                    "model": section.model or self.config.model,
                    "data": self.config.data.model_copy(update=learned),
                    "mixture": (),
                }
            )
        )
        model = section.model.model_dump_json() if section.model else ""
        own._catalogue, own._domain, own._model = self._catalogue, self._domain, self._models.get(model)
        if "real" not in learned:
            own._transcripts = self._transcripts
        shopper = own.shopper()
        self._catalogue, self._domain, self._models[model] = own._catalogue, own._domain, own._model
        if "real" not in learned:
            self._transcripts = own._transcripts
        self.stand_ins += [each for each in own.stand_ins if each not in self.stand_ins]
        return Component(
            name=section.name,
            weight=section.weight,
            shopper=shopper,
            model=_model_name(shopper),
            provenance={"settings": own._settings("model", "shopper"), "data": own._learned()},
        )

    def _warn_of_greetings(self) -> None:
        """Warn where most agents of the logs speak first: what is learned of them answers a greeting."""
        learned = self.learned()
        spoken = [next((m.role for m in c.messages if m.role in SPEAKERS), None) for c in learned]
        greeted = spoken.count("assistant")
        if 2 * greeted > len(learned):
            self.warnings.append(
                f"in {greeted} of the {len(learned)} real conversations the agent speaks first, and here it does not: "
                "set agent.opening to what it says, or to true to ask it"
            )

    def shopper(self) -> Shopper:
        """Make the shopper; raises PluginError for what is none."""
        if self._own_shopper is not None:
            return self._own_shopper
        section = self.config.shopper
        return make("shoppers", section.name, self._parts(), **section.settings)

    def shopper_from(self, learned: Sequence[Conversation]) -> tuple[Shopper, bool]:
        """Make the shopper, with ``learned`` to learn from where it asks for conversations; say whether it does."""
        if self._own_shopper is not None:
            return self._own_shopper, False
        asked: list[bool] = []

        def real() -> Sequence[Conversation]:
            asked.append(True)
            return learned

        section = self.config.shopper
        made = make("shoppers", section.name, {**self._parts(), "real": real}, **section.settings)
        return made, bool(asked)

    def agent(self) -> Agent:
        """Make the agent; raises PluginError for what is none."""
        if self._own_agent is not None:
            return self._own_agent
        section = self.config.agent
        settings = {name: value for name, value in section.settings.items() if name != OPENING}
        return make("agents", section.name, self._parts(), **settings)

    def annotator(self, said: str, settings: Mapping[str, object]) -> Annotator:
        """Make the annotator that is called ``NAME``, ``classifier:PATH`` or ``module:attribute``.

        Raises:
            PluginError: No such annotator, or something that is none.
        """
        name, _, path = said.partition(":")
        given = dict(settings)
        if path and name in installed("annotators"):
            given["path"] = path
            said = name
        return make("annotators", said, self._parts(), **given)

    def transcripts(self) -> Transcripts:
        """Read what data-driven shoppers learn from."""
        if self._transcripts is None:
            path = self.config.data.real
            if path is None:
                path = shared(DEMO_PEOPLE)
                self.stand_ins.append("no --real, so the demo's synthetic conversations")
            self._transcripts = read(path)
        return self._transcripts

    def learned(self) -> Sequence[Conversation]:
        """Return the conversations of the arm that is learned from; of all arms where none is named."""
        everything = self.transcripts().conversations
        arm = self.config.data.learn_arm
        kept = [c for c in everything if c.failure is None and (arm is None or c.arm == arm)]
        if not kept:
            known = ", ".join(sorted({c.arm or "-" for c in everything}))
            raise StudyError(
                f"--learn-arm {arm!r}: the real conversations do not have this arm; they have: {known}"
            )
        return kept

    def catalogue(self) -> Catalogue:
        """Read what the agent sells."""
        if self._catalogue is None:
            path = self.config.data.catalogue
            if path is None:
                path = shared(DEMO_CATALOGUE)
                self.stand_ins.append("no --catalogue, so the demo's")
            self._catalogue = (
                archived_catalogue(read(path)) if path.suffix in ARCHIVES else Catalogue.read(path)
            )
        return self._catalogue

    def sold(self) -> Catalogue | None:
        """Return the catalogue that was named, or that a part was made with; None where there is neither."""
        return self.catalogue() if self._catalogue is not None or self.config.data.catalogue else None

    def model(self) -> ChatModel:
        """Make the chat model, the embedded one where none is named."""
        if self._model is None:
            section = self.config.model or PluginSection(name=DEFAULT_MODEL)
            if self.config.model is None:
                self.stand_ins.append("no --model, so the embedded one, which is small")
            self._model = make_model(section.name, **section.settings)
        return self._model

    def grown(self, study: Study, n: int) -> Study:
        """Return a study that this has made, with ``n`` conversations per arm as if it had been made so."""
        return replace(study, n=n, personas=self.personas(n))

    def personas(self, n: int | None = None) -> list[Persona]:
        """Read personas, or draw ``n`` of them (as many as conversations) from the real users' first messages."""
        path = self.config.data.personas
        if path is not None:
            return instructed_personas(read(path)) if path.suffix in ARCHIVES else read_personas(path)
        learned = self.learned()
        if unstated := len(learned) - len(self._stated()):
            self.warnings.append(
                f"{unstated} of {len(learned)} conversations state no need in their user's first {FIRST_MESSAGES} "
                "messages, before the agent names anything; personas are drawn from the others"
            )
        weights = self.config.data.persona_weights
        if weights is None:
            return draw_personas(
                learned, self.config.study.n if n is None else n, seed=self.config.study.seed
            )
        drawn = draw_personas(learned, max(1, len(learned)), seed=self.config.study.seed)
        return [persona for persona in drawn if persona.id in weights] or drawn

    def domain(self) -> str | None:
        """Name what is talked about: what is said, else what the catalogue or the needs speak of, else None.

        The demo's data and ConvApparel's are about clothes.
        """
        if self.config.study.domain is not None:
            return self.config.study.domain
        if self._domain is None:
            found, whence = self._spoken_of()
            self._domain = (found,)
            self.stand_ins.append(f"no --domain, so {found or 'none: prompts name no domain'}{whence}")
        return self._domain[0]

    def _spoken_of(self) -> tuple[str | None, str]:
        data = self.config.data
        if data.catalogue is not None and data.catalogue.suffix not in ARCHIVES:
            if found := domain_of_catalogue(self.catalogue()):
                return found, ", the catalogue's commonest categories"
        elif data.catalogue is not None:
            return SHOP, ", as ConvApparel has it"
        if data.personas is not None:
            if data.personas.suffix in ARCHIVES:
                return SHOP, ", as ConvApparel has it"
            found = domain_of_needs(persona.need for persona in read_personas(data.personas))
        elif data.real is None and not self._is_given:
            return SHOP, ", as the demo has it"
        elif (self.learned()[0].source or "").startswith(CONVAPPAREL):
            return SHOP, ", as ConvApparel has it"
        elif stated := domain_of_records(self.learned()):
            return stated, ", as the conversations state it"
        else:
            found = domain_of_needs(self._stated())
        return found, ", of which the needs speak most" if found else ""

    def _stated(self) -> Sequence[str]:
        if self._needs is None:
            self._needs = [need for _, need in stated_needs(self.learned())]
        return self._needs

    def _arm(self, arm: ArmSection, agent: Agent) -> str | Arm:
        """Make an arm; the agent of one with a fault is wrapped, and shows other items of the same catalogue."""
        if arm.fault is None:
            return arm.name
        severity = 1.0 if arm.severity is None else arm.severity
        return worse_arm(agent, arm.fault, severity, name=arm.name, catalogue=self.catalogue())

    def _parts(self) -> Parts:
        """Say how the parts are made that a plugin may ask for by name, as ``convsim.plugins.make`` has it."""
        return {
            "real": self.learned,
            "sha256": lambda: self.transcripts().sha256,
            "catalogue": self.catalogue,
            "model": self.model,
            "domain": self.domain,
        }

    def _provenance(self) -> dict[str, JsonValue]:
        # The shoppers of a mixture state their settings themselves.
        stated = ("model", "agent") if self.config.mixture else ("model", "shopper", "agent")
        data = self._learned()
        for name in ("catalogue", "personas"):
            path: Path | None = getattr(self.config.data, name)
            if path is not None:
                with open_input(path) as file:
                    data[name] = hashlib.file_digest(file, "sha256").hexdigest()
        return {"settings": self._settings(*stated), "data": data}

    def _settings(self, *parts: str) -> dict[str, JsonValue]:
        """Return the names and settings of parts, such as the model, as a manifest states them."""
        # A folder of prompts, or a policy, is told by what is in it: the hashes stand beside the settings. How long a
        # server may let us wait changes nothing that is said: who gave up may go on with more patience.
        sections = {name: getattr(self.config, name) for name in parts}
        return {
            name: {
                "name": section.name,
                **{k: v for k, v in section.settings.items() if k not in (*folders_of(section), PATIENCE)},
            }
            for name, section in sections.items()
            if section
        }

    def _learned(self) -> dict[str, JsonValue]:
        """Return what is learned from, as a manifest states it."""
        data: dict[str, JsonValue] = {"learn_arm": self.config.data.learn_arm}
        if self._transcripts is not None:
            data["real"] = self._transcripts.sha256
        return data


def _model_name(shopper: Shopper) -> str | None:
    """Name the model behind a shopper, which may be a chat model or only called one."""
    model = getattr(shopper, "model", None)
    name = model if isinstance(model, str) else getattr(model, "name", None)
    return name if isinstance(name, str) and name else None
