"""Writes the summary of a job as a comment on its pull request, and updates that comment on later pushes.

Nothing here decides whether the job fails: what cannot be written is a notice or a warning in the log.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

MAX_COMMENT = 65_536
"""Characters that GitHub takes."""
MAX_TITLE = 200
"""Characters of a title that are shown."""
JOINER = "\N{WORD JOINER}"
"""A character that is not seen; a backslash or an entity in its place would be gone when GitHub looks for links."""
TIMEOUT = 30
DENIED = (401, 403, 404)
"""What GitHub answers where a token may not do this; it does not tell that from a repository that is not there."""
HOW = "needs a token with the permission pull-requests: write, which pull requests from forks do not have"
CUT = "\n\nThe rest is in the summary of the job.\n"


def main() -> None:
    """Write or update the comment of the pull request that the event is about."""
    number = _pull_request()
    if number is None:
        return _say("notice", "no comment is written: the event is about no pull request")
    try:
        address = _write(number)
    except requests.HTTPError as error:
        code = error.response.status_code
        if code in DENIED:
            return _say("notice", f"no comment is written (GitHub answered {code}): it {HOW}")
        return _say("warning", f"no comment is written: GitHub answered {code}")
    except (requests.RequestException, ValueError) as error:
        return _say("warning", f"no comment is written: {type(error).__name__}")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"comment-url={' '.join(address.split())}\n")


def _pull_request() -> int | None:
    """Return the number of the pull request; None where the event is about none."""
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (KeyError, TypeError, ValueError, OSError):
        return None


def _write(number: int) -> str:
    """Write the comment anew where there is one of ours, else a first one; return its address."""
    session = requests.Session()
    session.headers.update(
        {
            "Authorization": f"Bearer {os.environ['TOKEN']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
    )
    api = os.environ["GITHUB_API_URL"]
    repository = f"{api}/repos/{os.environ['GITHUB_REPOSITORY']}"
    comments = f"{repository}/issues/{number}/comments"
    marker = _marker(os.environ["TITLE"])
    body = _body(
        marker + _heading(os.environ["TITLE"]),
        Path(os.environ["FOLDER"], "summary.md").read_text(encoding="utf-8"),
    )
    author = _author(session, api)
    ours = next(
        (
            each
            for each in _comments(session, comments)
            if str(each.get("body") or "").startswith(marker) and _is_by(each.get("user") or {}, author)
        ),
        None,
    )
    if ours is None:
        answer = session.post(comments, json={"body": body}, timeout=TIMEOUT)
    else:
        answer = session.patch(
            f"{repository}/issues/comments/{int(ours['id'])}", json={"body": body}, timeout=TIMEOUT
        )
    answer.raise_for_status()
    return str(answer.json().get("html_url", ""))


def _marker(title: str) -> str:
    """Return a line that is not seen, by which the comment is found again; a hash, since a title may hold anything."""
    return f"<!-- convsim {hashlib.sha256(title.encode()).hexdigest()[:16]} -->"


def _heading(title: str) -> str:
    """Return the title as a heading; no sign in it is markup, calls somebody or names an issue."""
    text = "".join(c for c in " ".join(title.split())[:MAX_TITLE] if c.isprintable())
    letters = (c if c.isalnum() or c == " " else JOINER + _escaped(c) + JOINER for c in text)
    return f"\n## {''.join(letters)}\n" if text else ""


def _escaped(sign: str) -> str:
    return f"\\{sign}" if sign in string.punctuation and sign not in "<>&" else html.escape(sign)


def _body(head: str, summary: str) -> str:
    """Put the comment together below its head; of a summary that is too long, as many lines as there is room for."""
    server, repository = os.environ["GITHUB_SERVER_URL"], os.environ["GITHUB_REPOSITORY"]
    run = f"{server}/{repository}/actions/runs/{os.environ['GITHUB_RUN_ID']}"
    last = f"\n[Report, findings and log of this run]({run})\n"
    room = MAX_COMMENT - len(head) - len(last) - 2
    if len(summary) > room:
        summary = summary[: room - len(CUT)].rpartition("\n")[0] + CUT
    return f"{head}\n{summary}{last}"


def _author(session: requests.Session, api: str) -> str | None:
    """Return whose token this is; None of an app, such as a job's own, which may not ask."""
    answer = session.get(f"{api}/user", timeout=TIMEOUT)
    if answer.status_code in DENIED:
        return None
    answer.raise_for_status()
    return str(answer.json().get("login"))


def _is_by(user: dict[str, Any], author: str | None) -> bool:
    """Tell whether we wrote a comment: anybody can write one that begins as ours does, but not as an app."""
    return user.get("type") == "Bot" if author is None else user.get("login") == author


def _comments(session: requests.Session, url: str) -> Iterator[dict[str, Any]]:
    """Yield all comments, page by page."""
    following: str | None = f"{url}?per_page=100"
    while following:
        answer = session.get(following, timeout=TIMEOUT)
        answer.raise_for_status()
        yield from answer.json()
        following = answer.links.get("next", {}).get("url")


def _say(level: str, text: str) -> None:
    """Show a line in the summary of the run, as GitHub reads it from the log."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{level} title=convsim::{escaped}")


if __name__ == "__main__":
    main()
