"""Receivables by age at the end of any day: the whole, by group, in one currency, and down to the invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from services.reporting.ageing import queries, rules
from services.reporting.ageing.rules import ALL_KNOWN, FIRST_DAY, LAST_DAY, USUAL_DAYS, AgeFrom, Buckets, GroupBy
from services.reporting.balances import handlers as balances
from services.reporting.rates import handlers as rates
from shared.db import Tx

UNKNOWN_CUSTOMER = "Unknown customer"
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class AgeReceivables:
    """`after` is the (currency, group) of the last item the caller has; it counts for grouped figures only. With a
    `reporting_currency` everything is in that one, by the rates of `as_of`."""

    as_of: date
    known_at: date = ALL_KNOWN
    currency: str | None = None
    group_by: GroupBy | None = None
    after: tuple[str, str] = ("", "")
    limit: int = 500
    days: tuple[int, ...] = USUAL_DAYS
    age_from: AgeFrom = "due_date"
    reporting_currency: str | None = None


@dataclass(frozen=True, slots=True)
class ListOpenInvoices:
    """Invoices open at the end of `as_of` that were then overdue for `late_min` to `late_max` days (null: any), by due
    day and id behind `after`."""

    as_of: date
    limit: int
    after: tuple[date, UUID] = (FIRST_DAY, _NO_ID)
    currency: str | None = None
    customer_id: UUID | None = None
    late_min: int | None = None
    late_max: int | None = None


async def age_receivables(tx: Tx, query: AgeReceivables) -> list[Buckets]:
    """Raises NoRate."""
    if query.reporting_currency is not None:
        held = await rates.rates_on(tx, query.as_of)
        return rules.in_one_currency(await _by_group_whole(tx, query), held, query.reporting_currency)
    if query.group_by == "customer":
        return await _by_customer(tx, query)
    if query.group_by is None:
        found = await queries.age(tx, query.as_of, query.known_at, query.currency, query.days, query.age_from)
        return rules.gather(found, query.days)
    found = await queries.age_by_group(
        tx,
        query.group_by,
        query.as_of,
        query.known_at,
        query.currency,
        query.days,
        query.age_from,
        query.after,
    )
    return rules.gather(found, query.days)[: query.limit]


async def age_customer(tx: Tx, customer_id: UUID, as_of: date) -> list[Buckets]:
    """One item a currency the customer owed, as the whole."""
    found = await queries.age_customers(tx, [customer_id], as_of, ALL_KNOWN, None, USUAL_DAYS, "due_date")
    whole = [{**row, "key": None} for row in found]
    return [buckets for buckets in rules.gather(whole, USUAL_DAYS) if buckets.open_invoices]


async def first_movement_on(tx: Tx) -> date | None:
    """The first day anything was ever owed."""
    return await balances.first_movement_on(tx)


async def open_invoices(tx: Tx, customer_id: UUID, as_of: date, limit: int) -> list[asyncpg.Record]:
    """What a customer owed at the end of a day, oldest due first."""
    return await list_open_invoices(tx, ListOpenInvoices(as_of, limit, customer_id=customer_id))


async def list_open_invoices(tx: Tx, query: ListOpenInvoices) -> list[asyncpg.Record]:
    first = FIRST_DAY if query.late_max is None else query.as_of - timedelta(days=query.late_max)
    last = LAST_DAY if query.late_min is None else query.as_of - timedelta(days=query.late_min)
    places = await queries.open_due_days(
        tx, query.as_of, query.currency, query.customer_id, max(first, query.after[0]), last
    )
    enough = rules.first_days(places, query.limit, query.after[0])
    if not enough:
        return []
    return await queries.open_invoices(
        tx,
        query.as_of,
        enough,
        query.customer_id,
        query.after,
        query.limit,
    )


async def _by_customer(tx: Tx, query: AgeReceivables) -> list[Buckets]:
    """Customers in the order of their ids, currency by currency, until the page is full."""
    known = [query.currency] if query.currency else await queries.currencies(tx)
    found: list[Buckets] = []
    for currency in known:
        if currency < query.after[0]:
            continue
        after = UUID(query.after[1]) if currency == query.after[0] else _NO_ID
        while len(found) < query.limit:
            room = query.limit - len(found)
            ids = await queries.customers_behind(tx, query.as_of, query.known_at, [currency], after, room)
            if not ids:
                break
            found += await _aged(tx, query, ids, currency)
            after = ids[-1]
    return found[: query.limit]


async def _by_group_whole(tx: Tx, query: AgeReceivables) -> list[Buckets]:
    """A page of groups with all their currencies, for putting these together."""
    if query.group_by is None:
        found = await queries.age(tx, query.as_of, query.known_at, query.currency, query.days, query.age_from)
        return rules.gather(found, query.days)
    if query.group_by != "customer":
        found = await queries.age_by_group(
            tx, query.group_by, query.as_of, query.known_at, query.currency, query.days, query.age_from, ("", "")
        )
        items = rules.gather(found, query.days)
        wanted = set(sorted({item.group or "" for item in items if (item.group or "") > query.after[1]})[: query.limit])
        return sorted((item for item in items if item.group in wanted), key=lambda item: item.group or "")
    known = [query.currency] if query.currency else await queries.currencies(tx)
    after = UUID(query.after[1]) if query.after[1] else _NO_ID
    items: list[Buckets] = []
    while known and len({item.group for item in items}) < query.limit:
        room = query.limit - len({item.group for item in items})
        ids = await queries.customers_behind(tx, query.as_of, query.known_at, known, after, room)
        if not ids:
            break
        items += sorted(await _aged(tx, query, ids, query.currency), key=lambda item: item.group or "")
        after = ids[-1]
    return items


async def _aged(tx: Tx, query: AgeReceivables, ids: Sequence[UUID], currency: str | None) -> list[Buckets]:
    found = await queries.age_customers(tx, ids, query.as_of, query.known_at, currency, query.days, query.age_from)
    names = await queries.names(tx, ids)
    called = {str(customer_id): names.get(str(customer_id), UNKNOWN_CUSTOMER) for customer_id in ids}
    return [buckets for buckets in rules.gather(found, query.days, called) if buckets.open_invoices]
