"""Public sets of people who look for a film or a book with people who recommend: ReDial, INSPIRED, OpenDialKG.

- **ReDial**: the initiator looks for a film and is the user. ``@id`` in a text is what the chat showed as a title and
  becomes one; the films that the other side named are its ``items``, those of the user ``metadata.mentions``. Accepted
  if the user's own questionnaire says of a film that it was suggested, not seen, and liked; left if it says so of none.
  Source: Li et al. (2018); ReDialData/website, ``data`` (``movieMentions`` is a list where it is empty);
  community-datasets/re_dial, which has lists of ``movieId`` and ``movieName``.
- **INSPIRED**: a row an utterance; the SEEKER is the user; ``QUOTATION_MARK`` is a quotation mark. ``case`` (in the
  files: ``fine_label``) says whether the recommendation was taken. Titles found in a text are no items: they were
  found by a program. Source: sweetpeach/Inspired, ``data/dialog_data/README.md`` and ``dev.tsv`` (99ee04ae).
- **OpenDialKG**: a list of messages and actions a row. Source: facebookresearch/opendialkg ``README.md`` (54bc2137).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from convsim.io.formats.contract import Format, GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import (
    Fields,
    as_number,
    format_of_objects,
    in_order,
    is_list_of,
    labels,
    message,
    name,
    objects,
    rest,
    role,
    stated,
    text,
    unpacked,
)
from convsim.io.problems import MalformedError, shown

MENTION = re.compile(r"@(\d+)")


def _is_redial(value: JsonValue) -> bool:
    return isinstance(value, dict) and {"messages", "movieMentions", "initiatorWorkerId"} <= value.keys()


def _redial(record: Fields, _: Notes) -> Iterator[Made]:
    seeker, recommender = name(record["initiatorWorkerId"]), name(record.get("respondentWorkerId"))
    stated_titles = _films(record["movieMentions"], "movieName")
    titles = {
        film: title for film, title in stated_titles.items() if isinstance(title, str) and title.strip()
    }
    messages: list[JsonValue] = []
    placed = list(objects(record["messages"], "messages"))
    for place, said in in_order(placed, lambda each: as_number(each[1].get("timeOffset"))):
        sender = name(said.get("senderWorkerId"))
        if sender is None or sender not in (seeker, recommender):
            who = f"the initiator {shown(seeker)} or the respondent {shown(recommender)}"
            raise MalformedError(f"must be {who}, but is {shown(sender)}", field=f"{place}.senderWorkerId")
        raw = text(said.get("text"), f"{place}.text")
        films = list(dict.fromkeys(film for film in MENTION.findall(raw) if film in stated_titles))
        is_user = sender == seeker
        mentions: JsonValue = [*films]
        shown_items: JsonValue = [{"id": film, **stated(title=titles.get(film))} for film in films]
        messages.append(
            message(
                "user" if is_user else "assistant",
                MENTION.sub(lambda found: titles.get(found[1], found[0]), raw),
                {
                    **rest(said, "text", "senderWorkerId"),
                    **({"mentions": mentions} if is_user and films else {}),
                },
                **({} if is_user or not films else {"items": shown_items}),
            )
        )
    yield stated(
        id=name(record.get("conversationId")),
        user=seeker,
        agent="human recommender",
        source="redial",
        messages=messages,
        ending=_redial_ending(record.get("initiatorQuestions")),
        metadata=rest(record, "conversationId", "initiatorWorkerId", "messages"),
    )


def _films(found: JsonValue, key: str | None) -> Fields:
    """Return what is said of each film, by its id: an object, or Hugging Face's list of objects with a movieId."""
    if isinstance(found, dict):
        return found
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return {
        film: entry.get(key) if key else entry for entry in entries if (film := name(entry.get("movieId")))
    }


def _redial_ending(answers: JsonValue) -> str | None:
    films = [answer for answer in _films(answers, None).values() if isinstance(answer, dict)]
    if not films:
        return None
    taken = any((film.get("suggested"), film.get("seen"), film.get("liked")) == (1, 0, 1) for film in films)
    return "accepted" if taken else "left"


INSPIRED_ROLES = {"seeker": "user", "recommender": "assistant"}
INSPIRED_KEYS = ("dialog_id", "utt_id", "speaker", "text")
OF_DIALOGUE = ("movie_dict", "genre_dict", "actor_dict", "director_dict", "others_dict", "movie_id")
OUTCOMES = ("case", "fine_label", "coarse_label")
STRATEGIES = ("first_label", "expert_label", "second_label")


def _is_inspired(value: JsonValue) -> bool:
    return isinstance(value, dict) and set(INSPIRED_KEYS) <= value.keys()


def _inspired(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    dialogues: dict[str, list[tuple[Record, Fields]]] = {}
    seen: set[tuple[JsonValue, ...]] = set()
    for record in records:
        row = record.value
        if not isinstance(row, dict) or (dialogue := name(row.get("dialog_id"))) is None:
            yield record.bad("must be a row of INSPIRED with a dialog_id")
            continue
        key = (dialogue, str(row.get("utt_id")), str(row.get("speaker")), str(row.get("text")))
        if key in seen:
            notes.count("{n} rows stand twice and were read once")
            continue
        seen.add(key)
        dialogues.setdefault(dialogue, []).append((record, row))
    for dialogue, rows in dialogues.items():
        try:
            yield _inspired_dialogue(dialogue, rows)
        except MalformedError as bad:
            yield bad


def _inspired_dialogue(dialogue: str, rows: list[tuple[Record, Fields]]) -> Fields:
    if all(as_number(row.get("utt_id")) is not None for _, row in rows):
        rows = sorted(rows, key=lambda placed: as_number(placed[1].get("utt_id")) or 0.0)
    messages: list[JsonValue] = []
    for record, row in rows:
        try:
            speaker = role(row.get("speaker"), INSPIRED_ROLES, "speaker")
            said = text(row.get("text"), "text").replace("QUOTATION_MARK", '"')
        except MalformedError as bad:
            raise record.at(bad) from None
        strategies: list[JsonValue] = [found for key in STRATEGIES if (found := name(row.get(key)))]
        given: JsonValue = {"value": strategies, "source": "third_party"} if strategies else None
        others = rest(row, *INSPIRED_KEYS, *OF_DIALOGUE, *OUTCOMES, *STRATEGIES, "text_with_placeholder")
        messages.append(message(speaker, said, others, **labels(strategies=given)))
    first = rows[0][1]
    outcome = next((str(first[key]) for key in OUTCOMES if name(first.get(key))), "")
    ending = {"acce": "accepted", "reje": "left"}.get(outcome[:4])
    kept = {key: first[key] for key in (*OF_DIALOGUE, *OUTCOMES) if name(first.get(key))}
    return stated(
        id=dialogue,
        agent="human recommender",
        source="inspired",
        messages=messages,
        ending=ending,
        metadata=kept,
    )


def _is_opendialkg(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return {"Messages", "User Rating", "Assistant Rating"} <= value.keys()
    return is_list_of(value, "type", "sender")


OPENDIALKG_KEYS = ("Messages", "User Rating", "Assistant Rating")
OPENDIALKG_ROLES = {"user": "user", "assistant": "assistant"}


def _opendialkg(record: Record, _: Notes) -> Iterator[Made]:
    if not _is_opendialkg(record.value):
        raise MalformedError(
            f"must be a list of OpenDialKG's messages, or a row with {', '.join(OPENDIALKG_KEYS)}"
        )
    row = record.value if isinstance(record.value, dict) else {}
    place = "Messages" if row else ""
    said = unpacked(row.get("Messages")) if row else record.value
    messages: list[JsonValue] = []
    actions: list[JsonValue] = []
    for where, entry in objects(said, place):
        if entry.get("type") != "chat":
            actions.append(entry)
            continue
        speaker = role(entry.get("sender"), OPENDIALKG_ROLES, f"{where}.sender")
        others = {**rest(entry, "type", "sender", "message"), **({"actions": actions} if actions else {})}
        messages.append(message(speaker, text(entry.get("message"), f"{where}.message"), others))
        actions = []
    number = as_number(row.get("User Rating"))
    given: JsonValue = {"value": number, "source": "self"} if number is not None else None
    kept = rest(row, "Messages", *(("User Rating",) if given else ()))
    yield stated(
        agent="human recommender",
        source="opendialkg",
        messages=messages,
        metadata={**kept, **({"actions": actions} if actions else {})},
        **labels(rating=given),
    )


REDIAL = format_of_objects(
    "redial",
    "ReDial",
    ("movieMentions", "initiatorWorkerId", "respondentWorkerId", "initiatorQuestions", "messages"),
    _is_redial,
    _redial,
)
INSPIRED = GroupedFormat(
    "inspired", "INSPIRED", (*INSPIRED_KEYS, "turn_id", "movie_dict"), _is_inspired, _inspired
)
OPENDIALKG = Format("opendialkg", "OpenDialKG", OPENDIALKG_KEYS, _is_opendialkg, _opendialkg)
