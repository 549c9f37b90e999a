"""Files of what was learned about customers, over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.credit.vetting_imports import handlers
from services.credit.vetting_imports.rules import RefusedLine, decoded
from shared.http.dependencies import Once, PrincipalDep
from shared.http.security import scope

router = APIRouter(tags=["vetting"])


class ImportedOut(BaseModel):
    """`taken` are the ids of the new inputs, in the order of the file; `refused` the lines that were not."""

    taken: tuple[UUID, ...]
    refused: tuple[RefusedLine, ...]


@router.post(
    "/vetting-imports",
    status_code=201,
    response_model=ImportedOut,
    dependencies=[scope("credit:write")],
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "Columns: external_id, kind, source, dated_on, expires_on, currency and the particulars",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def import_inputs(request: Request, once: Once, caller: PrincipalDep) -> Response:
    """Take a CSV of vetting inputs, at most 1,000 lines; each is taken or refused by itself."""
    text = decoded(await request.body())
    async with once as tx:
        imported = await handlers.import_inputs(tx, text, caller.subject)
        return once.answer(201, ImportedOut(taken=imported.taken, refused=imported.refused))
