"""Guesses which column of a table means what: contents decide, names are hints, and what is equally good is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from convsim.errors import InputError
from convsim.io.problems import shown
from convsim.io.table.beside import beside
from convsim.io.table.mapping import ColumnMap, OrderMap, TableMapping
from convsim.io.table.ordering import form_of, ordered
from convsim.io.table.pairing import paired
from convsim.io.table.profile import ALIKE, MOST_CANDIDATES, NAMED, Column, profiled
from convsim.io.table.refusing import quoted, two_readings
from convsim.io.table.rows import Cells, Table
from convsim.io.table.sampling import bad_rows, gathered_sample, sampled
from convsim.io.table.shapes import ROW, SPEAKER, TEXT, holds_messages, one_a_conversation, one_a_turn
from convsim.io.table.speaking import FEW, Roles, by_authors, by_content, by_name, says_who
from convsim.io.table.structure import Groups, is_turn_number
from convsim.io.table.times import NUMBER, key_of

SAMPLE_ROWS = 4000
LARGE = 150
"""Rows of a conversation, on average, that are too many to be one."""
MANY_WORDS = 3
FILLED = 0.8
"""The share of rows that name their conversation and who speaks."""


@dataclass(frozen=True)
class Choice:
    """What a column was taken for, why, and one of its cells."""

    meaning: str
    column: str
    why: str
    example: str


@dataclass
class Guess:
    """A table of messages, with a mapping that leaves nothing open, and how it was come by."""

    table: Table
    mapping: TableMapping
    choices: list[Choice] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    constant: frozenset[str] = frozenset()
    """Columns that have one value in each conversation."""


def guess(table: Table, mapping: TableMapping, *, skip_bad: bool = False) -> Guess:
    """Complete a mapping by what stands in a table's first rows.

    Raises:
        InputError: The mapping names absent columns; or the meaning of a column, or who is the user, cannot be told.
        TranscriptError: No row can be read.
    """
    mapping.check_shape(table.path, table.columns)
    try:
        return _Guessing(table, mapping).done()
    except InputError:
        first = None if skip_bad else next(bad_rows(table, SAMPLE_ROWS), None)
        if first is None:
            raise
        raise first from None


class _NoConversationError(InputError):
    """No column parts the rows of the sample into conversations."""


class _Guessing:
    def __init__(self, table: Table, mapping: TableMapping) -> None:
        self.path, self.table, self.mapping = table.path, table, mapping
        self.asked = mapping.columns.stated()
        self.chosen: dict[str, str] = {}
        self.choices: list[Choice] = []
        self.said: list[str] = []
        self.form = mapping.order.form
        if self.form is not None:
            key_of(self.form)
        self._look()

    def _look(self) -> None:
        self.sample: list[Cells] = sampled(self.table, SAMPLE_ROWS)
        if not self.sample:
            first = next((row.cells for row in self.table.rows()), None)
            raise InputError(f"{self.path}: has no row that can be read: it {first}")
        self.columns = {column.name: column for column in profiled(self.table.columns, self.sample)}

    def done(self) -> Guess:
        self._shape()
        self.mapping.check_columns(self.path, (*self.table.columns, *self.shape.values()))
        by_asking = {name: self.asked[name] for name in self.asked if self.asked[name] in self.columns}
        for meaning, name in by_asking.items():
            self._take(meaning, self.columns[name], "stated by the mapping")
        groups = self._main_groups()
        roles = self._roles(groups)
        order = self._order(groups)
        found = beside(list(self.columns.values()), self.chosen, groups, self.mapping)
        for choice_of, column, why in found.choices:
            self._take(choice_of, column, why)
        columns = ColumnMap.model_validate({**self.shape, **self.chosen, "keep": self._kept()})
        mapping = self.mapping.but(
            guess=False,
            separator=self.table.separator, encoding=self.table.encoding, sheet=self.table.sheet,
            header=self.table.header if self.table.separator else None,
            columns=columns, order=OrderMap(form=order), speakers=roles.of, rating=found.rating, endings=found.endings,
        )  # fmt: skip
        constant = frozenset(
            name
            for name, column in self.columns.items()
            if groups is not None and groups.constant(column) >= 0.98
        )
        return Guess(self.table, mapping, self.choices, [*self.table.said, *self.said], constant)

    # What a row is

    def _shape(self) -> None:
        """Make rows messages where they are turns or conversations."""
        self.shape: dict[str, str] = {}
        columns = list(self.columns.values())
        nested = self.asked.get("messages")
        if (
            nested is None
            and self.mapping.guess
            and not {"text", "user_text", "agent_text"} & self.asked.keys()
        ):
            holding = [column for column in columns if holds_messages(column)]
            holding.sort(key=lambda column: -column.hints.get("messages", 0.0))
            if len({column.hints.get("messages", 0.0) for column in holding[:2]}) < len(holding[:2]):
                raise two_readings(self.path, "messages", holding[:2])
            nested = holding[0].name if holding else None
        if nested is not None:
            self._note("messages", self.columns[nested], "each cell holds the messages of a conversation")
            self.table = one_a_conversation(self.table, nested, self.sample)
            self.shape = {"messages": nested}
            self._after_shape(columns)
        elif (pair := paired(self.path, columns, self.mapping)) is not None:
            user, agent, why = pair
            self._note("user_text", user, why)
            self._note("agent_text", agent, why)
            self.table = one_a_turn(self.table, user.name, agent.name)
            self.shape = {"user_text": user.name, "agent_text": agent.name}
            self.chosen |= {"speaker": SPEAKER, "text": TEXT}
            self._after_shape(columns)

    def _after_shape(self, before: Sequence[Column]) -> None:
        """Choose what names a conversation where a row holds one, or where nothing repeats from turn to turn."""
        named = self.asked.get("conversation")
        repeats = [column for column in before if column.repeats]
        if named is None and ("messages" in self.shape or not repeats):
            unique = [
                c
                for c in before
                if c.distinct == len(c.cells) and not c.texts and not c.lists and not c.forms
            ]
            best = max(unique, key=lambda c: c.hints.get("conversation", 0.0), default=None)
            is_id = best is not None and (
                best.hints.get("conversation", 0) > 0 or "id" in best.name.lower() or best.place == 1
            )
            self.chosen["conversation"] = best.name if best is not None and is_id else ROW
            if "messages" not in self.shape:
                self.said.append("each row is read as a conversation of its own: no column groups them")
        self._look()
        if "conversation" in self.chosen and self.chosen["conversation"] != ROW:
            self._note("conversation", self.columns[self.chosen["conversation"]], "one a row, all different")
        for meaning in self.shape:
            self.asked.pop(meaning, None)

    # Conversation, speaker and text

    def _main_groups(self) -> Groups | None:
        """Find conversation, speaker and text, where rows are far apart in a sample of whole conversations."""
        try:
            return self._main()
        except _NoConversationError:
            gathered = gathered_sample(self.table, list(self.columns.values()))
            if gathered is None:
                raise
            self.sample = gathered
            self.columns = {column.name: column for column in profiled(self.table.columns, gathered)}
            return self._main()

    def _main(self) -> Groups | None:
        if not self.mapping.guess:
            missing = [m for m in ("conversation", "speaker", "text") if m not in self.chosen]
            if missing:
                raise InputError(
                    f"{self.path}: the mapping states guess = false but no columns.{missing[0]}; add it"
                )
            return Groups.of(self.columns[self.chosen["conversation"]])
        text = self._text(final=False)
        speakers = self._candidates("speaker", self._speaker_candidates(text))
        conversations = self._candidates("conversation", self._conversation_candidates(text))
        pairs = [
            (self._together(groups, speaker), groups, speaker)
            for groups in map(Groups.of, conversations)
            for speaker in speakers
            if speaker is not groups.column
        ]
        pairs = [pair for pair in pairs if pair[0] > 0]
        if not pairs:
            self._refuse_main(speakers, conversations)
        score, groups, speaker = max(pairs, key=lambda pair: pair[0])
        groups = self._finest(score, groups, [(s, g) for s, g, who in pairs if who is speaker])
        self._check_speakers(groups, speaker, [(s, who) for s, g, who in pairs if g.column is groups.column])
        if "conversation" not in self.chosen:
            blocks = "in blocks" if groups.blocks >= 0.9 else "spread over the file"
            both = f"{groups.both(speaker):.0%} with both sides"
            why = f"{len(groups.rows):,} values for {len(self.sample):,} rows, {blocks}, {both}"
            self._take("conversation", groups.column, why)
        if "speaker" not in self.chosen:
            turns = "take turns" if groups.alternation(speaker) > 0.5 else "speak"
            self._take("speaker", speaker, f"{speaker.distinct:,} values that {turns} in conversations")
        if "text" not in self.chosen:
            best = self._text(final=True)
            self._take(
                "text",
                best,
                f"the longest and most varied: {best.words:.0f} words, {best.distinct:,} different",
            )
        return groups

    def _candidates(self, meaning: str, found: list[Column]) -> list[Column]:
        if meaning in self.chosen:
            return [self.columns[self.chosen[meaning]]]
        found = [column for column in found if column.name not in self.chosen.values()]
        return sorted(found, key=lambda c: -c.hints.get(meaning, 0.0))[:MOST_CANDIDATES]

    def _text(self, *, final: bool) -> Column:
        """Return the column of texts; raises InputError where several could be, once the others are known."""
        if "text" in self.chosen:
            return self.columns[self.chosen["text"]]
        free = [
            c
            for c in self.columns.values()
            if c.name not in self.chosen.values() and not c.forms and not c.lists
        ]
        scored = sorted(
            ((column.like_text, -column.place, column) for column in free if column.counts), reverse=True
        )
        if not scored or (scored[0][2].numbers and final):
            raise InputError(
                f"{self.path}: no column holds texts; state it in a file for --map, one line: columns.text = …"
            )
        score, _, best = scored[0]
        if (
            final
            and len(scored) > 1
            and score - scored[1][0] < ALIKE / 2
            and scored[1][2].cells != best.cells
        ):
            raise two_readings(self.path, "text", [best, scored[1][2]])
        return best

    def _speaker_candidates(self, text: Column) -> list[Column]:
        return [
            c for c in self.columns.values()
            if c is not text and c.distinct > 1 and c.filled >= FILLED and not c.lists
            and (not c.forms) and (c.distinct <= FEW or (not c.numbers or c.hints.get("speaker", 0) >= NAMED))
            and c.words < MANY_WORDS * 2
        ]  # fmt: skip

    def _conversation_candidates(self, text: Column) -> list[Column]:
        n = len(self.sample)
        return [
            c for c in self.columns.values()
            if c is not text and c.filled >= FILLED and not c.lists and (not c.forms or c.forms == (NUMBER,))
            and (1 < c.distinct <= 0.75 * n or c.hints.get("conversation", 0) >= 0.9)
            and c.name != ROW and not (c.texts > 0.5 and c.words > MANY_WORDS)
        ]  # fmt: skip

    def _together(self, groups: Groups, speaker: Column) -> float:
        """Return how well rows of one value of a column are a conversation in which those of another take turns."""
        conversation = groups.column
        both, named = groups.both(speaker), max(0.0, conversation.hints.get("conversation", 0.0))
        stated = "conversation" in self.chosen, "speaker" in self.chosen
        if both < 0.3 and not all(stated) and groups.size > 1:
            return 0.0
        recognised = says_who(speaker)
        if speaker.distinct > 2 and not recognised and not stated[1] and groups.counts_turns(speaker):
            return 0.0
        lift = groups.alternation(speaker)
        few = speaker.distinct <= FEW
        if not few and by_authors(speaker, groups) is None and "speaker" not in self.chosen:
            return 0.0
        if few and recognised < 1 and lift < 0.15 and "speaker" not in self.chosen:
            return 0.0
        score = 2 * both + 1.5 * named + 0.5 * groups.blocks - (1 if groups.size > LARGE else 0)
        score += 1.0 if any(groups.counts_turns(c) for c in self._turn_columns()) else 0.0
        score -= 2.0 if is_turn_number(conversation) and named < 0.9 and groups.blocks < 0.5 else 0.0
        return (
            score
            + recognised
            + 1.5 * max(0.0, lift)
            + speaker.hints.get("speaker", 0.0)
            + (0.0 if few else -0.5)
            + 0.01
        )

    def _turn_columns(self) -> list[Column]:
        return [column for column in self.columns.values() if column.numbers and column.distinct > 1][
            :MOST_CANDIDATES
        ]

    def _finest(self, score: float, best: Groups, others: list[tuple[float, Groups]]) -> Groups:
        """Return the column that parts rows most finely of those that are about as good; raises InputError."""
        if "conversation" in self.chosen:
            return best
        for other_score, other in sorted(others, key=lambda pair: -pair[0]):
            if other.column is best.column or other_score < score - 1.0:
                continue
            nearly = score - other_score < ALIKE
            if other.refines(best.column) and best.refines(other.column):
                continue
            if best.refines(other.column):
                if best.size <= 2 and nearly:
                    raise two_readings(self.path, "conversation", [best.column, other.column])
                continue
            if other.refines(best.column):
                if other.size > 2:
                    best, score = other, other_score
                elif nearly:
                    raise two_readings(self.path, "conversation", [best.column, other.column])
            elif nearly:
                raise two_readings(self.path, "conversation", [best.column, other.column])
        return best

    def _check_speakers(self, groups: Groups, speaker: Column, others: list[tuple[float, Column]]) -> None:
        """Check that no other column tells as well, and otherwise, who speaks; raises InputError."""
        if "speaker" in self.chosen:
            return
        score = next(found for found, who in others if who is speaker)
        for other_score, other in others:
            if other is speaker or score - other_score >= ALIKE:
                continue
            pairs = {(a, b) for a, b in zip(speaker.cells, other.cells, strict=True)}
            if len(pairs) > max(speaker.distinct, other.distinct):
                raise two_readings(self.path, "speaker", [speaker, other])

    def _refuse_main(self, speakers: Sequence[Column], conversations: Sequence[Column]) -> None:
        names = ", ".join(map(shown, [*self.columns][:20]))
        what = (
            "who speaks (columns.speaker), or which conversation a message belongs to (columns.conversation)"
        )
        if not conversations or any(says_who(column) >= 1 for column in speakers):
            what = "which conversation a message belongs to (columns.conversation): in none do values repeat"
        elif not speakers:
            what = "who speaks (columns.speaker): none has few values"
        if lists := [c.name for c in self.columns.values() if c.example.startswith("[{'")]:
            what += f"; {shown(lists[0])} holds lists that are no JSON: write them by json.dumps"
        raise _NoConversationError(
            f"{self.path}: no column tells {what}; state it in a file for --map; columns: {names}"
        )

    # Who is who, and in which order

    def _roles(self, groups: Groups | None) -> Roles:
        speaker, text = self.columns[self.chosen["speaker"]], self.columns[self.chosen["text"]]
        stated = self.mapping.speakers
        if (
            self.chosen["speaker"] == SPEAKER
            and "text" in self.chosen
            and self.chosen["text"] == TEXT
            and self.shape.get("user_text")
        ):
            return Roles({"user": "user", "agent": "agent"}, "a column for each")
        left = Column(
            speaker.name, speaker.place, tuple(cell for cell in speaker.cells if cell not in stated)
        )
        if not self.mapping.guess or "*" in stated or not left.counts:
            return Roles(dict(stated), "stated by the mapping")
        if speaker.distinct > FEW:
            roles = by_authors(speaker, groups) if groups is not None else None
            if roles is not None:
                self._who(roles, speaker)
                return Roles({**roles.of, **stated}, roles.why)
        roles = (
            by_name(speaker)
            if not stated
            else Roles({**by_name(left).of, **stated}, "their names", by_name(left).unknown)
        )
        said: list[str] = []
        if not {"user", "agent"} <= set(roles.of.values()) and not stated:
            others = [c for c in self.columns.values() if c.name not in self.chosen.values()]
            content, said = by_content(speaker, text, groups, others)
            roles = content or roles
        if not {"user", "agent"} <= set(roles.of.values()):
            self._refuse_roles(speaker, said)
        self._who(roles, speaker)
        return roles

    def _who(self, roles: Roles, speaker: Column) -> None:
        said = ", ".join(f"{value} = {role}" for value, role in list(roles.of.items())[:8])
        self.said.append(f"who is who, by {roles.why}: {said}")

    def _refuse_roles(self, speaker: Column, said: list[str]) -> None:
        values = [value for value, _ in speaker.counts.most_common(6)]
        found = f"; found: {'; '.join(said)}" if said else ""
        first, second = (*values, "…")[:2]
        raise InputError(
            f"{self.path}: it is not clear who of {', '.join(map(shown, values))} in column {shown(speaker.name)} is "
            f'the user{found}; state it in a file for --map, such as speakers.{quoted(first)} = "user" and '
            f'speakers.{quoted(second)} = "agent", or the other way round'
        )

    def _order(self, groups: Groups | None) -> str | None:
        """Choose what messages are ordered by; return the form of its cells."""
        if "order" in self.chosen:
            return self.form or form_of(self.path, self.columns[self.chosen["order"]], groups)
        if not self.mapping.guess or groups is None:
            return None
        taken = set(self.chosen.values())
        free = [column for column in self.columns.values() if column.name not in taken]
        column, form, why = ordered(self.path, free, groups, self.form)
        if column is None:
            self.said.append(why)
        else:
            self._take("order", column, why)
        return form

    # What is said of it

    def _take(self, meaning: str, column: Column, why: str) -> None:
        if self.chosen.get(meaning) != column.name or not any(c.meaning == meaning for c in self.choices):
            self.chosen[meaning] = column.name
            self._note(meaning, column, why)

    def _note(self, meaning: str, column: Column, why: str) -> None:
        self.choices.append(Choice(meaning, column.name, why, column.example))

    def _kept(self) -> tuple[str, ...]:
        if self.mapping.columns.keep is not None:
            return self.mapping.columns.keep
        if not self.mapping.guess:
            return ()
        used = {*self.chosen.values(), ROW}
        return tuple(name for name in self.columns if name not in used)
