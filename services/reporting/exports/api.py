"""Reports as files over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.reporting.exports import handlers, rules
from services.reporting.exports.rules import Format
from services.reporting.report_tables import handlers as report_tables
from services.reporting.report_tables.rules import Parameters, ReportName
from shared.db import snapshot
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope

router = APIRouter(prefix="/reports", tags=["reports"])


class _Download(StreamingResponse):
    """It gives back what it reads from when it was sent, or could not be."""

    def __init__(self, body: AsyncIterator[bytes], held: AsyncExitStack, **more: Any) -> None:
        super().__init__(body, **more)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)


@router.get(
    "/{report}.{form}",
    response_class=StreamingResponse,
    dependencies=[scope("reports:read")],
    responses={200: {"content": {media_type.partition(";")[0]: {} for media_type in rules.MEDIA_TYPES.values()}}},
)
async def export_report(
    report: ReportName, form: Format, database: DatabaseDep, asked: Annotated[Parameters, Query()]
) -> StreamingResponse:
    """Any report as a file: `csv` for programs, with a row of names and plain figures; `xlsx` for people, with totals;
    `parquet` for tools that read columns, each with its type.
    All of it is of one moment, and text that a spreadsheet would take for a formula stays text. Each report takes some
    of the parameters (docs/exports.md); another one is refused.
    """
    async with AsyncExitStack() as held:
        tx, _ = await held.enter_async_context(snapshot(database))
        table = await report_tables.tabulate(tx, report, asked)
        pieces = handlers.export(table, form)
        first = await anext(pieces)
        held.push_async_callback(pieces.aclose)
        held_on = held.pop_all()

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    name = rules.file_name(report, table.as_of, form)
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return _Download(body(), held_on, media_type=rules.MEDIA_TYPES[form], headers=headers)
