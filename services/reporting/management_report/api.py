"""The management report over HTTP."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.reporting.ageing.rules import ReportCurrency, ReportDay
from services.reporting.management_report import handlers
from services.reporting.report_tables import rules as report_tables
from services.reporting.report_tables.rules import RelativeDay
from shared.calendar import local_date
from shared.db import snapshot
from shared.http.dependencies import DatabaseDep
from shared.http.responses import document
from shared.http.security import scope

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get(
    "/management.pdf",
    response_class=Response,
    dependencies=[scope("reports:read")],
    responses={200: {"content": {"application/pdf": {}}}},
)
async def management_report(
    database: DatabaseDep,
    as_of: Annotated[ReportDay | RelativeDay, Query(description="End of this day")] = "today",
    currency: Annotated[ReportCurrency | None, Query(description="The one with most open invoices if left out")] = None,
) -> Response:
    """Two pages for the board: where receivables stand, how they moved and why, what is expected, who owes most, and
    which alerts are open."""
    async with snapshot(database) as (tx, _):
        on = report_tables.day_of(as_of, local_date(tx.now, "UTC"))
        report = await handlers.gather(tx, on, currency)
    pdf = await asyncio.to_thread(handlers.set_report, report)
    return document(pdf, "application/pdf", f"receivables-{on.isoformat()}.pdf")
