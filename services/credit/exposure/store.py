"""Open balances by invoice, kept by version and summed when asked: a sum that is never stored cannot drift.

Tables: invoice_exposure, invoice_order and account_watch (written), reservation (used up by invoices; read), and to be
read with them in one look: fx_rates, credit_group, decision_override, credit_policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.credit.exposure.rules import (
    NOTHING_KNOWN,
    NOTHING_OWED,
    Exposure,
    Facts,
    Group,
    InvoiceOutcome,
    Owed,
    Pass,
)
from services.credit.rates.rules import Rates
from shared.db import Tx
from shared.money import Money

WATCH_DUE = "(select min(due_at) from account_watch)"


async def keep(tx: Tx, rows: Sequence[tuple[Any, ...]], orders: Sequence[tuple[UUID, UUID, str]]) -> None:
    """Rows of (invoice_id, customer_id, version, currency, balance_minor, disputed_minor, on_plan_minor, due_date,
    number, total_minor, written_off_minor, status), one an invoice; orders of (invoice_id, customer_id, reference) that
    were invoiced, whose reservations this uses up. An account that a hold rule may concern is to be looked at."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    invoiced = [list(column) for column in zip(*orders, strict=True)] or [[], [], []]
    await tx.execute(_KEEP, *columns, *invoiced, tx.now)


_KEEP = """
with kept as (
    insert into invoice_exposure (invoice_id, customer_id, version, currency, balance_minor, disputed_minor,
                                  on_plan_minor, due_date, number, total_minor, written_off_minor, status)
    select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                         $8::date[], $9::text[], $10::bigint[], $11::bigint[], $12::text[])
    on conflict (invoice_id) do update set
        version = excluded.version,
        balance_minor = excluded.balance_minor,
        disputed_minor = excluded.disputed_minor,
        on_plan_minor = excluded.on_plan_minor,
        due_date = excluded.due_date,
        number = excluded.number,
        total_minor = excluded.total_minor,
        written_off_minor = excluded.written_off_minor,
        status = excluded.status
    where excluded.version > invoice_exposure.version
       or (excluded.version = invoice_exposure.version and invoice_exposure.status is null)
), ordered as (
    insert into invoice_order (invoice_id, customer_id, reference)
    select distinct on (invoice_id) *
    from unnest($13::uuid[], $14::uuid[], $15::text[]) as o (invoice_id, customer_id, reference)
    on conflict (invoice_id) do nothing
), used as (
    update reservation r
    set status = 'used', version = r.version + 1, ended_at = $16, invoice_id = o.invoice_id
    from (
        select distinct on (customer_id, reference) *
        from unnest($13::uuid[], $14::uuid[], $15::text[]) as o (invoice_id, customer_id, reference)
    ) o
    where r.customer_id = o.customer_id and r.reference = o.reference and r.status = 'held'
      and not exists (select from reservation earlier where earlier.invoice_id = o.invoice_id)
)
insert into account_watch (customer_id, due_at)
select distinct customer_id, $16::timestamptz from unnest($2::uuid[]) as heard (customer_id)
where (select coalesce((rules ->> 'watch')::boolean, false) from credit_policy order by version desc limit 1)
   or exists (select from credit_account a where a.customer_id = heard.customer_id and a.held <> '{}')
on conflict (customer_id) do update set due_at = least(account_watch.due_at, excluded.due_at)
"""


async def facts_of(
    tx: Tx, customer_ids: Sequence[UUID], today: date, references: Sequence[str] = ()
) -> Mapping[UUID, Facts]:
    """What is known of each, whether it owes or not."""
    if len(customer_ids) == 1:
        rows = await tx.fetch(_FACTS_OF_ONE, customer_ids[0], today, tx.now, references)
    else:
        rows = await tx.fetch(_FACTS_OF, customer_ids, today, tx.now, references)
    return {row["id"]: _facts(row) for row in rows}


_FACTS_OF = """
with recursive up (for_id, id, parent_id, depth) as (
    select id, id, parent_id, 0 from customer where id = any($1::uuid[]) and exists (select from credit_group)
    union all
    select up.for_id, above.id, above.parent_id, up.depth + 1
    from up join customer above on above.id = up.parent_id
), top as (
    select distinct on (up.for_id) up.for_id, g.customer_id, g.version, g.currency, g.limit_minor
    from up join credit_group g on g.customer_id = up.id
    order by up.for_id, up.depth desc
), member (top_id, id) as (
    select customer_id, customer_id from top
    union
    select member.top_id, below.id from member join customer below on below.parent_id = member.id
), together as (
    select m.top_id, owed.currency, sum(owed.open_minor)::bigint as open_minor,
           sum(owed.reserved_minor)::bigint as reserved_minor
    from member m cross join lateral (
        select currency, sum(balance_minor)::bigint as open_minor, 0::bigint as reserved_minor
        from invoice_exposure where customer_id = m.id and balance_minor > 0 group by currency
        union all
        select currency, 0::bigint, sum(amount_minor)::bigint
        from reservation where customer_id = m.id and status = 'held' and expires_at > $3 group by currency
    ) owed
    group by m.top_id, owed.currency
), owed as (
    select customer_id, currency,
           sum(balance_minor)::bigint as open_minor,
           coalesce(sum(balance_minor) filter (where due_date < $2), 0)::bigint as overdue_minor,
           sum(disputed_minor)::bigint as disputed_minor,
           sum(least(on_plan_minor, balance_minor))::bigint as on_plan_minor,
           count(*) as open_invoices
    from invoice_exposure
    where customer_id = any($1::uuid[]) and balance_minor > 0
    group by customer_id, currency
), held as (
    select customer_id, currency, sum(amount_minor)::bigint as reserved_minor
    from reservation
    where customer_id = any($1::uuid[]) and status = 'held' and expires_at > $3
    group by customer_id, currency
), components as (
    select customer_id, jsonb_agg(jsonb_build_array(
               currency, coalesce(open_minor, 0), coalesce(overdue_minor, 0), coalesce(disputed_minor, 0),
               coalesce(open_invoices, 0), coalesce(on_plan_minor, 0), coalesce(reserved_minor, 0)
           ) order by currency) as owed
    from owed full join held using (customer_id, currency)
    group by customer_id
)
select wanted.id, components.owed,
       top.customer_id as top_id, top.version as group_version, top.currency as group_currency,
       top.limit_minor as group_limit_minor,
       (select jsonb_agg(jsonb_build_array(t.currency, t.open_minor, 0, 0, 0, 0, t.reserved_minor) order by t.currency)
        from together t where t.top_id = top.customer_id) as group_owed,
       (select jsonb_build_array(on_date, version, rates) from fx_rates
        where on_date <= $2 order by on_date desc limit 1) as rates,
       (select jsonb_build_array(version, rules) from credit_policy order by version desc limit 1) as policy,
       case when cardinality($4::text[]) > 0 then (
           select jsonb_agg(jsonb_build_array(r.reference, r.currency, r.amount_minor)) from reservation r
           where r.customer_id = wanted.id and r.status = 'held' and r.expires_at > $3 and r.reference = any($4)
       ) end as own,
       case when cardinality($4::text[]) > 0 then (
           select jsonb_agg(jsonb_build_array(o.decision_id, o.reference, o.currency, o.amount_minor, o.expires_at)
                            order by o.expires_at)
           from decision_override o
           where o.customer_id = wanted.id and o.expires_at > $3 and o.reference = any($4)
       ) end as passes
from unnest($1::uuid[]) as wanted (id)
left join components on components.customer_id = wanted.id
left join top on top.for_id = wanted.id
"""
"""Groups cost nothing while there is none: the recursion begins with nobody."""

_FACTS_OF_ONE = _FACTS_OF.replace("$1::uuid[]", "array[$1::uuid]")
"""An array whose length PostgreSQL does not know has the statement planned again at every call, which takes five times
as long as the answer."""


async def outcomes_of(tx: Tx, customer_ids: Sequence[UUID]) -> list[InvoiceOutcome]:
    return [
        InvoiceOutcome(
            invoice_id=row["invoice_id"],
            customer_id=row["customer_id"],
            names=tuple(name for name in (row["number"], row["reference"]) if name),
            status=row["status"],
            total=Money(row["total_minor"], row["currency"]),
            written_off=Money(row["written_off_minor"], row["currency"]),
        )
        for row in await tx.fetch(_OUTCOMES_OF, customer_ids)
    ]


_OUTCOMES_OF = """
select i.*, o.reference
from invoice_exposure i left join invoice_order o on o.invoice_id = i.invoice_id
where i.customer_id = any($1) and i.status is not null
order by i.customer_id, i.invoice_id
"""


async def move(tx: Tx, from_id: UUID, to_id: UUID) -> int:
    await tx.execute("update invoice_order set customer_id = $2 where customer_id = $1", from_id, to_id)
    moved = await tx.execute("update invoice_exposure set customer_id = $2 where customer_id = $1", from_id, to_id)
    return int(moved.rpartition(" ")[2])


async def watch(tx: Tx, customer_ids: Sequence[UUID], due_at: datetime) -> None:
    await tx.execute(_WATCH, customer_ids, due_at)


_WATCH = """
insert into account_watch (customer_id, due_at)
select distinct customer_id, $2::timestamptz from unnest($1::uuid[]) as t (customer_id)
on conflict (customer_id) do update set due_at = least(account_watch.due_at, excluded.due_at)
"""


async def watch_everybody(tx: Tx) -> None:
    await tx.execute(_WATCH_EVERYBODY, tx.now)


_WATCH_EVERYBODY = """
insert into account_watch (customer_id, due_at) select customer_id, $1::timestamptz from credit_account
on conflict (customer_id) do update set due_at = least(account_watch.due_at, excluded.due_at)
"""


async def watched(tx: Tx, count_max: int) -> list[UUID]:
    """In the order in which customers are locked."""
    return sorted(row["customer_id"] for row in await tx.fetch(_WATCHED, tx.now, count_max))


_WATCHED = "select customer_id from account_watch where due_at <= $1 order by due_at, customer_id limit $2"


async def unwatch(tx: Tx, customer_ids: Sequence[UUID]) -> set[UUID]:
    """Those that somebody is just having watched are left for the next time."""
    return {row["customer_id"] for row in await tx.fetch(_UNWATCH, customer_ids, tx.now)}


_UNWATCH = """
delete from account_watch where customer_id in (
    select customer_id from account_watch where customer_id = any($1) and due_at <= $2 for update skip locked
)
returning customer_id
"""


async def oldest_due(tx: Tx, customer_ids: Sequence[UUID]) -> dict[UUID, list[date]]:
    """The due dates of what each has open, oldest first."""
    rows = await tx.fetch(_OLDEST_DUE, customer_ids)
    return {row["customer_id"]: row["days"] for row in rows}


_OLDEST_DUE = """
select customer_id, array_agg(distinct due_date order by due_date) as days
from invoice_exposure where customer_id = any($1) and balance_minor > 0
group by customer_id
"""


def _facts(row: Any) -> Facts:
    if not (row["owed"] or row["top_id"] or row["rates"] or row["own"] or row["passes"] or row["policy"]):
        return NOTHING_KNOWN
    policy_version, policy_rules = row["policy"] or (0, {})
    return Facts(
        exposure=_exposure(row["owed"]),
        rates=_rates(row["rates"]),
        group=Group(
            row["top_id"],
            row["group_version"],
            Money(row["group_limit_minor"], row["group_currency"]),
            _exposure(row["group_owed"]),
        )
        if row["top_id"]
        else None,
        own={reference: Money(minor, currency) for reference, currency, minor in row["own"] or ()},
        passes=tuple(
            Pass(UUID(id), reference, Money(minor, currency), datetime.fromisoformat(expires_at))
            for id, reference, currency, minor, expires_at in row["passes"] or ()
        ),
        policy_version=policy_version,
        policy_rules=policy_rules,
    )


def _rates(kept: list[Any] | None) -> Rates | None:
    if not kept:
        return None
    on, version, rates = kept
    return Rates(date.fromisoformat(on), version, {code: Decimal(rate) for code, rate in rates.items()})


def _exposure(kept: Sequence[Any] | None) -> Exposure:
    return Exposure(tuple(owed(one) for one in kept)) if kept else NOTHING_OWED


def owed(kept: Sequence[Any]) -> Owed:
    currency, open_minor, overdue_minor, disputed_minor, open_invoices, on_plan_minor, reserved_minor = kept
    return Owed(
        open=Money(open_minor, currency),
        overdue=Money(overdue_minor, currency),
        disputed=Money(disputed_minor, currency),
        open_invoices=open_invoices,
        on_plan=Money(on_plan_minor, currency),
        reserved=Money(reserved_minor, currency),
    )
