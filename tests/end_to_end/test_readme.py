"""The two commands that the README begins with: the demo, and the tests; test_guide_blocks.py runs all else."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_two_commands_stand_first_and_ci_runs_the_tests_in_the_same_way():
    demo, tests = blocks("sh")[:2]
    assert demo.strip().endswith("convsim demo")
    assert demo.strip().count("\n") == tests.strip().count("\n") == 0
    options = re.search(r"/pytest (.+)$", tests.strip())
    [ci] = re.findall(
        r"^pytest (.+?) \|\|", (REPOSITORY / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert options is not None
    assert ci.startswith(options[1])


def test_the_demos_live_part_holds_conversations_and_scores_them_on_people_they_did_not_learn_from(
    tmp_path, monkeypatch
):
    from convsim.cli import tour

    monkeypatch.setattr(tour, "live_shoppers", lambda: ("resample",))
    [(name, card)] = tour.live_scorecards(tmp_path, seed=0)
    assert name == "the resample shopper, live"
    assert (card.real.n, card.simulated.n) == (128, 12)
    assert not any("is not judged on people it copied" in warning for warning in card.warnings)
    turns = next(finding for finding in card.judged if finding.metric == "turns")
    # Live conversations end after four turns, people's when people end them.
    assert turns.details["simulated"]["mean"] <= tour.LIVE_TURNS  # type: ignore[call-overload]
    assert turns.estimate is not None
    assert not any("learned from" in finding.reason for finding in card.findings)
    assert (tmp_path / "resample/manifest.json").exists()
    assert "no person wrote" in card.warnings[0]


def test_the_demos_ladder_is_climbed_and_asked(tmp_path):
    from convsim.cli import tour

    cards = dict(tour.ladder_scorecards(tmp_path, seed=0))
    ladder, relations = cards.values()
    [reaction] = (f for f in ladder.findings if f.metric == "any_reaction")
    asked = {name: reaction.details[name] for name in ("fault", "severities", "n_conversations")}
    assert asked == {"fault": "bad", "severities": [0, 0.5, 1], "n_conversations": [40] * 3}
    assert reaction.verdict in {"aligned", "does_not_react"}
    [untouched] = (f for f in relations.findings if f.metric == "severity_zero")
    assert reaction.n_simulated == untouched.n_simulated == 120
    assert any(f.estimate is not None for f in relations.findings)
    assert all("no person wrote" in card.warnings[0] for card in cards.values())
