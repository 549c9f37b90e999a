"""Review packs for those who answer for policy and scorecard: looked at, printed, signed."""

from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.credit.desk_review_packs import handlers, rules
from services.credit.desk_review_packs.handlers import PackShown
from services.credit.desk_words import rules as words
from services.credit.scorecards.rules import DEFAULT
from services.credit.sign_offs import handlers as sign_offs
from services.credit.sign_offs.handlers import SignReview
from services.credit.sign_offs.rules import Conclusion, lost
from shared.db import Database, Tx, snapshot
from shared.errors import DomainError
from shared.http.connected import GONE_AWAY, while_connected
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    filters={"percent": words.percent},
    values={
        "share": words.share,
        "link": link,
        "highest": rules.highest,
        "is_alarming": rules.is_alarming,
        "summed": rules.summed,
        "lost": lost,
        "conclusions": rules.CONCLUSIONS,
    },
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]
ApproverDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:approve"))]
Name = Annotated[str, Query(min_length=1, max_length=60)]
Day = Annotated[date | None, Query()]


@pages.get("/review-packs")
async def show_pack(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    scorecard: Name = DEFAULT,
    first: Annotated[Day, Query(alias="from")] = None,
    last: Annotated[Day, Query(alias="to")] = None,
) -> Response:
    """Outcomes of the policy and of a scorecard in a period, and who signed them."""
    return await _draw(request, reader, database, scorecard, first, last)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    scorecard: str,
    first: date | None,
    last: date | None,
    refused: DomainError | None = None,
) -> Response:
    async def look() -> PackShown:
        async with snapshot(database) as (tx, _):
            return await handlers.draw_pack(tx, scorecard, first, last)

    shown = await while_connected(request, look())
    if shown is None:
        return Response(status_code=GONE_AWAY)
    may_sign = "credit:approve" in reader.scopes and shown.pack is not None
    return frame.draw(request, reader, "pack.html", shown=shown, refused=refused or shown.refused, may_sign=may_sign)


@pages.post("/review-packs")
async def sign_review(
    request: Request,
    reader: ApproverDep,
    database: DatabaseDep,
    once: AttemptDep,
    scorecard: Annotated[str, Form(min_length=1, max_length=60)],
    first: Annotated[date, Form()],
    last: Annotated[date, Form()],
    conclusion: Annotated[Conclusion, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """The reader looked at it, and says what follows."""

    async def work(tx: Tx) -> None:
        command = SignReview(scorecard, first, last, conclusion, note.strip() or None, reader.subject)
        await sign_offs.sign_review(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, scorecard, first, last, refused)

    then = link("/review-packs", scorecard=scorecard, **{"from": first, "to": last}, said="signed")
    return await act(once, work, then, again)
