"""Imports over HTTP: send a file, look at it first if you like, follow it, read what was refused."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from services.invoice.import_rows.rules import BadRow
from services.invoice.imports import handlers, rules
from services.invoice.imports.handlers import ReceiveImport
from services.invoice.imports.rules import Format, Import, Mode, Status, Upload
from services.invoice.mapping_guesses.rules import propose
from services.invoice.mappings.rules import Kind, Saved
from services.invoice.tables.rules import FileRefused, Table
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import FieldProblem, Page
from shared.http.problems import Malformed, UnsupportedMediaType
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["imports"])

ERRORS_SHOWN = 100
ROWS_SHOWN = 20
ROWS_LOOKED_AT = 200

KindQuery = Annotated[Kind | None, Query(description="Left out: what the profile is for, else invoices")]
ProfileQuery = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(@[1-9][0-9]{0,5})?$",
        description="A saved profile, `erp` or `erp@3`; tables without one have the columns of the standard profile",
    ),
]


class RowErrorOut(BaseModel):
    """A line of the file, counted from 1, and everything that is wrong with it."""

    line: int
    reasons: list[FieldProblem]

    @classmethod
    def of(cls, row: BadRow) -> "RowErrorOut":
        reasons = [FieldProblem(pointer=reason.pointer, detail=reason.detail) for reason in row.reasons]
        return cls(line=row.line, reasons=reasons)


class ImportOut(BaseModel):
    """`accepted` rows are invoices or lines of them, `present` ones were there already, `rejected` ones have changed
    nothing. A dry run
    counts what would be; an import that is all or nothing is `refused` when one row is bad. `done` of `rows` are
    decided."""

    id: UUID
    entity_id: str
    kind: Kind
    mode: Mode
    dry_run: bool
    format: Format
    profile_name: str | None
    profile_version: int | None
    status: Status
    rows: int
    done: int
    accepted: int
    present: int
    rejected: int
    rows_per_second: float | None
    received_at: datetime
    completed_at: datetime | None
    version: int

    @classmethod
    def of(cls, one: Import) -> "ImportOut":
        return cls(**_fields(one))


class ImportDetailOut(ImportOut):
    """The first errors; `/v1/imports/{id}/errors` has all."""

    errors: list[RowErrorOut]


def _fields(one: Import) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ImportOut.model_fields}


class ColumnOut(BaseModel):
    """What a column seems to hold; `doubts` says what else it might be."""

    column: str
    samples: list[str]
    field: str | None
    date_format: str | None
    decimal_mark: str | None
    doubts: str | None


class PreviewRowOut(BaseModel):
    """A row as it would be taken (with those of the same invoice further down), or why it would not."""

    line: int
    row: dict[str, Any] | None
    reasons: list[FieldProblem]


class PreviewOut(BaseModel):
    """`profile` is the one named, or a proposal to be looked at, completed and saved; `problem` says what it lacks."""

    found: dict[str, Any]
    columns: list[ColumnOut]
    profile: dict[str, Any]
    problem: str | None
    rows: Annotated[list[PreviewRowOut], Field(max_length=ROWS_SHOWN)]


BODY = {
    "requestBody": {
        "required": True,
        "description": "A file: as the body, or as the part `file` of a form",
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"customer_external_id": "C-1", "number": "2024-1", "lines": '
                '[{"description": "Consulting", "unit_price": {"amount": "120.00", "currency": "EUR"}}]}\n',
            },
            "text/csv": {
                "schema": {"type": "string"},
                "example": "customer_external_id,number,unit_price,currency\nC-1,2024-1,120.00,EUR\n",
            },
            rules.XLSX: {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    }
}


async def _upload(request: Request) -> Upload:
    """Raises UnsupportedMediaType, Malformed."""
    media_type = _media_type(request.headers.get("content-type", ""))
    if media_type == "multipart/form-data":
        return await _form_file(request)
    if media_type not in rules.FORMATS:
        raise UnsupportedMediaType(
            "send JSON lines as application/x-ndjson, CSV as text/csv, a spreadsheet as its own type, or a form"
        )
    return Upload(await request.body(), rules.FORMATS[media_type])


async def _form_file(request: Request) -> Upload:
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Malformed("the form has no file in a part called file")
            found = rules.format_of(file.filename) or rules.FORMATS.get(_media_type(file.content_type or ""))
            if found is None:
                raise UnsupportedMediaType(f"a file that ends on {', '.join(rules.ENDINGS)} is wanted")
            return Upload(await file.read(), found)
    except (MultiPartException, HTTPException, KeyError) as error:
        detail = getattr(error, "detail", None) or getattr(error, "message", None) or "its boundary is missing"
        raise Malformed(f"the form cannot be read: {detail}") from None


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


@router.post(
    "/imports",
    status_code=202,
    response_model=ImportOut,
    dependencies=[scope("invoices:write")],
    max_body_size=rules.BYTES_MAX,
    openapi_extra=BODY,
)
async def receive(
    request: Request,
    once: Once,
    database: DatabaseDep,
    kind: KindQuery = None,
    mode: Annotated[Mode, Query(description="atomic: all rows or none")] = "partial",
    dry_run: Annotated[bool, Query(description="Only say what would become of each row")] = False,
    profile: ProfileQuery = None,
    entity_id: Annotated[str, Query(min_length=1, max_length=64, description="For rows that name none")] = "default",
) -> Response:
    """Take a file of up to 100,000 rows or 64 MB: invoices, open items of a former system, or what was paid there.
    Rows of the same number are the lines of one invoice, which is taken with all of them or with none; the others stand
    by themselves. Follow the answer's Location until it is over. Credit is not asked for them. A number that is there
    already with the same content is counted as present, so sending a file again is harmless."""
    upload = await _upload(request)
    await once.check()
    async with reading(database) as tx:
        saved, kind_of_it = await handlers.choose_profile(tx, profile, kind, upload)
    table = await asyncio.to_thread(rules.read_upload, upload, saved)
    async with once as tx:
        received = await handlers.receive_import(
            tx,
            ReceiveImport(
                body=upload.body if table is None else b"",
                table=table,
                kind=kind_of_it,
                mode=mode,
                dry_run=dry_run,
                format=upload.format,
                profile=saved,
                entity_id=entity_id,
            ),
        )
        return once.answer(202, ImportOut.of(received), etag=received.version, location=f"/v1/imports/{received.id}")


@router.post(
    "/imports/preview",
    response_model=PreviewOut,
    dependencies=[scope("invoices:read")],
    max_body_size=rules.BYTES_MAX,
    openapi_extra=BODY,
)
async def preview(
    request: Request, database: DatabaseDep, kind: KindQuery = None, profile: ProfileQuery = None
) -> Response:
    """Look at a table before it is imported: how it is written, what its columns seem to hold, and what its first rows
    would be. Nothing is kept."""
    upload = await _upload(request)
    if upload.format == "ndjson":
        raise FileRefused("JSON lines need no preview; send them with dry_run=true")
    async with reading(database) as tx:
        saved, kind_of_it = await handlers.choose_profile(tx, profile, kind, upload)
    table = await asyncio.to_thread(rules.read_upload, upload, saved, ROWS_LOOKED_AT, "")
    assert table is not None
    return respond(_previewed(table, kind_of_it, saved if profile else None))


def _previewed(table: Table, kind: Kind, saved: Saved | None) -> PreviewOut:
    guesses, proposed = propose(kind, table.headings, [cells for _, cells in table.rows])
    if saved:
        proposed = saved.profile.model_dump(mode="json", exclude_none=True)
    elif table.found["format"] == "csv":
        proposed |= {"encoding": table.found["encoding"], "delimiter": table.found["delimiter"]}
    used, problem = rules.usable(proposed, table.headings)
    rows: dict[int, PreviewRowOut] = {}
    if used and table.rows:
        good, bad = rules.read_table(used, table, kind)
        for row in good:
            wanted = orjson.loads(row.wanted.model_dump_json(exclude_unset=True))
            rows[row.line] = PreviewRowOut(line=row.line, row=wanted, reasons=[])
        for line, refused in bad.items():
            rows[line] = PreviewRowOut(line=line, row=None, reasons=RowErrorOut.of(refused).reasons)
    return PreviewOut(
        found=table.found,
        columns=[
            ColumnOut(
                column=guess.column,
                samples=list(guess.samples),
                field=guess.field,
                date_format=guess.date_format,
                decimal_mark=guess.decimal_mark,
                doubts=guess.doubts,
            )
            for guess in guesses
        ],
        profile=proposed,
        problem=problem,
        rows=[rows[line] for line in sorted(rows)[:ROWS_SHOWN]],
    )


@router.get("/imports", response_model=Page[ImportOut], dependencies=[scope("invoices:read")])
async def find(database: DatabaseDep, page: PageParams) -> Response:
    """Imports, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_imports(tx, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
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
    shown, more = page.cut(found, lambda last: [last.line])
    return respond(Page[RowErrorOut](items=[RowErrorOut.of(row) for row in shown], next_cursor=more))
