"""Links to applicants' pages over HTTP: make one to hand on, recall all that are out."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.credit.application_links import handlers
from shared.http.dependencies import Once
from shared.http.security import scope

router = APIRouter(tags=["applications"], dependencies=[scope("customers:write")])


class LinkOut(BaseModel):
    """Whoever has the link may fill in the application and accept its terms: hand it to the applicant alone."""

    url: str
    last_day: date


@router.post("/applications/{application_id}/links", status_code=201, response_model=LinkOut)
async def give_link(application_id: UUID, once: Once, request: Request) -> Response:
    """A link to the page on which the applicant fills it in; it works for thirty days."""
    async with once as tx:
        given = await handlers.give_link(tx, request.app.state.application_links, application_id)
        return once.answer(201, LinkOut(url=given.url, last_day=given.last_day))


@router.post("/applications/{application_id}/links/recall", status_code=204)
async def recall_links(application_id: UUID, once: Once) -> Response:
    """Every link given out so far stops working at once."""
    async with once as tx:
        await handlers.recall_links(tx, application_id)
        return once.answer(204)
