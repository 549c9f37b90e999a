"""Reviews for credit controllers: who is to be looked at by whom until when, and what came of it."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.credit.desk.rules import is_late
from services.credit.desk_reviews import handlers, rules
from services.credit.desk_words import rules as words
from services.credit.reviews import handlers as reviews
from services.credit.reviews.handlers import AssignReview, FinishReview
from services.credit.reviews.rules import Outcome, Status
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.idempotency import OnceOnly
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    filters={"because": rules.because_words},
    values={"outcomes": rules.OUTCOMES, "is_late": is_late},
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:write"))]


@pages.get("/reviews")
async def list_reviews(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    status: Status = "open",
    mine: bool = False,
    after_day: Annotated[date | None, Query()] = None,
    after: Annotated[UUID | None, Query()] = None,
) -> Response:
    """What is due first comes first."""
    place = (after_day, after) if after_day and after else None
    async with reading(database) as tx:
        shown = await handlers.list_reviews(tx, status, reader.subject if mine else None, place)
    query = {"status": status, "mine": "true" if mine else ""}
    more = link("/reviews", **query, after_day=shown.more[0], after=shown.more[1]) if shown.more else None
    first = link("/reviews", **query) if place else None
    return frame.draw(request, reader, "reviews.html", shown=shown, status=status, mine=mine, first=first, more=more)


@pages.get("/reviews/{review_id}")
async def look_at_review(request: Request, reader: ReaderDep, database: DatabaseDep, review_id: UUID) -> Response:
    return await _draw(request, reader, database, review_id)


async def _draw(
    request: Request, reader: Principal, database: Database, review_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_review(tx, review_id)
    may_write = "credit:write" in reader.scopes and shown.review.status == "open"
    return frame.draw(request, reader, "review.html", shown=shown, refused=refused, may_write=may_write)


async def _act(
    request: Request,
    reader: Principal,
    database: Database,
    once: OnceOnly,
    review_id: UUID,
    work: Callable[[Tx], Awaitable[Any]],
    then: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, review_id, refused)

    return await act(once, work, f"/reviews/{review_id}?said={then}", again)


@pages.post("/reviews/{review_id}/owner")
async def assign(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    review_id: UUID,
    version: Annotated[int, Form()],
    owner: Annotated[str, Form(max_length=200)] = "",
    due_on: Annotated[date | None, Form()] = None,
) -> Response:
    """Whose it is, and until when; nobody's gives it back to the queue."""

    async def work(tx: Tx) -> None:
        await reviews.assign_review(tx, AssignReview(review_id, version, owner.strip() or None, due_on))

    return await _act(request, reader, database, once, review_id, work, "assigned")


@pages.post("/reviews/{review_id}/completion")
async def finish(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    review_id: UUID,
    outcome: Annotated[Outcome, Form()],
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    async def work(tx: Tx) -> None:
        await reviews.finish_review(tx, FinishReview(review_id, outcome, note.strip() or None, reader.subject))

    return await _act(request, reader, database, once, review_id, work, "reviewed")
