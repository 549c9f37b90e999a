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
from services.invoice.discounts.rules import cash_to_settle, earned
from services.invoice.documents.rules import seller_of
from services.invoice.entities.rules import DEFAULT, BankAccount, Entity, Seller
from services.invoice.invoices.rules import Invoice
from services.invoice.pay_links import handlers as pay_links
from services.invoice.payment_references.rules import payment_reference
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
    """`address` are the lines below the name on a letter, without the country."""

    id: str
    name: str
    address: tuple[str, ...]
    country: str | None

    @classmethod
    def of(cls, entity: Entity) -> "EntityRefOut":
        at = seller_of(entity).address
        return cls(id=entity.id, name=entity.name, address=at.lines(), country=at.country)


class BankAccountOut(BaseModel):
    """Where to pay; `currency` is null where it takes any."""

    holder: str | None
    iban: str
    bic: str | None
    bank: str | None
    currency: str | None

    @classmethod
    def of(cls, account: BankAccount, seller: Seller) -> "BankAccountOut":
        return cls(
            holder=account.holder or seller.legal_name,
            iban=account.iban,
            bic=account.bic,
            bank=account.bank_name,
            currency=account.currency,
        )


class DiscountOut(BaseModel):
    """What paying by the end of a day takes off what is open of the invoice now."""

    amount: Money
    until: date

    @classmethod
    def of(cls, invoice: Invoice, today: date) -> "DiscountOut | None":
        rate_bp = earned(invoice.offers, today)
        amount_minor = invoice.balance_minor - cash_to_settle(invoice.balance_minor, rate_bp)
        if amount_minor <= 0:
            return None
        until = max(offer.until for offer in invoice.offers if offer.rate_bp == rate_bp)
        return cls(amount=invoice.money(amount_minor), until=until)


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
    """An open invoice; `days_overdue` counts from the due date and is 0 or less until it has passed. `reference` is
    what a transfer should bear (ISO 11649)."""

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
    reference: str
    discount: DiscountOut | None

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
            reference=payment_reference(invoice.number),
            discount=DiscountOut.of(invoice, today),
        )


class BalanceOut(BaseModel):
    customer_id: UUID
    as_of: date
    entity: EntityRefOut
    totals: list[TotalOut]
    items: list[ItemOut]
    pay_link: str
    bank_accounts: list[BankAccountOut]

    @classmethod
    def of(cls, balance: Balance, pay_link: str) -> "BalanceOut":
        entity = balance.account.entity
        return cls(
            customer_id=balance.account.customer.id,
            as_of=balance.as_of,
            entity=EntityRefOut.of(entity),
            totals=[TotalOut.of(total) for total in balance.totals],
            items=[ItemOut.of(invoice, balance.as_of, balance.collecting) for invoice in balance.items],
            pay_link=pay_link,
            bank_accounts=[BankAccountOut.of(account, entity.seller) for account in entity.seller.bank_accounts],
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
