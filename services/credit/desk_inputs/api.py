"""Forms for what was learned of a customer or an applicant, and for files of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, UploadFile
from fastapi.responses import Response

from services.credit.desk_inputs import handlers, rules
from services.credit.desk_inputs.handlers import Whose
from services.credit.desk_words import rules as words
from services.credit.vetting.rules import Kind
from services.credit.vetting_imports import handlers as vetting_imports
from services.credit.vetting_imports.handlers import Imported
from services.credit.vetting_imports.rules import CHARACTERS_MAX, LINES_MAX, decoded
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

FILE_BYTES_MAX = 4 * CHARACTERS_MAX + 10_000
"""A character is four bytes at most; the rest is what a form needs around the file."""

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    values={
        "all_kinds": rules.KINDS,
        "fields": rules.FIELDS,
        "head": rules.HEAD,
        "dated": rules.DATED,
        "has_money": rules.has_money,
        "counts_for": rules.counts_for,
        "lines_max": LINES_MAX,
    },
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:write"))]


@pages.get("/{whose}/{id}/inputs")
async def write_input(
    request: Request, reader: ReaderDep, database: DatabaseDep, whose: Whose, id: UUID, kind: Kind = "credit_report"
) -> Response:
    """The form of one kind."""
    return await _draw(request, reader, database, whose, id, kind, {})


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    whose: Whose,
    id: UUID,
    kind: Kind,
    written: Mapping[str, str],
    refused: DomainError | None = None,
) -> Response:
    async with reading(database) as tx:
        concerned = await handlers.concerned(tx, whose, id)
    return frame.draw(
        request,
        reader,
        "input.html",
        about=concerned,
        kind=kind,
        written=written,
        refused=refused,
        faults=rules.faults_of(refused),
    )


@pages.post("/{whose}/{id}/inputs")
async def take_in(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    once: AttemptDep,
    whose: Whose,
    id: UUID,
    kind: Kind,
) -> Response:
    """What was written counts from now on; a customer that was assessed before is assessed again."""
    written = {name: str(value) for name, value in (await request.form()).items()}

    async def work(tx: Tx) -> None:
        await handlers.take_in(tx, whose, id, rules.read(kind, written), reader.subject)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, whose, id, kind, written, refused)

    return await act(once, work, link(f"/{whose}/{id}", said="learned"), again)


@pages.get("/vetting-imports")
async def choose_file(request: Request, reader: ReaderDep) -> Response:
    """How such a file looks, and the form to send one."""
    return frame.draw(request, reader, "file_of_inputs.html", imported=None)


@pages.post("/vetting-imports", max_body_size=FILE_BYTES_MAX)
async def import_file(request: Request, reader: ReaderDep, once: AttemptDep, file: UploadFile) -> Response:
    """Each line is taken or refused by itself; the answer names those that were not."""
    found: list[Imported] = []

    async def work(tx: Tx) -> None:
        found.append(await vetting_imports.import_inputs(tx, decoded(await file.read()), reader.subject))

    async def again(refused: DomainError) -> Response:
        return frame.draw(request, reader, "file_of_inputs.html", imported=None, refused=refused)

    answer = await act(once, work, link("/vetting-imports", said="imported"), again)
    was_taken = found and answer.status_code == 303
    return frame.draw(request, reader, "file_of_inputs.html", imported=found[0]) if was_taken else answer
