"""A strategy tried out on a page: what would go out in the coming days, as charts and figures."""

from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import Response

from services.reminder.desk_simulations import rules
from services.reminder.desk_simulations.rules import Asked, Shown
from services.reminder.navigation.rules import LINKS
from services.reminder.simulations import handlers as simulations
from services.reminder.simulations.handlers import Simulate
from services.reminder.simulations.rules import DAYS_MAX, Approvals, Payments, Running
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies.rules import StrategyNotFound
from shared.db import Database, reading
from shared.errors import DomainError
from shared.http.connected import GONE_AWAY, while_connected
from shared.http.dependencies import DatabaseDep
from shared.http.pages import Frame, NavLink
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Which = Annotated[str | None, Form(pattern=r"^(draft|[0-9]{1,9}|)$")]

FRAME = Frame(
    Folder(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    values={
        "payments": rules.PAYMENTS,
        "approvals": rules.APPROVALS,
        "running": rules.RUNNING,
        "days_max": DAYS_MAX,
        "draft": rules.DRAFT,
    },
)


@pages.get("/strategies/{name}/simulation")
async def ask_simulation(request: Request, reader: WriterDep, database: DatabaseDep, name: Name) -> Response:
    """The form alone."""
    return await _draw(request, reader, database, name, Asked())


@pages.post("/strategies/{name}/simulation")
async def simulate(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    name: Name,
    tried: Which = None,
    against: Which = None,
    days: Annotated[int, Form(ge=1, le=DAYS_MAX)] = 30,
    payments: Annotated[Payments, Form()] = "none",
    approvals: Annotated[Approvals, Form()] = "none",
    running: Annotated[Running, Form()] = "keep",
    document: Annotated[str, Form()] = "",
) -> Response:
    """Run it and show what would happen; from the editor, the form with what was typed there. Nothing is written, sent
    or published."""
    text = document.replace("\r\n", "\n")
    asked = Asked(rules.DRAFT if tried is None else tried, against or "", days, payments, approvals, running, text)
    if tried is None:
        return await _draw(request, reader, database, name, asked)
    try:
        async with reading(database) as tx:
            command = Simulate(
                strategy=name,
                sides=asked.sides,
                days=days,
                policy=None,
                past=None,
                payments=payments,
                approvals=approvals,
                running=running,
            )
            job = await simulations.prepare(tx, command)
        simulator: Any = request.app.state.simulator
        tallies = await while_connected(request, simulator.run(database, job))
    except DomainError as refused:
        return await _draw(request, reader, database, name, asked, refused=refused)
    if tallies is None:
        return Response(status_code=GONE_AWAY)
    return await _draw(request, reader, database, name, asked, rules.show(job, tallies))


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    name: str,
    asked: Asked,
    shown: Shown | None = None,
    refused: DomainError | None = None,
) -> Response:
    """A strategy that is not published yet is tried out as it was typed."""
    try:
        async with reading(database) as tx:
            newest = await strategies.find_strategy(tx, name)
    except StrategyNotFound:
        if not asked.document:
            raise
        newest = None
    return FRAME.draw(
        request, reader, "simulation.html", refused=refused, name=name, newest=newest, asked=asked, shown=shown
    )
