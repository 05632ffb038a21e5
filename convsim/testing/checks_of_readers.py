"""Whether a reader keeps its contract."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from convsim._text import one_line
from convsim.errors import ConvsimError, InputError, PluginError, TranscriptError
from convsim.io import READERS, ForeignReader, find_foreign, read
from convsim.io.files import read_head
from convsim.io.registry import HEAD_BYTES
from convsim.schema.conversation import Conversation
from convsim.testing.samples import ODD, name_of, reason_of, require


def check_reader(reader: object, path: Path | str) -> None:
    """Assert that a reader reads a file of its format, complains of a damaged one, and claims no other.

    Args:
        reader: A function of a path, an object with ``read``, a class of one, a reader's name or ``module:thing``.
        path: A small file, or folder, of its format.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    path = Path(path)
    try:
        before = find_foreign(_echo).read(path, skip_bad=False).sha256
        first, again = (read(path, reader=reader) for _ in range(2))  # type: ignore[arg-type]
    except ConvsimError as error:
        raise AssertionError(f"{name_of(reader)}: {one_line(error)}") from None
    name = first.format
    require(
        [c.to_json() for c in first.conversations] == [c.to_json() for c in again.conversations],
        f"{name}: it reads {path} otherwise when it reads it again",
    )
    require(
        find_foreign(_echo).read(path, skip_bad=False).sha256 == before,
        f"{name}: it changed {path} while reading it",
    )
    with TemporaryDirectory() as folder:
        _check_damage(reader, name, path, Path(folder))
        if name not in READERS:
            _check_claims(find_foreign(reader), path, Path(folder))


def _echo(path: Path) -> list[Conversation]:
    return [ODD["one message"]]


def _check_damage(reader: object, name: str, path: Path, folder: Path) -> None:
    """Check that what cannot be read is an error of convsim's, never half of the conversations in silence."""
    __tracebackhide__ = True
    target = folder / path.name
    wrong = {"a missing file": None, "an empty file": b"", "noise": bytes(range(256)) * 8}
    for what, content in wrong.items():
        target.unlink(missing_ok=True)
        if content is not None:
            target.write_bytes(content)
        try:
            read(target, reader=reader)  # type: ignore[arg-type]
        except InputError:
            continue
        except Exception as error:  # whatever somebody else's reader raises
            raise AssertionError(f"{name}: {what}: raised {reason_of(error)}, not an InputError") from None
        raise AssertionError(f"{name}: {what}: was read as if it were whole")
    target.unlink(missing_ok=True)


def _check_claims(found: ForeignReader, path: Path, folder: Path) -> None:
    """Check that it recognises its own file and none of ours, if it recognises any."""
    __tracebackhide__ = True
    if found.recognising is None:
        return
    ours = folder / "ours.jsonl"
    ours.write_text("".join(f"{c.to_json()}\n" for c in ODD.values()), encoding="utf-8")
    others = {
        "convsim's own JSONL": (ours, ours.read_bytes()[:HEAD_BYTES]),
        "an empty file": (folder / "empty", b""),
        "noise": (folder / "noise", bytes(range(256)) * 8),
    }
    try:
        head = read_head(path, HEAD_BYTES)
        require(found.recognises(path, head), f"{found.name}: it does not recognise {path}")
        for what, (other, start) in others.items():
            require(
                not found.recognises(other, start),
                f"{found.name}: it recognises {what}, which is not its own",
            )
    except (PluginError, TranscriptError) as error:
        raise AssertionError(one_line(error)) from None
