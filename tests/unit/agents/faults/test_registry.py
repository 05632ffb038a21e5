"""Faults of somebody's own: a function of a reply, recorded as the built-in ones are."""

import sys
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pytest

import convsim
from convsim.agents import degrade
from convsim.agents.faults import FAULTS
from convsim.errors import AgentError, InputError, PluginError
from convsim.plugins import installed, load
from convsim.schema import AgentReply
from convsim.schema.conversation import Fault, Item
from tests.unit.agents.shops import talk

ITEMS = (Item(id="a", title="Alder"), Item(id="b", title="Basin"))


class Shop:
    name = "shop"

    async def reply(self, conversation, *, seed):
        return AgentReply(content="Take these.", items=ITEMS)


@convsim.fault
def shouting(reply):
    return reply.content.upper()


@convsim.fault(drawn=False)
def fewer_items(reply, severity):
    kept = round(len(reply.items) * (1 - severity))
    return reply.but(items=reply.items[:kept]), f"showed {kept} of {len(reply.items)}"


def shuffled(reply, *, rng):
    return reply.but(items=tuple(reply.items[int(n)] for n in rng.permutation(len(reply.items))))


async def said(spec, severity=1.0, seed=5):
    return await degrade(Shop(), spec, severity).reply(talk("boots"), seed=seed)


async def test_a_function_of_a_reply_degrades_it_and_is_recorded():
    reply = await said(shouting)
    assert reply.content == "TAKE THESE."
    assert reply.items == ITEMS
    assert reply.faults == (Fault(name="shouting", severity=1.0, acted=True, detail="changed the words"),)


async def test_it_is_found_by_module_and_thing_also_beside_built_in_ones():
    reply = await said(f"{__name__}:shouting+rude_text")
    assert [(fault.name, fault.acted) for fault in reply.faults] == [
        (f"{__name__}:shouting", True),
        ("rude_text", True),
    ]
    assert "TAKE THESE." in reply.content


async def test_the_severity_is_the_share_of_replies_and_who_is_hit_at_one_is_hit_at_every_greater_one():
    hit = {}
    for severity in (0.0, 0.3, 0.6):
        replies = [await said(shouting, severity, seed=seed) for seed in range(200)]
        hit[severity] = {seed for seed, reply in enumerate(replies) if reply.content.isupper()}
        told = {reply.faults[0].detail for reply in replies if reply.faults and not reply.content.isupper()}
        assert told == ({"not drawn for this reply"} if severity else set())
    assert hit[0.0] == set()
    assert hit[0.3] < hit[0.6]
    assert 40 < len(hit[0.3]) < 80 < len(hit[0.6]) < 150


async def test_one_that_weighs_the_severity_itself_is_asked_at_every_reply():
    reply = await said(fewer_items, 0.5)
    assert reply.items == ITEMS[:1]
    assert reply.faults[0].detail == "showed 1 of 2"


async def test_its_generator_hangs_on_the_seed_alone():
    orders = [[item.id for item in (await said(shuffled, seed=seed)).items] for seed in (1, 1, 2, 3, 4, 5)]
    assert orders[0] == orders[1]
    assert ["b", "a"] in orders


@pytest.mark.parametrize("unchanged", [lambda reply: None, lambda reply: reply, lambda reply: reply.content])
async def test_what_was_left_alone_is_recorded_as_such(unchanged):
    reply = await said(convsim.fault(name="mine")(unchanged))
    assert reply.but(faults=()) == AgentReply(content="Take these.", items=ITEMS)
    assert reply.faults == (
        Fault(name="mine", severity=1.0, acted=False, detail="it left the reply as it was"),
    )


async def late(reply):
    return "late"


async def test_an_async_function_is_awaited():
    assert (await said(late)).content == "late"


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda reply: 1 / 0, "the fault mine raised ZeroDivisionError"),
        (lambda reply: sys.exit(0), "the fault mine raised SystemExit"),
        (lambda reply: 3, "the fault mine must return a reply, its text or None, but returned 3"),
    ],
)
async def test_what_it_does_wrong_is_a_failure_of_the_agent_that_names_it(function, why):
    with pytest.raises(AgentError, match=why):
        await said(convsim.fault(name="mine")(function))


async def test_what_others_recorded_cannot_be_lost():
    both = f"rude_text+{__name__}:forgetful"
    assert [fault.name for fault in (await said(both)).faults] == ["rude_text", f"{__name__}:forgetful"]


def forgetful(reply):
    return AgentReply(content="hm")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("rude_txt", "there is no fault 'rude_txt'; did you mean rude_text; available: partial_query"),
        ("nowhere:fault", "no module 'nowhere'"),
        (f"{__name__}:ITEMS", "is not a fault"),
        (3, "3 is not a fault"),
        (lambda reply: "", "cannot be called '<lambda>'"),
        (lambda: "", "cannot be called|takes nothing"),
    ],
)
def test_what_is_no_fault_is_refused(spec, why):
    with pytest.raises(InputError, match=why):
        degrade(Shop(), spec, 0.5)


@pytest.mark.parametrize("name", ["", "a b", "bad", "1st"])
def test_a_name_that_cannot_be_is_refused_where_the_fault_is_made(name):
    with pytest.raises(PluginError, match="cannot be called"):
        convsim.fault(name=name)(shuffled)


def test_a_function_that_takes_something_else_is_refused_where_the_fault_is_made():
    def strange(reply, *, agent):
        return reply

    with pytest.raises(
        PluginError, match="the fault strange has parameters reply, agent; allowed: reply, conv"
    ):
        convsim.fault(strange)


@pytest.mark.parametrize("severity", [-0.1, 1.1, True, "1"])
def test_a_severity_that_is_none_is_refused(severity):
    with pytest.raises(InputError, match="a severity must be a number from 0 to 1"):
        degrade(Shop(), shouting, severity)


@pytest.fixture
def register(monkeypatch):
    def registering(**faults):
        module: Any = ModuleType("somebodys_faults")
        for name, thing in faults.items():
            setattr(module, name, thing)
        monkeypatch.setitem(sys.modules, "somebodys_faults", module)

        def found(*, group, name=None):
            own = [*entry_points(group=group)]
            if group == "convsim.faults":
                own += [EntryPoint(key, f"somebodys_faults:{key}", group) for key in faults]
            return [entry for entry in own if name in (None, entry.name)]

        monkeypatch.setattr("convsim.plugins.entry_points", found)

    return registering


async def test_an_installed_one_is_found_by_name(register):
    register(loud=shouting)
    reply = await said("loud")
    assert reply.faults[0].name == "loud"
    assert reply.content == "TAKE THESE."


@pytest.mark.parametrize(
    ("name", "why"), [("rude_text", "registered twice"), ("bad", "has the name of a preset")]
)
def test_a_package_that_takes_a_built_in_name_is_refused_where_the_name_is_used(register, name, why):
    register(**{name: shouting})
    degrade(Shop(), "off_topic_text", 0.5)
    with pytest.raises(PluginError, match=why):
        degrade(Shop(), name, 0.5)


def test_every_built_in_fault_is_a_plugin():
    assert set(FAULTS) <= set(installed("faults"))
    for name, fault in FAULTS.items():
        assert load("faults", name) is fault
