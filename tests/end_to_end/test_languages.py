"""Languages as a user meets them: told, undefined with a reason, refused by rules, and lists of one's own."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.end_to_end.validating import NAIVE, convsim

GERMAN = (
    "hallo, ich suche Gummistiefel unter 60 Euro", "haben Sie die auch in Schwarz?", "super, die nehme ich dann, danke"
)  # fmt: skip
ITALIAN = (
    "cerco degli stivali sotto i 60 euro",
    "li avete anche in nero?",
    "perfetto, allora prendo questi, grazie",
)
POLITE = ("Könnten Sie mir bitte Gummistiefel zeigen, die weniger als 60 Euro kosten?", *GERMAN[1:])
FEW = ("--validators", "marginals", "--set", "marginals.n_resamples=199", "--format", "json")


def write(path: Path, texts: tuple[str, ...], *, n: int = 40) -> Path:
    lines = []
    for i in range(n):
        # A number of its own, since what is repeated word for word counts once.
        first = f"{texts[0]} {i}"
        messages = [
            {"role": role, "content": content}
            for text in (first, *texts[1 : 1 + (i + 1) % 3])
            for role, content in (("user", text), ("assistant", "ok"))
        ]
        lines.append(json.dumps({"id": f"{path.stem}{i}", "user": f"{path.stem}{i}", "messages": messages}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def sides(tmp_path: Path) -> tuple[str, str]:
    return str(write(tmp_path / "people.jsonl", GERMAN)), str(write(tmp_path / "bot.jsonl", POLITE))


def findings(done: CompletedProcess[str]) -> dict[str, dict]:
    assert done.returncode == 0, done.stderr
    return {finding["metric"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_please_in_german_tells_a_polite_simulator(sides: tuple[str, str]) -> None:
    found = findings(convsim("validate", *sides, *FEW))
    assert found["user_please"]["verdict"] == "different"
    assert found["user_please"]["details"]["real"]["mean"] == 0
    assert found["user_please"]["details"]["simulated"]["mean"] > 0.3


def test_a_language_without_lists_is_undecided_with_the_language_in_the_reason(tmp_path: Path) -> None:
    people, bot = (str(write(tmp_path / f"{name}.jsonl", ITALIAN)) for name in ("people", "bot"))
    done = convsim("validate", people, bot, "--allow-overlap", *FEW)
    found = findings(done)
    for name in ("user_thanks", "user_please", "user_sorry", "user_first_person", "user_complaints"):
        assert found[name]["verdict"] == "undecided"
        assert found[name]["estimate"] is None
        assert "Italian" in found[name]["reason"]
    card = json.loads(done.stdout)
    assert card["real"]["language"]["code"] == card["simulated"]["language"]["code"] == "it"
    assert "Italian" in convsim("validate", people, bot, "--allow-overlap", *FEW[:-2]).stdout


def test_a_folder_of_lists_gives_the_language_its_metric(tmp_path: Path) -> None:
    people, bot = (str(write(tmp_path / f"{name}.jsonl", ITALIAN)) for name in ("people", "bot"))
    (tmp_path / "lists" / "it").mkdir(parents=True)
    (tmp_path / "lists" / "it" / "thanks.txt").write_text("grazie\n", encoding="utf-8")
    lists = ("--lexicon", str(tmp_path / "lists"))
    found = findings(convsim("validate", people, bot, "--allow-overlap", *lists, *FEW))
    assert found["user_thanks"]["details"]["real"]["mean"] > 0
    assert found["user_please"]["verdict"] == "undecided"


def test_a_folder_that_cannot_be_used_is_one_line_and_exit_2_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "italian").mkdir()
    done = convsim("validate", "nowhere.jsonl", "nowhere.jsonl", "--lexicon", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().endswith("italian: is not a language's ISO 639 code; did you mean it")
    assert "Traceback" not in done.stderr


def test_sides_in_two_languages_are_warned_of_and_not_compared_by_words(sides: tuple[str, str]) -> None:
    done = convsim("validate", sides[0], NAIVE, *FEW)
    found = findings(done)
    assert found["user_words_per_turn"]["verdict"] == "undecided"
    assert "the real side is German, the simulated side English" in found["user_words_per_turn"]["reason"]
    assert any("the real side is German" in warning for warning in json.loads(done.stdout)["warnings"])


def test_rules_refuse_german_with_one_line_and_exit_2_and_write_nothing(
    sides: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "labelled.jsonl"
    done = convsim("annotate", sides[0], "--with", "rules", "--out", str(out))
    assert done.returncode == 2
    assert "rules reads English alone" in done.stderr
    assert "German" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
    assert convsim("validate", *sides, "--annotate", "rules").returncode == 2
    forced = ("annotate", sides[0], "--with", "rules", "--set", "rules.any_language=true", "--out", str(out))
    assert convsim(*forced).returncode == 0


def test_describe_names_the_language(sides: tuple[str, str], tmp_path: Path) -> None:
    assert "German" in convsim("data", "describe", sides[0]).stdout
    told = json.loads(convsim("data", "describe", sides[0], "--format", "json").stdout)["language"]
    assert told["code"] == "de"
    emoji = str(write(tmp_path / "emoji.jsonl", ("👍", "😀", "42")))
    assert "not told: 0 letters" in convsim("data", "describe", emoji).stdout
    assert convsim("validate", emoji, emoji, "--allow-overlap", *FEW).returncode == 0
