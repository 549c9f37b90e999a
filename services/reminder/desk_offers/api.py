"""The page of an account's offers: more time, parts, or to settle for less; its approval, and the customer's answer."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.reminder.desk_offers import handlers, rules
from services.reminder.desk_offers.rules import FieldUnreadable, Written
from services.reminder.navigation.rules import LINKS
from services.reminder.offers import handlers as offers
from services.reminder.offers.handlers import AnswerOffer, DecideOffer
from services.reminder.offers.rules import Answer, Kind
from services.reminder.receivables.rules import ENTITY
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
EntityId = Annotated[str, Query(min_length=1, max_length=40)]
Text = Annotated[str, Form(max_length=2_000)]
Line = Annotated[str, Form(max_length=200)]
Day = Annotated[date, Form()]
MaybeDay = Annotated[date | None, Form()]
Numbers = Annotated[list[Annotated[str, Form(max_length=100)]], Form(max_length=100)]

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    filters={"offered": rules.in_words},
    values={
        "status_words": rules.STATUS_WORDS,
        "effect_words": rules.EFFECT_WORDS,
        "by_strategy": offers.BY_STRATEGY,
    },
)


@pages.get("/accounts/{customer_id}/offers")
async def of_account(
    request: Request, reader: ReaderDep, database: DatabaseDep, customer_id: UUID, entity_id: EntityId = ENTITY
) -> Response:
    """What was offered and what came of it, and forms for the next one."""
    return await _draw(request, reader, database, customer_id, entity_id)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    customer_id: UUID,
    entity_id: str,
    *,
    written: Written | None = None,
    refused: DomainError | None = None,
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_offers(tx, customer_id, entity_id)
    standing = shown.standing
    url = request.app.state.offer_links.url(standing.id) if standing and standing.status == "open" else None
    return FRAME.draw(
        request,
        reader,
        "offers.html",
        shown=shown,
        standing=standing,
        url=url,
        written=written,
        refused=refused,
        may_write="reminders:write" in reader.scopes,
        may_approve={"reminders:write", "reminders:approve"} <= reader.scopes,
    )


class Visit:
    """A form sent from the page: `await visit.do(work, "made")` acts and shows the page again."""

    def __init__(
        self,
        request: Request,
        reader: WriterDep,
        database: DatabaseDep,
        once: AttemptDep,
        customer_id: UUID,
        entity_id: EntityId = ENTITY,
    ) -> None:
        self.request, self.reader, self.database, self.once = request, reader, database, once
        self.customer_id, self.entity_id = customer_id, entity_id

    async def do(self, work: Callable[[Tx], Awaitable[Any]], word: str, written: Written | None = None) -> Response:
        async def again(refused: DomainError) -> Response:
            where = self.request, self.reader, self.database, self.customer_id, self.entity_id
            return await _draw(*where, written=written, refused=refused)

        entity = self.entity_id if self.entity_id != ENTITY else ""
        then = link(f"/accounts/{self.customer_id}/offers", entity_id=entity, said=word)
        return await act(self.once, work, then, again)


VisitDep = Annotated[Visit, Depends(Visit)]


@pages.post("/accounts/{customer_id}/offers")
async def make(
    visit: VisitDep,
    kind: Annotated[Kind, Form()],
    expires_on: Day,
    items: Numbers = [],  # noqa: B006 - FastAPI copies it.
    pay_by: MaybeDay = None,
    pay: Line = "",
    count: Annotated[int, Form(ge=0, le=99)] = 0,
    first_on: MaybeDay = None,
    note: Text = "",
) -> Response:
    """To the customer at once, or to somebody who approves it first."""
    written = Written(kind, expires_on, tuple(items), pay_by, pay, count, first_on, note)

    async def work(tx: Tx) -> None:
        await handlers.make_offer(tx, visit.customer_id, visit.entity_id, written, visit.reader.subject)

    return await visit.do(work, "made", written)


@pages.post("/accounts/{customer_id}/offers/{offer_id}/approval", dependencies=[Depends(SignedIn("reminders:approve"))])
async def approve(visit: VisitDep, offer_id: UUID, note: Line = "") -> Response:
    """As a second person: now the customer may accept it."""
    return await _decide(visit, offer_id, note, approved=True)


@pages.post("/accounts/{customer_id}/offers/{offer_id}/rejection")
async def reject(visit: VisitDep, offer_id: UUID, note: Line = "") -> Response:
    """It is not approved; whoever made it withdraws it so."""
    return await _decide(visit, offer_id, note, approved=False)


async def _decide(visit: Visit, offer_id: UUID, note: str, *, approved: bool) -> Response:
    async def work(tx: Tx) -> None:
        await handlers.find_offer(tx, offer_id, visit.customer_id)
        await offers.decide_offer(tx, DecideOffer(offer_id, approved, visit.reader.subject, note.strip() or None))

    return await visit.do(work, "approved" if approved else "rejected")


@pages.post("/accounts/{customer_id}/offers/{offer_id}/answer")
async def answer(
    visit: VisitDep,
    offer_id: UUID,
    accepted: Annotated[bool, Form()],
    how: Annotated[Literal["phone", "email", "letter", "meeting"], Form()],
    by: Line = "",
    reason: Line = "",
) -> Response:
    """What the customer said elsewhere than on its page."""

    async def work(tx: Tx) -> None:
        if not by.strip():
            raise FieldUnreadable("write who at the customer said so first", field="/by")
        await handlers.find_offer(tx, offer_id, visit.customer_id)
        given = Answer(accepted, by.strip(), how, visit.reader.subject, reason.strip() or None)
        await offers.answer_offer(tx, AnswerOffer(offer_id, given))

    return await visit.do(work, "accepted" if accepted else "refused")


@pages.post("/accounts/{customer_id}/offers/{offer_id}/withdrawal")
async def withdraw(visit: VisitDep, offer_id: UUID, reason: Line = "") -> Response:
    """Taken back before it was answered."""

    async def work(tx: Tx) -> None:
        if not reason.strip():
            raise FieldUnreadable("write why it is taken back first", field="/reason")
        await handlers.find_offer(tx, offer_id, visit.customer_id)
        await offers.withdraw_offer(tx, offer_id, reason.strip())

    return await visit.do(work, "withdrawn")
