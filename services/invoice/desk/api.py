"""The pages for finance staff: what needs somebody, invoices and what puts them right, approvals, deliveries, the
comparison of the books. What makes invoices, matches money and answers disputes has pages of its own beside them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.invoice.credit_notes import handlers as credit_notes
from services.invoice.credit_notes.handlers import IssueCreditNote
from services.invoice.deliveries.rules import Channel
from services.invoice.desk import handlers, rules
from services.invoice.desk.rules import Search
from services.invoice.desk_words import rules as words
from services.invoice.desk_words.rules import said
from services.invoice.dispatch import handlers as dispatch
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.handlers import OpenDispute
from services.invoice.drafts import handlers as drafts
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import InvoiceNotFound
from services.invoice.payments import handlers as payments
from services.invoice.payments.handlers import UnapplyPayment
from services.invoice.pricing.rules import decimal_text
from services.invoice.reconciliation import handlers as reconciliation
from services.invoice.voids import handlers as voids
from services.invoice.voids.handlers import VoidInvoice
from services.invoice.write_offs import handlers as write_offs
from services.invoice.write_offs.handlers import DecideWriteOff, WriteOffInvoice
from services.invoice.write_offs.rules import ReasonCode
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.desks import Account
from shared.http.idempotency import OnceOnly, RequestInFlight
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

ReaderDep = Annotated[Principal, Depends(SignedIn("invoices:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("invoices:read", "invoices:write"))]
CashierDep = Annotated[Principal, Depends(SignedIn("invoices:read", "payments:read", "payments:write"))]
ApproverDep = Annotated[Principal, Depends(SignedIn("invoices:read", "invoices:write", "invoices:approve"))]
Text = Annotated[str, Query(max_length=100)]
Note = Annotated[str, Form(max_length=500)]
Written = Annotated[str, Form(max_length=100)]

# --- the overview ---


@pages.get("/")
async def overview(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Everything that waits for somebody, with the way to it."""
    async with reading(database) as tx:
        shown = await handlers.draw_overview(tx, payments="payments:read" in reader.scopes)
    return frame.draw(request, reader, "overview.html", shown=shown, days=handlers.IMPORT_DAYS)


# --- invoices ---


@pages.get("/invoices")
async def list_invoices(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    status: Text = "all",
    number: Text = "",
    customer: Text = "",
    before: Text = "",
) -> Response:
    """Invoices, the newest first; the filters stand in the address."""
    search, place = Search.asked(status, number, customer), words.read_cursor(before)
    async with reading(database) as tx:
        rows, older = await handlers.list_invoices(tx, search, place)
    return frame.draw(
        request,
        reader,
        "invoices.html",
        rows=rows,
        search=search,
        filters=rules.INVOICE_FILTERS,
        newest=link("/invoices", **search.kept) if place else None,
        older=link("/invoices", **search.kept, before=older) if older else None,
    )


@pages.get("/invoices/{invoice_id}")
async def look_at_invoice(request: Request, reader: ReaderDep, database: DatabaseDep, invoice_id: UUID) -> Response:
    """All there is to say of an invoice; a draft has a page of its own."""
    try:
        return await _draw_invoice(request, reader, database, invoice_id)
    except InvoiceNotFound:
        async with reading(database) as tx:
            if await drafts.find_draft(tx, invoice_id):
                return RedirectResponse(f"/drafts/{invoice_id}", 303)
        raise


async def _draw_invoice(
    request: Request, reader: Principal, database: Database, invoice_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_invoice(tx, invoice_id)
    return frame.draw(
        request,
        reader,
        "invoice.html",
        shown=shown,
        invoice=shown.document.invoice,
        steps=rules.components(shown.document.invoice),
        refused=refused,
        account_shown=Account(shown.document.invoice.customer_id, shown.document.invoice.entity_id),
    )


async def _on_invoice(
    request: Request,
    reader: Principal,
    database: Database,
    once: OnceOnly,
    invoice_id: UUID,
    work: Callable[[Tx], Awaitable[Any]],
    word: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw_invoice(request, reader, database, invoice_id, refused)

    return await act(once, work, f"/invoices/{invoice_id}?said={word}", again)


@pages.post("/invoices/{invoice_id}/credit-note")
async def credit(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    invoice_id: UUID,
    reason: Note = "",
    amount: Written = "",
) -> Response:
    """Credit the lines ticked, or an amount; all that is left of the invoice where neither is said."""
    form = await _words_of(request)

    async def work(tx: Tx) -> None:
        document = await invoices.get_document(tx, invoice_id)
        lines = rules.lines_said(form, [line.position for line in document.lines])
        money = words.money_said(amount, document.invoice.currency, "Amount")
        await credit_notes.issue_credit_note(tx, IssueCreditNote(invoice_id, said(reason, "Reason"), money, lines))

    return await _on_invoice(request, reader, database, once, invoice_id, work, "credited")


async def _words_of(request: Request) -> dict[str, str]:
    """The fields of a form that has one for each line; a name that comes twice counts as it comes last."""
    return {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}


@pages.post("/invoices/{invoice_id}/disputes")
async def dispute(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    invoice_id: UUID,
    reason: Note = "",
    code: Annotated[str, Form(max_length=40)] = "other",
    amount: Written = "",
    owner: Written = "",
) -> Response:
    """Record what the customer contests: the lines ticked, or an amount, or all that is owed."""
    form = await _words_of(request)

    async def work(tx: Tx) -> None:
        document = await invoices.get_document(tx, invoice_id)
        command = OpenDispute(
            invoice_id,
            said(reason, "What the customer says"),
            words.money_said(amount, document.invoice.currency, "Amount"),
            code,
            tuple(line.position for line in rules.lines_said(form, [each.position for each in document.lines])),
            owner.strip() or reader.name or reader.subject,
        )
        await disputes.open_dispute(tx, command)

    return await _on_invoice(request, reader, database, once, invoice_id, work, "disputed")


@pages.post("/invoices/{invoice_id}/unapply")
async def unapply(
    request: Request,
    reader: CashierDep,
    database: DatabaseDep,
    once: AttemptDep,
    invoice_id: UUID,
    payment: Annotated[UUID, Form()],
    reason: Note = "",
) -> Response:
    """Take what a payment pays of it off again."""

    async def work(tx: Tx) -> None:
        await payments.unapply_payment(tx, UnapplyPayment(payment, invoice_id, said(reason, "Reason")))

    return await _on_invoice(request, reader, database, once, invoice_id, work, "unapplied")


@pages.post("/invoices/{invoice_id}/void")
async def void(
    request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, invoice_id: UUID, reason: Note = ""
) -> Response:
    async def work(tx: Tx) -> None:
        await voids.void_invoice(tx, VoidInvoice(invoice_id, said(reason, "Reason")))

    return await _on_invoice(request, reader, database, once, invoice_id, work, "voided")


@pages.post("/invoices/{invoice_id}/write-off")
async def write_off(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    invoice_id: UUID,
    reason_code: Annotated[ReasonCode, Form()],
    note: Note = "",
) -> Response:
    """Give up all that is owed, or ask a second person to."""
    command = WriteOffInvoice(invoice_id, None, reason_code, note.strip() or None, reader.subject)
    try:
        async with once as tx:
            written_off, _ = await write_offs.write_off_invoice(tx, command)
            word = "asked" if written_off.status == "awaiting_approval" else "written_off"
            return once.answer(303, location=f"/invoices/{invoice_id}?said={word}")
    except RequestInFlight:
        return RedirectResponse(f"/invoices/{invoice_id}", 303)
    except DomainError as refused:
        return await _draw_invoice(request, reader, database, invoice_id, refused)


@pages.post("/invoices/{invoice_id}/delivery")
async def deliver(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    invoice_id: UUID,
    channel: Annotated[Channel, Form()] = "email",
    recipient: Annotated[str, Form(max_length=254)] = "",
) -> Response:
    """Send it, or send it again: to the customer's address, or a corrected one."""

    async def work(tx: Tx) -> None:
        await dispatch.deliver_invoice(tx, invoice_id, channel, recipient.strip() or None)

    return await _on_invoice(request, reader, database, once, invoice_id, work, "sent")


@pages.get("/deliveries")
async def list_undelivered(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Invoices that did not reach their customer."""
    async with reading(database) as tx:
        rows = await handlers.list_undelivered(tx)
    return frame.draw(request, reader, "deliveries.html", rows=rows)


# --- approvals ---


@pages.get("/approvals")
async def list_approvals(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """What waits for a second person, and what was decided last."""
    return await _draw_approvals(request, reader, database)


async def _draw_approvals(
    request: Request, reader: Principal, database: Database, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_approvals(tx)
    return frame.draw(request, reader, "approvals.html", shown=shown, refused=refused)


@pages.post("/approvals/{approval_id}/approval")
async def approve(
    request: Request, reader: ApproverDep, database: DatabaseDep, once: AttemptDep, approval_id: UUID, note: Note = ""
) -> Response:
    """Approve, which whoever asked may not."""
    return await _decide(
        request, reader, database, once, DecideWriteOff(approval_id, True, reader.subject, note.strip() or None)
    )


@pages.post("/approvals/{approval_id}/rejection")
async def reject(
    request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, approval_id: UUID, note: Note = ""
) -> Response:
    """Reject, which withdraws one's own request."""
    return await _decide(
        request, reader, database, once, DecideWriteOff(approval_id, False, reader.subject, note.strip() or None)
    )


async def _decide(
    request: Request, reader: Principal, database: Database, once: OnceOnly, command: DecideWriteOff
) -> Response:
    async def work(tx: Tx) -> None:
        await write_offs.decide_write_off(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _draw_approvals(request, reader, database, refused)

    return await act(once, work, f"/approvals?said={'approved' if command.approved else 'declined'}", again)


# --- reconciliations ---


@pages.get("/reconciliations")
async def list_reconciliations(
    request: Request, reader: ReaderDep, database: DatabaseDep, before: Text = ""
) -> Response:
    """Each time the books were compared, the newest first."""
    place = words.read_cursor(before)
    async with reading(database) as tx:
        rows, older = await handlers.list_reconciliations(tx, place)
    return frame.draw(
        request,
        reader,
        "reconciliations.html",
        rows=rows,
        newest="/reconciliations" if place else None,
        older=link("/reconciliations", before=older) if older else None,
    )


@pages.post("/reconciliations")
async def compare(
    request: Request, reader: WriterDep, database: DatabaseDep, resources: ResourcesDep, once: AttemptDep
) -> Response:
    """Compare everything now."""
    await once.check()
    shown = await reconciliation.ask_reporting(database, resources.reporting)
    try:
        async with once as tx:
            run = await reconciliation.reconcile(tx, shown, "all")
            return once.answer(303, location=f"/reconciliations/{run.id}?said=compared")
    except RequestInFlight:
        return RedirectResponse("/reconciliations", 303)


@pages.get("/reconciliations/{reconciliation_id}")
async def look_at_reconciliation(
    request: Request, reader: ReaderDep, database: DatabaseDep, reconciliation_id: UUID
) -> Response:
    """What was compared, and every difference with the journal entries behind it."""
    async with reading(database) as tx:
        run, differences = await reconciliation.get_reconciliation(tx, reconciliation_id)
    return frame.draw(request, reader, "reconciliation.html", run=run, differences=differences)
