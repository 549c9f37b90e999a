"""The event log added up a second time: plain loops over payloads as published, nothing of the service.

An invoice's books are its events; what it owed on a day is looked up anew for every question, invoice by invoice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shared.delivery import Received

HOLDING = (
    "dueward.invoice.disputed.v1",
    "dueward.invoice.dispute_resolved.v1",
    "dueward.invoice.plan_agreed.v1",
    "dueward.invoice.plan_ended.v1",
    "dueward.invoice.plan_broken.v1",
)

Sums = list[list[int]]
"""For each bucket: owed, disputed, on a plan, invoices open."""


@dataclass
class Entry:
    version: int
    effective: date
    booked: date
    change: int
    disputed: int
    on_plan: int


@dataclass
class Invoice:
    id: str
    customer: str
    entity: str
    currency: str
    issued: date
    due: date
    entries: dict[int, Entry] = field(default_factory=dict)

    def owed(self, on: date, known: date) -> tuple[int, int, int]:
        """Balance, disputed and on a plan at the end of `on`, by what was booked by the end of `known`."""
        balance = disputed = on_plan = 0
        before = Entry(0, date.min, date.min, 0, 0, 0)
        for version in sorted(self.entries):
            entry = self.entries[version]
            if entry.effective <= on and entry.booked <= known:
                balance += entry.change
                disputed += entry.disputed - before.disputed
                on_plan += entry.on_plan - before.on_plan
            before = entry
        return balance, disputed, on_plan


@dataclass
class Fold:
    invoices: dict[str, Invoice] = field(default_factory=dict)
    segment: dict[str, tuple[int, str]] = field(default_factory=dict)
    country: dict[str, tuple[int, str]] = field(default_factory=dict)
    collector: dict[str, tuple[tuple[str, str, int], str]] = field(default_factory=dict)

    def group(self, kind: str | None, invoice: Invoice) -> str | None:
        if kind is None:
            return None
        return {
            "customer": invoice.customer,
            "entity": invoice.entity,
            "segment": self.segment.get(invoice.customer, (0, "unknown"))[1],
            "country": self.country.get(invoice.customer, (0, "unknown"))[1],
            "collector": self.collector.get(invoice.customer, ((), "nobody"))[1],
        }[kind]

    def ageing(
        self,
        on: date,
        known: date = date.max,
        kind: str | None = None,
        days: Sequence[int] = (30, 60, 90),
        age_from: str = "due_date",
    ) -> dict[tuple[str, str | None], Sums]:
        """(currency, group) -> sums, of groups with something open."""
        table: dict[tuple[str, str | None], Sums] = defaultdict(lambda: [[0] * 4 for _ in range(len(days) + 2)])
        for invoice in self.invoices.values():
            owed = invoice.owed(on, known)
            late = (on - (invoice.due if age_from == "due_date" else invoice.issued)).days
            bucket = 0 if late <= 0 else 1 + sum(late > last for last in days)
            row = table[invoice.currency, self.group(kind, invoice)][bucket]
            for place, minor in enumerate(owed):
                row[place] += minor
            row[3] += owed[0] != 0
        return {key: sums for key, sums in table.items() if any(row[3] for row in sums)}

    def open_invoices(self, on: date, first: date, last: date) -> list[tuple[date, str, int, int, int]]:
        """Due day, id and what was owed, of the invoices due between two days."""
        found = [(i.due, i.id, *i.owed(on, date.max)) for i in self.invoices.values() if first <= i.due <= last]
        return sorted(row for row in found if row[2])


def fold(received: Iterable[Received]) -> Fold:
    books = Fold()
    for one in received:
        _take(books, one.envelope.type, one.data)
    return books


def _take(books: Fold, type: str, data: dict[str, Any]) -> None:
    if type.startswith("dueward.customer."):
        customer = data["customer"]
        for attribute in ("segment", "country"):
            kept = getattr(books, attribute)
            kept[customer["id"]] = max(kept.get(customer["id"], (0, "")), (customer["version"], customer[attribute]))
    elif type.startswith("dueward.task."):
        task = data["task"]
        said = ((data["booked_on"], task["id"], task["version"]), task["assignee"] or "nobody")
        books.collector[data["customer_id"]] = max(books.collector.get(data["customer_id"], (("", "", 0), "")), said)
    elif "change" in data or type in HOLDING:
        state = data["invoice"]
        currency = state["total"]["currency"]
        invoice = books.invoices.setdefault(
            state["id"],
            Invoice(
                state["id"],
                data["customer_id"],
                state["entity_id"],
                currency,
                date.fromisoformat(state["issue_date"]),
                date.fromisoformat(state["due_date"]),
            ),
        )
        invoice.entries[state["version"]] = Entry(
            state["version"],
            date.fromisoformat(data["effective_on"]),
            date.fromisoformat(data["booked_on"]),
            _minor(data.get("change")),
            _minor(state["disputed"]),
            _minor(state.get("on_plan")),
        )


def _minor(money: dict[str, str] | None) -> int:
    """Minor units of money on the wire, whose decimals are its currency's own."""
    return int(money["amount"].replace(".", "")) if money else 0
