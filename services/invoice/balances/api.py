"""A customer's balance over HTTP."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.invoice.balances import handlers, rules
from services.invoice.balances.handlers import Balance
from services.invoice.balances.rules import Total
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account, CustomerUnknown
from services.invoice.entities.rules import DEFAULT
from services.invoice.invoices.rules import Invoice
from services.invoice.pay_links import handlers as pay_links
from shared.calendar import days_overdue
from shared.db import Tx, reading
from shared.errors import NotFound
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["balances"], dependencies=[scope("invoices:read")])


class CustomerNotFound(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"


class EntityRefOut(BaseModel):
    id: str
    name: str


class TotalOut(BaseModel):
    """One currency. `collectable` is what may be chased: open, not disputed, on no plan, not being collected by a saved
    method; `overdue` has of plans only the instalments past their dates; `unapplied` is cash bound to no invoice."""

    currency: str
    open: Money
    overdue: Money
    disputed: Money
    collectable: Money
    unapplied: Money
    on_plan: Money
    being_collected: Money

    @classmethod
    def of(cls, total: Total) -> "TotalOut":
        def money(minor: int) -> Money:
            return Money(minor, total.currency)

        return cls(
            currency=total.currency,
            open=money(total.open_minor),
            overdue=money(total.overdue_minor),
            disputed=money(total.disputed_minor),
            collectable=money(total.collectable_minor),
            unapplied=money(total.unapplied_minor),
            on_plan=money(total.on_plan_minor),
            being_collected=money(total.being_collected_minor),
        )


class ItemOut(BaseModel):
    """An open invoice; `days_overdue` counts from the due date and is 0 or less until it has passed."""

    invoice_id: UUID
    number: str
    issue_date: date
    due_date: date
    days_overdue: int
    currency: str
    total: Money
    balance: Money
    disputed: Money
    collectable: Money
    on_plan: Money
    being_collected: Money

    @classmethod
    def of(cls, invoice: Invoice, today: date, collecting: Mapping[UUID, int]) -> "ItemOut":
        return cls(
            invoice_id=invoice.id,
            number=invoice.number,
            issue_date=invoice.issue_date,
            due_date=invoice.due_date,
            days_overdue=days_overdue(invoice.due_date, today),
            currency=invoice.currency,
            total=invoice.money(invoice.total_minor),
            balance=invoice.money(invoice.balance_minor),
            disputed=invoice.money(invoice.disputed_minor),
            collectable=invoice.money(rules.collectable(invoice, collecting)),
            on_plan=invoice.money(invoice.planned_minor),
            being_collected=invoice.money(min(invoice.balance_minor, collecting.get(invoice.id, 0))),
        )


class BalanceOut(BaseModel):
    customer_id: UUID
    as_of: date
    entity: EntityRefOut
    totals: list[TotalOut]
    items: list[ItemOut]
    pay_link: str

    @classmethod
    def of(cls, balance: Balance, pay_link: str) -> "BalanceOut":
        entity = balance.account.entity
        return cls(
            customer_id=balance.account.customer.id,
            as_of=balance.as_of,
            entity=EntityRefOut(id=entity.id, name=entity.name),
            totals=[TotalOut.of(total) for total in balance.totals],
            items=[ItemOut.of(invoice, balance.as_of, balance.collecting) for invoice in balance.items],
            pay_link=pay_link,
        )


@router.get("/customers/{customer_id}/balance", response_model=BalanceOut)
async def look_at(
    customer_id: UUID,
    database: DatabaseDep,
    resources: ResourcesDep,
    entity_id: Annotated[str, Query(min_length=1, max_length=64)] = DEFAULT,
) -> Response:
    """What the customer owes a selling entity now, by currency and invoice, with the link to pay it."""
    ref = CustomerRef(customer_id)
    async with reading(database) as tx:
        account = await customers.find_account(tx, ref, entity_id)
        if account:
            return respond(await _shown(tx, account, resources))
    account = await _newcomer(ref, entity_id, database, resources)
    async with reading(database) as tx:
        return respond(await _shown(tx, account, resources))


async def _shown(tx: Tx, account: Account, resources: Any) -> BalanceOut:
    balance = await handlers.get_balance(tx, account)
    return BalanceOut.of(balance, await pay_links.make_link(tx, resources.pay_links, account))


async def _newcomer(ref: CustomerRef, entity_id: str, database: DatabaseDep, resources: Any) -> Account:
    """A customer onboarded a moment ago, whose event is still on its way. Raises CustomerNotFound."""
    try:
        return await customers.learn_account(database, resources.credit, ref, entity_id)
    except CustomerUnknown:
        raise CustomerNotFound(f"there is no customer {ref}, or no selling entity {entity_id!r}") from None
