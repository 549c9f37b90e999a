"""The pages for finance staff: what needs somebody, and every list behind it, with the decisions as small forms.

Forms carry an `attempt`: sent twice, as by a double click, one takes effect once.
"""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.invoice.credit_notes import handlers as credit_notes
from services.invoice.credit_notes.handlers import IssueCreditNote
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.deliveries.rules import Channel
from services.invoice.desk import handlers, rules
from services.invoice.desk.rules import Search, said
from services.invoice.dispatch import handlers as dispatch
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.handlers import AddMessage
from services.invoice.drafts import handlers as drafts
from services.invoice.drafts.rules import Draft, DraftNotFound
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import CreditAnswer, InvoiceNotFound
from services.invoice.matching import handlers as matching
from services.invoice.matching.handlers import ConfirmCash, RejectCash, ReopenCash
from services.invoice.payments.rules import Wanted
from services.invoice.pricing.rules import decimal_text
from services.invoice.reconciliation import handlers as reconciliation
from services.invoice.resolutions import handlers as resolutions
from services.invoice.resolutions.handlers import EndDispute
from services.invoice.resolutions.rules import Outcome
from services.invoice.voids import handlers as voids
from services.invoice.voids.handlers import VoidInvoice
from services.invoice.write_offs import handlers as write_offs
from services.invoice.write_offs.handlers import DecideWriteOff, WriteOffInvoice
from services.invoice.write_offs.rules import ReasonCode
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.idempotency import OnceOnly, RequestInFlight
from shared.http.security import Principal, authenticate
from shared.http.session import SignedIn
from shared.money import Money

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("invoices:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("invoices:read", "invoices:write"))]
ApproverDep = Annotated[Principal, Depends(SignedIn("invoices:read", "invoices:write", "invoices:approve"))]
CashReaderDep = Annotated[Principal, Depends(SignedIn("invoices:read", "payments:read"))]
CashWriterDep = Annotated[Principal, Depends(SignedIn("invoices:read", "payments:read", "payments:write"))]
Text = Annotated[str, Query(max_length=100)]
Note = Annotated[str, Form(max_length=500)]

CREDIT_QUESTIONS = UUID("0b1f6d0e-7a0c-4f43-9f56-6c1f3a9e2d77")
"""The namespace of the keys that credit is asked under: the same form asks the same question."""

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(
    day=rules.day_words,
    moment=rules.moment_words,
    words=rules.words,
    late=rules.days_late,
    number=rules.number,
)
TEMPLATES.globals.update(
    amount=rules.amount,
    price=rules.price,
    share=rules.share,
    components=rules.components,
    decimal_text=decimal_text,
    attempt=uuid4,
)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "cache-control": "no-store",
}


# --- around every page ---


def _html(
    request: Request,
    reader: Principal,
    template: str,
    *,
    refused: DomainError | None = None,
    refresh_seconds: int | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page; `refused` is why what was asked for on it was not done."""
    page = TEMPLATES.get_template(template).render(
        reader=reader,
        path=request.scope["path"],
        may_write="invoices:write" in reader.scopes,
        may_approve="invoices:approve" in reader.scopes,
        may_pay="payments:write" in reader.scopes,
        sees_payments="payments:read" in reader.scopes,
        refused=refused,
        done=None if refused else rules.SAID.get(request.query_params.get("said", "")),
        refresh_seconds=refresh_seconds,
        **values,
    )
    return HTMLResponse(page, refused.status if refused else 200, HEADERS)


def _link(path: str, **query: Any) -> str:
    """An address with what of the query is not empty."""
    kept = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


async def _one_attempt(request: Request, attempt: Annotated[UUID, Form()]) -> OnceOnly:
    """The same form sent again with the same content is the same request."""
    principal = await authenticate(request)
    content = sorted((name, str(value)) for name, value in (await request.form()).multi_items())
    digest = blake2b(repr((request.scope["path"], str(attempt), content)).encode(), digest_size=32)
    return OnceOnly(request.app.state.database, principal.key, f"page-{digest.hexdigest()}", digest.digest())


AttemptDep = Annotated[OnceOnly, Depends(_one_attempt)]


async def _act(
    once: OnceOnly,
    act: Callable[[Tx], Awaitable[Any]],
    then: str,
    again: Callable[[DomainError], Awaitable[Response]],
) -> Response:
    """Do it and go on to `then`; where a rule forbids it, show the page once more with the reason."""
    try:
        async with once as tx:
            await act(tx)
            return once.answer(303, location=then)
    except RequestInFlight:
        return RedirectResponse(then, 303)
    except DomainError as refused:
        return await again(refused)


# --- the overview ---


@pages.get("/")
async def overview(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Everything that waits for somebody, with the way to it."""
    async with reading(database) as tx:
        shown = await handlers.draw_overview(tx, payments="payments:read" in reader.scopes)
    return _html(request, reader, "overview.html", shown=shown, days=handlers.IMPORT_DAYS)


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
    search, place = Search.asked(status, number, customer), rules.read_cursor(before)
    async with reading(database) as tx:
        rows, older = await handlers.list_invoices(tx, search, place)
    return _html(
        request,
        reader,
        "invoices.html",
        rows=rows,
        search=search,
        filters=rules.INVOICE_FILTERS,
        newest=_link("/invoices", **search.kept) if place else None,
        older=_link("/invoices", **search.kept, before=older) if older else None,
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
    return _html(request, reader, "invoice.html", shown=shown, invoice=shown.document.invoice, refused=refused)


async def _on_invoice(
    request: Request,
    reader: Principal,
    database: Database,
    once: OnceOnly,
    invoice_id: UUID,
    act: Callable[[Tx], Awaitable[Any]],
    word: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw_invoice(request, reader, database, invoice_id, refused)

    return await _act(once, act, f"/invoices/{invoice_id}?said={word}", again)


@pages.post("/invoices/{invoice_id}/credit-note")
async def credit(
    request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, invoice_id: UUID, reason: Note = ""
) -> Response:
    """Credit all that is left of the invoice."""

    async def act(tx: Tx) -> None:
        await credit_notes.issue_credit_note(tx, IssueCreditNote(invoice_id, said(reason, "Reason")))

    return await _on_invoice(request, reader, database, once, invoice_id, act, "credited")


@pages.post("/invoices/{invoice_id}/void")
async def void(
    request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, invoice_id: UUID, reason: Note = ""
) -> Response:
    async def act(tx: Tx) -> None:
        await voids.void_invoice(tx, VoidInvoice(invoice_id, said(reason, "Reason")))

    return await _on_invoice(request, reader, database, once, invoice_id, act, "voided")


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

    async def act(tx: Tx) -> None:
        await dispatch.deliver_invoice(tx, invoice_id, channel, recipient.strip() or None)

    return await _on_invoice(request, reader, database, once, invoice_id, act, "sent")


@pages.get("/deliveries")
async def list_undelivered(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Invoices that did not reach their customer."""
    async with reading(database) as tx:
        rows = await handlers.list_undelivered(tx)
    return _html(request, reader, "deliveries.html", rows=rows)


# --- drafts ---


@pages.get("/drafts")
async def list_drafts(request: Request, reader: ReaderDep, database: DatabaseDep, after: Text = "") -> Response:
    place = rules.read_cursor(after)
    async with reading(database) as tx:
        rows, later = await handlers.list_drafts(tx, place)
    more = _link("/drafts", after=later) if later else None
    return _html(request, reader, "drafts.html", rows=rows, more=more, first="/drafts" if place else None)


@pages.get("/drafts/{draft_id}")
async def look_at_draft(request: Request, reader: ReaderDep, database: DatabaseDep, draft_id: UUID) -> Response:
    return await _draw_draft(request, reader, database, draft_id)


async def _draw_draft(
    request: Request, reader: Principal, database: Database, draft_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        try:
            shown = await handlers.draw_draft(tx, draft_id)
        except DraftNotFound:
            if await invoices.find_document(tx, draft_id):
                return RedirectResponse(f"/invoices/{draft_id}", 303)
            raise
    return _html(request, reader, "draft.html", shown=shown, draft=shown.draft, priced=shown.priced, refused=refused)


@pages.post("/drafts/{draft_id}/issue")
async def issue_draft(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    once: AttemptDep,
    draft_id: UUID,
    attempt: Annotated[UUID, Form()],
) -> Response:
    """Issue the draft as it stands; credit is asked first, as for every invoice."""

    async def again(refused: DomainError) -> Response:
        return await _draw_draft(request, reader, database, draft_id, refused)

    await once.check()
    async with reading(database) as tx:
        draft = await drafts.find_draft(tx, draft_id)
    if draft is None:
        return RedirectResponse(f"/invoices/{draft_id}", 303)
    try:
        answer = await _ask_credit(draft, database, resources, f"{reader.key}\0{attempt}")
    except DomainError as refused:
        return await again(refused)

    async def act(tx: Tx) -> None:
        await handlers.issue_draft(tx, draft, answer)

    return await _act(once, act, f"/invoices/{draft_id}?said=issued", again)


async def _ask_credit(draft: Draft, database: Database, resources: Any, asker: str) -> CreditAnswer:
    priced = draft.wanted.priced()
    account = await customers.learn_account(database, resources.credit, CustomerRef(draft.customer_id), draft.entity_id)
    total, number = Money(priced.total_minor, priced.currency), draft.wanted.number
    question = uuid5(CREDIT_QUESTIONS, f"{asker}\0{account.customer.id}\0{total}\0{number}")
    return await invoices.ask_credit(resources.credit, account, total, number, asked_as=str(question))


@pages.post("/drafts/{draft_id}/drop")
async def drop_draft(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    draft_id: UUID,
    version: Annotated[int, Form()],
) -> Response:
    """Throw the draft away, as it was shown."""

    async def act(tx: Tx) -> None:
        await drafts.drop_draft(tx, draft_id, version)

    async def again(refused: DomainError) -> Response:
        return await _draw_draft(request, reader, database, draft_id, refused)

    return await _act(once, act, "/drafts?said=dropped", again)


# --- cash application ---


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
    chosen, place = rules.cash_status(status), rules.read_cursor(after)
    async with reading(database) as tx:
        shown = await handlers.draw_matching(tx, chosen, place)
    return _html(
        request,
        reader,
        "matching.html",
        shown=shown,
        status=chosen,
        filters=rules.CASH_FILTERS,
        rate_days=handlers.RATE_DAYS,
        first=_link("/matching", status=chosen) if place else None,
        more=_link("/matching", status=chosen, after=shown.next) if shown.next else None,
        refused=refused,
        refused_entry=entry_id,
    )


async def _on_cash(
    request: Request,
    reader: Principal,
    database: Database,
    once: OnceOnly,
    entry_id: UUID,
    act: Callable[[Tx], Awaitable[Any]],
    word: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw_matching(request, reader, database, refused=refused, entry_id=entry_id)

    return await _act(once, act, f"/matching?said={word}", again)


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

    async def act(tx: Tx) -> None:
        if proposal:
            command = ConfirmCash(entry_id, reader.subject, proposal_id=proposal)
        else:
            named = tuple(Wanted(None, number) for number in numbers.replace(",", " ").replace(";", " ").split())
            whose = CustomerRef(external_id=said(customer, "Customer number"))
            command = ConfirmCash(entry_id, reader.subject, customer=whose, allocations=named)
        await matching.confirm_cash(tx, command)

    return await _on_cash(request, reader, database, once, entry_id, act, "confirmed")


@pages.post("/matching/{entry_id}/rejection")
async def reject_cash(
    request: Request, reader: CashWriterDep, database: DatabaseDep, once: AttemptDep, entry_id: UUID, reason: Note = ""
) -> Response:
    """No customer's money: nothing is booked."""

    async def act(tx: Tx) -> None:
        await matching.reject_cash(tx, RejectCash(entry_id, reader.subject, said(reason, "What it is")[:200]))

    return await _on_cash(request, reader, database, once, entry_id, act, "rejected")


@pages.post("/matching/{entry_id}/proposals")
async def propose_again(
    request: Request, reader: CashWriterDep, database: DatabaseDep, once: AttemptDep, entry_id: UUID
) -> Response:
    async def act(tx: Tx) -> None:
        await matching.propose_again(tx, entry_id)

    return await _on_cash(request, reader, database, once, entry_id, act, "looked")


@pages.post("/matching/{entry_id}/reopening")
async def reopen_cash(
    request: Request, reader: CashWriterDep, database: DatabaseDep, once: AttemptDep, entry_id: UUID, reason: Note = ""
) -> Response:
    """Undo a decision: the payment made of the entry is taken back."""

    async def act(tx: Tx) -> None:
        await matching.reopen_cash(tx, ReopenCash(entry_id, reader.subject, said(reason, "Why")[:200]))

    return await _on_cash(request, reader, database, once, entry_id, act, "reopened")


# --- disputes ---


@pages.get("/disputes")
async def list_disputes(request: Request, reader: ReaderDep, database: DatabaseDep, status: Text = "open") -> Response:
    """Open disputes by the day an answer is due, or those that are over."""
    async with reading(database) as tx:
        rows = await handlers.list_disputes(tx, are_open=status != "closed")
    return _html(request, reader, "disputes.html", rows=rows, are_open=status != "closed")


@pages.get("/disputes/{dispute_id}")
async def look_at_dispute(request: Request, reader: ReaderDep, database: DatabaseDep, dispute_id: UUID) -> Response:
    return await _draw_dispute(request, reader, database, dispute_id)


async def _draw_dispute(
    request: Request, reader: Principal, database: Database, dispute_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_dispute(tx, dispute_id)
    return _html(request, reader, "dispute.html", shown=shown, refused=refused)


@pages.post("/disputes/{dispute_id}/resolution")
async def resolve_dispute(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    dispute_id: UUID,
    outcome: Annotated[Outcome, Form()],
    note: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Accept it all, which is credited, or reject it, or note that the customer withdrew it."""

    async def act(tx: Tx) -> None:
        dispute = (await disputes.get_dispute(tx, dispute_id)).dispute
        command = EndDispute(dispute.invoice_id, dispute_id, outcome, note=note.strip() or None)
        await resolutions.end_dispute(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _draw_dispute(request, reader, database, dispute_id, refused)

    return await _act(once, act, f"/disputes/{dispute_id}?said=resolved", again)


@pages.post("/disputes/{dispute_id}/messages")
async def write_message(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    dispute_id: UUID,
    body: Annotated[str, Form(max_length=5_000)] = "",
) -> Response:
    async def act(tx: Tx) -> None:
        author = reader.name or reader.subject
        await disputes.add_message(tx, AddMessage(dispute_id, author, said(body, "Message")))

    async def again(refused: DomainError) -> Response:
        return await _draw_dispute(request, reader, database, dispute_id, refused)

    return await _act(once, act, f"/disputes/{dispute_id}?said=written", again)


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
    return _html(request, reader, "approvals.html", shown=shown, refused=refused)


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
    async def act(tx: Tx) -> None:
        await write_offs.decide_write_off(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _draw_approvals(request, reader, database, refused)

    return await _act(once, act, f"/approvals?said={'approved' if command.approved else 'declined'}", again)


# --- imports ---


@pages.get("/imports")
async def list_imports(request: Request, reader: ReaderDep, database: DatabaseDep, before: Text = "") -> Response:
    """Imports with how far they are, the newest first; while one is at work the page renews itself."""
    place = rules.read_cursor(before)
    async with reading(database) as tx:
        rows, older = await handlers.list_imports(tx, place)
    running = any(one.status == "running" for one in rows)
    return _html(
        request,
        reader,
        "imports.html",
        rows=rows,
        newest="/imports" if place else None,
        older=_link("/imports", before=older) if older else None,
        refresh_seconds=5 if running else None,
    )


@pages.get("/imports/{import_id}")
async def look_at_import(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    import_id: UUID,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """One import, and the rows it refused."""
    async with reading(database) as tx:
        one, errors, later = await handlers.draw_import(tx, import_id, after)
    path = f"/imports/{import_id}"
    return _html(
        request,
        reader,
        "import.html",
        one=one,
        errors=errors,
        first=path if after else None,
        more=_link(path, after=later) if later else None,
        refresh_seconds=5 if one.status == "running" else None,
    )


# --- reconciliations ---


@pages.get("/reconciliations")
async def list_reconciliations(
    request: Request, reader: ReaderDep, database: DatabaseDep, before: Text = ""
) -> Response:
    """Each time the books were compared, the newest first."""
    place = rules.read_cursor(before)
    async with reading(database) as tx:
        rows, older = await handlers.list_reconciliations(tx, place)
    return _html(
        request,
        reader,
        "reconciliations.html",
        rows=rows,
        newest="/reconciliations" if place else None,
        older=_link("/reconciliations", before=older) if older else None,
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
    return _html(request, reader, "reconciliation.html", run=run, differences=differences)
