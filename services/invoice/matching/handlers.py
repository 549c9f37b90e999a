"""Cash application: each bank entry is judged by itself, applied where that is sure, and else waits for a person.

The entry's row is locked first, then the customers it may concern, so what is decided holds when it is booked. The
payment and the mark on the entry are one transaction: killed anywhere, an entry is applied once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from services.invoice.bank_returns import rules as bank_returns
from services.invoice.bank_statements import handlers as bank_statements
from services.invoice.bank_statements.rules import BankEntry
from services.invoice.cash_application.rules import Wanted
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import Entity
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.matching import rules, store
from services.invoice.matching.rules import (
    Application,
    CashApplicationNotFound,
    ConfirmationRefused,
    Share,
    Shown,
    Status,
    StillOpen,
)
from services.invoice.payment_references.rules import payment_reference
from services.invoice.payments import handlers as payments
from services.invoice.payments.handlers import ReceivePayment, Recorded, ReversePayment
from services.invoice.proposals import rules as proposals
from services.invoice.proposals.rules import Judgement, Payer, Proposal
from services.invoice.reversals import handlers as reversals
from services.invoice.reversals.handlers import PassOnBankCharge
from services.invoice.reversals.rules import BankChargeRefused
from shared.calendar import ONE_DAY
from shared.db import Tx
from shared.errors import DomainError
from shared.money import Money

NEXT_DUE = bank_statements.NEXT_MATCH
REFERENCED_MAX = 60
LOOKALIKES_MAX = 5
LOOK_AGAIN_DAYS = 30
"""So long an open entry is looked at anew each morning: its invoice may be issued after the payment."""
AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class ConfirmCash:
    """A person's decision: a proposal, by its id; or else the customer and the invoices, none for cash on account; or
    the payment that a return takes back."""

    entry_id: UUID
    by: str
    proposal_id: str | None = None
    customer: CustomerRef | None = None
    allocations: tuple[Wanted, ...] = ()
    payment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RejectCash:
    entry_id: UUID
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReopenCash:
    entry_id: UUID
    by: str
    reason: str


async def apply_next(tx: Tx) -> bool:
    """Judge the next entry that is due and apply it where that is sure; False when none is due."""
    entry = await bank_statements.take_entry(tx)
    if entry is None:
        return False
    entity = await entities.get_entity(tx, entry.entity_id)
    before = await store.find(tx, entry.id)
    judgement = await _judge(tx, entry, entity)
    applied = None
    if judgement.automatic:
        proposal = judgement.proposals[0]
        try:
            async with tx.savepoint():
                applied = await _carry_out(tx, entry, entity, proposal)
        except (DomainError, asyncpg.IntegrityConstraintViolationError) as error:
            said = error.detail if isinstance(error, DomainError) else str(error)
            judgement = replace(judgement, automatic=False, reason=f"{judgement.reason}; but it was refused: {said}")
    application = _application(entry, before, judgement)
    if applied is not None:
        application = replace(application, status="automatic", payment_id=applied)
        await store.keep(tx, application, tx.now, AUTOMATIC)
        if application.basis == "reference":
            await _learn(tx, entry, entity, application.customer_id)
    else:
        await store.keep(tx, application, None, None)
    again = None if applied else _look_again(entry, entity, entity.today(tx.now))
    await bank_statements.looked_at(tx, entry, again_at=again, applied=applied is not None)
    return True


def _look_again(entry: BankEntry, entity: Entity, today: date) -> datetime | None:
    if today >= entry.booked_on + timedelta(days=LOOK_AGAIN_DAYS):
        return None
    return entity.starts(today + ONE_DAY)


def _application(entry: BankEntry, before: Application | None, judgement: Judgement) -> Application:
    best = judgement.proposals[0] if judgement.proposals else None
    assert entry.kind in ("receipt", "return", "returned_to_us")
    return Application(
        id=entry.id,
        version=before.version + 1 if before else 1,
        entity_id=entry.entity_id,
        kind=entry.kind,
        status="open",
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        booked_on=entry.booked_on,
        customer_id=best.customer_id if best else None,
        payment_id=None,
        confidence=best.confidence if best else 0,
        basis=best.basis if best else "none",
        reason=judgement.reason,
        proposals=judgement.proposals,
    )


async def _judge(tx: Tx, entry: BankEntry, entity: Entity) -> Judgement:
    """Gather what is known, under the lock of the customers it concerns, and rank it."""
    policy = entity.policies.cash_application
    if entry.kind == "return":
        before = await store.paid_before(tx, entry)
        await customers.lock_customers(tx, {each.customer_id for each in before})
        return bank_returns.judge_return(entry, await store.paid_before(tx, entry), policy)

    said = proposals.mentions(entry)
    numbers, references = proposals.references_of(said)
    named = await invoices.referenced(tx, entity.id, numbers, references, REFERENCED_MAX) if said else []
    by_account = await store.payers(tx, entity.id, entry.party_iban, proposals.ACCOUNTS_MAX) if entry.party_iban else []
    names = proposals.names_in(entry)
    by_name = await customers.customers_named(tx, names, proposals.ACCOUNTS_MAX) if names else []
    ids = list(dict.fromkeys([*(each.customer_id for each in named), *by_account, *(each.id for each in by_name)]))
    if not ids:
        lookalikes = await invoices.owing_exactly(tx, entity.id, entry.amount, LOOKALIKES_MAX)
        return proposals.judge(entry, [], said, {}, policy, lookalikes=lookalikes)

    # More customers than a person would look at are no evidence: none of them is sure then.
    ids = ids[: proposals.ACCOUNTS_MAX]
    await customers.lock_customers(tx, ids)
    known = {each.id: each.name for each in await customers.find_customers(tx, ids, [])}
    received_on = _received_on(entry, entity.today(tx.now))
    found = await invoices.referenced(tx, entity.id, numbers, references, REFERENCED_MAX) if named else []
    named_of: dict[UUID, list[Invoice]] = defaultdict(list)
    for invoice in found:
        named_of[invoice.customer_id].append(invoice)
    payers = [
        Payer(
            customer_id=customer_id,
            name=known[customer_id],
            open=tuple(
                proposals.item(each, received_on) for each in await invoices.open_items(tx, customer_id, entity.id)
            ),
            named=tuple(named_of[customer_id]),
            known_account=customer_id in by_account,
            known_name=any(each.id == customer_id for each in by_name),
        )
        for customer_id in ids
        if customer_id in known
    ]
    return proposals.judge(entry, payers, said, {each.id: payment_reference(each.number) for each in found}, policy)


async def _carry_out(tx: Tx, entry: BankEntry, entity: Entity, proposal: Proposal) -> UUID:
    """Book a proposal; the payment made or taken back. The customer's row is locked."""
    if proposal.payment_id is not None:
        return await _take_back(tx, entry, entity, proposal.payment_id)
    command = ReceivePayment(
        amount=entry.amount,
        customer=CustomerRef(customer_id=proposal.customer_id),
        received_on=_received_on(entry, entity.today(tx.now)),
        method="bank_transfer",
        reference=_reference(entry),
        allocations=tuple(
            Wanted(
                part.invoice_id,
                None,
                _money(part.amount_minor, entry),
                _money(part.difference_minor, entry) if part.difference_minor else None,
            )
            for part in proposal.parts
        ),
        apply="auto" if proposal.parts else "none",
        entity_id=entity.id,
    )
    recorded = await payments.receive_payment(tx, command)
    return recorded.payment.id


def _money(minor: int, entry: BankEntry) -> Money:
    return Money(minor, entry.currency)


def _received_on(entry: BankEntry, today: date) -> date:
    """Money counts from its value date, when the seller could dispose of it."""
    return min(entry.value_on or entry.booked_on, entry.booked_on, today)


def _reference(entry: BankEntry) -> str | None:
    said = " ".join(text for _, text in entry.texts)
    return said[:500] or None


async def _take_back(tx: Tx, entry: BankEntry, entity: Entity, payment_id: UUID) -> UUID:
    """Reverse a payment that a return takes back, unless somebody has done so already; what the bank says it took for
    that is the customer's where the entity passes it on."""
    recorded: Recorded = await payments.get_payment(tx, payment_id)
    if recorded.payment.reversed_on is None:
        await payments.reverse_payment(
            tx, ReversePayment(payment_id, bank_returns.return_reason(entry)[:200], bank_returns.return_kind(entry))
        )
    if entry.charges_minor and entity.policies.pass_on_bank_charges:
        charge = PassOnBankCharge(payment_id, _money(entry.charges_minor, entry), bank_returns.charge_reason(entry))
        with suppress(BankChargeRefused):  # No invoice can bear it, or somebody has passed it on.
            await reversals.pass_on_bank_charge(tx, charge)
    return payment_id


async def _learn(tx: Tx, entry: BankEntry, entity: Entity, customer_id: UUID | None) -> None:
    if entry.party_iban and customer_id and entry.kind == "receipt":
        await store.learn(tx, entity.id, entry.party_iban, customer_id, entry.booked_on)


async def confirm_cash(tx: Tx, command: ConfirmCash) -> Shown:
    """Apply an open entry as a person says; from which account the customer pays is remembered.

    Raises CashApplicationNotFound, AlreadyDecided, ProposalOutdated, ConfirmationRefused, and what payments raise.
    """
    entry, entity, application = await _lock(tx, command.entry_id)
    rules.opened(application)
    if command.proposal_id is not None:
        proposal = application.proposal(command.proposal_id)
        await customers.lock_customers(tx, [proposal.customer_id])
        found = await invoices.named(
            tx, proposal.customer_id, entity.id, [], [part.invoice_id for part in proposal.parts]
        )
        rules.holding(proposal, {each.id: each for each in found})
        payment_id = await _carry_out(tx, entry, entity, proposal)
        customer_id, reason, basis = proposal.customer_id, proposal.reason, proposal.basis
    elif entry.kind == "return":
        if command.payment_id is None:
            raise ConfirmationRefused("a return takes a payment back: name it", field="/payment_id")
        customer_id = (await payments.get_payment(tx, command.payment_id)).payment.customer_id
        payment_id = await _take_back(tx, entry, entity, command.payment_id)
        reason, basis = "a person says which payment it takes back", "person"
    else:
        if command.customer is None:
            raise ConfirmationRefused("say whose it is, or name a proposal", field="/customer_id")
        received = await payments.receive_payment(
            tx,
            ReceivePayment(
                amount=entry.amount,
                customer=command.customer,
                received_on=_received_on(entry, entity.today(tx.now)),
                reference=_reference(entry),
                allocations=command.allocations,
                apply="auto" if command.allocations else "none",
                entity_id=entity.id,
            ),
        )
        customer_id, payment_id = received.payment.customer_id, received.payment.id
        reason, basis = "a person says whose it is and what it pays", "person"
    confirmed = replace(
        application,
        version=application.version + 1,
        status="confirmed",
        customer_id=customer_id,
        payment_id=payment_id,
        reason=reason,
        basis=basis,
    )
    await store.keep(tx, confirmed, tx.now, command.by)
    await bank_statements.looked_at(tx, entry, again_at=None, applied=True)
    await _learn(tx, entry, entity, customer_id)
    if entry.party_iban:
        await bank_statements.match_again(tx, entity.id, entry.party_iban)
    return await get_application(tx, entry.id)


async def reject_cash(tx: Tx, command: RejectCash) -> Shown:
    """Mark an open entry as no customer's: nothing is booked. Raises CashApplicationNotFound, AlreadyDecided."""
    entry, _, application = await _lock(tx, command.entry_id)
    rules.opened(application)
    rejected = replace(
        application,
        version=application.version + 1,
        status="not_ours",
        customer_id=None,
        basis="person",
        reason=command.reason,
    )
    await store.keep(tx, rejected, tx.now, command.by)
    await bank_statements.looked_at(tx, entry, again_at=None, applied=True)
    return await get_application(tx, entry.id)


async def reopen_cash(tx: Tx, command: ReopenCash) -> Shown:
    """Undo a decision: a payment made of the entry is reversed, what was learned of its account is forgotten, and the
    entry waits for a person. Raises CashApplicationNotFound, StillOpen, ConfirmationRefused."""
    entry, entity, application = await _lock(tx, command.entry_id)
    if application.status == "open":
        raise StillOpen("the entry waits for a decision as it is")
    if application.payment_id is not None:
        if application.kind == "return":
            raise ConfirmationRefused("a payment taken back is not brought back; record it anew when it comes again")
        recorded = await payments.get_payment(tx, application.payment_id)
        if recorded.payment.reversed_on is None:
            await payments.reverse_payment(
                tx, ReversePayment(application.payment_id, command.reason, "booked_by_mistake")
            )
        if entry.party_iban and application.customer_id:
            await store.unlearn(tx, entity.id, entry.party_iban, application.customer_id)
    reopened = replace(
        application,
        version=application.version + 1,
        status="open",
        payment_id=None,
        confidence=0,
        basis="none",
        reason=f"reopened by {command.by}: {command.reason}",
        proposals=(),
    )
    await store.keep(tx, reopened, None, None)
    await bank_statements.looked_at(tx, entry, again_at=None, applied=False)
    return await get_application(tx, entry.id)


async def propose_again(tx: Tx, entry_id: UUID) -> Shown:
    """Judge an open entry anew for a person who looks at it; nothing is applied.

    Raises CashApplicationNotFound, AlreadyDecided.
    """
    entry, entity, application = await _lock(tx, entry_id)
    rules.opened(application)
    judgement = await _judge(tx, entry, entity)
    await store.keep(tx, _application(entry, application, judgement), None, None)
    return await get_application(tx, entry_id)


async def _lock(tx: Tx, entry_id: UUID) -> tuple[BankEntry, Entity, Application]:
    entry = await bank_statements.lock_entry(tx, entry_id)
    application = await store.find(tx, entry_id) if entry else None
    if entry is None or application is None:
        raise CashApplicationNotFound(f"there is no entry {entry_id} to apply")
    return entry, await entities.get_entity(tx, entry.entity_id), application


async def get_application(tx: Tx, entry_id: UUID) -> Shown:
    """Raises CashApplicationNotFound."""
    shown = await store.show(tx, entry_id)
    if shown is None:
        raise CashApplicationNotFound(f"there is no entry {entry_id} to apply")
    return shown


async def list_applications(
    tx: Tx, *, after: UUID | None, status: Status | None, bank_statement_id: UUID | None, limit: int
) -> list[Shown]:
    """Entries that may be a customer's, in the order they were recorded."""
    return await store.page(tx, after, status, bank_statement_id, limit)


async def get_shares(tx: Tx, first: date, last: date, entity_id: str | None) -> Sequence[Share]:
    """How many receipts booked in a span went by themselves, by a person, or wait, by currency."""
    return await store.shares(tx, first, last, entity_id)
