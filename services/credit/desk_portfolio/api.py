"""The portfolio for those who answer for it: the book by risk class and by segment."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.credit.desk_portfolio import handlers
from services.credit.desk_words import rules as words
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.pages import Frame, NavLink, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    values={"share": words.share, "link": link},
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]


@pages.get("/portfolio")
async def show_portfolio(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Counts, limits, exposure, headroom and what is overdue, each currency of limits by itself."""
    async with reading(database) as tx:
        books = await handlers.draw_portfolio(tx)
    return frame.draw(request, reader, "portfolio.html", books=books)
