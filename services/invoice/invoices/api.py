"""Invoices over HTTP: issue, look at, list."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from services.invoice.completeness import handlers as completeness
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account, CustomerUnknown
from services.invoice.drafting.rules import (
    NOTHING_MORE,
    QUANTITY_PLACES,
    RATE_PLACES,
    DeliveryChannel,
    Finding,
    InvoiceAbout,
    InvoiceIn,
)
from services.invoice.drafts import handlers as drafts
from services.invoice.drafts import rules as draft_rules
from services.invoice.drafts.rules import Draft
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT, EntityUnknown
from services.invoice.invoices import handlers
from services.invoice.invoices.handlers import IssueInvoice
from services.invoice.invoices.rules import CreditAnswer, CreditOutcome, Document, Filed, InvoiceNotFound, Status
from services.invoice.payment_references.rules import payment_reference
from services.invoice.pricing.rules import (
    LineAbout,
    Priced,
    PricedLine,
    PricedSurcharge,
    TaxGroup,
    UnitPrice,
    decimal_text,
)
from services.invoice.terms.rules import AgreedTerms
from shared.db import Database, Tx, reading, transaction
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.idempotency import OnceOnly
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import Principal, scope
from shared.money import Money

router = APIRouter(tags=["invoices"])

CREDIT_QUESTIONS = UUID("5d0c1a52-6c7e-4a53-9a3f-2f0f5d1f7b10")
"""The namespace of the keys that credit is asked under: the same request asks the same question."""


class CreditOut(BaseModel):
    """What credit said under the policy of the day. When it did not answer in time, it was decided by what credit had
    said last (`decided_without_credit` is the first reason then), or is `unavailable` where that did not suffice."""

    policy: str
    outcome: CreditOutcome
    reasons: tuple[str, ...]
    decision_id: UUID | None


class TaxRateOut(BaseModel):
    category: str
    rate: str

    @classmethod
    def of(cls, category: str, rate_bp: int) -> "TaxRateOut":
        return cls(category=category, rate=decimal_text(rate_bp, RATE_PLACES))


class SurchargeOut(BaseModel):
    """An allowance (taken off) or a charge (added); `base` where it is a percentage of that, `tax` where it is one of
    the whole invoice."""

    kind: Literal["allowance", "charge"]
    amount: Money
    base: Money | None
    percent: str | None
    reason: str | None
    code: str | None
    tax: TaxRateOut | None

    @classmethod
    def of(cls, each: PricedSurcharge, currency: str) -> "SurchargeOut":
        return cls(
            kind="charge" if each.is_charge else "allowance",
            amount=Money(each.amount_minor, currency),
            base=None if each.base_minor is None else Money(each.base_minor, currency),
            percent=None if each.percent_bp is None else decimal_text(each.percent_bp, RATE_PLACES),
            reason=each.reason,
            code=each.code,
            tax=TaxRateOut.of(each.tax_category, each.tax_rate_bp or 0) if each.tax_category else None,
        )


class LineOut(BaseModel):
    position: int
    description: str
    quantity: str
    unit_price: UnitPrice
    net: Money
    tax: TaxRateOut


class FullLineOut(LineOut):
    """A line that says more than description, quantity, price and tax; others have only those."""

    base_quantity: str
    allowances_and_charges: tuple[SurchargeOut, ...]
    about: LineAbout


class TaxOut(BaseModel):
    category: str
    rate: str
    taxable: Money
    tax: Money


class ExemptTaxOut(TaxOut):
    """Where the invoice itself says why no tax is charged."""

    exemption_code: str | None
    exemption_reason: str | None


class InstalmentOut(BaseModel):
    """`open` is what of it is not paid yet; money fills the earliest first."""

    due_date: date
    amount: Money
    open: Money


class InvoiceOut(BaseModel):
    """`collectable` is the balance less what is disputed or on a plan; `charged` is interest, fees and costs; `overdue`
    is the balance once the due date has passed."""

    id: UUID
    number: str
    entity_id: str
    customer_id: UUID
    status: Status
    issue_date: date
    due_date: date
    net: Money
    tax: Money
    total: Money
    balance: Money
    disputed: Money
    collectable: Money
    on_plan: Money
    charged: Money
    overdue: Money
    overdue_since: date | None
    overdue_episode: int
    settled_on: date | None
    reference: str | None
    payment_reference: str
    delivery_channel: DeliveryChannel
    credit: CreditOut
    issued_at: datetime
    version: int

    @classmethod
    def of(cls, filed: Filed, today: date) -> "InvoiceOut":
        return cls(**_fields(filed, today))


class InvoiceDetailOut(InvoiceOut):
    """`terms` where they say more than a due date; `findings` is what the completeness check noted at the issue."""

    lines: tuple[FullLineOut | LineOut, ...]
    taxes: tuple[ExemptTaxOut | TaxOut, ...]
    supplied_on: date | None
    terms: AgreedTerms | None
    instalments: tuple[InstalmentOut, ...]
    allowances_and_charges: tuple[SurchargeOut, ...]
    about: InvoiceAbout | None
    findings: tuple[Finding, ...]

    @classmethod
    def of_document(cls, document: Document, today: date) -> "InvoiceDetailOut":
        invoice, particulars = document.invoice, document.particulars
        about = particulars.about() if particulars else NOTHING_MORE
        return cls(
            **_fields(document.filed, today),
            lines=tuple(_line(line, invoice.currency) for line in document.lines),
            taxes=tuple(_tax(group, invoice.currency) for group in document.taxes),
            supplied_on=document.supplied_on,
            terms=document.terms,
            instalments=tuple(_instalments(document)),
            allowances_and_charges=tuple(
                SurchargeOut.of(each, invoice.currency) for each in (particulars.surcharges if particulars else ())
            ),
            about=None if about == NOTHING_MORE else about,
            findings=particulars.findings if particulars else (),
        )


def _line(line: PricedLine, currency: str) -> LineOut:
    plain = {
        "position": line.position,
        "description": line.description,
        "quantity": decimal_text(line.quantity_millionths, QUANTITY_PLACES),
        "unit_price": line.unit_price(currency),
        "net": Money(line.net_minor, currency),
        "tax": TaxRateOut.of(line.tax_category, line.tax_rate_bp),
    }
    more = line.particulars
    if more is None:
        return LineOut(**plain)
    return FullLineOut(
        **plain,
        base_quantity=decimal_text(more.base_quantity_millionths, QUANTITY_PLACES),
        allowances_and_charges=tuple(SurchargeOut.of(each, currency) for each in more.surcharges),
        about=more.about(),
    )


def _tax(group: TaxGroup, currency: str) -> TaxOut:
    plain = {
        "category": group.category,
        "rate": decimal_text(group.rate_bp, RATE_PLACES),
        "taxable": Money(group.taxable_minor, currency),
        "tax": Money(group.tax_minor, currency),
    }
    if group.exemption_code is None and group.exemption_reason is None:
        return TaxOut(**plain)
    return ExemptTaxOut(**plain, exemption_code=group.exemption_code, exemption_reason=group.exemption_reason)


def _instalments(document: Document) -> Iterator[InstalmentOut]:
    money = document.invoice.money
    for (due_on, amount), left in zip(document.invoice.instalments, document.invoice.instalments_open(), strict=True):
        yield InstalmentOut(due_date=due_on, amount=money(amount), open=money(left))


class DraftOut(BaseModel):
    """An invoice being written. `invoice` is the request that will issue it, under the same id; `findings` is what
    it lacks as it stands."""

    id: UUID
    status: Literal["draft"] = "draft"
    entity_id: str
    customer_id: UUID
    owner: str
    net: Money
    tax: Money
    total: Money
    invoice: dict[str, Any]
    findings: tuple[Finding, ...] | None = Field(default=None, description="Only where one draft is shown")
    created_at: datetime
    changed_at: datetime
    version: int

    @classmethod
    def of(cls, draft: Draft, findings: tuple[Finding, ...] | None = None) -> "DraftOut":
        priced = draft.wanted.priced()
        return cls(
            id=draft.id,
            entity_id=draft.entity_id,
            customer_id=draft.customer_id,
            owner=draft.owner,
            net=Money(priced.net_minor, priced.currency),
            tax=Money(priced.tax_minor, priced.currency),
            total=Money(priced.total_minor, priced.currency),
            invoice=draft.body,
            findings=findings,
            created_at=draft.created_at,
            changed_at=draft.changed_at,
            version=draft.version,
        )


class IssueInvoiceIn(InvoiceIn):
    draft: bool = Field(default=False, description="Keep it as a draft; POST /v1/invoices/{id}/issue issues it")
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="Who finishes the draft; left out: the caller"
    )

    def wanted(self) -> InvoiceIn:
        """Without what concerns only the draft."""
        if self.model_fields_set.isdisjoint(("draft", "owner")):
            return self
        return InvoiceIn.model_construct(
            self.model_fields_set - {"draft", "owner"},
            **{name: getattr(self, name) for name in InvoiceIn.model_fields},
        )


def _fields(filed: Filed, today: date) -> dict:
    invoice, credit = filed.invoice, filed.credit
    money = invoice.money
    return {
        "id": invoice.id,
        "number": invoice.number,
        "entity_id": invoice.entity_id,
        "customer_id": invoice.customer_id,
        "status": invoice.status,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "net": money(invoice.net_minor),
        "tax": money(invoice.tax_minor),
        "total": money(invoice.total_minor),
        "balance": money(invoice.balance_minor),
        "disputed": money(invoice.disputed_minor),
        "collectable": money(invoice.collectable_minor),
        "on_plan": money(invoice.planned_minor),
        "charged": money(invoice.charged_minor),
        "overdue": money(invoice.overdue_minor(today)),
        "overdue_since": invoice.overdue_since,
        "overdue_episode": invoice.overdue_episode,
        "settled_on": invoice.settled_on,
        "reference": invoice.reference,
        "payment_reference": payment_reference(invoice.number),
        "delivery_channel": invoice.delivery_channel,
        "credit": CreditOut(
            policy=credit.policy, outcome=credit.outcome, reasons=credit.reasons, decision_id=credit.decision_id
        ),
        "issued_at": filed.issued_at,
        "version": invoice.version,
    }


@router.post(
    "/invoices",
    status_code=201,
    response_model=InvoiceDetailOut | DraftOut,
    dependencies=[scope("invoices:write")],
)
async def issue(
    body: IssueInvoiceIn,
    once: Once,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    resources: ResourcesDep,
) -> Response:
    """Issue an invoice, or keep it as a draft. Credit is asked first; under the policy `advise` its answer is recorded,
    under `enforce` a declined invoice is refused. What it lacks is noted, or refused, by the entity's policy
    `completeness`."""
    wanted, priced = body.wanted(), body.priced()
    if not body.draft:
        return await _issue(wanted, priced, once, _asker(request, principal), database, resources)
    account = await _account(wanted, database, resources)
    async with once as tx:
        owner = body.owner or principal.subject
        draft = await drafts.keep_draft(tx, wanted, account.customer.id, owner)
        return once.answer(201, DraftOut.of(draft), etag=draft.version, location=f"/v1/invoices/{draft.id}")


def _asker(request: Request, principal: Principal) -> str:
    return f"{principal.key}\0{request.headers['idempotency-key']}"


async def _account(wanted: InvoiceIn, database: Database, resources: Any) -> Account:
    """Raises CustomerUnknown, EntityUnknown."""
    ref = CustomerRef(wanted.customer_id, wanted.customer_external_id)
    try:
        return await customers.learn_account(database, resources.credit, ref, wanted.entity_id)
    except CustomerUnknown:
        async with reading(database) as tx:
            if await entities.find_entity(tx, wanted.entity_id) is None:
                raise EntityUnknown(f"there is no selling entity {wanted.entity_id!r}", field="/entity_id") from None
        raise


async def _issue(
    wanted: InvoiceIn,
    priced: Priced,
    once: OnceOnly,
    asker: str,
    database: Database,
    resources: Any,
    draft: Draft | None = None,
) -> Response:
    total = Money(priced.total_minor, priced.currency)
    await once.check()
    account = await _account(wanted, database, resources)
    question = f"{asker}\0{account.customer.id}\0{total}\0{wanted.number}"
    credit = await handlers.ask_credit(
        resources.credit,
        account,
        total,
        wanted.number,
        asked_as=str(uuid5(CREDIT_QUESTIONS, question)),
        order=wanted.reference,
    )
    command = IssueInvoice.asked(CustomerRef(account.customer.id), wanted, priced, credit)
    async with once as tx:
        if draft:
            await drafts.hand_over(tx, draft)
            command = replace(command, invoice_id=draft.id)
        document = await handlers.issue_invoice(tx, command)
        return _answer(once, document, account.entity.today(tx.now))


def _answer(once: OnceOnly, document: Document, today: date) -> Response:
    return once.answer(
        201,
        InvoiceDetailOut.of_document(document, today),
        etag=document.invoice.version,
        location=f"/v1/invoices/{document.invoice.id}",
    )


@router.post(
    "/invoices/{invoice_id}/issue",
    status_code=201,
    response_model=InvoiceDetailOut,
    dependencies=[scope("invoices:write")],
)
async def issue_draft(
    invoice_id: UUID,
    once: Once,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    resources: ResourcesDep,
) -> Response:
    """Issue a draft, as if its fields were posted now. One that is issued already is answered as it stands."""
    await once.check()
    async with reading(database) as tx:
        draft = await drafts.find_draft(tx, invoice_id)
    if draft:
        wanted = draft.wanted
        asker = _asker(request, principal)
        return await _issue(wanted, wanted.priced(), once, asker, database, resources, draft)
    async with once as tx:
        document = await handlers.get_document(tx, invoice_id)
        entity = await entities.get_entity(tx, document.invoice.entity_id)
        return _answer(once, document, entity.today(tx.now))


@router.get("/invoices", response_model=Page[InvoiceOut | DraftOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    number: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    customer_id: UUID | None = None,
    status: Status | Literal["draft"] | None = None,
) -> Response:
    """Invoices in the order they were issued; drafts, in the order they were begun, under the status `draft` only."""
    after = UUID(page.after[0]) if page.after else None
    if status == "draft":
        async with reading(database) as tx:
            kept = await drafts.list_drafts(tx, after, customer_id, page.limit + 1) if number is None else []
        items = [DraftOut.of(draft) for draft in kept[: page.limit]]
        more = encode_cursor([items[-1].id]) if len(kept) > page.limit else None
        return respond(Page[DraftOut](items=items, next_cursor=more))
    async with reading(database) as tx:
        found = await handlers.list_invoices(
            tx, after=after, number=number, customer_id=customer_id, status=status, limit=page.limit + 1
        )
        others = {filed.invoice.entity_id for filed in found} | {DEFAULT}
        today_of = {name: (await entities.get_entity(tx, name)).today(tx.now) for name in sorted(others)}
    shown, more = page.cut(found, lambda last: [last.invoice.id])
    answers = [InvoiceOut.of(filed, today_of[filed.invoice.entity_id]) for filed in shown]
    return respond(Page[InvoiceOut](items=answers, next_cursor=more))


@router.get("/invoices/{invoice_id}", response_model=InvoiceDetailOut | DraftOut, dependencies=[scope("invoices:read")])
async def look_at(invoice_id: UUID, database: DatabaseDep) -> Response:
    """An invoice with its lines, taxes and terms, or a draft with what it lacks."""
    async with reading(database) as tx:
        document = await handlers.find_document(tx, invoice_id)
        if document is None:
            draft = await drafts.find_draft(tx, invoice_id)
            if draft is None:
                raise InvoiceNotFound(f"there is no invoice {invoice_id}")
            return await _show_draft(tx, draft)
        entity = await entities.get_entity(tx, document.invoice.entity_id)
    return respond(InvoiceDetailOut.of_document(document, entity.today(tx.now)), etag=document.invoice.version)


async def _show_draft(tx: Tx, draft: Draft) -> Response:
    wanted = draft.wanted
    account = await customers.find_account(tx, CustomerRef(draft.customer_id), draft.entity_id)
    assert account is not None
    command = IssueInvoice.asked(CustomerRef(draft.customer_id), wanted, wanted.priced(), CreditAnswer("", "not_asked"))
    subject = handlers.subject_of(command, account.customer, account.entity)
    findings = await completeness.find(tx, subject, wanted.issue_date or account.entity.today(tx.now))
    return respond(DraftOut.of(draft, findings), etag=draft.version)


@router.patch("/invoices/{invoice_id}", response_model=DraftOut, dependencies=[scope("invoices:write")])
async def change_draft(
    invoice_id: UUID,
    body: dict[str, Any],
    version: IfMatch,
    database: DatabaseDep,
    resources: ResourcesDep,
) -> Response:
    """Change fields of a draft: each field given replaces the whole field, null takes it out, and `owner` hands it to
    somebody else. An invoice that was issued is not changed any more."""
    async with reading(database) as tx:
        draft = await drafts.get_draft(tx, invoice_id)
    try:
        merged = IssueInvoiceIn.model_validate(draft_rules.merged(draft.body, body))
    except ValidationError as error:
        found = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise RequestValidationError(found, body=draft_rules.merged(draft.body, body)) from None
    wanted = merged.wanted()
    wanted.priced()
    account = await _account(wanted, database, resources)
    async with transaction(database) as tx:
        draft = await drafts.change_draft(
            tx, invoice_id, version, wanted, customer_id=account.customer.id, owner=merged.owner
        )
    return respond(DraftOut.of(draft), etag=draft.version)


@router.delete("/invoices/{invoice_id}", status_code=204, dependencies=[scope("invoices:write")])
async def drop_draft(invoice_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """Throw a draft away; it had no number, so none is missing."""
    async with transaction(database) as tx:
        await drafts.drop_draft(tx, invoice_id, version)
    return Response(status_code=204)
