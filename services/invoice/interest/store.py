"""Tables: reference_series, reference_rate, charge, interest_review, interest_run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from uuid import UUID

from services.invoice.accruals.rules import Series
from services.invoice.interest.rules import Asked, Charge
from shared.db import Tx

# --- reference rates ---

_SERIES = """
select s.series, s.version, s.title, s.source, s.known_until,
       array_agg(r.valid_from order by r.valid_from), array_agg(r.percent order by r.valid_from)
from reference_series s join reference_rate r on r.series = s.series
where {which}
group by s.series order by s.series limit $2
"""
_NAMED = _SERIES.format(which="s.series = any($1::text[])")
_SERIES_PAGE = _SERIES.format(which="$1::text is null or s.series > $1")


def _series(row: Sequence) -> Series:
    name, version, title, source, known_until, days, percents = row
    return Series(name, version, title, source, known_until, tuple(zip(days, percents, strict=True)))


async def find_series(tx: Tx, names: Sequence[str]) -> dict[str, Series]:
    rows = await tx.fetch(_NAMED, names, len(names))
    return {row[0]: _series(tuple(row.values())) for row in rows}


async def page_of_series(tx: Tx, after: str | None, limit: int) -> list[Series]:
    return [_series(tuple(row.values())) for row in await tx.fetch(_SERIES_PAGE, after, limit)]


_LOCK_SERIES = "select version from reference_series where series = $1 for update"


async def lock_series(tx: Tx, name: str) -> int | None:
    return await tx.fetchval(_LOCK_SERIES, name)


_SAVE_SERIES = """
insert into reference_series (series, version, title, source, known_until) values ($1, $2, $3, $4, $5)
on conflict (series) do update set version = excluded.version, title = excluded.title, source = excluded.source,
                                   known_until = excluded.known_until
"""
_DROP_RATES = "delete from reference_rate where series = $1"
_INSERT_RATES = """
insert into reference_rate (series, valid_from, percent) select $1, * from unnest($2::date[], $3::numeric[])
"""


async def save_series(tx: Tx, series: Series) -> None:
    await tx.execute(_SAVE_SERIES, series.name, series.version, series.title, series.source, series.known_until)
    await tx.execute(_DROP_RATES, series.name)
    days, percents = zip(*series.rates, strict=True)
    await tx.execute(_INSERT_RATES, series.name, days, percents)


# --- charges ---

_FIELDS = tuple(field.name for field in fields(Charge))
_CHARGE = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)

_INSERT = f"insert into charge ({_CHARGE}) values ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))})"


async def insert(tx: Tx, charge: Charge) -> None:
    await tx.execute(_INSERT, *_values(charge))


_END = "update charge set status = $2, ended_on = $3, ended_why = $4 where id = $1"


async def end(tx: Tx, charge: Charge) -> None:
    await tx.execute(_END, charge.id, charge.status, charge.ended_on, charge.ended_why)


_FIND = f"select {_CHARGE} from charge where id = $1"


async def find(tx: Tx, charge_id: UUID) -> Charge | None:
    row = await tx.fetchrow(_FIND, charge_id)
    return Charge(*row.values()) if row else None


_OF_INVOICES = f"select {_CHARGE} from charge where invoice_id = any($1::uuid[]) order by id"


async def charges_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[Charge]:
    return [Charge(*row.values()) for row in await tx.fetch(_OF_INVOICES, invoice_ids)]


_PAGE = f"""
select {_CHARGE} from charge where invoice_id = $1 and ($2::uuid is null or id > $2) order by id limit $3
"""


async def page(tx: Tx, invoice_id: UUID, after: UUID | None, limit: int) -> list[Charge]:
    return [Charge(*row.values()) for row in await tx.fetch(_PAGE, invoice_id, after, limit)]


_ASKED_BEFORE = """
select exists (
    select from charge where case_id = $1 and case_episode = $2 and case_step = $3 and kind = 'fee'
)
"""


async def fee_was_charged(tx: Tx, asked: Asked) -> bool:
    return await tx.fetchval(_ASKED_BEFORE, asked.case_id, asked.episode, asked.step)


# --- what was charged and may be wrong by now ---

TO_REVIEW = "(select timestamptz 'epoch' from interest_review limit 1)"
"""At once while there is any."""

_REVIEW = """
select i.id, i.customer_id from interest_review r join invoice i on i.id = r.invoice_id order by r.invoice_id limit $1
"""


async def to_review(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    return [(row[0], row[1]) for row in await tx.fetch(_REVIEW, limit)]


_REVIEWED = "delete from interest_review where invoice_id = any($1::uuid[])"


async def reviewed(tx: Tx, invoice_ids: Sequence[UUID]) -> None:
    await tx.execute(_REVIEWED, invoice_ids)


_ASK_REVIEW = """
insert into interest_review (invoice_id)
select distinct invoice_id from charge where kind = 'interest' and status = 'standing' and last_day >= $1
on conflict do nothing
"""


async def ask_review_from(tx: Tx, day: date) -> None:
    await tx.execute(_ASK_REVIEW, day)


# --- charging by itself ---

NEXT_RUN = """(
    select min(case
        when r.entity_id is null then timestamptz 'epoch' else r.next_on::timestamp at time zone e.time_zone
    end)
    from entity e left join interest_run r on r.entity_id = e.id
    where e.policies -> 'interest' ->> 'charge' = 'monthly'
)"""


@dataclass(frozen=True, slots=True)
class Run:
    entity_id: str
    started_on: date
    next_on: date
    after_invoice: UUID | None


_RUN = """
select e.id, r.started_on, r.next_on, r.after_invoice
from entity e left join interest_run r on r.entity_id = e.id
where e.policies -> 'interest' ->> 'charge' = 'monthly'
  and (r.entity_id is null or r.next_on::timestamp at time zone e.time_zone <= $1)
order by e.id limit 1
for update of e
"""


async def run_due(tx: Tx) -> Run | str | None:
    """The run to be gone on with, or the id of an entity that has none yet."""
    row = await tx.fetchrow(_RUN, tx.now)
    if row is None:
        return None
    return Run(*row.values()) if row["started_on"] else row["id"]


_SAVE_RUN = """
insert into interest_run (entity_id, started_on, next_on, after_invoice) values ($1, $2, $3, $4)
on conflict (entity_id) do update set next_on = excluded.next_on, after_invoice = excluded.after_invoice
"""


async def save_run(tx: Tx, run: Run) -> None:
    await tx.execute(_SAVE_RUN, run.entity_id, run.started_on, run.next_on, run.after_invoice)


_BEARING = """
select id, customer_id from invoice
where entity_id = $1 and due_date < $2 and ($4::uuid is null or id > $4)
  and (balance_minor > 0 or (settled_on >= $3 and settled_on > due_date and written_off_minor = 0))
  and voided_on is null
order by id limit $5
"""


async def bearing(tx: Tx, run: Run, limit: int) -> list[tuple[UUID, UUID]]:
    """Invoices that may have borne interest before the run's day: still owed, or paid late since the entity began."""
    rows = await tx.fetch(_BEARING, run.entity_id, run.next_on, run.started_on, run.after_invoice, limit)
    return [(row[0], row[1]) for row in rows]
