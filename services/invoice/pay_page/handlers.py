"""What a customer sees and does on its page; who it is, the link says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from services.invoice.autopay import handlers as autopay
from services.invoice.autopay.rules import Collection, Method
from services.invoice.balances import handlers as balances
from services.invoice.balances.rules import Total
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.handlers import AddMessage, OpenDispute
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice, InvoiceNotFound
from services.invoice.pay_page import rules, store
from services.invoice.pay_page.rules import ContestableLine, Offered, PaidInvoice, PromiseRefused, ReceivedPayment
from services.invoice.plans import handlers as plans
from services.invoice.plans.handlers import AgreePlan, Standing
from services.invoice.plans.rules import PlanRefused
from shared import outbox
from shared.db import Tx
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Shown:
    """A customer's account with an entity, as the page draws it."""

    account: Account
    today: date
    items: list[Invoice]
    totals: list[Total]
    settled: list[PaidInvoice]
    received: list[ReceivedPayment]
    method: Method | None
    collections: Sequence[Collection]
    offered: Sequence[Offered]
    plans: Sequence[Standing]
    collecting: Mapping[UUID, int]
    under_way: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class OfferPromise:
    account: Account
    promised_on: str


@dataclass(frozen=True, slots=True)
class AgreeOffered:
    """The customer's choice: so many instalments of a sum that was overdue when it looked."""

    account: Account
    total: Money
    count: int


@dataclass(frozen=True, slots=True)
class RaiseDispute:
    """`code` is one of the entity's, `reason` how the customer read it, `message` what it wrote. Without `lines` and
    `amount` it is about all that is open; the form sent twice (`attempt`) disputes once."""

    account: Account
    invoice_id: UUID
    code: str
    reason: str
    message: str = ""
    lines: tuple[int, ...] = ()
    amount: str = ""
    attempt: UUID | None = None


@dataclass(frozen=True, slots=True)
class Contestable:
    """One of the customer's invoices with the lines that may be contested."""

    account: Account
    invoice: Invoice
    lines: Sequence[ContestableLine]


async def draw_page(tx: Tx, account: Account) -> Shown:
    balance = await balances.get_balance(tx, account)
    customer_id, entity_id = account.customer.id, account.entity.id
    return Shown(
        account,
        balance.as_of,
        balance.items,
        balance.totals,
        await store.settled(tx, customer_id, entity_id, rules.HISTORY),
        await store.received(tx, customer_id, entity_id, rules.HISTORY),
        await autopay.get_method(tx, account),
        await autopay.latest_collections(tx, account),
        await _offered(tx, account, balance.items, balance.as_of),
        await plans.running_plans(tx, account.customer.id, account.entity.id)
        if any(item.planned_minor for item in balance.items)
        else (),
        balance.collecting,
        balance.under_way,
    )


async def _offered(tx: Tx, account: Account, items: Sequence[Invoice], today: date) -> list[Offered]:
    """The plans to choose from, for what is overdue in each currency."""
    if not account.entity.policies.plans.self_service:
        return []
    found = []
    for invoice_ids in rules.plannable(items, today):
        if offer := await plans.offers(tx, account, invoice_ids):
            found.append(Offered(invoice_ids, *offer))
    return [offered for offered in found if offered.offers]


async def agree_plan(tx: Tx, command: AgreeOffered) -> Standing:
    """Put what is overdue on the plan that the customer chose; the form sent twice agrees one.

    Raises PlanRefused, also when another sum is overdue than the customer saw.
    """
    customer = CustomerRef(customer_id=command.account.customer.id)
    account = await customers.lock_account(tx, customer, command.account.entity.id)
    items = await invoices.open_items(tx, account.customer.id, account.entity.id)
    offers = await _offered(tx, account, items, account.entity.today(tx.now))
    chosen = next((each for each in offers if each.total == command.total), None)
    if chosen is None:
        for standing in await plans.running_plans(tx, account.customer.id, account.entity.id):
            if rules.is_choice(standing.plan, command.total, command.count, account.entity.today(tx.now)):
                return standing
        raise PlanRefused(f"{command.total} is not what is overdue now", field="/total")
    return await plans.agree_plan(
        tx,
        AgreePlan(
            account.customer.id,
            account.entity.id,
            chosen.invoice_ids,
            offered=command.count,
            agreed_by="customer",
        ),
    )


async def own_invoice(tx: Tx, account: Account, invoice_id: UUID) -> UUID:
    """The id itself where the invoice is the customer's. Raises InvoiceNotFound, for others' invoices too."""
    if not await store.is_own(tx, invoice_id, account.customer.id, account.entity.id):
        raise InvoiceNotFound(f"there is no invoice {invoice_id}")
    return invoice_id


async def draw_lines(tx: Tx, account: Account, invoice_id: UUID) -> Contestable:
    """What of an invoice the customer may contest. Raises InvoiceNotFound, for others' invoices too."""
    await own_invoice(tx, account, invoice_id)
    document = await invoices.get_document(tx, invoice_id)
    gross = {line.position: line.gross_minor for line in disputes.sold_lines(document)}
    return Contestable(
        account,
        document.invoice,
        [ContestableLine(line.position, line.description, gross[line.position]) for line in document.lines],
    )


async def offer_promise(tx: Tx, command: OfferPromise) -> date:
    """The customer names the day it will pay what is open. Raises PromiseRefused."""
    customer = CustomerRef(customer_id=command.account.customer.id)
    account = await customers.lock_account(tx, customer, command.account.entity.id)
    today = account.entity.today(tx.now)
    day = rules.promised_day(command.promised_on, today)
    promised = rules.promisable(await invoices.open_items(tx, account.customer.id, account.entity.id))
    if not promised:
        raise PromiseRefused("nothing is open that a payment could be promised for")
    outcomes = rules.offer_promise(promised, day, today)
    await invoices.save(tx, account.entity, [outcome.invoice for outcome in outcomes])
    await outbox.append(tx, *(event for outcome in outcomes for event in outcome.events))
    return day


async def raise_dispute(tx: Tx, command: RaiseDispute) -> Invoice:
    """The customer contests what is open on one of its invoices, or a part of it; what it wrote begins the thread.

    Raises InvoiceNotFound, AmountUnreadable, DisputeRefused, CodeUnknown, LinesUnknown.
    """
    await own_invoice(tx, command.account, command.invoice_id)
    own_id = uuid5(command.account.customer.id, str(command.attempt)) if command.attempt else None
    _, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    if own_id and await disputes.was_opened(tx, own_id):
        return invoice
    wanted = OpenDispute(
        command.invoice_id,
        command.reason,
        rules.typed_amount(command.amount, invoice.currency),
        code=command.code,
        lines=command.lines,
        opened_by="customer",
        dispute_id=own_id,
    )
    dispute, invoice = await disputes.open_dispute(tx, wanted)
    if command.message:
        author = command.account.customer.name
        await disputes.add_message(tx, AddMessage(dispute.id, author, command.message, from_customer=True))
    return invoice
