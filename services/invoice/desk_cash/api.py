"""Pages of cash application: bank entries that wait for a person, and what was decided on."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.invoice.cash_application.rules import Wanted
from services.invoice.customers.handlers import CustomerRef
from services.invoice.desk_cash import handlers, rules
from services.invoice.desk_words import rules as words
from services.invoice.desk_words.rules import said
from services.invoice.matching import handlers as matching
from services.invoice.matching.handlers import ConfirmCash, RejectCash, ReopenCash
from services.invoice.pricing.rules import decimal_text
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
    values={"price": words.price, "share": words.share, "decimal_text": decimal_text},
)

CashReaderDep = Annotated[Principal, Depends(SignedIn("invoices:read", "payments:read"))]
CashWriterDep = Annotated[Principal, Depends(SignedIn("invoices:read", "payments:read", "payments:write"))]
Text = Annotated[str, Query(max_length=100)]
Note = Annotated[str, Form(max_length=500)]


@pages.get("/matching")
async def list_cash(
    request: Request, reader: CashReaderDep, database: DatabaseDep, status: Text = "open", after: Text = ""
) -> Response:
    """Receipts and returns that wait for a person, each with its proposals; or those decided on."""
    return await _draw_matching(request, reader, database, status, after)


async def _draw_matching(
    request: Request,
    reader: Principal,
    database: Database,
    status: str = "open",
    after: str = "",
    refused: DomainError | None = None,
    entry_id: UUID | None = None,
) -> Response:
    """`entry_id` is the entry that something was refused for."""
    chosen, place = rules.cash_status(status), words.read_cursor(after)
    async with reading(database) as tx:
        shown = await handlers.draw_matching(tx, chosen, place)
    return frame.draw(
        request,
        reader,
        "matching.html",
        shown=shown,
        status=chosen,
        filters=rules.CASH_FILTERS,
        rate_days=handlers.RATE_DAYS,
        first=link("/matching", status=chosen) if place else None,
        more=link("/matching", status=chosen, after=shown.next) if shown.next else None,
        refused=refused,
        refused_entry=entry_id,
    )


@pages.get("/matching/{entry_id}")
async def choose_invoices(
    request: Request, reader: CashReaderDep, database: DatabaseDep, entry_id: UUID, customer: Text = ""
) -> Response:
    """An entry beside all that a customer owes, to say by hand what it pays of which invoice."""
    return await _draw_choice(request, reader, database, entry_id, customer)


async def _draw_choice(
    request: Request,
    reader: Principal,
    database: Database,
    entry_id: UUID,
    customer: str,
    refused: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_choice(tx, entry_id, customer.strip())
    return frame.draw(
        request, reader, "choice.html", shown=shown, customer=customer, refused=refused, typed=typed or {}
    )


@pages.post("/matching/{entry_id}/allocation")
async def allocate(
    request: Request,
    reader: CashWriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    entry_id: UUID,
    customer: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """Apply the entry to the invoices of a customer, to each as much as is written beside it; the rest stays on
    account."""
    typed = {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}

    async def work(tx: Tx) -> None:
        entry = (await matching.get_application(tx, entry_id)).application
        whose = CustomerRef(external_id=said(customer, "Customer number"))
        command = ConfirmCash(
            entry_id, reader.subject, customer=whose, allocations=rules.parts_said(typed, entry.currency)
        )
        await matching.confirm_cash(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _draw_choice(request, reader, database, entry_id, customer, refused, typed)

    return await act(once, work, "/matching?said=confirmed", again)


async def _on_cash(
    request: Request,
    reader: Principal,
    database: Database,
    once: OnceOnly,
    entry_id: UUID,
    work: Callable[[Tx], Awaitable[Any]],
    word: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw_matching(request, reader, database, refused=refused, entry_id=entry_id)

    return await act(once, work, f"/matching?said={word}", again)


@pages.post("/matching/{entry_id}/confirmation")
async def confirm_cash(
    request: Request,
    reader: CashWriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    entry_id: UUID,
    proposal: Annotated[str, Form(max_length=40)] = "",
    customer: Annotated[str, Form(max_length=128)] = "",
    numbers: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Book the entry as proposed; or for a customer and the invoices named, none for cash on account."""

    async def work(tx: Tx) -> None:
        if proposal:
            command = ConfirmCash(entry_id, reader.subject, proposal_id=proposal)
        else:
            named = tuple(Wanted(None, number) for number in numbers.replace(",", " ").replace(";", " ").split())
            whose = CustomerRef(external_id=said(customer, "Customer number"))
            command = ConfirmCash(entry_id, reader.subject, customer=whose, allocations=named)
        await matching.confirm_cash(tx, command)

    return await _on_cash(request, reader, database, once, entry_id, work, "confirmed")


@pages.post("/matching/{entry_id}/rejection")
async def reject_cash(
    request: Request, reader: CashWriterDep, database: DatabaseDep, once: AttemptDep, entry_id: UUID, reason: Note = ""
) -> Response:
    """No customer's money: nothing is booked."""

    async def work(tx: Tx) -> None:
        await matching.reject_cash(tx, RejectCash(entry_id, reader.subject, said(reason, "What it is")[:200]))

    return await _on_cash(request, reader, database, once, entry_id, work, "rejected")


@pages.post("/matching/{entry_id}/proposals")
async def propose_again(
    request: Request, reader: CashWriterDep, database: DatabaseDep, once: AttemptDep, entry_id: UUID
) -> Response:
    async def work(tx: Tx) -> None:
        await matching.propose_again(tx, entry_id)

    return await _on_cash(request, reader, database, once, entry_id, work, "looked")


@pages.post("/matching/{entry_id}/reopening")
async def reopen_cash(
    request: Request, reader: CashWriterDep, database: DatabaseDep, once: AttemptDep, entry_id: UUID, reason: Note = ""
) -> Response:
    """Undo a decision: the payment made of the entry is taken back."""

    async def work(tx: Tx) -> None:
        await matching.reopen_cash(tx, ReopenCash(entry_id, reader.subject, said(reason, "Why")[:200]))

    return await _on_cash(request, reader, database, once, entry_id, work, "reopened")
