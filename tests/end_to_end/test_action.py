"""The GitHub action: well-formed, without a script into which inputs are put, and its steps run for real."""

import html
import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.end_to_end.actions import Job, Ran
from tests.end_to_end.validating import REPOSITORY, line, written
from tests.junit import outcomes

SCRIPTS = Path(sysconfig.get_path("scripts"))
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
HOSTILE = "$(touch gone) `touch gone`; touch gone # @somebody <b>.jsonl"
QUICK = "--validators=marginals\n--set=marginals.n_resamples=49\n--metrics=user_words_per_turn\n"
FAILS = '[metric.user_words_per_turn]\npass = ["alike"]\n'


def checked(*command: str | Path) -> None:
    done = subprocess.run(
        [str(SCRIPTS / command[0]), *map(str, command[1:])],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_and_the_workflows_fit_githubs_schemas():
    checked("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")
    workflows = sorted(REPOSITORY.glob(".github/workflows/*.yml"))
    checked("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)


def test_an_audit_finds_no_injection_and_no_token_that_lies_about():
    checked(
        "zizmor",
        "--offline",
        "--no-progress",
        "--strict-collection",
        "--persona=regular",
        "action.yml",
        ".github",
    )


def test_scripts_are_clean(tmp_path):
    inline = []
    for number, step in enumerate(each for each in ACTION["runs"]["steps"] if "run" in each):
        assert "${{" not in step["run"]  # GitHub would put what an input says into the script
        inline.append(tmp_path / f"{number}.sh")
        inline[-1].write_text(f"#!/usr/bin/env bash\n{step['run']}\n", encoding="utf-8")
    checked("shellcheck", *inline, *REPOSITORY.glob(".github/action/*.sh"))


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing_in_the_workflows():
    done = subprocess.run(["actionlint"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


class GitHub:
    """The part of GitHub's API that keeps a pull request's comments, on loopback."""

    def __init__(self, server: HTTPServer):
        self.comments: list[dict] = []
        self.asked: list[str] = []
        self.denied: int | None = None
        self.page = 2
        self.address = server.url_for("")
        comments = re.compile(r"/repos/team/shop/issues/(7|comments)(/.*)?")
        server.expect_request(comments).respond_with_handler(self._comments)
        self.user = 403
        server.expect_request("/user").respond_with_handler(lambda _: answered({"message": "no"}, self.user))

    def somebody_wrote(self, body: str, kind: str = "User") -> None:
        self.comments.append(
            {"id": len(self.comments) + 1, "body": body, "user": {"login": "x", "type": kind}}
        )

    def _comments(self, request: Request) -> Response:
        self.asked.append(request.method)
        if self.denied is not None and request.method != "GET":
            return answered({"message": "Resource not accessible by integration"}, self.denied)
        assert request.headers["Authorization"] == "Bearer a-token"
        if request.method == "GET":
            n = int(request.args.get("page", 1))
            shown = self.comments[(n - 1) * self.page : n * self.page]
            more = (
                f'<{request.base_url}?per_page=100&page={n + 1}>; rel="next"'
                if n * self.page < len(self.comments)
                else ""
            )
            return answered(shown, 200, link=more)
        body = request.get_json()["body"]
        if len(body) > 65_536:
            return answered({"message": "Validation Failed"}, 422)
        if request.method == "POST":
            self.somebody_wrote(body, "Bot")
            return answered({**self.comments[-1], "html_url": "https://github.example/c/1"}, 201)
        [ours] = [each for each in self.comments if request.path.endswith(f"/{each['id']}")]
        ours["body"] = body
        return answered({**ours, "html_url": f"https://github.example/c/{ours['id']}"}, 200)


def answered(document: object, status: int, *, link: str = "") -> Response:
    headers = {"Link": link} if link else {}
    return Response(json.dumps(document), status, headers, mimetype="application/json")


@pytest.fixture
def github(httpserver):
    return GitHub(httpserver)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the action's own step that installs, from this checkout and without an index; a folder of packages."""
    target = tmp_path_factory.mktemp("installed")
    [step] = [each for each in ACTION["runs"]["steps"] if each["name"] == "Install convsim"]
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={
            **os.environ, "CHECKOUT": str(REPOSITORY), "EXTRAS": "", "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0", "PIP_TARGET": str(target), "PIP_CACHE_DIR": str(target / "cache"),
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        },
        cwd=target, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (target / "convsim/__main__.py").is_file()
    return target


@pytest.fixture
def job(tmp_path, github, installed):
    event = written(tmp_path / "event.json", [json.dumps({"pull_request": {"number": 7}})])
    said = "I would like very much to find size 40 boots that are of use for a long walk, please, number {}"
    written(tmp_path / "people.jsonl", [line(n) for n in range(30)])
    written(tmp_path / "alike.jsonl", [line(n + 500, simulator="bot") for n in range(30)])
    hostile = [line(n + 500, text=said.format(n), simulator="@somebody |</td> #12") for n in range(30)]
    written(tmp_path / HOSTILE, hostile)
    written(tmp_path / "gate.toml", [FAILS])
    environment = {
        "GITHUB_EVENT_PATH": str(event), "GITHUB_API_URL": github.address, "PYTHONPATH": str(installed),
    }  # fmt: skip
    return Job(without_installing(tmp_path), tmp_path, environment)


def without_installing(folder: Path) -> Path:
    """Return the action less the step that ``installed`` has run already."""
    action = folder / "the action"
    action.mkdir()
    (action / ".github").symlink_to(REPOSITORY / ".github")
    steps = [each for each in ACTION["runs"]["steps"] if each["name"] != "Install convsim"]
    (action / "action.yml").write_text(yaml.safe_dump({**ACTION, "runs": {**ACTION["runs"], "steps": steps}}))
    return action


def judged(job: Job, **inputs: str) -> Ran:
    return job.run(**{"real": "people.jsonl", "simulated": "alike.jsonl", "arguments": QUICK, **inputs})


def test_a_side_that_passes_is_summed_up_told_and_kept(job, github):
    ran = judged(job, fail_on="different")
    assert (ran.code, ran.outputs["exit-code"]) == (0, "0"), ran.log
    assert ran.summary.startswith("### convsim: ")
    [comment] = github.comments
    assert re.match(r"<!-- convsim [0-9a-f]{16} -->\n## convsim\n\n### convsim: ", comment["body"])
    assert "(https://github.example/team/shop/actions/runs/42)" in comment["body"]
    assert ran.outputs["comment-url"] == "https://github.example/c/1"
    assert ran.used["actions/setup-python"] == {"python-version": "3.11"}
    folder = Path(ran.used["actions/upload-artifact"]["path"])
    assert ran.used["actions/upload-artifact"]["name"] == "convsim"
    assert sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()) == [
        "junit.xml", "report/findings.json", "report/report.html", "summary.md",
    ]  # fmt: skip
    assert "marginals" in outcomes((folder / "junit.xml").read_text(encoding="utf-8"))


def test_later_pushes_update_the_one_comment_and_nobody_elses(job, github):
    job_of = {"gate": "gate.toml", "simulated": HOSTILE}
    first = judged(job, **job_of)
    assert (first.code, first.outputs["exit-code"]) == (1, "1"), first.log
    [ours] = github.comments
    for n in range(4):  # one page is two comments
        github.comments.insert(
            0, {"id": 90 + n, "body": ours["body"], "user": {"login": "m", "type": "User"}}
        )
    assert judged(job, **job_of, title="another").code == 1
    assert judged(job).code == 0
    assert github.asked == ["GET", "POST", *["GET"] * 3, "POST", *["GET"] * 3, "PATCH"]
    assert [each["user"]["type"] for each in github.comments] == [*["User"] * 4, "Bot", "Bot"]
    assert ours is github.comments[4]
    assert "gate failed" not in ours["body"]
    assert "gate failed" in github.comments[5]["body"]


def test_names_and_words_of_strangers_run_nothing_call_nobody_and_are_no_markup(job, github):
    ran = judged(
        job, simulated=HOSTILE, gate="gate.toml", title=HOSTILE, artifact=HOSTILE, fail_on="different"
    )
    assert ran.code == 1, ran.log
    assert not list(job.folder.rglob("gone"))
    body = github.comments[0]["body"]
    for text in (body, ran.summary):
        assert "somebody" in text
        assert not re.search(r"@\w|#\d|<(?!!-- convsim)", text)
        assert re.search(r"\\\|&lt;/td&gt;", text)
    before, _, after = ran.log.partition("::stop-commands::")
    word = after[:32]
    assert re.fullmatch("[0-9a-f]{32}", word)
    assert "convsim" not in before
    assert f"\n::{word}::\n" in after


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (
            {"command": "rank; touch gone"},
            "::error::the input command must be validate, counterfactual or study",
        ),
        ({"command": "study"}, "::error::a study names its people and its gate itself"),
        (
            {"command": "study", "real": "", "simulated": ""},
            "::error::the command study needs the input study",
        ),
        ({"study": "s.toml"}, "::error::the input study belongs to the command study"),
        ({"simulated": "nowhere.jsonl"}, "nowhere.jsonl"),
        ({"simulated": "--version"}, "--version"),
        ({"fail_on": "x' --version '"}, "--fail-on"),
        ({"gate": "people.jsonl"}, "people.jsonl"),
        ({"arguments": "--seed\nthree"}, "three"),
        ({"arguments": f"{QUICK}--out\nelsewhere"}, "::error::leave --out out of the input arguments"),
        ({"arguments": "--out=elsewhere\r\n--seed=3"}, "::error::leave --out out of the input arguments"),
        ({"arguments": "--summary=s.md"}, "::error::leave --summary out of the input arguments"),
        ({"arguments": "--junit"}, "::error::leave --junit out of the input arguments"),
    ],
)
def test_wrong_inputs_end_with_two_and_say_so_everywhere(job, github, inputs, says):
    ran = judged(job, **inputs)
    assert (ran.code, ran.outputs["exit-code"]) == (2, "2"), ran.log
    assert says in ran.log
    assert "Traceback" not in ran.log
    assert "no verdict" in ran.summary
    assert "no verdict" in github.comments[0]["body"]
    assert not list(job.folder.rglob("gone"))
    assert not (job.folder / "elsewhere").exists()


def test_a_title_is_the_heading_of_its_comment_and_no_markup(job, github):
    title = "Nightly *run* <b> @somebody GH-7 #7 [x](https://example.com)\n# second"
    judged(job, title=title, real="nowhere.jsonl")
    heading = github.comments[0]["body"].splitlines()[1]
    assert heading.startswith("## Nightly ")
    shown = MarkdownIt("commonmark").render(heading)
    assert html.unescape(re.sub("</?h2>|\u2060|\\n", "", shown)) == title.replace("\n", " ")
    assert not re.search(r"@\w|#\d|GH-\d|https:/", heading)


def test_an_answer_of_user_that_is_broken_is_a_warning_and_nothing_is_written(job, github):
    github.user = 502
    ran = judged(job, real="nowhere.jsonl")
    assert "::warning title=convsim::no comment is written: GitHub answered 502" in ran.log
    assert github.comments == []


@pytest.mark.parametrize("answer", [403, 404])
def test_without_the_permission_there_is_a_notice_and_the_verdict_stands(job, github, answer):
    github.denied = answer
    ran = judged(job)
    assert ran.code == 0
    assert f"::notice title=convsim::no comment is written (GitHub answered {answer})" in ran.log
    assert "a-token" not in ran.log
    assert (ran.outputs["comment-url"], github.comments) == ("", [])


def test_a_server_that_is_broken_or_not_there_is_a_warning(job, github):
    github.denied = 502
    assert "::warning title=convsim::no comment is written: GitHub answered 502" in judged(job).log
    job.environment["GITHUB_API_URL"] = "http://127.0.0.1:1"
    ran = judged(job)
    assert ran.code == 0
    assert "::warning title=convsim::no comment is written: ConnectionError" in ran.log


def test_an_event_that_is_no_pull_request_or_a_wish_for_none_writes_no_comment(job, github):
    written(job.folder / "event.json", ['{"ref": "refs/heads/main"}'])
    ran = judged(job, artifact="", python_version="")
    assert ran.code == 0
    assert "::notice title=convsim::no comment is written: the event is about no pull request" in ran.log
    assert ran.used == {}
    assert judged(job, comment="false").names == [
        "Set up Python",
        "Judge",
        "Upload report, findings and JUnit",
        "End as convsim did",
    ]
    assert github.asked == []


def test_a_summary_that_is_too_long_for_a_comment_is_cut_at_a_line(job, github, tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    written(folder / "summary.md", ["| é | &amp; |" * 50] * 400)
    step = next(each for each in ACTION["runs"]["steps"] if each["name"] == "Comment")
    done = subprocess.run(
        ["bash", "-c", step["run"]], capture_output=True, text=True, check=False,
        env={
            **job.environment, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "FOLDER": str(folder),
            "TITLE": "t", "TOKEN": "a-token", "CHECKOUT": str(REPOSITORY), "GITHUB_OUTPUT": str(folder / "outputs"),
            "GITHUB_REPOSITORY": "team/shop", "GITHUB_RUN_ID": "1", "GITHUB_SERVER_URL": "https://github.example",
        },
    )  # fmt: skip
    assert done.stdout == "", done.stderr
    [comment] = github.comments
    assert 60_000 < len(comment["body"]) <= 65_536
    assert "|\n\nThe rest is in the summary of the job.\n" in comment["body"]


def test_a_study_is_held_judged_and_kept(job, github):
    people = REPOSITORY / "data/demo/convapparel_standin.json"
    study = f"""
[study]
n = 4
max_turns = 2
[data]
real = "{people}"
[judge]
real = "{people}"
validators = ["copies"]
allow_overlap = true
"""
    written(job.folder / "my study.toml", [study])
    ran = job.run(command="study", study="my study.toml", artifact="all", arguments="--no-check")
    assert ran.code == 0, ran.log
    folder = Path(ran.used["actions/upload-artifact"]["path"])
    assert (folder / "report/summary.json").is_file()
    assert (folder / "junit.xml").is_file()
    assert ran.summary.startswith("## study\n")
