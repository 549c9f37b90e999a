"""Reference rates over HTTP: import the European Central Bank's files, and look at what holds on a day."""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.credit.rates import handlers, rules
from services.credit.rates.handlers import ImportRates
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["rates"])

_FILE = {"schema": {"type": "string", "format": "binary"}}


class ImportedOut(BaseModel):
    """`changed` lists the days that were new or other than known; each was published."""

    days: int
    first_on: date
    last_on: date
    changed: tuple[date, ...]


class RatesOut(BaseModel):
    """`rates` says what one unit of `base` costs; `on` may lie before the day asked for, which had none of its own."""

    on: date
    version: int
    base: str
    source: str
    rates: dict[str, str] = Field(examples=[{"USD": "1.0705", "JPY": "171.94"}])


@router.post(
    "/rates",
    status_code=201,
    response_model=ImportedOut,
    dependencies=[scope("credit:write")],
    max_body_size=rules.BYTES_MAX,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file as the body",
            "content": {"application/xml": _FILE, "text/csv": _FILE, "application/octet-stream": _FILE},
        }
    },
)
async def import_rates(
    request: Request, once: Once, source: Annotated[str, Query(min_length=1, max_length=60)] = "ECB"
) -> Response:
    """Import reference rates as the ECB publishes them: eurofxref-daily.xml, eurofxref-hist-90d.xml, or the CSV of its
    zip files. A damaged file is refused whole; the same file again changes nothing."""
    days = await asyncio.to_thread(rules.read, await request.body())
    async with once as tx:
        imported = await handlers.import_rates(tx, ImportRates(days, source, local_date(tx.now, "UTC")))
        answer = ImportedOut(
            days=len(imported.days),
            first_on=imported.days[0],
            last_on=imported.days[-1],
            changed=imported.changed,
        )
        return once.answer(201, answer)


@router.get("/rates", response_model=RatesOut, dependencies=[scope("credit:read")])
async def show_rates(database: DatabaseDep, on: Annotated[date | None, Query()] = None) -> Response:
    """The rates that hold on a day, today if none is named: its own, else those of the last day before it."""
    async with reading(database) as tx:
        rates, source = await handlers.rates_on(tx, on or local_date(tx.now, "UTC"))
    told = {code: format(rate, "f") for code, rate in rates.by_currency.items()}
    return respond(RatesOut(on=rates.on, version=rates.version, base=rules.BASE, source=source, rates=told))
