"""Benchmarks and costs over HTTP."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from services.reporting.references import handlers
from services.reporting.references.handlers import PutReference
from services.reporting.references.rules import Reference
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PrincipalDep
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import exponent

router = APIRouter(prefix="/reports", tags=["reports"])

Figure = Literal[
    "dso_simple",
    "dso_countback",
    "dso_sales_weighted",
    "best_possible_dso",
    "average_days_delinquent",
    "cei",
    "turnover",
    "share_current",
    "bad_debt_ratio",
    "promise_kept_rate",
    "dispute_rate",
    "dispute_days",
    "straight_through_rate",
    "cost_per_contact",
]


def _currency(code: str) -> str:
    exponent(code)
    return code


class Benchmark(Body):
    """What others reach, and who says so."""

    figure: Figure
    value: Decimal = Field(decimal_places=2, max_digits=12)
    industry: str = Field(min_length=1, max_length=200)
    segment: str | None = Field(
        default=None, min_length=1, max_length=200, description="For this segment of customers alone; null for all"
    )
    as_of: date
    source: str = Field(min_length=1, max_length=400)
    url: str | None = Field(default=None, max_length=500, pattern="^https?://")


class ContactCost(Body):
    """What one message or call over a channel costs, all included."""

    channel: str = Field(min_length=1, max_length=40, examples=["email", "letter", "call"])
    currency: Annotated[str, AfterValidator(_currency)]
    cost: Decimal = Field(ge=0, decimal_places=4, max_digits=12)


class BenchmarksIn(Body):
    benchmarks: list[Benchmark] = Field(max_length=500)


class BenchmarksOut(BenchmarksIn):
    version: int
    put_by: str | None
    put_at: datetime | None


class ContactCostsIn(Body):
    contact_costs: list[ContactCost] = Field(max_length=100)


class ContactCostsOut(ContactCostsIn):
    version: int
    put_by: str | None
    put_at: datetime | None


@router.get("/benchmarks", response_model=BenchmarksOut, dependencies=[scope("reports:read")])
async def show_benchmarks(database: DatabaseDep) -> Response:
    """What the indicators are held against: each with its date and source."""
    async with reading(database) as tx:
        return _benchmarks(await handlers.read_reference(tx, "benchmarks"))


@router.put("/benchmarks", response_model=BenchmarksOut, dependencies=[scope("reports:write")])
async def put_benchmarks(body: BenchmarksIn, seen: IfMatch, database: DatabaseDep, principal: PrincipalDep) -> Response:
    """Replace the table; the versions before it are kept."""
    entries = tuple(each.model_dump(mode="json") for each in body.benchmarks)
    async with transaction(database) as tx:
        command = PutReference("benchmarks", entries, seen, principal.subject)
        return _benchmarks(await handlers.put_reference(tx, command))


@router.get("/contact-costs", response_model=ContactCostsOut, dependencies=[scope("reports:read")])
async def show_contact_costs(database: DatabaseDep) -> Response:
    """What a contact costs, by channel; empty until somebody says so."""
    async with reading(database) as tx:
        return _costs(await handlers.read_reference(tx, "contact_costs"))


@router.put("/contact-costs", response_model=ContactCostsOut, dependencies=[scope("reports:write")])
async def put_contact_costs(
    body: ContactCostsIn, seen: IfMatch, database: DatabaseDep, principal: PrincipalDep
) -> Response:
    """Replace the table; the versions before it are kept."""
    entries = tuple(each.model_dump(mode="json") for each in body.contact_costs)
    async with transaction(database) as tx:
        command = PutReference("contact_costs", entries, seen, principal.subject)
        return _costs(await handlers.put_reference(tx, command))


def _benchmarks(found: Reference) -> Response:
    told = BenchmarksOut.model_validate(
        {"benchmarks": found.entries, "version": found.version, "put_by": found.put_by, "put_at": found.put_at}
    )
    return respond(told, etag=found.version)


def _costs(found: Reference) -> Response:
    told = ContactCostsOut.model_validate(
        {"contact_costs": found.entries, "version": found.version, "put_by": found.put_by, "put_at": found.put_at}
    )
    return respond(told, etag=found.version)
