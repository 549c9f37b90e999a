"""Interest, fees and recovery costs over HTTP: the computation, charges and waivers, and the reference rates."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, model_validator

from services.invoice.accruals import rules as accruals
from services.invoice.accruals.rules import Series, exact_text, percent_text
from services.invoice.drafting.rules import IsoDate
from services.invoice.interest import handlers, rules
from services.invoice.interest.handlers import ChargeInvoice, Statement, WaiveCharge
from services.invoice.interest.rules import Charge
from services.invoice.invoices.rules import ChargeKind
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["interest"])

RATES_MAX = 2_000

SeriesName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{1,39}$", examples=["ecb_mro"])]


class SegmentOut(BaseModel):
    """Days, both included, of one overdue principal at one rate. `exact` is before rounding; the rounded ones add up to
    the whole. `provisional`: the reference rate of these days is not known yet."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    days: int
    principal: Money
    rate: str
    exact: str
    interest: Money
    provisional: bool


class InterestOut(BaseModel):
    """What an invoice has borne up to the end of `as_of`. What is disputed and not decided is left out of it; it is in
    again when the dispute is rejected. `charged` counts what was waived; `chargeable` is what may be charged now, and
    `overcharged` what was charged too much and is not put right (yet): it counts towards what is charged next."""

    invoice_id: UUID
    as_of: date
    law: Literal["none", "eu", "uk", "contract"]
    reference: str | None
    margin: str | None
    day_count: str
    segments: list[SegmentOut]
    exact: str
    interest: Money
    charged: Money
    waived: Money
    chargeable: Money
    overcharged: Money

    @classmethod
    def of(cls, statement: Statement) -> "InterestOut":
        invoice, found, terms = statement.invoice, statement.interest, statement.terms
        reference = accruals.series_of(terms)
        left = rules.uncharged(found, statement.charges)
        waived = sum(each.amount_minor for each in statement.charges if each.kind == "interest" and _waived(each))
        return cls(
            invoice_id=invoice.id,
            as_of=found.as_of,
            law=terms.law,
            reference=reference,
            margin=percent_text(terms.margin) if reference else None,
            day_count=terms.day_count,
            segments=[
                SegmentOut(
                    first=each.first,
                    last=each.last,
                    days=each.days,
                    principal=invoice.money(each.principal_minor),
                    rate=percent_text(each.percent),
                    exact=exact_text(each.exact, invoice.currency),
                    interest=invoice.money(each.minor),
                    provisional=each.provisional,
                )
                for each in found.segments
            ],
            exact=exact_text(found.exact, invoice.currency),
            interest=invoice.money(found.minor),
            charged=invoice.money(rules.charged(statement.charges)),
            waived=invoice.money(waived),
            chargeable=invoice.money(max(left, 0)),
            overcharged=invoice.money(max(-left, 0)),
        )


def _waived(charge: Charge) -> bool:
    return charge.status == "waived"


class ChargeIn(Body):
    """`to` is the last day of interest, today when left out; `amount` is for a fee. The recovery cost is the law's, or
    the policy's, and charged once an invoice."""

    kind: ChargeKind
    to: IsoDate | None = None
    amount: Money | None = None
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _fitting(self) -> "ChargeIn":
        if self.to and self.kind != "interest":
            raise ValueError("`to` is for interest only")
        if self.amount and self.kind != "fee":
            raise ValueError("an amount is for a fee only; interest and recovery costs follow from their rules")
        return self


class WaiveIn(Body):
    reason: str = Field(min_length=1, max_length=500)


class AskedOut(BaseModel):
    case_id: UUID
    episode: int
    step: str


class ChargeOut(BaseModel):
    """`standing`, `waived` (forgiven; its days are not charged again) or `corrected` (replaced, the facts were others);
    `ended_on` and `ended_why` say when and why it does not stand any more."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    kind: ChargeKind
    status: rules.ChargeStatus
    amount: Money
    first_day: date | None = Field(serialization_alias="from")
    last_day: date | None = Field(serialization_alias="to")
    charged_on: date
    reason: str
    automatic: bool
    asked_by: AskedOut | None
    ended_on: date | None
    ended_why: str | None

    @classmethod
    def of(cls, charge: Charge) -> "ChargeOut":
        asked = None
        if charge.case_id and charge.case_episode is not None and charge.case_step:
            asked = AskedOut(case_id=charge.case_id, episode=charge.case_episode, step=charge.case_step)
        return cls(
            id=charge.id,
            invoice_id=charge.invoice_id,
            customer_id=charge.customer_id,
            kind=charge.kind,
            status=charge.status,
            amount=charge.money,
            first_day=charge.first_day,
            last_day=charge.last_day,
            charged_on=charge.effective_on,
            reason=charge.reason,
            automatic=charge.automatic,
            asked_by=asked,
            ended_on=charge.ended_on,
            ended_why=charge.ended_why,
        )


Percentage = Annotated[Decimal, Field(ge=-10, le=100, max_digits=7, decimal_places=4, examples=["2.15"])]


class RateIn(Body):
    valid_from: IsoDate
    percent: Percentage


class SeriesIn(Body):
    """A reference rate's whole history, by date. `known_until` is the last day for which it is known what the rate was:
    interest of later days is provisional and not charged."""

    title: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=500)
    known_until: IsoDate
    rates: Annotated[list[RateIn], Field(min_length=1, max_length=RATES_MAX)]

    @model_validator(mode="after")
    def _in_order(self) -> "SeriesIn":
        days = [each.valid_from for each in self.rates]
        if days != sorted(set(days)):
            raise ValueError("rates are given by date, one a day")
        if self.known_until < days[-1]:
            raise ValueError("a rate is given for a day after known_until")
        return self


class RateOut(BaseModel):
    valid_from: date
    percent: str


class SeriesOut(BaseModel):
    series: str
    title: str
    source: str
    known_until: date
    rates: list[RateOut]
    version: int

    @classmethod
    def of(cls, series: Series) -> "SeriesOut":
        return cls(
            series=series.name,
            title=series.title,
            source=series.source,
            known_until=series.known_until,
            rates=[RateOut(valid_from=day, percent=percent_text(percent)) for day, percent in series.rates],
            version=series.version,
        )


@router.get("/invoices/{invoice_id}/interest", response_model=InterestOut, dependencies=[scope("invoices:read")])
async def look_at_interest(
    invoice_id: UUID, database: DatabaseDep, as_of: Annotated[IsoDate | None, Query()] = None
) -> Response:
    """What an invoice has borne up to the end of a day, segment by segment, and what of it was charged."""
    async with reading(database) as tx:
        statement = await handlers.get_statement(tx, invoice_id, as_of)
    return respond(InterestOut.of(statement))


@router.post(
    "/invoices/{invoice_id}/charges", status_code=201, response_model=ChargeOut, dependencies=[scope("invoices:write")]
)
async def charge(invoice_id: UUID, body: ChargeIn, once: Once) -> Response:
    """Charge interest to date, the cost of recovery, or a fee; also on an invoice whose principal is paid."""
    command = ChargeInvoice(invoice_id, body.kind, body.reason, body.to, body.amount)
    async with once as tx:
        charged, _ = await handlers.charge_invoice(tx, command)
        return once.answer(201, ChargeOut.of(charged), location=f"/v1/charges/{charged.id}")


@router.get("/invoices/{invoice_id}/charges", response_model=Page[ChargeOut], dependencies=[scope("invoices:read")])
async def find(invoice_id: UUID, database: DatabaseDep, page: PageParams) -> Response:
    """An invoice's charges in the order they were made, also those that do not stand any more."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_charges(tx, invoice_id, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    items = Page[ChargeOut](items=[ChargeOut.of(each) for each in shown], next_cursor=more)
    return respond(items)


@router.get("/charges/{charge_id}", response_model=ChargeOut, dependencies=[scope("invoices:read")])
async def look_at(charge_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        found = await handlers.get_charge(tx, charge_id)
    return respond(ChargeOut.of(found))


@router.post(
    "/charges/{charge_id}/waiver", status_code=201, response_model=ChargeOut, dependencies=[scope("invoices:write")]
)
async def waive(charge_id: UUID, body: WaiveIn, once: Once) -> Response:
    """Forgive a charge; its days are not charged again. What of it was paid becomes unapplied cash."""
    async with once as tx:
        waived, _ = await handlers.waive_charge(tx, WaiveCharge(charge_id, body.reason))
        return once.answer(201, ChargeOut.of(waived))


@router.get("/interest-rates", response_model=Page[SeriesOut], dependencies=[scope("invoices:read")])
async def find_series(database: DatabaseDep, page: PageParams) -> Response:
    """The reference rates that interest follows, with their history."""
    after = page.after[0] if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_series(tx, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.name])
    return respond(Page[SeriesOut](items=[SeriesOut.of(each) for each in shown], next_cursor=more))


@router.get("/interest-rates/{series}", response_model=SeriesOut, dependencies=[scope("invoices:read")])
async def look_at_series(series: SeriesName, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        found = await handlers.get_series(tx, series)
    return respond(SeriesOut.of(found), etag=found.version)


@router.put("/interest-rates/{series}", response_model=SeriesOut, dependencies=[scope("invoices:write")])
async def put_series(series: SeriesName, body: SeriesIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Replace a reference rate's history, or begin one (If-None-Match: *). Charges that rested on a rate which is
    another now are put right."""
    rates = tuple((each.valid_from, each.percent) for each in body.rates)
    wanted = Series(series, version, body.title, body.source, body.known_until, rates)
    async with transaction(database) as tx:
        saved = await handlers.put_series(tx, wanted, version)
    return respond(SeriesOut.of(saved), status=200 if version else 201, etag=saved.version)
