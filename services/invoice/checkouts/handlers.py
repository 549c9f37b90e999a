"""Checkouts: begun by the customer, settled by the provider's calls, or by asking it when they do not come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from services.invoice.autopay import handlers as autopay
from services.invoice.autopay.handlers import Charged
from services.invoice.autopay.rules import RETURNED
from services.invoice.balances import handlers as balances
from services.invoice.cash_application.rules import Wanted
from services.invoice.checkouts import rules, store
from services.invoice.checkouts.rules import FINAL, Checkout, CheckoutNotFound
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.payments import handlers as payments
from services.invoice.payments.handlers import ReceivePayment, ReversePayment
from services.invoice.payments.rules import PaymentIsReversed
from services.invoice.plans import handlers as plans
from services.invoice.plans.rules import PlanNotFound, due_by
from shared import log
from shared.db import Tx
from shared.errors import Unavailable
from shared.money import Money

logger = log.get(__name__)

NEXT_LOOK = store.NEXT_LOOK
LOOKS_A_RUN = 20


class ProviderSession(Protocol):
    """What is asked of a session at the provider."""

    @property
    def status(self) -> str: ...
    @property
    def payment_status(self) -> str: ...
    @property
    def intent_id(self) -> str | None: ...


class CheckoutDesk(Protocol):
    """Who can be asked what became of a payment: the payment provider."""

    async def session(self, session_id: str) -> ProviderSession: ...


@dataclass(frozen=True, slots=True)
class Instalment:
    """The instalment of a plan that the customer saw as the next one to pay."""

    plan_id: UUID
    due_date: date


@dataclass(frozen=True, slots=True)
class StartCheckout:
    """`checkout_id` is made with the form, so that sending it twice begins one payment: over the invoices named, or
    over an instalment."""

    checkout_id: UUID
    account: Account
    invoice_ids: tuple[UUID, ...]
    save_method: bool = False
    instalment: Instalment | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What the provider says of a checkout."""

    checkout_id: UUID
    outcome: rules.Status
    intent_id: str | None = None
    failure: str | None = None


async def start_checkout(tx: Tx, command: StartCheckout) -> Checkout:
    """Write down what is to be paid, before the provider is called. Raises NothingToPay, CheckoutNotFound,
    PlanNotFound."""
    customer, entity = command.account.customer, command.account.entity
    found = await store.find(tx, command.checkout_id)
    if found:
        if (found.customer_id, found.entity_id) != (customer.id, entity.id):
            raise CheckoutNotFound(f"there is no payment {command.checkout_id}")
        return found
    if command.instalment:
        parts = await _of_instalment(tx, command.account, command.instalment)
    else:
        chosen = await invoices.named(tx, customer.id, entity.id, [], command.invoice_ids)
        parts = rules.chosen_parts(chosen, await balances.under_way(tx, command.account))
    checkout = rules.start(
        command.checkout_id,
        customer.id,
        entity.id,
        parts,
        save_method=command.save_method,
        now=tx.now,
        plan_id=command.instalment.plan_id if command.instalment else None,
    )
    await store.insert(tx, checkout)
    return checkout


async def _of_instalment(tx: Tx, account: Account, wanted: Instalment) -> list[tuple[Invoice, int]]:
    """What of an instalment is open and not under way, by invoice. Raises PlanNotFound, NothingToPay."""
    standing = await plans.get_plan(tx, wanted.plan_id)
    plan = standing.plan
    if (plan.customer_id, plan.entity_id) != (account.customer.id, account.entity.id):
        raise PlanNotFound(f"there is no plan {wanted.plan_id}")
    minor = max(0, due_by(standing.filled, wanted.due_date) - plan.awaited_minor) if plan.runs else 0
    return await plans.parts_of(tx, plan, minor)


async def note_session(tx: Tx, checkout_id: UUID, session_id: str, url: str) -> Checkout:
    """Keep where the customer was sent; a checkout that went on meanwhile stays as it is."""
    checkout = await _lock(tx, checkout_id)
    if checkout.status != "created":
        return checkout
    opened = rules.opened(checkout, session_id, url)
    await store.save(tx, opened)
    return opened


async def find_checkout(tx: Tx, account: Account, checkout_id: UUID) -> Checkout | None:
    """The customer's own checkout, None for anybody else's."""
    found = await store.find(tx, checkout_id)
    return found if found and found.customer_id == account.customer.id else None


async def take_event(tx: Tx, event_id: str, kind: str, about: Mapping[str, Any]) -> None:
    """Act on a call of the provider, once however often it comes. What is not about one of our checkouts, or not yet
    known here, is none of our business."""
    if not await store.claim_event(tx, event_id):
        return
    match kind.split("."):
        case ["checkout", "session", "completed"] if about.get("mode") == "setup":
            await _keep_method(tx, about)
        case ["checkout", "session", _]:
            word = _word_of_session(kind, about)
            if word:
                await settle(tx, word)
        case ["payment_intent", "succeeded" | "payment_failed"]:
            await _tell_collection(tx, kind, about)
        case ["mandate", "updated"] if about.get("status") == "inactive":
            await autopay.end_mandate(tx, str(about.get("id")))
        case ["charge", "dispute", "created"]:
            await _charge_back(tx, about)


async def _keep_method(tx: Tx, about: Mapping[str, Any]) -> None:
    """The customer left a method on the provider's page, and paid nothing."""
    whose, setup = rules.whose_method(about.get("client_reference_id") or ""), about.get("setup_intent")
    if whose is None or not setup:
        return
    account = await customers.find_account(tx, CustomerRef(customer_id=whose[0]), whose[1])
    if account:
        account = await customers.lock_account(tx, CustomerRef(customer_id=whose[0]), whose[1])
        await autopay.want_method(tx, account, str(setup))


async def _tell_collection(tx: Tx, kind: str, about: Mapping[str, Any]) -> None:
    """How a charge to a saved method ended: a debit's word comes days after it was begun."""
    try:
        collection_id = UUID((about.get("metadata") or {}).get("collection") or "")
    except ValueError:
        return
    if kind == "payment_intent.succeeded":
        await autopay.record(tx, Charged(collection_id, str(about["id"]), autopay.CHARGED))
    else:
        fault = about.get("last_payment_error") or {}
        code = fault.get("decline_code") or fault.get("code")
        await autopay.record(tx, autopay.refusal(collection_id, fault.get("message"), code))


def _word_of_session(kind: str, about: Mapping[str, Any]) -> Word | None:
    try:
        checkout_id = UUID(about.get("client_reference_id") or "")
    except ValueError:
        return None
    intent = about.get("payment_intent")
    match kind:
        case "checkout.session.completed":
            return Word(checkout_id, "paid" if about.get("payment_status") == "paid" else "processing", intent)
        case "checkout.session.async_payment_succeeded":
            return Word(checkout_id, "paid", intent)
        case "checkout.session.async_payment_failed":
            return Word(checkout_id, "failed", intent, "the debit was refused")
        case "checkout.session.expired":
            return Word(checkout_id, "expired", intent)
        case _:
            return None


async def settle(tx: Tx, word: Word) -> Checkout | None:
    """Bring a checkout to where the provider says it is; money that came is booked in the same transaction."""
    found = await store.find(tx, word.checkout_id)
    if found is None:
        logger.warning("checkout_unknown", checkout_id=str(word.checkout_id))
        return None
    account = await customers.lock_account(tx, CustomerRef(customer_id=found.customer_id), found.entity_id)
    checkout = await _lock(tx, word.checkout_id)
    if checkout.status == "paid" or (checkout.status in FINAL and word.outcome != "paid"):
        return checkout
    if checkout.plan_id:
        await _await_debit(tx, checkout, word)
    match word.outcome:
        case "paid":
            checkout = rules.paid(checkout, word.intent_id, await _book(tx, account, checkout))
            if checkout.save_method and word.intent_id:
                await autopay.want_method(tx, account, word.intent_id)
        case "processing":
            checkout = rules.processing(checkout, word.intent_id)
        case "failed" | "expired":
            checkout = rules.ended(checkout, word.outcome, word.failure)
        case _:
            checkout = rules.look_later(checkout, tx.now)
    await store.save(tx, checkout)
    return checkout


async def _await_debit(tx: Tx, checkout: Checkout, word: Word) -> None:
    """An instalment paid by bank debit is not missed while the bank has yet to confirm it."""
    assert checkout.plan_id is not None
    if word.outcome == "processing" and checkout.status != "processing":
        await plans.await_debit(tx, checkout.plan_id, checkout.amount_minor)
    elif word.outcome in FINAL and checkout.status == "processing":
        await plans.await_debit(tx, checkout.plan_id, -checkout.amount_minor)


async def _book(tx: Tx, account: Account, checkout: Checkout) -> UUID:
    meant = [part.invoice_id for part in checkout.parts]
    parts = rules.allocations(checkout, await invoices.named(tx, checkout.customer_id, account.entity.id, [], meant))
    wanted = tuple(Wanted(part.invoice_id, None, Money(part.amount_minor, checkout.currency)) for part in parts)
    recorded = await payments.receive_payment(
        tx,
        ReceivePayment(
            checkout.amount,
            CustomerRef(customer_id=checkout.customer_id),
            method="card",
            reference=f"checkout {checkout.id}",
            allocations=wanted,
            apply="auto" if wanted else "none",
            entity_id=checkout.entity_id,
        ),
    )
    return recorded.payment.id


async def _charge_back(tx: Tx, about: Mapping[str, Any]) -> None:
    """The customer's bank took the money back: what it had settled is owed again. A debit that comes back after it
    succeeded is told of in the same way (https://docs.stripe.com/payments/sepa-debit, disputes)."""
    intent_id = str(about.get("payment_intent"))
    checkout = await store.of_intent(tx, intent_id)
    payment_id = checkout.payment_id if checkout else await autopay.payment_of_intent(tx, intent_id)
    if payment_id is None:
        return
    why = str(about.get("reason") or "")
    bounced = why in RETURNED
    told = f"debit returned: {why.replace('_', ' ')}" if bounced else "charged back"
    try:
        await payments.reverse_payment(tx, ReversePayment(payment_id, told, "bounced" if bounced else "charged_back"))
    except PaymentIsReversed:
        return


async def ask(desk: CheckoutDesk | None, checkout: Checkout) -> Word:
    """What the provider says of a checkout, for the tick to settle; `open` where there is nothing to be had."""
    if desk is None or checkout.session_id is None:
        # Never known to the provider: the customer's browser or this service went away in between.
        return Word(checkout.id, "expired" if checkout.session_id is None else "open")
    try:
        session = await desk.session(checkout.session_id)
    except Unavailable:
        return Word(checkout.id, "open")
    if session.payment_status == "paid":
        return Word(checkout.id, "paid", session.intent_id)
    return Word(checkout.id, "expired" if session.status == "expired" else "open", session.intent_id)


async def to_look_at(tx: Tx, now: datetime) -> Sequence[Checkout]:
    """Checkouts of which no word came in time."""
    return await store.to_look_at(tx, now, LOOKS_A_RUN)


async def _lock(tx: Tx, checkout_id: UUID) -> Checkout:
    checkout = await store.lock(tx, checkout_id)
    if checkout is None:
        raise CheckoutNotFound(f"there is no payment {checkout_id}")
    return checkout
