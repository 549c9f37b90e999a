"""Who owes most at the end of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any

from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.debtors import queries, rules
from services.reporting.debtors.rules import Debtor, SortBy
from shared.db import Tx

FIRST_LOOK = 1.5
"""So many times the debtors wanted are added up before looking whether that was enough."""


@dataclass(frozen=True, slots=True)
class RankDebtors:
    as_of: date
    known_at: date
    currency: str | None
    sort_by: SortBy
    limit: int


async def rank_debtors(tx: Tx, query: RankDebtors) -> list[Debtor]:
    """The first `limit` of each currency, since amounts of two currencies do not compare."""
    debtors: list[Debtor] = []
    for row in await queries.wholes(tx, query.as_of, query.known_at, query.currency):
        first = await _first(tx, query, row["currency"])
        names = await queries.called(tx, [found["customer_id"] for found in first])
        debtors += [
            _debtor(found, row["currency"], row["whole_minor"], names.get(found["customer_id"]), query.as_of)
            for found in first
        ]
    return debtors


async def _first(tx: Tx, query: RankDebtors, currency: str) -> list[Any]:
    if query.known_at < ALL_KNOWN:
        every = await queries.owed_as_known(tx, query.as_of, query.known_at, currency)
        return rules.ranked(every, query.sort_by)[: query.limit]
    first = await _first_by_peak(tx, query, currency, query.sort_by)
    if query.sort_by == "overdue" and (len(first) < query.limit or first[-1]["overdue_minor"] <= 0):
        # Whoever has nothing overdue comes after, the largest first.
        rest = await _first_by_peak(tx, query, currency, "total")
        first = list({row["customer_id"]: row for row in (*first, *rest)}.values())
    return rules.ranked(first, query.sort_by)[: query.limit]


async def _first_by_peak(tx: Tx, query: RankDebtors, currency: str, sort_by: SortBy) -> list[Any]:
    found: list[Any] = []
    offset, chunk = 0, ceil(FIRST_LOOK * query.limit)
    while True:
        candidates = await queries.by_peak(tx, query.as_of, currency, sort_by, offset, chunk + 1)
        ids = [row["customer_id"] for row in candidates[:chunk]]
        found = rules.ranked([*found, *await queries.owed(tx, query.as_of, currency, ids)], sort_by)[: query.limit]
        if len(candidates) <= chunk or rules.is_settled(found, query.limit, sort_by, candidates[-1]["peak_minor"]):
            return found
        if sort_by == "overdue" and candidates[-1]["peak_minor"] <= 0:
            return found
        offset, chunk = offset + chunk, offset + chunk


def _debtor(row: Any, currency: str, whole_minor: int, name: Any, as_of: date) -> Debtor:
    return Debtor(
        customer_id=row["customer_id"],
        name=name["name"] if name else "Unknown customer",
        external_id=name["external_id"] if name else None,
        segment=name["segment"] if name else None,
        currency=currency,
        split=(row["current"], row["d1_30"], row["d31_60"], row["d61_90"], row["d91_plus"]),
        oldest_due_on=row["oldest_due_on"],
        days_overdue=max((as_of - row["oldest_due_on"]).days, 0),
        open_invoices=row["open_invoices"],
        share_percent=rules.share_percent(row["total_minor"], whole_minor),
    )
