"""The customer's page: open items, PDFs, paying, disputing, promising. The link in the address is the key to it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.invoice.autopay import handlers as autopay
from services.invoice.autopay.rules import MethodNotFound
from services.invoice.checkouts import handlers as checkouts
from services.invoice.checkouts.handlers import Instalment, StartCheckout
from services.invoice.checkouts.rules import Checkout, ProviderRefuses, ProviderUnavailable, about_method
from services.invoice.customers.rules import Account
from services.invoice.documents import handlers as documents
from services.invoice.documents.rules import accounts_of
from services.invoice.drafting.rules import LINES_MAX
from services.invoice.originals import handlers as originals
from services.invoice.pay_links import handlers as pay_links
from services.invoice.pay_links.rules import PayLinkUnusable
from services.invoice.pay_page import handlers, rules
from services.invoice.pay_page.handlers import AgreeOffered, OfferPromise, RaiseDispute, Shown
from services.invoice.pay_words.rules import Tongue, tongue
from services.invoice.payment_references.rules import payment_reference
from services.invoice.printing import handlers as printing
from services.invoice.printing.rules import epc_svg, in_fours
from shared.db import reading, transaction
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import document as pdf_document
from shared.money import Money

pages = APIRouter(include_in_schema=False)

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-robots-tag": "noindex",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Visit:
    """Somebody who came with a link that works."""

    token: str
    account: Account
    tongue: Tongue


class LinkGone(Exception):
    """The link does not work: a page says so, the same for whatever reason."""


async def _visit(token: str, request: Request, database: DatabaseDep, resources: ResourcesDep) -> Visit:
    async with reading(database) as tx:
        try:
            account = await pay_links.open_link(tx, resources.pay_links, token)
        except PayLinkUnusable:
            raise LinkGone from None
    customer = account.customer
    return Visit(token, account, tongue(customer.language, customer.country))


VisitDep = Annotated[Visit, Depends(_visit)]


async def link_gone(request: Request, _: Exception) -> Response:
    """In the language that the browser asks for, since the link does not say whose it is."""
    wanted = request.headers.get("accept-language", "en")[:2]
    t = tongue(wanted, "GB")
    return _html("gone.html", t, status=404)


@pages.get("/pay/{token}")
async def look(
    visit: VisitDep, database: DatabaseDep, resources: ResourcesDep, checkout: UUID | None = None, said: str = ""
) -> Response:
    """Everything that is open, and what can be done about it."""
    async with reading(database) as tx:
        shown = await handlers.draw_page(tx, visit.account)
        found = await checkouts.find_checkout(tx, visit.account, checkout) if checkout else None
    notice = _of_checkout(found, visit.tongue) if found else _said(said, shown, visit.tongue)
    return _page(visit, shown, resources, notice)


@pages.get("/pay/{token}/invoices/{invoice_id}.pdf")
async def show_document(visit: VisitDep, invoice_id: UUID, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """The invoice as a PDF, as it was sent; other customers' are not there."""
    async with reading(database) as tx:
        await handlers.own_invoice(tx, visit.account, invoice_id)
        original = await originals.find_original(tx, invoice_id)
        written = await documents.get_paper(tx, invoice_id)
    if original:
        return pdf_document(original.pdf, "application/pdf", f"{original.paper.number}.pdf")
    paper = replace(written.paper, pay_link=f"{resources.pay_links.base_url}{_home(visit)}")
    pdf = await asyncio.to_thread(printing.print_invoice, paper)
    return pdf_document(pdf, "application/pdf", f"{paper.number}.pdf")


@pages.post("/pay/{token}/checkouts")
async def pay(
    visit: VisitDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    attempt: Annotated[UUID, Form()],
    invoice: Annotated[list[UUID], Form(default_factory=list, max_length=500)],
    plan: Annotated[UUID | None, Form()] = None,
    instalment_on: Annotated[date | None, Form()] = None,
    save: Annotated[bool, Form()] = False,
) -> Response:
    """Go to the provider's page to pay what was chosen: invoices, or the instalment of a plan that is next."""
    try:
        if resources.stripe is None:
            raise ProviderUnavailable("no provider is set up")
        async with transaction(database) as tx:
            part = Instalment(plan, instalment_on) if plan and instalment_on else None
            command = StartCheckout(attempt, visit.account, tuple(invoice), save, part)
            meant = await checkouts.start_checkout(tx, command)
        if meant.status == "created":
            meant = await _open_session(visit, meant, database, resources)
        if meant.url is None or meant.status != "open":
            return RedirectResponse(f"{_home(visit)}?{urlencode({'checkout': meant.id})}", 303)
        return RedirectResponse(meant.url, 303)
    except (ProviderUnavailable, ProviderRefuses, ValueError):
        return await _again(visit, database, resources, visit.tongue.say("no_cards"))
    except DomainError as refused:
        return await _again(visit, database, resources, refused)


async def _open_session(visit: Visit, meant: Checkout, database: DatabaseDep, resources: ResourcesDep) -> Checkout:
    entity = visit.account.entity
    session = await resources.stripe.open_session(
        key=str(meant.id),
        amount=meant.amount,
        title=entity.seller.legal_name or entity.name,
        email=_billing_email(visit),
        language=visit.tongue.language,
        back_url=f"{resources.pay_links.base_url}{_home(visit)}",
        save=meant.save_method,
    )
    async with transaction(database) as tx:
        return await checkouts.note_session(tx, meant.id, session.id, session.url or "")


def _billing_email(visit: Visit) -> str | None:
    contacts = visit.account.customer.contacts
    return next((each.get("email") for each in contacts if each.get("role") == "billing"), None)


@pages.post("/pay/{token}/method")
async def leave_method(
    visit: VisitDep, database: DatabaseDep, resources: ResourcesDep, attempt: Annotated[UUID, Form()]
) -> Response:
    """Go to the provider's page to leave a card or sign a SEPA mandate, and pay nothing."""
    entity, customer = visit.account.entity, visit.account.customer
    try:
        if resources.stripe is None:
            raise ProviderUnavailable("no provider is set up")
        session = await resources.stripe.open_setup(
            key=str(attempt),
            currency=customer.currency,
            about=about_method(customer.id, entity.id),
            email=_billing_email(visit),
            language=visit.tongue.language,
            back_url=f"{resources.pay_links.base_url}{_home(visit)}",
        )
    except (ProviderUnavailable, ProviderRefuses):
        return await _again(visit, database, resources, visit.tongue.say("no_cards"))
    return RedirectResponse(session.url or _home(visit), 303)


@pages.post("/pay/{token}/promise")
async def promise(
    visit: VisitDep, database: DatabaseDep, resources: ResourcesDep, promised_on: Annotated[str, Form(max_length=10)]
) -> Response:
    """Name the day of payment."""
    try:
        async with transaction(database) as tx:
            day = await handlers.offer_promise(tx, OfferPromise(visit.account, promised_on))
    except DomainError as refused:
        return await _again(visit, database, resources, refused)
    return RedirectResponse(f"{_home(visit)}?{urlencode({'said': f'promise.{day}'})}", 303)


@pages.post("/pay/{token}/plans")
async def agree_plan(
    visit: VisitDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    minor: Annotated[int, Form(ge=1, le=10**15)],
    currency: Annotated[str, Form(pattern="^[A-Z]{3}$")],
    count: Annotated[int, Form(ge=1, le=100)],
) -> Response:
    """Pay what is overdue in instalments, as many as chosen of what the entity offers."""
    try:
        async with transaction(database) as tx:
            await handlers.agree_plan(tx, AgreeOffered(visit.account, Money(minor, currency), count))
    except DomainError as refused:
        return await _again(visit, database, resources, refused)
    return RedirectResponse(f"{_home(visit)}?{urlencode({'said': 'plan'})}", 303)


@pages.get("/pay/{token}/invoices/{invoice_id}/dispute")
async def choose_lines(visit: VisitDep, invoice_id: UUID, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """An invoice line by line, to say which of them, or how much of it, is wrong."""
    t, entity = visit.tongue, visit.account.entity
    try:
        async with reading(database) as tx:
            found = await handlers.draw_lines(tx, visit.account, invoice_id)
    except DomainError as refused:
        return await _again(visit, database, resources, refused)
    invoice = found.invoice
    if invoice.collectable_minor <= 0:
        return RedirectResponse(_home(visit), 303)
    return _html(
        "dispute.html",
        t,
        home=_home(visit),
        seller=rules.seller_lines(entity),
        invoice=invoice,
        open=t.money(invoice.collectable_minor, invoice.currency),
        attempt=uuid4(),
        lines=[
            {"position": line.position, "said": line.description, "gross": t.money(line.gross_minor, invoice.currency)}
            for line in found.lines
        ],
        reasons=_reasons(visit),
    )


def _reasons(visit: Visit) -> list[dict[str, str]]:
    codes = visit.account.entity.policies.disputes.codes
    return [{"code": code, "said": visit.tongue.reason(code)} for code in codes]


@pages.post("/pay/{token}/disputes")
async def dispute(
    visit: VisitDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    invoice: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=40)],
    line: Annotated[list[int], Form(default_factory=list, max_length=LINES_MAX)],
    message: Annotated[str, Form(max_length=2_000)] = "",
    amount: Annotated[str, Form(max_length=40)] = "",
    attempt: Annotated[UUID | None, Form()] = None,
) -> Response:
    """Say what is wrong with an invoice, some of its lines or an amount of it: that much is not chased until somebody
    has looked."""
    command = RaiseDispute(
        visit.account,
        invoice,
        reason,
        visit.tongue.reason(reason),
        rules.written(message),
        lines=tuple(line),
        amount=amount,
        attempt=attempt,
    )
    try:
        async with transaction(database) as tx:
            disputed = await handlers.raise_dispute(tx, command)
    except DomainError as refused:
        return await _again(visit, database, resources, refused)
    return RedirectResponse(f"{_home(visit)}?{urlencode({'said': f'dispute.{disputed.number}'})}", 303)


@pages.post("/pay/{token}/method/removal")
async def remove_method(visit: VisitDep, database: DatabaseDep) -> Response:
    """Nothing is collected with the saved method any more."""
    async with transaction(database) as tx:
        with suppress(MethodNotFound):  # Removed a moment ago, in another tab.
            await autopay.remove_method(tx, visit.account)
    return RedirectResponse(_home(visit), 303)


async def _again(visit: Visit, database: DatabaseDep, resources: ResourcesDep, why: str | DomainError) -> Response:
    """The page once more, saying what did not work."""
    async with reading(database) as tx:
        shown = await handlers.draw_page(tx, visit.account)
    if isinstance(why, DomainError):
        why = rules.refusal(why, visit.tongue, shown.today)
    return _page(visit, shown, resources, ("bad", why), status=422)


def _home(visit: Visit) -> str:
    return f"/pay/{visit.token}"


def _of_checkout(checkout: Checkout, t: Tongue) -> tuple[str, str]:
    amount = t.money(checkout.amount_minor, checkout.currency)
    if checkout.status == "paid":
        return "good", t.say("paid_done", amount=amount)
    if checkout.status in ("failed", "expired"):
        return "bad", t.say("paid_failed", amount=amount)
    return "good", t.say("paid_wait", amount=amount)


def _said(said: str, shown: Shown, t: Tongue) -> tuple[str, str] | None:
    """The thanks for what was just done; only what the page knows anyway is repeated from the address."""
    what, _, about = said.partition(".")
    if what == "dispute" and any(item.number == about for item in shown.items):
        return "good", t.say("disputed_done", number=about)
    if what == "method":
        return "good", t.say("method_saved")
    if what == "plan" and shown.plans:
        return "good", t.say("plan_agreed")
    if what == "promise":
        try:
            return "good", t.say("promised_done", day=t.day(rules.promised_day(about, shown.today)))
        except DomainError:
            return None
    return None


def _page(
    visit: Visit, shown: Shown, resources: Any, notice: tuple[str, str] | None, status: int = 200
) -> HTMLResponse:
    t, entity = visit.tongue, visit.account.entity
    return _html(
        "page.html",
        t,
        status=status,
        home=_home(visit),
        notice=notice,
        attempt=uuid4(),
        setup=uuid4(),
        seller=rules.seller_lines(entity),
        contact=[part for part in (entity.seller.email, entity.seller.phone) if part],
        customer=visit.account.customer.name,
        items=[
            rules.item_view(item, t, shown.today, shown.collecting.get(item.id, 0), shown.under_way.get(item.id, 0))
            for item in shown.items
        ],
        method=shown.method,
        notice_days=entity.policies.collection.notice_days,
        coming=rules.coming_view(shown.items, shown.collections, (shown.method and shown.method.label) or "", t),
        failed=rules.failed_view(shown.items, shown.collections, t, entity),
        totals=rules.totals_view(shown.totals, t),
        cards=resources.stripe is not None,
        bank=_bank(shown, visit),
        reasons=_reasons(visit),
        promise=_promise(shown),
        offered=[rules.offer_view(each, t, shown.today) for each in shown.offered],
        plans=[rules.plan_view(each.plan, each.filled, shown.items, t, shown.today, uuid4()) for each in shown.plans],
        settled=[
            {"id": i.id, "number": i.number, "amount": t.money(i.total_minor, i.currency), "said": _ended(i, t)}
            for i in shown.settled
        ],
        received=[
            {"day": t.day(p.received_on), "amount": t.money(p.amount_minor, p.currency)}
            for p in shown.received
            if p.status != "reversed"
        ],
        credits=[t.money(total.unapplied_minor, total.currency) for total in shown.totals if total.unapplied_minor],
    )


def _ended(invoice: rules.PaidInvoice, t: Tongue) -> str:
    status = invoice.status if invoice.status in ("voided", "written_off") else "settled"
    return t.say(status, day=t.day(invoice.settled_on))


def _promise(shown: Shown) -> dict[str, str] | None:
    if not rules.promisable(shown.items):
        return None
    return {"first": shown.today.isoformat(), "last": rules.last_promise(shown.today).isoformat()}


def _bank(shown: Shown, visit: Visit) -> dict[str, Any] | None:
    """Where to transfer to, with the code for a banking app over everything to be paid of one currency."""
    running = [(each.plan, rules.next_part(each.plan, each.filled, shown.items)) for each in shown.plans]
    parts = [(plan.currency, part) for plan, part in running if part]
    wanted = rules.transfer_of(shown.items, shown.collecting, parts)
    if wanted is None:
        return None
    currency, minor, numbers = wanted
    accounts = accounts_of(visit.account.entity.seller, currency)
    if not accounts:
        return None
    account = accounts[0]
    reference = payment_reference(numbers[0]) if len(numbers) == 1 else " ".join(numbers)[:140]
    return {
        "holder": account.holder or visit.account.entity.name,
        "iban": in_fours(account.iban or ""),
        "bic": account.bic,
        "amount": visit.tongue.money(minor, currency),
        "reference": in_fours(reference) if len(numbers) == 1 else reference,
        "code": epc_svg(account, minor, reference, numbers[0]) if currency == "EUR" else None,
    }


def _html(template: str, t: Tongue, *, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(TEMPLATES.get_template(template).render(t=t, **values), status, HEADERS)
