"""``convsim plugins`` says what is installed: to a reader in columns, to a program as JSON."""

import importlib.metadata
import json
import re

import pytest

from convsim.cli import main

KEYS = {"group", "name", "value", "package", "version", "description"}

NO_SETTINGS = {"convsim.metrics", "convsim.readers", "convsim.faults"}


@pytest.fixture
def command(capsys, monkeypatch):
    def run(*options):
        monkeypatch.setattr("sys.argv", ["convsim", "plugins", *options])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
def listed(command):
    def run(*options):
        code, out, err = command(*options)
        assert (code, err) == (0, "")
        return out

    return run


@pytest.fixture
def somebody_elses(tmp_path, monkeypatch):
    """Install a package with one reader, and none of its code: a list imports nothing."""
    folder = tmp_path / "logs_of_acme-2.5.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: logs-of-acme\nVersion: 2.5\n", encoding="utf-8"
    )
    (folder / "entry_points.txt").write_text(
        "[convsim.readers]\nacme = logs_of_acme:read\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_program_reads_group_name_value_package_and_version(listed, somebody_elses):
    rows = json.loads(listed("--format", "json"))
    assert all(set(row) == KEYS for row in rows)
    assert {
        "group": "convsim.readers", "name": "acme", "value": "logs_of_acme:read",
        "package": "logs-of-acme", "version": "2.5", "description": None,
    } in rows  # fmt: skip


def test_every_plugin_of_our_own_is_there_once_with_the_version_of_its_package(listed):
    rows = json.loads(listed("--format", "json"))
    own = importlib.metadata.distribution("convsim")
    declared = {(each.group, each.name, each.value) for each in own.entry_points if "convsim." in each.group}
    found = [
        (row["group"], row["name"], row["value"])
        for row in rows
        if (row["package"], row["version"]) == ("convsim", own.version)
    ]
    assert sorted(found) == sorted(declared)


def test_both_formats_list_the_same(listed, somebody_elses):
    rows = json.loads(listed("--format", "json"))
    lines = listed().splitlines()
    shown: list[tuple[str, str]] = []
    kind = ""
    for line in lines[:-2]:
        kind = line if line and not line.startswith(" ") else kind
        if found := re.match(r"  (\S+)", line):
            shown.append((kind, found[1]))
    assert shown == [(row["group"].removeprefix("convsim."), row["name"]) for row in rows]
    [acme] = [line for line in lines if line.startswith("  acme ")]
    assert "of logs-of-acme; convsim plugins NAME says what it does" in acme


def test_a_plugin_is_shown_with_its_settings_their_types_and_defaults(listed):
    shown = listed("http")
    assert shown.startswith("http: one of agents, of convsim ")
    assert "max_retries  a whole number from 0; default 4" in shown
    assert "url  text; needed" in shown
    assert "method  POST, PUT or PATCH; default 'POST'" in shown
    [document] = json.loads(listed("http", "--format", "json"))
    assert {"name": "max_retries", "type": "a whole number from 0", "default": "4"} in document["settings"]
    assert {"name": "url", "type": "text", "default": None} in document["settings"]
    assert [line.split(":")[0] for line in listed("python").splitlines() if "one of" in line] == [
        "python"
    ] * 2
    assert "word of thanks" in listed("user_thanks")


def test_every_plugin_of_our_own_says_what_it_does_and_shows_its_settings(listed):
    rows = json.loads(listed("--format", "json"))
    said = [row["description"] for row in rows if row["package"] == "convsim"]
    assert all(said)
    assert "says nothing of itself" not in said
    for name in dict.fromkeys(row["name"] for row in rows if row["group"] not in NO_SETTINGS):
        assert "settings" in listed(name)


def test_a_misspelt_plugin_is_refused_with_the_nearest(command):
    code, out, err = command("htpp")
    assert (code, out) == (2, "")
    assert err.startswith("error: there is no plugin 'htpp'; did you mean 'http'?")


def test_another_format_is_refused_with_the_nearest(command):
    code, out, err = command("--format", "jsn")
    assert (code, out) == (2, "")
    assert "did you mean json?" in err
