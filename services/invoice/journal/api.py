"""The journal over HTTP: its entries by date, also as CSV, the trial balance, and the chart of accounts."""

import csv
from collections.abc import AsyncIterator, Iterable
from datetime import date
from io import StringIO
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.invoice.journal import handlers, rules
from services.invoice.journal.rules import AccountTotal, Booked, Chart, ChartAccount, EntryFilter, Ledger
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PageParams
from shared.http.models import Body, Page
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


class ChartAccountIn(Body):
    code: str = Field(min_length=1, max_length=32, examples=["1400"])
    name: str = Field(min_length=1, max_length=120)


class ChartIn(Body):
    """Accounts left out keep the default's code and name."""

    accounts: dict[Ledger, ChartAccountIn]


class ChartOut(BaseModel):
    """Every account of the journal, with the code and name that exports carry."""

    entity_id: str
    version: int
    accounts: dict[str, ChartAccount]

    @classmethod
    def of(cls, chart: Chart) -> "ChartOut":
        return cls(
            entity_id=chart.entity_id,
            version=chart.version,
            accounts={account: chart.of(account) for account in rules.DEFAULT_CHART},
        )


def _which(
    first: Annotated[date | None, Query(alias="from", description="First effective date")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last effective date")] = None,
    entity_id: str | None = None,
    customer_id: UUID | None = None,
    invoice_id: UUID | None = None,
    payment_id: UUID | None = None,
    account: Annotated[Ledger | None, Query(description="Debited or credited")] = None,
) -> EntryFilter:
    return EntryFilter(first or date.min, last or date.max, entity_id, customer_id, invoice_id, payment_id, account)


Which = Annotated[EntryFilter, Depends(_which)]


@router.get("/journal", response_model=Page[EntryOut])
async def find(database: DatabaseDep, page: PageParams, which: Which) -> Response:
    """Entries by effective date: of a customer, an invoice, a payment, an account, or all."""
    after = (date.fromisoformat(page.after[0]), int(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_entries(tx, which, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.effective_on, last.id])
    return respond(Page[EntryOut](items=[EntryOut.of(entry) for entry in shown], next_cursor=more))


@router.get("/journal.csv", response_class=StreamingResponse)
async def export(database: DatabaseDep, which: Which) -> Response:
    """The same for the general ledger: UTF-8, comma-separated, with the accounts of the entity's chart."""
    if which.entity_id:
        async with reading(database) as tx:
            await handlers.get_chart(tx, which.entity_id)

    async def lines() -> AsyncIterator[str]:
        yield _csv([rules.EXPORT_COLUMNS])
        async with reading(database) as tx:
            batch: list[tuple[str, ...]] = []
            async for row in handlers.export_entries(tx, which):
                batch.append(row)
                if len(batch) == 500:
                    yield _csv(batch)
                    batch.clear()
            yield _csv(batch)

    headers = {"content-disposition": 'attachment; filename="journal.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)  # RFC 4180
    return text.getvalue()


@router.get("/journal/trial-balance", response_model=TrialBalanceOut)
async def trial_balance(database: DatabaseDep, as_of: date | None = None, entity_id: str | None = None) -> Response:
    """Debits and credits of every account up to a date, all of them when none is given."""
    async with reading(database) as tx:
        accounts = await handlers.account_totals(tx, as_of, entity_id)
    totals = [
        TotalOut(
            debit=Money(debit, currency), credit=Money(credit, currency), difference=Money(debit - credit, currency)
        )
        for currency, (debit, credit) in rules.trial_balance(accounts).items()
    ]
    return respond(TrialBalanceOut(as_of=as_of, items=[AccountOut.of(total) for total in accounts], totals=totals))


@router.get("/entities/{entity_id}/chart-of-accounts", response_model=ChartOut)
async def look_at_chart(entity_id: str, database: DatabaseDep) -> Response:
    """The general ledger's code and name for each account of the journal."""
    async with reading(database) as tx:
        chart = await handlers.get_chart(tx, entity_id)
    return respond(ChartOut.of(chart), etag=chart.version)


@router.put("/entities/{entity_id}/chart-of-accounts", response_model=ChartOut, dependencies=[scope("invoices:write")])
async def change_chart(entity_id: str, body: ChartIn, version: IfMatch, database: DatabaseDep) -> Response:
    """What the general ledger calls the accounts. The default is version 0."""
    accounts = {account: ChartAccount(given.code, given.name) for account, given in body.accounts.items()}
    async with transaction(database) as tx:
        chart = await handlers.change_chart(tx, Chart(entity_id, version + 1, accounts))
    return respond(ChartOut.of(chart), etag=chart.version)
