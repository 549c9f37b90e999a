"""Accounts as sales see them: what each owes, promised and disputes, and what more it may owe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from shared.money import Money

ACCOUNTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Account:
    """One customer in one currency, minor units. `held_now` is what there is nothing more of for it."""

    customer_id: UUID
    name: str
    segment: str | None
    owed_minor: int
    overdue_minor: int
    disputed_minor: int
    on_plan_minor: int
    promised_minor: int
    promised_on: date | None
    limit: Money | None
    held_now: tuple[str, ...]

    @property
    def above_limit_minor(self) -> int:
        return max(self.owed_minor - self.limit.minor, 0) if self.limit else 0


@dataclass(frozen=True, slots=True)
class Totals:
    accounts: int
    owed_minor: int
    overdue_minor: int
    promised_minor: int
    disputed_minor: int
    on_hold: int


def accounts(rows: Iterable[Any], promises: Iterable[Any], credit: Iterable[Any], currency: str) -> list[Account]:
    """Rows of what each customer owes, the running promises in that currency, and the newest limits and holds; the most
    overdue first."""
    promised: dict[UUID, list[tuple[date, int]]] = {}
    for row in promises:
        promised.setdefault(row["customer_id"], []).append((row["promised_on"], row["amount_minor"]))
    limits: dict[UUID, Money] = {}
    held: dict[UUID, tuple[str, ...]] = {}
    for row in credit:
        if row["kind"] == "limit":
            told: Mapping[str, str] = row["data"]["credit"]["limit"]
            limits[row["customer_id"]] = Money.parse(told["amount"], told["currency"])
        else:
            held[row["customer_id"]] = tuple(row["data"]["held_now"])
    found = [
        _account(row, promised.get(row["id"], []), limits.get(row["id"]), held.get(row["id"], ()), currency)
        for row in rows
    ]
    return sorted(found, key=lambda each: (-each.overdue_minor, -each.owed_minor, each.name))


def _account(
    row: Any, promised: Sequence[tuple[date, int]], limit: Money | None, held: tuple[str, ...], currency: str
) -> Account:
    return Account(
        customer_id=row["id"],
        name=row["name"],
        segment=row["segment"],
        owed_minor=row["owed_minor"],
        overdue_minor=row["overdue_minor"],
        disputed_minor=row["disputed_minor"],
        on_plan_minor=row["on_plan_minor"],
        promised_minor=sum(minor for _, minor in promised),
        promised_on=min((day for day, _ in promised), default=None),
        limit=limit if limit and limit.currency == currency else None,
        held_now=held,
    )


def totals(listed: Sequence[Account]) -> Totals:
    return Totals(
        accounts=len(listed),
        owed_minor=sum(each.owed_minor for each in listed),
        overdue_minor=sum(each.overdue_minor for each in listed),
        promised_minor=sum(each.promised_minor for each in listed),
        disputed_minor=sum(each.disputed_minor for each in listed),
        on_hold=sum(bool(each.held_now) for each in listed),
    )


def owner_of(asked: str | None, owners: Sequence[str], reader: Sequence[str]) -> str | None:
    """Whose accounts are shown: those asked for, else the reader's own; None for everybody's."""
    if asked is not None:
        return asked if asked in owners else None
    return next((name for name in reader if name in owners), None)
