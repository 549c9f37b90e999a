"""How customers' payments stand, and when to look again. Tables: payment_drift (written); payment_record,
invoice_exposure and customer (read)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.credit.control_charts.rules import Point
from services.credit.drifts.rules import PAYMENTS_MAX, Drift, Paying
from shared.db import Tx
from shared.ids import new_id

LOOK_DUE = "(select min(look_at) from payment_drift where look_at is not null)"


async def watch(tx: Tx, looks: Mapping[UUID, datetime]) -> None:
    """Look at each at this moment or sooner."""
    ids = sorted(looks)
    await tx.execute(_WATCH, [new_id() for _ in ids], ids, [looks[id] for id in ids])


_WATCH = """
insert into payment_drift (id, customer_id, version, look_at)
select id, customer_id, 0, look_at
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as t (id, customer_id, look_at)
on conflict (customer_id) do update set look_at = least(payment_drift.look_at, excluded.look_at)
"""


async def take_due(tx: Tx, count_max: int) -> dict[UUID, Drift]:
    """Who is to be looked at, each customer's row locked before its own, and these in the order in which news comes
    in; nothing is left to look at until it is said again."""
    due = await tx.fetch(_DUE, tx.now, count_max)
    ids = sorted(row["customer_id"] for row in due)
    if not ids:
        return {}
    await tx.execute("select from customer where id = any($1) order by id for no key update", ids)
    await tx.execute("select from payment_drift where customer_id = any($1) order by customer_id for update", ids)
    return {row["customer_id"]: _drift(row) for row in await tx.fetch(_TAKE, ids, tx.now)}


_DUE = """
select customer_id from payment_drift where look_at <= $1 order by look_at, customer_id limit $2
"""
_TAKE = """
update payment_drift set look_at = null where customer_id = any($1) and look_at <= $2 returning *
"""


async def paying(tx: Tx, customer_ids: Sequence[UUID], since: date, today: date) -> dict[UUID, Paying]:
    """What there is to draw of each as of today; customers that nobody knows are not in the answer."""
    paid: dict[UUID, list[Point]] = {}
    for row in await tx.fetch(_PAID, customer_ids, since, today, PAYMENTS_MAX):
        point = Point(row["invoice_id"], row["due_date"], row["ended_on"])
        paid.setdefault(row["customer_id"], []).append(point)
    still_open: dict[UUID, list[Point]] = {}
    for row in await tx.fetch(_OPEN, customer_ids):
        point = Point(row["invoice_id"], row["due_date"], today, still_open=True)
        still_open.setdefault(row["customer_id"], []).append(point)
    return {
        row["id"]: Paying(row["segment"], tuple(paid.get(row["id"], ())), tuple(still_open.get(row["id"], ())))
        for row in await tx.fetch("select id, segment from customer where id = any($1)", customer_ids)
    }


_PAID = """
select p.* from unnest($1::uuid[]) as c (id) cross join lateral (
    select invoice_id, customer_id, due_date, ended_on from payment_record
    where customer_id = c.id and not written_off and ended_on between $2 and $3
    order by ended_on desc, invoice_id limit $4
) p
"""
_OPEN = """
select invoice_id, customer_id, due_date from invoice_exposure
where customer_id = any($1) and balance_minor > disputed_minor + on_plan_minor
"""


async def save(tx: Tx, found: Sequence[tuple[Drift, datetime | None]]) -> None:
    """What was found of each, and when to look again unless something is heard before."""
    columns = zip(*((d.customer_id, d.version, d.since, look_at) for d, look_at in found), strict=True)
    await tx.execute(_SAVE, *map(list, columns))


_SAVE = """
update payment_drift d
set version = n.version, since = n.since, look_at = least(d.look_at, n.look_at)
from unnest($1::uuid[], $2::bigint[], $3::date[], $4::timestamptz[]) as n (customer_id, version, since, look_at)
where d.customer_id = n.customer_id
"""


async def find(tx: Tx, customer_id: UUID) -> Drift | None:
    row = await tx.fetchrow("select * from payment_drift where customer_id = $1", customer_id)
    return _drift(row) if row else None


async def drifting(tx: Tx, after: tuple[date, UUID] | None, count_max: int) -> Sequence[Drift]:
    """The newest first."""
    return [_drift(row) for row in await tx.fetch(_DRIFTING, *(after or (None, None)), count_max)]


_DRIFTING = """
select * from payment_drift
where since is not null and ($1::date is null or (since, customer_id) < ($1, $2))
order by since desc, customer_id desc
limit $3
"""


def _drift(row: Any) -> Drift:
    return Drift(row["id"], row["customer_id"], row["version"], row["since"])
