"""Everything that happened with a customer, as lines to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.reporting.timeline import queries, rules
from services.reporting.wording.rules import Line
from shared.db import Tx
from shared.errors import NotFound

NEWEST = (date.max, 2**63 - 1)


class CustomerUnknown(NotFound):
    slug = "customer-not-found"
    title = "No such customer"


@dataclass(frozen=True, slots=True)
class ReadTimeline:
    """`before` is the (effective day, feed number) of the last line the caller has."""

    customer_id: UUID
    before: tuple[date, int]
    limit: int


@dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    event_id: UUID
    type: str
    subject: UUID
    on: date
    at: datetime
    line: Line


async def read_timeline(tx: Tx, query: ReadTimeline) -> list[Entry]:
    """Newest first. Raises CustomerUnknown when nothing was ever heard of the customer."""
    rows = await queries.page(tx, query.customer_id, query.before, query.limit)
    if not rows and not await queries.is_known(tx, query.customer_id):
        raise CustomerUnknown(f"no event of a customer {query.customer_id} has arrived here")
    return [_entry(row) for row in rows]


async def latest_entries(tx: Tx, until: date, limit: int) -> list[tuple[Entry, UUID, str]]:
    """What happened last among all customers, without the steps that another event tells as well: each with the
    customer's id and name."""
    rows = await queries.latest(tx, until, rules.QUIET, limit)
    return [(_entry(row), row["customer_id"], row["customer_name"] or "Unknown customer") for row in rows]


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(
        seq=row["seq"],
        event_id=row["id"],
        type=row["type"],
        subject=row["subject"],
        on=row["effective_on"],
        at=row["time"],
        line=rules.describe(row["type"], row["data"]),
    )
