"""Imports over HTTP: send a file of invoices, follow it, read what was refused."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.invoice.imports import handlers, rules
from services.invoice.imports.rules import BadRow, Import
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import FieldProblem, Page
from shared.http.problems import UnsupportedMediaType
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["imports"])

MEDIA_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
ERRORS_SHOWN = 100


class RowErrorOut(BaseModel):
    """A line of the file, counted from 1, and everything that is wrong with it."""

    line: int
    reasons: list[FieldProblem]

    @classmethod
    def of(cls, row: BadRow) -> "RowErrorOut":
        reasons = [FieldProblem(pointer=reason.pointer, detail=reason.detail) for reason in row.reasons]
        return cls(line=row.line, reasons=reasons)


class ImportOut(BaseModel):
    """`accepted` rows are invoices, `rejected` ones have changed nothing; `running` until all rows are either."""

    id: UUID
    status: Literal["running", "completed"]
    rows: int
    accepted: int
    rejected: int
    received_at: datetime
    completed_at: datetime | None
    version: int

    @classmethod
    def of(cls, one: Import) -> "ImportOut":
        return cls(**_fields(one))


class ImportDetailOut(ImportOut):
    """The first errors; `/v1/imports/{id}/errors` has all."""

    errors: list[RowErrorOut]


def _fields(one: Import) -> dict:
    return {
        "id": one.id,
        "status": one.status,
        "rows": one.rows,
        "accepted": one.accepted,
        "rejected": one.rejected,
        "received_at": one.received_at,
        "completed_at": one.completed_at,
        "version": one.version,
    }


@router.post(
    "/imports",
    status_code=202,
    response_model=ImportOut,
    dependencies=[scope("invoices:write")],
    max_body_size=rules.BYTES_MAX,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A line for each invoice, with the fields of `POST /v1/invoices`",
            "content": {
                "application/x-ndjson": {
                    "schema": {"type": "string"},
                    "example": '{"customer_external_id": "C-1", "number": "2024-1", "lines": '
                    '[{"description": "Consulting", "unit_price": {"amount": "120.00", "currency": "EUR"}}]}\n',
                }
            },
        }
    },
)
async def receive(request: Request, once: Once) -> Response:
    """Issue many invoices: up to 100,000 rows or 64 MB. Each row is judged by itself and the good ones stand; follow
    the answer's Location until the import is completed. Credit is not asked for them."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMediaType("send the rows as JSON lines, with Content-Type: application/x-ndjson")
    body = await request.body()
    async with once as tx:
        received = await handlers.receive_import(tx, body)
        return once.answer(202, ImportOut.of(received), etag=received.version, location=f"/v1/imports/{received.id}")


@router.get("/imports", response_model=Page[ImportOut], dependencies=[scope("invoices:read")])
async def find(database: DatabaseDep, page: PageParams) -> Response:
    """Imports, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_imports(tx, before, page.limit + 1)
    shown = found[: page.limit]
    more = encode_cursor([shown[-1].id]) if len(found) > page.limit else None
    return respond(Page[ImportOut](items=[ImportOut.of(one) for one in shown], next_cursor=more))


@router.get("/imports/{import_id}", response_model=ImportDetailOut, dependencies=[scope("invoices:read")])
async def look_at(import_id: UUID, database: DatabaseDep) -> Response:
    """How far an import is, and the first rows it refused."""
    async with reading(database) as tx:
        one = await handlers.get_import(tx, import_id)
        errors = await handlers.list_errors(tx, import_id, 0, ERRORS_SHOWN)
    answer = ImportDetailOut(**_fields(one), errors=[RowErrorOut.of(row) for row in errors])
    return respond(answer, etag=one.version)


@router.get("/imports/{import_id}/errors", response_model=Page[RowErrorOut], dependencies=[scope("invoices:read")])
async def find_errors(import_id: UUID, database: DatabaseDep, page: PageParams) -> Response:
    """Every row refused, by line."""
    after = int(page.after[0]) if page.after else 0
    async with reading(database) as tx:
        found = await handlers.list_errors(tx, import_id, after, page.limit + 1)
    shown = found[: page.limit]
    more = encode_cursor([shown[-1].line]) if len(found) > page.limit else None
    return respond(Page[RowErrorOut](items=[RowErrorOut.of(row) for row in shown], next_cursor=more))
