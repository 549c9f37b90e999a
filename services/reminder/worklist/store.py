"""The worklist's rows, from what the other features keep, and the table looked_after."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.receivables.rules import Key
from services.reminder.worklist import rules
from services.reminder.worklist.rules import Entry
from shared.db import Tx
from shared.money import Money

_RISK = " ".join(f"when '{name}' then {points}" for name, points in rules.RISK_POINTS.items())

_ENTRIES = f"""
with owed as (
    select customer_id, entity_id, currency, sum(collectable_minor) as minor, count(*) as invoices,
           min(due_date) as oldest
    from receivable
    where collectable_minor > 0 and overdue_since is not null
    group by customer_id, entity_id, currency
), placed as (
    select *, cume_dist() over (partition by currency order by minor) as place from owed
), account_owed as (
    select customer_id, entity_id, max(place) as place, min(oldest) as oldest, sum(invoices) as invoices,
           jsonb_agg(jsonb_build_array(minor, currency)) as amounts
    from placed group by customer_id, entity_id
), waiting as (
    select customer_id, entity_id, jsonb_agg(distinct kind) as kinds
    from task where status = 'open' and due_on <= $1 and coalesce(snoozed_until, $1) <= $1
    group by customer_id, entity_id
), spoken as (
    select customer_id, entity_id, max(at) as at from touch where kind in ('call', 'conversation')
    group by customer_id, entity_id
), entry as (
    select k.customer_id, k.entity_id, a.name, a.external_id, a.segment, a.risk_class, a.time_zone,
           o.amounts, coalesce(o.invoices, 0) as invoices, o.oldest, coalesce(o.place, 0) as place,
           coalesce(c.broken_promises, 0) as broken_promises, s.at as spoken_at, l.owner, l.snoozed_until,
           coalesce(c.holds, '[]') as holds, c.step, c.check_at, coalesce(w.kinds, '[]') as kinds,
           jsonb_path_exists(a.contacts, '$[*].email ? (@ != null)') as has_email,
           jsonb_path_exists(a.contacts, '$[*].phone ? (@ != null)') as has_phone,
           {rules.BALANCE_POINTS} * coalesce(o.place, 0)
           + {rules.AGE_POINTS} * least(greatest($1 - o.oldest, 0), {rules.AGE_DAYS}) / {rules.AGE_DAYS}.0
           + case a.risk_class {_RISK} else {rules.RISK_UNKNOWN_POINTS} end
           + {rules.PROMISE_POINTS} * least(coalesce(c.broken_promises, 0), {rules.PROMISES}) / {rules.PROMISES}.0
           + {rules.EFFECT_POINTS} * least(coalesce($1 - (s.at at time zone 'UTC')::date, {rules.EFFECT_DAYS}),
                                           {rules.EFFECT_DAYS}) / {rules.EFFECT_DAYS}.0 as points
    from (select customer_id, entity_id from account_owed union select customer_id, entity_id from waiting) k
    join account a on a.id = k.customer_id
    left join account_owed o using (customer_id, entity_id)
    left join waiting w using (customer_id, entity_id)
    left join spoken s using (customer_id, entity_id)
    left join collection_case c using (customer_id, entity_id)
    left join looked_after l using (customer_id, entity_id)
)
select e.*, round(e.points::numeric, 6)::float8 as points,
       (select count(*) from receivable r where r.customer_id = e.customer_id and r.entity_id = e.entity_id
                                            and r.balance_minor > 0 and r.disputed_minor > 0) as disputed
from entry e
where ($2::text is null or e.entity_id = $2)
  and ($3::text[] is null or e.owner = any($3) or (e.owner is null and $4))
  and ($5 or coalesce(e.snoozed_until, $1) <= $1)
  and ($6::float8 is null or (-round(e.points::numeric, 6)::float8, e.customer_id, e.entity_id) > (-$6::float8, $7, $8))
  and ($9::uuid is null or e.customer_id = $9)
order by -round(e.points::numeric, 6)::float8, e.customer_id, e.entity_id
limit $10
"""


async def entries(
    tx: Tx,
    today: date,
    entity_id: str | None,
    owners: Sequence[str] | None,
    *,
    nobodys: bool,
    snoozed: bool,
    after: tuple[float, UUID, str] | None,
    customer_id: UUID | None,
    limit: int,
) -> list[Entry]:
    """By points, most first. `owners` are whose accounts; with `nobodys` also those that nobody looks after."""
    points, after_customer, after_entity = after or (None, None, None)
    rows = await tx.fetch(
        *(_ENTRIES, today, entity_id, owners, nobodys, snoozed),
        *(points, after_customer, after_entity, customer_id, limit),
    )
    return [_entry(row) for row in rows]


async def assign(tx: Tx, keys: Collection[Key], owner: str | None) -> None:
    await tx.execute(_ASSIGN, [key[0] for key in keys], [key[1] for key in keys], owner)


_ASSIGN = """
insert into looked_after (customer_id, entity_id, owner)
select customer_id, entity_id, $3 from unnest($1::uuid[], $2::text[]) as t (customer_id, entity_id)
on conflict (customer_id, entity_id) do update set owner = excluded.owner
"""


async def snooze(tx: Tx, keys: Collection[Key], until: date | None, by: str, because: str | None) -> None:
    """Without a day they are seen again at once."""
    who = by if until else None
    await tx.execute(_SNOOZE, [key[0] for key in keys], [key[1] for key in keys], until, who, because)


_SNOOZE = """
insert into looked_after (customer_id, entity_id, snoozed_until, snoozed_by, snoozed_because)
select customer_id, entity_id, $3, $4, $5 from unnest($1::uuid[], $2::text[]) as t (customer_id, entity_id)
on conflict (customer_id, entity_id) do update set
    snoozed_until = excluded.snoozed_until, snoozed_by = excluded.snoozed_by, snoozed_because = excluded.snoozed_because
"""


def _entry(row: Any) -> Entry:
    return Entry(
        customer_id=row["customer_id"],
        entity_id=row["entity_id"],
        points=row["points"],
        name=row["name"],
        external_id=row["external_id"],
        segment=row["segment"],
        risk_class=row["risk_class"],
        time_zone=row["time_zone"],
        owed=rules.order([Money(minor, currency) for minor, currency in row["amounts"] or ()]),
        invoices=row["invoices"],
        oldest_due_on=row["oldest"],
        place=row["place"],
        disputed=row["disputed"],
        broken_promises=row["broken_promises"],
        spoken_at=row["spoken_at"],
        has_email=row["has_email"],
        has_phone=row["has_phone"],
        owner=row["owner"],
        snoozed_until=row["snoozed_until"],
        holds=tuple(_hold(each) for each in row["holds"]),
        step=row["step"],
        check_at=row["check_at"],
        tasks=tuple(sorted(row["kinds"])),
    )


def _hold(kept: dict[str, Any]) -> Hold:
    until = date.fromisoformat(kept["until"]) if kept["until"] else None
    return Hold(HoldKind(kept["kind"]), until, kept["source"], kept["detail"])
