"""Cash application over HTTP: the queue, decisions, and how much goes by itself."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.invoice.bank_statements.rules import BankEntry
from services.invoice.cash_application.rules import Wanted
from services.invoice.customers.handlers import CustomerRef
from services.invoice.drafting.rules import ExternalId
from services.invoice.matching import handlers, rules
from services.invoice.matching.handlers import ConfirmCash, RejectCash, ReopenCash
from services.invoice.matching.rules import Kind, Share, Shown, Status
from services.invoice.proposals.rules import Basis, Proposal
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["cash-application"])

ALLOCATIONS_MAX = 500


def _positive(amount: Money) -> Money:
    if amount.minor <= 0:
        raise ValueError("an amount of more than zero is wanted")
    return amount


Positive = Annotated[Money, AfterValidator(_positive)]


class PartOut(BaseModel):
    """`amount` of the entry pays the invoice; `discount` and `difference` are taken off it besides."""

    invoice_id: UUID
    invoice_number: str
    amount: Money
    discount: Money
    difference: Money


class ProposalOut(BaseModel):
    """Where the entry may go. What the parts leave of it, `unapplied`, stays on the customer's account. A return's
    proposal has the payment to take back."""

    id: str
    confidence: int = Field(description="In percent")
    basis: Basis
    reason: str
    customer_id: UUID
    parts: list[PartOut]
    unapplied: Money
    payment_id: UUID | None

    @classmethod
    def of(cls, proposal: Proposal, entry: BankEntry) -> "ProposalOut":
        def money(minor: int) -> Money:
            return Money(minor, entry.currency)

        return cls(
            id=proposal.id,
            confidence=proposal.confidence,
            basis=proposal.basis,
            reason=proposal.reason,
            customer_id=proposal.customer_id,
            parts=[
                PartOut(
                    invoice_id=part.invoice_id,
                    invoice_number=part.invoice_number,
                    amount=money(part.amount_minor),
                    discount=money(part.discount_minor),
                    difference=money(part.difference_minor),
                )
                for part in proposal.parts
            ],
            unapplied=money(0 if proposal.payment_id else entry.amount_minor - proposal.applied_minor),
            payment_id=proposal.payment_id,
        )


class CashApplicationOut(BaseModel):
    """A bank entry and what became of it. `automatic` and `confirmed` ones are applied to `payment_id` (a return has
    taken it back); `decided_by` is who confirmed, or `automatic`."""

    id: UUID
    status: Status
    kind: Kind
    amount: Money
    charges: Money | None
    booked_on: date
    value_on: date | None
    account: str
    party_name: str | None
    party_iban: str | None
    end_to_end_id: str | None
    creditor_reference: str | None
    remittance: str | None
    additional_info: str | None
    bank_reference: str | None
    mandate_id: str | None
    return_reason: str | None
    bank_statement_id: UUID
    entity_id: str
    customer_id: UUID | None
    payment_id: UUID | None
    confidence: int
    basis: Basis
    reason: str
    proposals: list[ProposalOut]
    decided_at: datetime | None
    decided_by: str | None
    version: int

    @classmethod
    def of(cls, shown: Shown) -> "CashApplicationOut":
        application, entry = shown.application, shown.entry
        return cls(
            id=application.id,
            status=application.status,
            kind=application.kind,
            amount=entry.amount,
            charges=Money(entry.charges_minor, entry.currency) if entry.charges_minor else None,
            booked_on=entry.booked_on,
            value_on=entry.value_on,
            account=entry.account,
            party_name=entry.party_name,
            party_iban=entry.party_iban,
            end_to_end_id=entry.end_to_end_id,
            creditor_reference=entry.creditor_reference,
            remittance=entry.remittance,
            additional_info=entry.additional_info,
            bank_reference=entry.bank_reference,
            mandate_id=entry.mandate_id,
            return_reason=entry.reason,
            bank_statement_id=entry.bank_statement_id,
            entity_id=application.entity_id,
            customer_id=application.customer_id,
            payment_id=application.payment_id,
            confidence=application.confidence,
            basis=application.basis,
            reason=application.reason,
            proposals=[ProposalOut.of(each, entry) for each in application.proposals],
            decided_at=shown.decided_at,
            decided_by=shown.decided_by,
            version=application.version,
        )


class AllocationIn(Body):
    """What of the entry goes to which invoice; without an amount, as much as is owed and left. `difference` is taken
    off the invoice besides, as a small difference."""

    invoice_id: UUID | None = None
    invoice_number: str | None = Field(default=None, min_length=1, max_length=64)
    amount: Positive | None = None
    difference: Positive | None = None

    @model_validator(mode="after")
    def _one_name(self) -> "AllocationIn":
        if (self.invoice_id is None) == (self.invoice_number is None):
            raise ValueError("name the invoice once, by invoice_id or by invoice_number")
        return self

    def wanted(self) -> Wanted:
        return Wanted(self.invoice_id, self.invoice_number, self.amount, self.difference)


class ConfirmCashIn(Body):
    """A proposal as it was shown; or, to change it, the customer and the invoices (none: cash on account); or, for a
    return, the payment that it takes back."""

    proposal_id: str | None = Field(default=None, min_length=1, max_length=40)
    customer_id: UUID | None = None
    customer_external_id: ExternalId | None = None
    allocations: Annotated[tuple[AllocationIn, ...], Field(max_length=ALLOCATIONS_MAX)] = ()
    payment_id: UUID | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "ConfirmCashIn":
        named = [self.proposal_id, self.customer_id, self.customer_external_id, self.payment_id]
        if sum(each is not None for each in named) != 1:
            raise ValueError("name one of proposal_id, customer_id, customer_external_id and payment_id")
        if self.allocations and not self.customer():
            raise ValueError("allocations go with a customer")
        return self

    def customer(self) -> CustomerRef | None:
        if self.customer_id or self.customer_external_id:
            return CustomerRef(self.customer_id, self.customer_external_id)
        return None


class ReasonIn(Body):
    reason: str = Field(min_length=1, max_length=200, examples=["repayment of a loan"])


class CountOut(BaseModel):
    """`share` is in percent with two decimals, of all receipts that are ours; null when there are none."""

    entries: int
    amount: Money
    share: str | None
    share_of_amount: str | None


class RateOut(BaseModel):
    """Receipts of one currency, by what became of them; `not_ours` are left out of the shares."""

    currency: str
    entries: int
    amount: Money
    automatic: CountOut
    confirmed: CountOut
    open: CountOut
    not_ours: int


class RatesOut(BaseModel):
    """`straight_through` is the share of all receipts, by count, that needed nobody."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    straight_through: str | None
    items: list[RateOut]


@router.get("/cash-application", response_model=Page[CashApplicationOut], dependencies=[scope("payments:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    status: Status | None = None,
    bank_statement_id: UUID | None = None,
) -> Response:
    """Receipts and returns in the order they were recorded; `status=open` is the queue."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_applications(
            tx, after=after, status=status, bank_statement_id=bank_statement_id, limit=page.limit + 1
        )
    shown, more = page.cut(found, lambda last: [last.application.id])
    return respond(Page[CashApplicationOut](items=[CashApplicationOut.of(each) for each in shown], next_cursor=more))


@router.get("/cash-application/rate", response_model=RatesOut, dependencies=[scope("payments:read")])
async def look_at_rate(
    database: DatabaseDep,
    first: Annotated[date, Query(alias="from", description="First booking date")],
    last: Annotated[date, Query(alias="to", description="Last booking date")],
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """How much of what came in was applied without anybody's doing, by count and by amount."""
    async with reading(database) as tx:
        shares = await handlers.get_shares(tx, first, last, entity_id)
    ours = [each for each in shares if each.status != "not_ours"]
    automatic = sum(each.entries for each in ours if each.status == "automatic")
    rates = RatesOut(
        first=first,
        last=last,
        straight_through=rules.rate(automatic, sum(each.entries for each in ours)),
        items=[_rate(currency, shares) for currency in dict.fromkeys(each.currency for each in shares)],
    )
    return respond(rates)


def _rate(currency: str, shares: Sequence[Share]) -> RateOut:
    by_status = {each.status: each for each in shares if each.currency == currency}
    ours = [each for each in by_status.values() if each.status != "not_ours"]
    entries, amount = sum(each.entries for each in ours), sum(each.amount_minor for each in ours)

    def count(status: Status) -> CountOut:
        found = by_status.get(status) or Share(currency, status, 0, 0)
        return CountOut(
            entries=found.entries,
            amount=Money(found.amount_minor, currency),
            share=rules.rate(found.entries, entries),
            share_of_amount=rules.rate(found.amount_minor, amount),
        )

    not_ours = by_status.get("not_ours")
    return RateOut(
        currency=currency,
        entries=entries,
        amount=Money(amount, currency),
        automatic=count("automatic"),
        confirmed=count("confirmed"),
        open=count("open"),
        not_ours=not_ours.entries if not_ours else 0,
    )


@router.get("/cash-application/{entry_id}", response_model=CashApplicationOut, dependencies=[scope("payments:read")])
async def look_at(entry_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        shown = await handlers.get_application(tx, entry_id)
    return respond(CashApplicationOut.of(shown), etag=shown.application.version)


@router.post(
    "/cash-application/{entry_id}/confirmation",
    status_code=201,
    response_model=CashApplicationOut,
    dependencies=[scope("payments:write")],
)
async def confirm(entry_id: UUID, body: ConfirmCashIn, once: Once, principal: PrincipalDep) -> Response:
    """Apply an entry of the queue as proposed, or otherwise. 409 when what the proposal settles has changed since."""
    command = ConfirmCash(
        entry_id=entry_id,
        by=principal.subject,
        proposal_id=body.proposal_id,
        customer=body.customer(),
        allocations=tuple(each.wanted() for each in body.allocations),
        payment_id=body.payment_id,
    )
    async with once as tx:
        shown = await handlers.confirm_cash(tx, command)
        return once.answer(201, CashApplicationOut.of(shown), etag=shown.application.version)


@router.post(
    "/cash-application/{entry_id}/rejection",
    status_code=201,
    response_model=CashApplicationOut,
    dependencies=[scope("payments:write")],
)
async def reject(entry_id: UUID, body: ReasonIn, once: Once, principal: PrincipalDep) -> Response:
    """Mark an entry as no customer's: nothing is booked."""
    async with once as tx:
        shown = await handlers.reject_cash(tx, RejectCash(entry_id, principal.subject, body.reason))
        return once.answer(201, CashApplicationOut.of(shown), etag=shown.application.version)


@router.post(
    "/cash-application/{entry_id}/reopening",
    status_code=201,
    response_model=CashApplicationOut,
    dependencies=[scope("payments:write")],
)
async def reopen(entry_id: UUID, body: ReasonIn, once: Once, principal: PrincipalDep) -> Response:
    """Undo a decision: the payment made of the entry is reversed, and the entry is back in the queue."""
    async with once as tx:
        shown = await handlers.reopen_cash(tx, ReopenCash(entry_id, principal.subject, body.reason))
        return once.answer(201, CashApplicationOut.of(shown), etag=shown.application.version)


@router.post(
    "/cash-application/{entry_id}/proposals",
    status_code=201,
    response_model=CashApplicationOut,
    dependencies=[scope("payments:write")],
)
async def propose(entry_id: UUID, once: Once) -> Response:
    """Look at an entry of the queue anew, with what has been issued, paid and learned since."""
    async with once as tx:
        shown = await handlers.propose_again(tx, entry_id)
        return once.answer(201, CashApplicationOut.of(shown), etag=shown.application.version)
