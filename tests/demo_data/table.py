"""A team's export, as notebook 01 reads it: stand-in conversations as CSV, with the columns that a help desk has.

``python -m tests.demo_data.table`` writes ``notebooks/chats.csv`` again.
"""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import convsim
from convsim.seeds import generator

TABLE = Path(__file__).parents[2] / "notebooks" / "chats.csv"
COLUMNS = ("Case no.", "Sent", "From", "Body", "Product line", "Outcome", "Handled by")
MOST = 160
SLOWEST = timedelta(seconds=90)
"""Between two messages."""


def table() -> str:
    """Write the good arm's conversations, a row a message, in the order in which they were sent."""
    draws = generator(0, "table")
    people = [each for each in convsim.demo_data("people") if each.arm == "good"][:MOST]
    rows = []
    for number, conversation in enumerate(people, start=10_401):
        sent = datetime(2026, 3, 2, 9) + timedelta(minutes=int(draws.integers(30_000)))
        wants = conversation.labels["purchase_intent"][0].value
        outcome = "ordered" if wants else "left without order"
        for message in conversation.messages:
            who = "Customer" if message.role == "user" else "Stylist bot"
            when = sent.strftime("%d/%m/%Y %H:%M:%S")
            rows.append(
                (sent, f"C-{number}", when, who, message.content, conversation.task, outcome, "bot 2.3")
            )
            sent += timedelta(seconds=1 + int(draws.integers(SLOWEST.seconds)))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(row[1:] for row in sorted(rows, key=lambda row: row[:2]))
    return text.getvalue()


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
