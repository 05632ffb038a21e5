"""Runs the steps of a composite action as GitHub's runner does: in order, in bash, with the environment that it sets.

A step that ``uses`` another action is not run, and noted with what it is given. Of GitHub's expressions those are known
that the action has: contexts, texts, ``==``, ``!=``, ``!``, ``&&``, ``||``, ``cancelled()``.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
CONTEXT = re.compile(r"'(?:[^']|'')*'|\b(?:inputs|github|steps)(?:\.[\w-]+)+")
SHELL = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
"""What ``shell: bash`` stands for."""


@dataclass
class Ran:
    """What came of an action."""

    code: int
    """Of the first step that failed, or 0."""
    outputs: dict[str, str]
    summary: str
    log: str
    used: dict[str, dict[str, str]]
    """What other actions were given, by their names."""
    names: list[str] = field(default_factory=list)
    """The steps that were run."""


@dataclass
class Job:
    """A job that uses an action."""

    action: Path
    folder: Path
    """Temporary, and the checkout in which the job works."""
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, **inputs: str) -> Ran:
        """Run the action with inputs, whose names are written with ``_`` for ``-``."""
        said = yaml.safe_load((self.action / "action.yml").read_text(encoding="utf-8"))
        given = {name.replace("_", "-"): text for name, text in inputs.items()}
        assert given.keys() <= said["inputs"].keys()
        contexts: dict[str, str] = {"github.action_path": str(self.action), "github.token": "a-token"}
        for name, stated in said["inputs"].items():
            contexts[f"inputs.{name}"] = given.get(name, _filled(stated["default"], contexts))
        ran = Ran(code=0, outputs={}, summary="", log="", used={})
        for number, step in enumerate(said["runs"]["steps"]):
            if not _is_due(step, contexts, failed=ran.code != 0):
                continue
            ran.names.append(step["name"])
            if "uses" in step:
                stated = step.get("with", {})
                ran.used[step["uses"].partition("@")[0]] = {
                    name: _filled(str(value), contexts) for name, value in stated.items()
                }
                continue
            code = self._step(number, step, contexts, ran)
            ran.code = ran.code or code
        ran.outputs = {name: _filled(each["value"], contexts) for name, each in said["outputs"].items()}
        return ran

    def _step(self, number: int, step: dict[str, Any], contexts: dict[str, str], ran: Ran) -> int:
        assert step["shell"] == "bash"
        temporary = self.folder / "runner"
        temporary.mkdir(exist_ok=True)
        script, outputs, summary = (
            temporary / f"{kind}-{number}" for kind in ("script.sh", "outputs", "summary")
        )
        script.write_text(_filled(step["run"], contexts), encoding="utf-8")
        outputs.touch()
        summary.touch()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [*SHELL, str(script)], cwd=self.folder / _filled(step.get("working-directory", "."), contexts),
            env={
                "PATH": path, "HOME": os.environ.get("HOME", "/"), "RUNNER_TEMP": str(temporary), "CI": "true",
                "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_REPOSITORY": "team/shop", "GITHUB_RUN_ID": "42", "GITHUB_SERVER_URL": "https://github.example",
                **self.environment,
                **{name: _filled(str(value), contexts) for name, value in step.get("env", {}).items()},
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        ran.log += done.stdout + done.stderr
        ran.summary += summary.read_text(encoding="utf-8")
        if "id" in step:
            for line in outputs.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition("=")
                contexts[f"steps.{step['id']}.outputs.{name}"] = value
        return done.returncode


def _is_due(step: dict[str, Any], contexts: Mapping[str, str], *, failed: bool) -> bool:
    """Tell whether a step is run: after a failure only one that asks how the job stands."""
    asked = step.get("if")
    if asked is None:
        return not failed
    [inside] = EXPRESSION.findall(asked)
    return bool(_valued(inside, contexts)) and ("cancelled()" in inside or not failed)


def _filled(text: str, contexts: Mapping[str, str]) -> str:
    return EXPRESSION.sub(lambda found: str(_valued(found[1], contexts)), text)


def _valued(expression: str, contexts: Mapping[str, str]) -> str | bool:
    """Work out an expression: as Python it has another spelling, and the same grammar."""
    spelled = CONTEXT.sub(
        lambda found: found[0] if found[0][0] == "'" else repr(contexts.get(found[0], "")), expression
    )
    spelled = spelled.replace("cancelled()", "False").replace("&&", " and ").replace("||", " or ")
    return _of(ast.parse(re.sub(r"!(?!=)", " not ", spelled).strip(), mode="eval").body)


def _of(node: ast.expr) -> str | bool:
    match node:
        case ast.Constant(value=str() | bool() as value):
            return value
        case ast.UnaryOp(op=ast.Not()):
            return not _of(node.operand)
        case ast.BoolOp(op=ast.And()):
            return all(_of(each) for each in node.values)
        case ast.BoolOp(op=ast.Or()):
            return any(_of(each) for each in node.values)
        case ast.Compare(ops=[ast.Eq()]):
            return _of(node.left) == _of(node.comparators[0])
        case ast.Compare(ops=[ast.NotEq()]):
            return _of(node.left) != _of(node.comparators[0])
    raise AssertionError(f"an expression that this runner does not know: {ast.dump(node)}")
