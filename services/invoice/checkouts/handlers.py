"""Checkouts: begun by the customer, settled by the provider's calls, or by asking it when they do not come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.invoice.autopay import handlers as autopay
from services.invoice.checkouts import rules, store
from services.invoice.checkouts.rules import FINAL, Checkout, CheckoutNotFound
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.invoices import handlers as invoices
from services.invoice.payments import handlers as payments
from services.invoice.payments.handlers import ReceivePayment, ReversePayment
from services.invoice.payments.rules import PaymentIsReversed, Wanted
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
class StartCheckout:
    """`checkout_id` is made with the form, so that sending it twice begins one payment."""

    checkout_id: UUID
    account: Account
    invoice_ids: tuple[UUID, ...]
    save_method: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """What the provider says of a checkout."""

    checkout_id: UUID
    outcome: rules.Status
    intent_id: str | None = None
    failure: str | None = None


async def start_checkout(tx: Tx, command: StartCheckout) -> Checkout:
    """Write down what is to be paid, before the provider is called. Raises NothingToPay, CheckoutNotFound."""
    customer, entity = command.account.customer, command.account.entity
    found = await store.find(tx, command.checkout_id)
    if found:
        if (found.customer_id, found.entity_id) != (customer.id, entity.id):
            raise CheckoutNotFound(f"there is no payment {command.checkout_id}")
        return found
    chosen = await invoices.named(tx, customer.id, entity.id, [], command.invoice_ids)
    checkout = rules.start(
        command.checkout_id, customer.id, entity.id, chosen, save_method=command.save_method, now=tx.now
    )
    await store.insert(tx, checkout)
    return checkout


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
    if kind.startswith("checkout.session."):
        word = _word_of_session(kind, about)
        if word:
            await settle(tx, word)
    elif kind == "charge.dispute.created":
        await _charge_back(tx, about)


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
    """The customer's bank took the money back: what it had settled is owed again."""
    checkout = await store.of_intent(tx, str(about.get("payment_intent")))
    if checkout is None or checkout.payment_id is None:
        return
    try:
        await payments.reverse_payment(tx, ReversePayment(checkout.payment_id, "charged back"))
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
