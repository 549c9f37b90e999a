"""The journal over HTTP: its entries by date, and the trial balance."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.invoice.journal import handlers, rules
from services.invoice.journal.rules import AccountTotal, Booked
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["journal"], dependencies=[scope("invoices:read")])


class EntryOut(BaseModel):
    """One amount from the account credited to the account debited; `reverses` is the entry that it takes back."""

    id: int
    entity_id: str
    effective_on: date
    booked_on: date
    kind: str
    debit: str
    credit: str
    amount: Money
    customer_id: UUID
    invoice_id: UUID | None
    payment_id: UUID | None
    source_id: UUID | None
    reverses: int | None

    @classmethod
    def of(cls, entry: Booked) -> "EntryOut":
        return cls(
            id=entry.id,
            entity_id=entry.entity_id,
            effective_on=entry.effective_on,
            booked_on=entry.booked_on,
            kind=entry.kind,
            debit=entry.debit,
            credit=entry.credit,
            amount=Money(entry.amount_minor, entry.currency),
            customer_id=entry.customer_id,
            invoice_id=entry.invoice_id,
            payment_id=entry.payment_id,
            source_id=entry.source_id,
            reverses=entry.reverses,
        )


class AccountOut(BaseModel):
    """`balance` is debits less credits."""

    account: str
    debit: Money
    credit: Money
    balance: Money

    @classmethod
    def of(cls, total: AccountTotal) -> "AccountOut":
        return cls(
            account=total.account,
            debit=Money(total.debit_minor, total.currency),
            credit=Money(total.credit_minor, total.currency),
            balance=Money(total.debit_minor - total.credit_minor, total.currency),
        )


class TotalOut(BaseModel):
    debit: Money
    credit: Money
    difference: Money


class TrialBalanceOut(BaseModel):
    """Every account's sums, and by currency those of all accounts: the difference is zero."""

    as_of: date | None
    items: list[AccountOut]
    totals: list[TotalOut]


@router.get("/journal", response_model=Page[EntryOut])
async def find(
    database: DatabaseDep,
    page: PageParams,
    first: Annotated[date | None, Query(alias="from", description="First effective date")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last effective date")] = None,
    customer_id: UUID | None = None,
) -> Response:
    """Entries by effective date."""
    after = (date.fromisoformat(page.after[0]), int(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_entries(
            tx, after=after, first=first, last=last, customer_id=customer_id, limit=page.limit + 1
        )
    shown = found[: page.limit]
    more = encode_cursor([shown[-1].effective_on, shown[-1].id]) if len(found) > page.limit else None
    return respond(Page[EntryOut](items=[EntryOut.of(entry) for entry in shown], next_cursor=more))


@router.get("/journal/trial-balance", response_model=TrialBalanceOut)
async def trial_balance(database: DatabaseDep, as_of: date | None = None) -> Response:
    """Debits and credits of every account up to a date, all of them when none is given."""
    async with reading(database) as tx:
        accounts = await handlers.account_totals(tx, as_of)
    totals = [
        TotalOut(
            debit=Money(debit, currency), credit=Money(credit, currency), difference=Money(debit - credit, currency)
        )
        for currency, (debit, credit) in rules.trial_balance(accounts).items()
    ]
    return respond(TrialBalanceOut(as_of=as_of, items=[AccountOut.of(total) for total in accounts], totals=totals))
