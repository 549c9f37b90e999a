"""Payments over HTTP: record, apply, reverse, look at."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.invoice.cash_application import rules as cash_application
from services.invoice.cash_application.rules import Wanted
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import CustomerUnknown
from services.invoice.drafting.rules import ExternalId, IsoDate
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT
from services.invoice.payments import handlers, rules
from services.invoice.payments.handlers import (
    AllocatePayment,
    Apply,
    ReceivePayment,
    Recorded,
    ReversePayment,
    UnapplyPayment,
)
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, ResourcesDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["payments"])

ALLOCATIONS_MAX = 500


def _positive(amount: Money) -> Money:
    if amount.minor <= 0:
        raise ValueError("an amount of more than zero is wanted")
    return amount


Positive = Annotated[Money, AfterValidator(_positive)]


class AllocationIn(Body):
    """What of the payment goes to which invoice; without an amount, as much as is owed and left."""

    invoice_id: UUID | None = None
    invoice_number: str | None = Field(default=None, min_length=1, max_length=64)
    amount: Positive | None = None

    @model_validator(mode="after")
    def _one_name(self) -> "AllocationIn":
        if (self.invoice_id is None) == (self.invoice_number is None):
            raise ValueError("name the invoice once, by invoice_id or by invoice_number")
        return self

    def wanted(self) -> Wanted:
        return Wanted(self.invoice_id, self.invoice_number, self.amount)


Allocations = Annotated[list[AllocationIn], Field(min_length=1, max_length=ALLOCATIONS_MAX)]


class ReceivePaymentIn(Body):
    """Money that came in. Whose it is follows from the customer, or from the invoices it names."""

    amount: Positive
    customer_id: UUID | None = None
    customer_external_id: ExternalId | None = None
    received_on: IsoDate | None = Field(default=None, description="Left out: today")
    method: str = Field(default="bank_transfer", min_length=1, max_length=40, pattern="^[a-z][a-z0-9_]*$")
    reference: str | None = Field(
        default=None, max_length=500, description="The remittance text; invoice numbers in it are found"
    )
    allocations: Allocations | None = Field(default=None, description="Where it goes, when that is known")
    apply: Apply = Field(default="auto", description="auto: by reference, else oldest due first; none: not at all")
    entity_id: str = Field(default=DEFAULT, min_length=1, max_length=64, description="Who received it")

    @model_validator(mode="after")
    def _named_once(self) -> "ReceivePaymentIn":
        if self.customer_id and self.customer_external_id:
            raise ValueError("name the customer once, by customer_id or by customer_external_id")
        if self.allocations and self.apply == "none":
            raise ValueError("either give allocations or say apply none")
        return self

    def customer(self) -> CustomerRef | None:
        if self.customer_id or self.customer_external_id:
            return CustomerRef(self.customer_id, self.customer_external_id)
        return None


class AllocatePaymentIn(Body):
    allocations: Allocations


class ReversePaymentIn(Body):
    reason: str = Field(min_length=1, max_length=200, examples=["direct debit returned"])
    kind: rules.ReversalKind | None = Field(
        default=None, description="Whether the bank took it back, the customer did, or it was never there"
    )


class UnapplyPaymentIn(Body):
    invoice_id: UUID
    reason: str = Field(min_length=1, max_length=200, examples=["meant for another invoice"])


class AllocationOut(BaseModel):
    """`reversed_on` is the date it was taken back, null while it stands; `reversal_reason` is why, where somebody did
    so by hand. `amount` = `charges` (what of it went to costs and interest) + `principal`."""

    invoice_id: UUID
    invoice_number: str
    amount: Money
    charges: Money
    principal: Money
    effective_on: date
    reversed_on: date | None
    reversal_reason: str | None


class PaymentOut(BaseModel):
    """`amount` = `applied` + `refunded` + `unapplied` while the payment stands; reversed, it holds none."""

    id: UUID
    entity_id: str
    customer_id: UUID
    status: rules.Status
    received_on: date
    amount: Money
    applied: Money
    refunded: Money
    unapplied: Money
    method: str
    reference: str | None
    applied_by: cash_application.Basis
    allocations: list[AllocationOut]
    reversed_on: date | None
    reversal_reason: str | None
    reversal_kind: rules.ReversalKind | None
    booked_at: datetime
    version: int

    @classmethod
    def of(cls, recorded: Recorded) -> "PaymentOut":
        payment = recorded.payment
        return cls(
            id=payment.id,
            entity_id=payment.entity_id,
            customer_id=payment.customer_id,
            status=payment.status,
            received_on=payment.received_on,
            amount=payment.money(payment.amount_minor),
            applied=payment.money(payment.applied_minor),
            refunded=payment.money(payment.refunded_minor),
            unapplied=payment.money(payment.unapplied_minor),
            method=payment.method,
            reference=payment.reference,
            applied_by=payment.applied_by,
            allocations=[
                AllocationOut(
                    invoice_id=each.invoice_id,
                    invoice_number=each.invoice_number,
                    amount=each.amount,
                    charges=each.charges,
                    principal=each.amount - each.charges,
                    effective_on=each.effective_on,
                    reversed_on=each.reversed_on,
                    reversal_reason=each.reversal_reason,
                )
                for each in recorded.allocations
            ],
            reversed_on=payment.reversed_on,
            reversal_reason=payment.reversal_reason,
            reversal_kind=payment.reversal_kind,
            booked_at=recorded.booked_at,
            version=payment.version,
        )


@router.post("/payments", status_code=201, response_model=PaymentOut, dependencies=[scope("payments:write")])
async def receive(body: ReceivePaymentIn, once: Once, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """Record a payment: applied as told, else by the invoice numbers in its reference, else to what is due longest.
    What is left stays unapplied."""
    command = ReceivePayment(
        amount=body.amount,
        customer=body.customer(),
        received_on=body.received_on,
        method=body.method,
        reference=body.reference,
        allocations=tuple(each.wanted() for each in body.allocations or ()),
        apply=body.apply,
        entity_id=body.entity_id,
    )
    try:
        return await _receive(once, command)
    except CustomerUnknown:
        if command.customer is None:
            raise
    # Onboarded a moment ago, and the event is still on its way: credit knows.
    async with reading(database) as tx:
        await entities.get_entity(tx, command.entity_id)
    await customers.learn_account(database, resources.credit, command.customer, command.entity_id)
    return await _receive(once, command)


async def _receive(once: Once, command: ReceivePayment) -> Response:
    async with once as tx:
        recorded = await handlers.receive_payment(tx, command)
        payment = recorded.payment
        return once.answer(201, PaymentOut.of(recorded), etag=payment.version, location=f"/v1/payments/{payment.id}")


@router.post(
    "/payments/{payment_id}/allocations",
    status_code=201,
    response_model=PaymentOut,
    dependencies=[scope("payments:write")],
)
async def allocate(payment_id: UUID, body: AllocatePaymentIn, once: Once) -> Response:
    """Apply unapplied cash of a payment; more than is owed or left is refused."""
    async with once as tx:
        command = AllocatePayment(payment_id, tuple(each.wanted() for each in body.allocations))
        recorded = await handlers.allocate_payment(tx, command)
        return once.answer(201, PaymentOut.of(recorded), etag=recorded.payment.version)


@router.post(
    "/payments/{payment_id}/allocations/reversal",
    status_code=201,
    response_model=PaymentOut,
    dependencies=[scope("payments:write")],
)
async def unapply(payment_id: UUID, body: UnapplyPaymentIn, once: Once) -> Response:
    """Take back what a payment pays of an invoice: the money is unapplied again, with effect from today, and a discount
    or small difference granted with it is owed again."""
    async with once as tx:
        recorded = await handlers.unapply_payment(tx, UnapplyPayment(payment_id, body.invoice_id, body.reason))
        return once.answer(201, PaymentOut.of(recorded), etag=recorded.payment.version)


@router.post(
    "/payments/{payment_id}/reversal",
    status_code=201,
    response_model=PaymentOut,
    dependencies=[scope("payments:write")],
)
async def reverse(payment_id: UUID, body: ReversePaymentIn, once: Once) -> Response:
    """Take a payment back that bounced, was charged back or was booked by mistake: its invoices are owed again."""
    async with once as tx:
        recorded = await handlers.reverse_payment(tx, ReversePayment(payment_id, body.reason, body.kind))
        return once.answer(201, PaymentOut.of(recorded), etag=recorded.payment.version)


@router.get("/payments", response_model=Page[PaymentOut], dependencies=[scope("payments:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    status: rules.Status | None = None,
) -> Response:
    """Payments in the order they were booked."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_payments(
            tx, after=after, customer_id=customer_id, status=status, limit=page.limit + 1
        )
    shown, more = page.cut(found, lambda last: [last.payment.id])
    return respond(Page[PaymentOut](items=[PaymentOut.of(each) for each in shown], next_cursor=more))


@router.get("/payments/{payment_id}", response_model=PaymentOut, dependencies=[scope("payments:read")])
async def look_at(payment_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        recorded = await handlers.get_payment(tx, payment_id)
    return respond(PaymentOut.of(recorded), etag=recorded.payment.version)
