"""Bank statements over HTTP: send a file, look at what was taken of it, say how a bank writes its CSV."""

import asyncio
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from services.invoice.bank_csv.rules import CsvProfile
from services.invoice.bank_entries.rules import Direction, Format, Kind
from services.invoice.bank_statements import handlers, rules
from services.invoice.bank_statements.handlers import ReceiveStatement
from services.invoice.bank_statements.rules import BankEntry, Received, Stated
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams
from shared.http.models import Page
from shared.http.problems import Malformed
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["bank-statements"])

Name = Annotated[str, Path(min_length=1, max_length=60, pattern="^[a-z0-9][a-z0-9-]*$", examples=["sparkasse"])]


class PartOut(BaseModel):
    """One statement of the file; balances are null where the format has none."""

    account: str
    currency: str | None
    reference: str | None
    sequence: str | None
    first_on: date | None
    last_on: date | None
    opening: str | None
    closing: str | None
    entries: int


class BankStatementOut(BaseModel):
    """`entries_new` were recorded by this file, the rest had been told before."""

    id: UUID
    entity_id: str
    format: Format
    message: str
    statements: list[PartOut]
    entries: int
    entries_new: int
    received_at: datetime

    @classmethod
    def of(cls, received: Received) -> "BankStatementOut":
        return cls(
            id=received.id,
            entity_id=received.entity_id,
            format=received.format,
            message=received.message,
            statements=[PartOut.model_validate(part, from_attributes=True) for part in received.parts],
            entries=received.entries,
            entries_new=received.entries_new,
            received_at=received.received_at,
        )


class BankEntryOut(BaseModel):
    """One movement. Receipts and returns are looked at by cash application, under the same id."""

    id: UUID
    line: int
    account: str
    direction: Direction
    kind: Kind
    amount: Money
    charges: Money | None
    booked_on: date
    value_on: date | None
    bank_reference: str | None
    end_to_end_id: str | None
    creditor_reference: str | None
    remittance: str | None
    additional_info: str | None
    mandate_id: str | None
    party_name: str | None
    party_iban: str | None
    return_reason: str | None

    @classmethod
    def of(cls, entry: BankEntry) -> "BankEntryOut":
        return cls(
            id=entry.id,
            line=entry.line,
            account=entry.account,
            direction=entry.direction,
            kind=entry.kind,
            amount=entry.amount,
            charges=Money(entry.charges_minor, entry.currency) if entry.charges_minor else None,
            booked_on=entry.booked_on,
            value_on=entry.value_on,
            bank_reference=entry.bank_reference,
            end_to_end_id=entry.end_to_end_id,
            creditor_reference=entry.creditor_reference,
            remittance=entry.remittance,
            additional_info=entry.additional_info,
            mandate_id=entry.mandate_id,
            party_name=entry.party_name,
            party_iban=entry.party_iban,
            return_reason=entry.reason,
        )


class CsvProfileOut(BaseModel):
    name: str
    profile: CsvProfile
    version: int


_FILE = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/bank-statements",
    status_code=201,
    response_model=BankStatementOut,
    dependencies=[scope("payments:write")],
    max_body_size=rules.BYTES_MAX,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file as the body, or as the part `file` of a form",
            "content": {
                "application/xml": _FILE,
                "text/plain": _FILE,
                "text/csv": _FILE,
                "application/octet-stream": _FILE,
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    },
)
async def receive(
    request: Request,
    once: Once,
    database: DatabaseDep,
    format: Annotated[Stated, Query(description="Left out: told by the content")] = "auto",
    profile: Annotated[str | None, Query(max_length=60, description="How to read a CSV")] = None,
    account: Annotated[
        str | None, Query(max_length=64, description="The account, where a CSV does not name it")
    ] = None,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Record a bank statement: camt.052, 053 or 054, MT940, or CSV by a saved profile; up to 16 MB. A damaged file is
    refused with its line and nothing of it is taken. Sent again, the same file is a 200 and changes nothing; entries
    that another file has told before are not recorded twice."""
    body = await _file(request)
    csv_profile = None
    if profile is not None:
        async with reading(database) as tx:
            _, csv_profile = await handlers.get_profile(tx, profile)
    file = await asyncio.to_thread(rules.read, body, format, csv_profile, account)
    async with once as tx:
        received, is_new = await handlers.receive_statement(tx, ReceiveStatement(file, entity_id))
        return once.answer(
            201 if is_new else 200, BankStatementOut.of(received), location=f"/v1/bank-statements/{received.id}"
        )


async def _file(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        return await request.body()
    try:
        async with request.form(max_files=1, max_fields=0, max_part_size=rules.BYTES_MAX) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Malformed("the form has no part `file`", field="/file")
            return await file.read()
    except MultiPartException as error:
        raise Malformed(f"the form cannot be read: {error.message}") from None


@router.get("/bank-statements", response_model=Page[BankStatementOut], dependencies=[scope("payments:read")])
async def find(database: DatabaseDep, page: PageParams) -> Response:
    """Files received, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_statements(tx, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[BankStatementOut](items=[BankStatementOut.of(each) for each in shown], next_cursor=more))


@router.get("/bank-statements/{statement_id}", response_model=BankStatementOut, dependencies=[scope("payments:read")])
async def look_at(statement_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        received = await handlers.get_statement(tx, statement_id)
    return respond(BankStatementOut.of(received))


@router.get(
    "/bank-statements/{statement_id}/entries",
    response_model=Page[BankEntryOut],
    dependencies=[scope("payments:read")],
)
async def find_entries(statement_id: UUID, database: DatabaseDep, page: PageParams) -> Response:
    """What the file told for the first time, in its order."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_entries(tx, statement_id, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[BankEntryOut](items=[BankEntryOut.of(each) for each in shown], next_cursor=more))


@router.put("/bank-csv-profiles/{name}", response_model=CsvProfileOut, dependencies=[scope("payments:write")])
async def keep_profile(name: Name, body: CsvProfile, version: IfMatch, database: DatabaseDep) -> Response:
    """Say how a bank writes its CSV. `If-None-Match: *` for a new one."""
    async with transaction(database) as tx:
        kept = await handlers.keep_profile(tx, name, body, version)
    return respond(CsvProfileOut(name=name, profile=body, version=kept), etag=kept, status=200 if version else 201)


@router.get("/bank-csv-profiles", response_model=Page[CsvProfileOut], dependencies=[scope("payments:read")])
async def find_profiles(database: DatabaseDep, page: PageParams) -> Response:
    """How each bank writes its CSV files, by name."""
    after = page.after[0] if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_profiles(tx, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last[0]])
    items = [CsvProfileOut(name=name, version=version, profile=profile) for name, version, profile in shown]
    return respond(Page[CsvProfileOut](items=items, next_cursor=more))


@router.get("/bank-csv-profiles/{name}", response_model=CsvProfileOut, dependencies=[scope("payments:read")])
async def look_at_profile(name: str, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        version, profile = await handlers.get_profile(tx, name)
    return respond(CsvProfileOut(name=name, profile=profile, version=version), etag=version)
