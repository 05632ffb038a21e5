"""Fills in one chat template within bounds of memory, time and output; run as a program, a line of JSON for each chat.

It is handed the template of somebody's model folder and nothing else: no variable of the environment and no module of
convsim. Its first line says where jinja2 lies, what the template is, and the bounds; the answer is the template's
literal text. Each further line holds the template's variables; the answer is the text, or why there is none.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TextIO

Answer = dict[str, str]
TOO_MUCH_MEMORY: Answer = {"failed": "takes too much memory"}


def main(questions: TextIO, answers: TextIO) -> None:
    """Answer each line until there is none."""
    asked: Mapping[str, Any] = json.loads(questions.readline())
    sys.path[:0] = asked["path"]
    import jinja2
    import jinja2.ext
    import jinja2.meta
    import jinja2.sandbox

    _limit_memory(asked["bytes"])
    _start_clock(asked["seconds"])
    template = None
    try:
        environment = _environment(jinja2, is_prompt=asked["is_prompt"], trims=asked["trims"])
        tree = environment.parse(asked["template"])
        literals = _literal_text(jinja2, tree)
        variables = " ".join(sorted(jinja2.meta.find_undeclared_variables(tree)))
        template = environment.from_string(asked["template"])
        _say(answers, {"text": literals, "variables": variables})
    except MemoryError:
        _say(answers, TOO_MUCH_MEMORY)
    except Exception as error:
        _say(answers, {"failed": f"is no template: {error}"[:1000]})
    while line := questions.readline():
        _start_clock(asked["seconds"])
        _say(answers, _filled(jinja2, template, json.loads(line), asked["characters"]))


def _filled(jinja2: Any, template: Any, variables: Mapping[str, Any], most: int) -> Answer:
    parts, length = [], 0
    try:
        for part in template.generate(**variables):
            parts.append(part)
            length += len(part)
            if length > most:
                return {"failed": f"writes more than {most:,} characters"}
        return {"text": "".join(parts)}
    except MemoryError:
        return TOO_MUCH_MEMORY
    except jinja2.exceptions.TemplateError as error:
        return {"refused": str(error)[:1000]}
    except Exception as error:  # what a template does with values is its own mistake
        return {"failed": f"fails: {type(error).__name__}: {error}"[:1000]}


def _limit_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # no such limits on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _start_clock(seconds: float) -> None:
    """Let the system end this process once it has used as much processor time; a loop in C is ended so, too."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _say(answers: TextIO, answer: Answer) -> None:
    try:
        line = json.dumps(answer)
    except MemoryError:
        line = json.dumps(TOO_MUCH_MEMORY)
    answers.write(line + "\n")
    answers.flush()


def _literal_text(jinja2: Any, tree: Any) -> str:
    """Return all texts that stand in a template, as transformers looks for control tokens in them."""
    texts = {node.data for node in tree.find_all(jinja2.nodes.TemplateData)}
    texts |= {node.value for node in tree.find_all(jinja2.nodes.Const) if isinstance(node.value, str)}
    return "\0".join(texts)


def _environment(jinja2: Any, *, is_prompt: bool, trims: bool) -> Any:
    """Return what a chat template may count on: that of transformers, whose templates these are.

    Args:
        jinja2: The package.
        is_prompt: Whether it is a prompt, in which a variable that is missing is a mistake.
        trims: Whether the line break after a block and the spaces before one are dropped.
    """

    class Generation(jinja2.ext.Extension):  # type: ignore[misc]
        """``{% generation %}`` marks what the model says; its text is written as it is."""

        tags = frozenset({"generation"})

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(["name:endgeneration"], drop_needle=True)

    class Namespace(jinja2.utils.Namespace):  # type: ignore[misc]
        """A namespace without underscored names, which lead to Python's internals."""

        def __init__(*args: Any, **kwargs: Any):
            self, args = args[0], args[1:]
            given = dict(*args, **kwargs)
            for name in given:
                _check_name(name)
            jinja2.utils.Namespace.__init__(self, given)

        def __setitem__(self, name: str, value: Any) -> None:
            _check_name(name)
            super().__setitem__(name, value)

    class Dictionary:
        """``dict``, without the attributes of the class."""

        def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
            return dict(*args, **kwargs)

        def fromkeys(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
            return dict.fromkeys(*args, **kwargs)

    def _check_name(name: object) -> None:
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(f"the name {name!r} begins with an underscore")

    def refuse(message: object) -> None:
        raise jinja2.exceptions.TemplateError(message)

    def now(form: str) -> str:
        return datetime.now().strftime(form)

    def to_json(
        value: object,
        ensure_ascii: bool = False,
        indent: Any = None,
        separators: Any = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    made = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=trims,
        lstrip_blocks=trims,
        undefined=jinja2.StrictUndefined if is_prompt else jinja2.Undefined,
        extensions=[Generation, jinja2.ext.loopcontrols],
    )
    made.filters["tojson"] = to_json
    made.globals.update(raise_exception=refuse, strftime_now=now, dict=Dictionary(), namespace=Namespace)
    return made


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
