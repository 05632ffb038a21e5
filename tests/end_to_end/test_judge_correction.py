"""A judge that errs at known rates, behind a real server: the correction finds the difference that it hides."""

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from convsim.annotation import annotate
from convsim.annotation.judge import Judge
from convsim.metrics import measure_both
from convsim.schema.conversation import Conversation, Label, Message
from convsim_validators.labels.prevalence import Prevalence
from tests.judges import Erring, model_that

N = 120
N_CHECKED = 100
"""Of so many real conversations people said what is true."""
SHARES = {"real": 0.25, "simulated": 0.75}
SENSITIVITY, SPECIFICITY = 0.8, 0.75


def is_satisfied(text: str) -> bool:
    return text.endswith("just right")


def side(name: str) -> list[Conversation]:
    """Conversations of one user message; the side's proportion of them satisfied, spread evenly."""
    made = []
    for number in range(N):
        n_before, n_so_far = (int(SHARES[name] * k + 1e-9) for k in (number, number + 1))
        text = f"{name} order {number}, " + ("just right" if n_so_far > n_before else "not what I wanted")
        truth = Label(value=int(is_satisfied(text)), source="third_party", scale=(0, 1))
        checked = name == "real" and number < N_CHECKED
        labels = {"satisfaction": (truth,)} if checked else {}
        message = Message(role="user", content=text, labels=labels)
        made.append(Conversation(id=f"{name}{number}", messages=(message,), labels=labels))
    return made


@pytest.mark.calibration
def test_the_true_difference_lies_in_the_corrected_interval_and_not_in_the_raw_one(
    httpserver: HTTPServer,
) -> None:
    erring = Erring(truth=is_satisfied, sensitivity=SENSITIVITY, specificity=SPECIFICITY, seed=1)
    judge = Judge(model_that(httpserver, erring))
    real, simulated = (annotate(side(name), judge).conversations for name in ("real", "simulated"))
    findings = Prevalence(n_resamples=499).validate(*measure_both(real, simulated), seed=3)
    assert {f.metric for f in findings} == {"satisfaction", "satisfaction_by_turn"}
    truth = SHARES["simulated"] - SHARES["real"]
    for finding in findings:
        details: dict[str, Any] = dict(finding.details)
        raw, adjusted = details["raw"], details["adjusted"]
        assert details["annotator"] == judge.source
        assert details["n_calibration"] == N_CHECKED
        # Rogan and Gladen: what is counted is the true difference times sensitivity + specificity - 1.
        assert raw["estimate"] == pytest.approx(truth * (SENSITIVITY + SPECIFICITY - 1), abs=0.15)
        assert raw["interval"][1] < truth
        assert adjusted["interval"][0] < truth < adjusted["interval"][1]
        assert abs(adjusted["estimate"] - truth) < abs(raw["estimate"] - truth)
        assert finding.verdict == "different"
        for name, share in SHARES.items():
            low, high = adjusted[name]["interval"]
            assert low < share < high
