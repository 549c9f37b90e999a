"""The state of everything, for subscribers that join late: what each kind of aggregate is called in events."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "customers",
    "credit-accounts",
    "credit-files",
    "holds",
    "invoices",
    "payments",
    "cases",
    "contacts",
    "promises",
    "tasks",
    "placements",
]


class Place(NamedTuple):
    """Who publishes an aggregate, and the member of its events' data that holds its state."""

    source: str
    member: str


PLACES: dict[Kind, Place] = {
    "customers": Place("/dueward/credit", "customer"),
    "credit-accounts": Place("/dueward/credit", "credit"),
    "credit-files": Place("/dueward/credit", "file"),
    "holds": Place("/dueward/credit", "hold"),
    "invoices": Place("/dueward/invoice", "invoice"),
    "payments": Place("/dueward/invoice", "payment"),
    "cases": Place("/dueward/reminder", "case"),
    "contacts": Place("/dueward/reminder", "contact"),
    "promises": Place("/dueward/reminder", "promise"),
    "tasks": Place("/dueward/reminder", "task"),
    "placements": Place("/dueward/reminder", "placement"),
}

assert set(PLACES) == set(get_args(Kind))
