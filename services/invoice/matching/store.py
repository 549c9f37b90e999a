"""Tables: cash_application, payer_account; read: bank_entry, payment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.invoice.bank_returns.rules import PaidBefore
from services.invoice.bank_statements.rules import BankEntry
from services.invoice.matching.rules import Application, Share, Shown, Status
from services.invoice.proposals.rules import Proposal
from shared.db import Tx

_APPLICATION = tuple(field.name for field in fields(Application))
_A = ", ".join(f"a.{name}" for name in _APPLICATION)
_B = ", ".join(f"b.{field.name}" for field in fields(BankEntry))
_WIDTH = len(_APPLICATION)
RETURN_DAYS = 400
"""A direct debit can be returned for 13 months when there was no mandate (SEPA rulebook, 4.4)."""


def _application(values: Sequence[Any]) -> Application:
    return Application(*values[: _WIDTH - 1], proposals=tuple(Proposal.of(each) for each in values[_WIDTH - 1]))


def _shown(row: Record) -> Shown:
    values = tuple(row.values())
    return Shown(_application(values[:_WIDTH]), BankEntry(*values[_WIDTH:-2]), values[-2], values[-1])


_KEEP = f"""
insert into cash_application as a ({", ".join(_APPLICATION)}, decided_at, decided_by)
values ({", ".join(f"${n}" for n in range(1, _WIDTH + 3))})
on conflict (id) do update set
    {", ".join(f"{name} = excluded.{name}" for name in _APPLICATION[1:])},
    decided_at = excluded.decided_at, decided_by = excluded.decided_by
where a.version < excluded.version
"""


async def keep(tx: Tx, application: Application, decided_at: datetime | None, decided_by: str | None) -> None:
    values = [getattr(application, name) for name in _APPLICATION[:-1]]
    proposals = [each.stored() for each in application.proposals]
    await tx.execute(_KEEP, *values, proposals, decided_at, decided_by)


_FIND = f"select {_A} from cash_application a where a.id = $1"


async def find(tx: Tx, entry_id: UUID) -> Application | None:
    row = await tx.fetchrow(_FIND, entry_id)
    return _application(tuple(row.values())) if row else None


_SHOW = f"""
select {_A}, {_B}, a.decided_at, a.decided_by from cash_application a join bank_entry b on b.id = a.id
where a.id = $1 and b.superseded_at is null
"""


async def show(tx: Tx, entry_id: UUID) -> Shown | None:
    row = await tx.fetchrow(_SHOW, entry_id)
    return _shown(row) if row else None


_PAGE = f"""
select {_A}, {_B}, a.decided_at, a.decided_by from cash_application a join bank_entry b on b.id = a.id
where b.superseded_at is null
  and ($1::uuid is null or a.id > $1)
  and ($2::text is null or a.status = $2)
  and ($3::uuid is null or b.bank_statement_id = $3)
order by a.id limit $4
"""


async def page(
    tx: Tx, after: UUID | None, status: Status | None, bank_statement_id: UUID | None, limit: int
) -> list[Shown]:
    return [_shown(row) for row in await tx.fetch(_PAGE, after, status, bank_statement_id, limit)]


_SHARES = """
select a.currency, a.status, count(*)::int, sum(a.amount_minor)::bigint
from cash_application a join bank_entry b on b.id = a.id
where b.superseded_at is null and a.booked_on between $1 and $2 and a.kind = 'receipt'
  and ($3::text is null or a.entity_id = $3)
group by a.currency, a.status order by a.currency, a.status
"""


async def shares(tx: Tx, first: date, last: date, entity_id: str | None) -> list[Share]:
    return [Share(*row.values()) for row in await tx.fetch(_SHARES, first, last, entity_id)]


_PAYERS = (
    "select customer_id from payer_account where entity_id = $1 and iban = $2 order by times desc, customer_id limit $3"
)


async def payers(tx: Tx, entity_id: str, iban: str, limit: int) -> list[UUID]:
    return [row[0] for row in await tx.fetch(_PAYERS, entity_id, iban, limit)]


_LEARN = """
insert into payer_account as p (entity_id, iban, customer_id, times, last_on) values ($1, $2, $3, 1, $4)
on conflict (entity_id, iban, customer_id)
do update set times = p.times + 1, last_on = greatest(p.last_on, excluded.last_on)
"""


async def learn(tx: Tx, entity_id: str, iban: str, customer_id: UUID, on: date) -> None:
    await tx.execute(_LEARN, entity_id, iban, customer_id, on)


_UNLEARN = """
with fewer as (
    update payer_account set times = times - 1
    where entity_id = $1 and iban = $2 and customer_id = $3 and times > 1 returning 1
)
delete from payer_account
where entity_id = $1 and iban = $2 and customer_id = $3 and times = 1 and not exists (select from fewer)
"""


async def unlearn(tx: Tx, entity_id: str, iban: str, customer_id: UUID) -> None:
    await tx.execute(_UNLEARN, entity_id, iban, customer_id)


_PAID_BEFORE = """
select a.payment_id, a.customer_id, a.amount_minor, a.currency, a.booked_on, b.end_to_end_id, b.mandate_id,
       b.party_iban, p.reversed_on is not null
from bank_entry b join cash_application a on a.id = b.id join payment p on p.id = a.payment_id
where b.account = $1 and b.kind = 'receipt' and a.booked_on between $5::date - $6::int and $5::date
  and (b.end_to_end_id = $2 or b.mandate_id = $3 or b.party_iban = $4)
  and not exists (select from cash_application r where r.payment_id = a.payment_id and r.kind = 'return')
order by a.booked_on desc, a.id desc limit 50
"""


async def paid_before(tx: Tx, entry: BankEntry) -> list[PaidBefore]:
    """Payments that a return may take back, the newest first; those that another return has taken back are not."""
    rows = await tx.fetch(
        _PAID_BEFORE,
        *(entry.account, entry.end_to_end_id, entry.mandate_id, entry.party_iban, entry.booked_on, RETURN_DAYS),
    )
    return [PaidBefore(*row.values()) for row in rows]
