"""Scorecards and conversations made by hand, for tests of reports."""

from collections.abc import Mapping, Sequence

from convsim.evaluation import Scorecard, SideSummary
from convsim.schema import Finding
from convsim.schema.conversation import Conversation, Message

HOSTILE = "<script>window.hacked = 1; alert('x')</script><img src=x onerror=\"window.hacked = 1\">"
FIELDS = {
    "question": "?", "unit": "KS distance", "reason": "because", "verdict": "different", "n_real": 4,
    "n_simulated": 4, "seed": 1, "version": "1", "source": "a test",
}  # fmt: skip


def finding(validator: str, metric: str, **more: object) -> Finding:
    return Finding.model_validate({**FIELDS, "validator": validator, "metric": metric, **more})


def distance(metric: str, estimate: float | None = 0.4, **more: object) -> Finding:
    baseline = {"mean": 0.05, "q95": 0.1}
    interval = None if estimate is None else (max(0.0, estimate - 0.1), min(1.0, estimate + 0.1))
    details = {"real": {"mean": 1.5}, "simulated": {"mean": 2.5}, "margin": {"ks": 0.1}}
    fields = {"estimate": estimate, "interval": interval, "noise_floor": baseline, "details": details}
    return finding("marginals", metric, **{**fields, **more})


def hls(scores: Mapping[str, float], **details: object) -> Finding:
    tells = {
        "simulated": [{"feature": "certainly", "pull": 2.0, "n_real": 0, "n_simulated": 4}],
        "human": [{"feature": "nah mate", "pull": 1.0, "n_real": 3, "n_simulated": 0}],
    }
    kept = {"real": {f"h{i}": 0.9 for i in range(4)}, "simulated": dict(scores)}
    return finding(
        "humanlikeness", "hls", estimate=0.2, interval=(0.1, 0.3),
        details={
            "accuracy": 0.9, "accuracy_interval": [0.8, 1.0], "auc": 0.95, "auc_interval": [0.9, 1.0],
            "control_accuracy": 0.52, "control_auc": 0.51, "control_hls": 0.5, "tells": tells,
            "conversation_scores": kept, "control_histogram": {"first": [0, 4], "second": [1, 3]}, **details,
        },
    )  # fmt: skip


def shift(
    metric: str,
    human: float,
    simulated: float,
    *,
    details: Mapping[str, object] | None = None,
    **more: object,
) -> Finding:
    known = {
        "human_sd": 2.0, "control": "good", "treatment": "bad",
        "human_shift": {"estimate": human, "interval": [human - 0.5, human + 0.5], "established": abs(human) > 0.5},
        "simulated_shift": {"estimate": simulated, "interval": [simulated - 0.5, simulated + 0.5]},
    }  # fmt: skip
    return finding(
        "counterfactual", metric, estimate=simulated - human, details={**known, **(details or {})}, **more
    )


def dose(metric: str, means: Sequence[float], **details: object) -> Finding:
    severities = [i / (len(means) - 1) for i in range(len(means))]
    spans = [[mean - 0.1, mean + 0.1] for mean in means]
    return finding(
        "dose_response", metric, p_value=0.01,
        details={"severities": severities, "means": list(means), "mean_intervals": spans, "fault": "bad", **details},
    )  # fmt: skip


def curves(*survival: float) -> dict[str, list[dict[str, object]]]:
    steps = [{"turn": i + 1, "survival": s, "interval": [s, s]} for i, s in enumerate(survival)]
    return {"control": steps, "treatment": steps}


def side(
    n: int, *, simulator: str | None = None, path: str | None = None, sha256: str | None = None
) -> SideSummary:
    return SideSummary(path=path, sha256=sha256, n=n, simulator=simulator, arms={"-": n}, tasks={"-": n})


def card(*findings: Finding, n: int = 4, real: SideSummary | None = None, **more: object) -> Scorecard:
    fields = {"real": real or side(n), "simulated": side(n, simulator="bot"), "findings": findings, **more}
    return Scorecard.model_validate(fields)


def conversation(name: str, *said: str, **more: object) -> Conversation:
    """Make a conversation whose messages alternate, the user first."""
    roles = ("user", "assistant")
    messages = [Message(role=roles[i % 2], content=text) for i, text in enumerate(said)]
    return Conversation.model_validate({"id": name, "messages": messages, **more})


def people(n: int = 4) -> list[Conversation]:
    return [conversation(f"h{i}", "nah mate, boots " + "x " * i, "These?", "ok") for i in range(n)]


def shoppers(n: int = 4, *, first: str = "Certainly! I would like boots.") -> list[Conversation]:
    return [conversation(f"s{i}", first if i == 0 else f"Certainly, number {i}.", "These?") for i in range(n)]
