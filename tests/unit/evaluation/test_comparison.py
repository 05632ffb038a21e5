import pytest

import convsim
from convsim.errors import InputError, PluginError
from convsim.schema import Finding
from convsim.schema.conversation import Conversation


def side(prefix: str, n: int = 12, **more) -> list[Conversation]:
    return [
        Conversation.model_validate(
            {
                "id": f"{prefix}{i}",
                "messages": [{"role": "user", "content": f"{prefix} size {i} boots"}],
                **more,
            }
        )
        for i in range(n)
    ]


class Constant:
    name = "constant"

    def validate(self, real, simulated, *, seed):
        return [
            Finding(
                validator=self.name, metric="m", question="?", unit="u", verdict="different", reason="because",
                n_real=len(real), n_simulated=len(simulated), seed=seed, version="1", source="a test",
            )
        ]  # fmt: skip


class Broken:
    name = "broken"

    def validate(self, real, simulated, *, seed):
        raise ZeroDivisionError("oops")


def test_a_validator_that_raises_is_a_finding_with_its_reason_and_loses_no_others_work():
    card = convsim.validate(side("r"), side("s"), seed=1, validators=[Broken(), Constant()])
    assert [f.verdict for f in card.findings] == ["failed", "different"]
    assert "ZeroDivisionError: oops" in card.findings[0].reason
    assert any("broken" in warning for warning in card.warnings)


def test_position_decides_which_side_is_human():
    card = convsim.validate(side("r", simulator="bot"), side("s"), seed=1, validators=[Constant()])
    assert card.real.simulator == "bot"
    assert card.simulated.simulator is None


def test_different_fails_on_different_and_undecided_fails_on_both():
    card = convsim.validate(side("r"), side("s"), seed=1, validators=[Broken(), Constant()])
    assert len(card.failing("different")) == 1
    assert len(card.failing("undecided")) == 2


def test_controls_take_no_part_in_gates():
    card = convsim.validate(side("r"), side("s"), seed=1, validators=[Constant()])
    control = card.findings[0].but(details={"role": "control"})
    assert card.but(findings=(control,)).failing("undecided") == ()


def test_what_is_no_validator_is_refused():
    with pytest.raises(PluginError, match="is not a function and has no 'validate'"):
        convsim.validate(side("r"), side("s"), seed=1, validators=[object()])  # type: ignore[list-item]


def test_an_empty_side_is_refused():
    with pytest.raises(InputError, match="no simulated conversation"):
        convsim.validate(side("r"), [], seed=1, validators=[Constant()])


def test_a_seed_is_required():
    with pytest.raises(TypeError, match="seed"):
        convsim.validate(side("r"), side("s"))  # type: ignore[call-arg]
