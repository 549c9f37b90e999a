"""Make offers, approve them, take answers, and carry out what was accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import httpx

from services.reminder.authority import handlers as authority
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import HoldCase, ReleaseCase
from services.reminder.errands.rules import instalments
from services.reminder.holds.rules import HoldKind
from services.reminder.offer_links import rules as offer_links
from services.reminder.offers import rules, store
from services.reminder.offers.rules import Answer, Call, Claim, Offer, OfferNotFound, Status, Terms
from services.reminder.promises import handlers as promises
from services.reminder.promises.handlers import MakePromise
from services.reminder.promises.rules import Promise, Wanted
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import Account
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.rules import BY_ITSELF
from shared import outbox
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money

NEXT_EXPIRY = store.NEXT_EXPIRY
"""The earliest moment at which an offer expires."""
NEXT_EFFECT = store.NEXT_EFFECT
HAS_ANY = store.HAS_ANY
"""The earliest moment at which something accepted waits to be carried out."""

AT_ONCE = 100
CALLS_AT_ONCE = 10
SERVER_FAULTS_FROM = 500
LATER = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
"""Answers after which the call is made again."""


BY_STRATEGY = "the strategy"
"""Who makes the offers that a step proposes."""
PLAN_INSTALMENTS_MIN = 2
PLANS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class OfferLinks:
    """Where customers see their offers, and the key that the links are signed with."""

    key: bytes
    base_url: str

    def url(self, offer_id: UUID) -> str:
        return f"{self.base_url}/offers/{offer_links.token_of(self.key, offer_id)}"


@dataclass(frozen=True, slots=True)
class MakeOffer:
    customer_id: UUID
    entity_id: str
    terms: Terms
    by: str


@dataclass(frozen=True, slots=True)
class DecideOffer:
    offer_id: UUID
    approved: bool
    by: str
    note: str | None


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    offer_id: UUID
    answer: Answer


@dataclass(frozen=True, slots=True)
class Effect:
    """What an accepted offer asks of the invoice service."""

    offer: Offer
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """`fault` is why the invoice service refused it, None when it is done."""

    offer_id: UUID
    fault: str | None


async def make_offer(tx: Tx, command: MakeOffer) -> Offer:
    """Raises CaseNotFound, NothingToOffer, InvoiceNotCollectable, TermsRefused, OfferLimit, OfferOpen."""
    await cases.find_case(tx, command.customer_id, command.entity_id)  # The lock makes room for one never heard of.
    await receivables.lock(tx, [command.customer_id])
    view = await cases.find_case(tx, command.customer_id, command.entity_id)
    account, terms = view.account, command.terms
    items = rules.subject_of(account, terms.items, is_open=view.case.is_open)
    owed = Money(sum(item.collectable.minor for item in items), items[0].collectable.currency)
    limits = (await authority.get_authority(tx, command.entity_id)).authority.offers
    needs_approval = rules.approval_needed(terms, owed, limits, local_date(tx.now, account.time_zone))
    ids = await store.ids_of(tx, account.key, [item.number for item in items])
    claims = [Claim(item.number, ids[item.number], item.collectable.minor) for item in items]
    offer = rules.make(
        new_id(),
        view.case.id,
        account,
        claims,
        owed.currency,
        terms,
        command.by,
        tx.now,
        needs_approval=needs_approval,
    )
    await store.insert(tx, offer)
    if needs_approval:
        await tasks.assign_tasks(tx, [rules.ask_for_approval(offer, tx.now.date())])
    else:
        await _tell(tx, offer)
        await _rest(tx, offer)
    return offer


async def offer_plan(tx: Tx, customer_id: UUID, entity_id: str, instalments_max: int) -> Offer | None:
    """The instalments that a strategy's step proposes, as far as a collector may offer them alone: an offer that stays
    open beside the reminders, which go on. The one that is open already, where it is a plan; None where nothing may be
    offered. The customer is locked."""
    for offer in await store.page(tx, customer_id, entity_id, None, None, PLANS_LOOKED_AT):
        if offer.status in ("open", "awaiting_approval"):
            return offer if (offer.kind, offer.status) == ("plan", "open") else None
    view = await cases.find_case(tx, customer_id, entity_id)
    limits = (await authority.get_authority(tx, entity_id)).authority.offers
    count = min(instalments_max, limits.instalments_alone)
    if count < PLAN_INSTALMENTS_MIN or not view.case.is_open or not view.account.overdue:
        return None
    items = rules.subject_of(view.account, (), is_open=True)
    owed = Money(sum(item.collectable.minor for item in items), items[0].collectable.currency)
    if owed.minor < count:
        return None
    today = local_date(tx.now, view.account.time_zone)
    parts = instalments(owed, count, today)
    expires_on = min(parts[0][0], today + timedelta(days=limits.valid_days_max))
    terms = Terms("plan", expires_on, instalments=parts)
    if rules.approval_needed(terms, owed, limits, today):
        return None
    ids = await store.ids_of(tx, view.account.key, [item.number for item in items])
    claims = [Claim(item.number, ids[item.number], item.collectable.minor) for item in items]
    args = new_id(), view.case.id, view.account, claims, owed.currency, terms, BY_STRATEGY, tx.now
    offer = rules.make(*args, needs_approval=False)
    await store.insert(tx, offer)
    await _tell(tx, offer)
    return offer


async def decide_offer(tx: Tx, command: DecideOffer) -> Offer:
    """Approve it as a second person, after which the customer may accept it, or reject it. Raises OfferNotFound,
    OfferOver, SecondPersonNeeded."""
    offer = await _locked(tx, command.offer_id)
    decided = rules.decide(offer, command.by, tx.now, approved=command.approved, note=command.note)
    await store.save(tx, decided)
    await _end_task(tx, decided, command.by, "approved" if command.approved else decided.status, command.note)
    if command.approved:
        await _tell(tx, decided)
        await _rest(tx, decided)
    return decided


async def answer_offer(tx: Tx, command: AnswerOffer) -> Offer:
    """The customer's word. More time and a settlement become a promise, which is kept or broken like any other.

    Raises OfferNotFound, OfferOver.
    """
    offer = rules.answer(await _locked(tx, command.offer_id), command.answer, tx.now)
    await store.save(tx, offer)
    await _tell(tx, offer)
    await _release(tx, offer)
    if offer.effect == "promised":
        assert offer.pay_by is not None
        await promises.make_promise(
            tx,
            MakePromise(
                customer_id=offer.customer_id,
                entity_id=offer.entity_id,
                wanted=Wanted(offer.to_pay, offer.pay_by, offer.numbers),
                made_by=command.answer.by,
                note=f"{offer.kind} accepted by {command.answer.how}",
                origin="offer",
                reference=str(offer.id),
            ),
        )
    return offer


async def withdraw_offer(tx: Tx, offer_id: UUID, reason: str) -> Offer:
    """Before it is answered. Raises OfferNotFound, OfferOver."""
    offer = await _locked(tx, offer_id)
    if offer.look_at is None:
        raise rules.OfferOver(f"it is {offer.status}")
    return await _drop(tx, offer, "withdrawn", reason)


async def drop(tx: Tx, offer_id: UUID, because: str) -> None:
    """Withdraw one that waits for approval, where there is one with that id: what it was about is settled. The customer
    is locked."""
    offer = await store.find(tx, offer_id)
    if offer and offer.status == "awaiting_approval":
        await _drop(tx, offer, "withdrawn", because)


async def expire(tx: Tx) -> bool:
    """End offers that nobody answered in time. Whether there was any."""
    found = await store.expired(tx, tx.now, AT_ONCE)
    await receivables.lock(tx, list({offer.customer_id for offer in found}))
    for offer in await store.expired(tx, tx.now, AT_ONCE) if found else ():
        await _drop(tx, offer, "expired", None)
    return bool(found)


async def hear(tx: Tx, ended: Sequence[Promise]) -> None:
    """Promises that accepted offers had become are kept or not. The customers are locked."""
    for promise in ended:
        if promise.origin != "offer" or promise.is_open or promise.reference is None:
            continue
        offer = await store.find(tx, UUID(promise.reference))
        if offer and offer.effect == "promised":
            concluded = rules.promise_ended(offer, promise.status == "kept", tx.now)
            await store.save(tx, concluded)
            if concluded.status == "lapsed":
                await _tell(tx, concluded)


async def to_carry_out(tx: Tx) -> list[Effect]:
    """What waits to be asked of the invoice service; nothing is written off where nothing is owed any more."""
    effects = []
    for offer in await store.to_carry_out(tx, tx.now, CALLS_AT_ONCE):
        asked = offer
        if offer.kind == "settlement":
            owed = await store.still_owed(tx, [claim.invoice_id for claim in offer.claims])
            asked = replace(offer, claims=tuple(claim for claim in offer.claims if claim.invoice_id in owed))
        effects.append(Effect(offer, tuple(rules.calls(asked))))
    return effects


async def carry_out(invoice_service: httpx.AsyncClient, effect: Effect) -> CarriedOut | None:
    """Ask the invoice service; None while no answer is to be had. Runs outside any transaction. Each call has a key of
    its own, so that one made again after a crash takes effect once."""
    for call in effect.calls:
        try:
            answer = await invoice_service.post(call.path, json=call.body, headers={"idempotency-key": call.key})
        except httpx.HTTPError:
            return None
        if answer.status_code >= SERVER_FAULTS_FROM or _may_pass(answer):
            return None
        if answer.is_error:
            return CarriedOut(effect.offer.id, f"{call.path}: {answer.status_code} {_detail(answer)}")
    return CarriedOut(effect.offer.id, None)


async def record(tx: Tx, carried_out: CarriedOut) -> Offer:
    """What came of it; a refusal is somebody's task."""
    offer = await _locked(tx, carried_out.offer_id)
    if offer.effect != "pending":
        return offer
    done = rules.carried_out(offer, carried_out.fault)
    await store.save(tx, done)
    if carried_out.fault:
        await tasks.assign_tasks(tx, [rules.look_into(done, tx.now.date())])
    return done


async def get_offer(tx: Tx, offer_id: UUID) -> Offer:
    """Raises OfferNotFound."""
    offer = await store.find(tx, offer_id)
    if offer is None:
        raise OfferNotFound(f"there is no offer {offer_id}")
    return offer


async def open_link(tx: Tx, links: OfferLinks, token: str) -> tuple[Offer, Account]:
    """The offer that a link shows, and the account it is for. Raises OfferLinkUnusable, OfferNotFound."""
    offer = await get_offer(tx, offer_links.read_token(links.key, token))
    view = await cases.find_case(tx, offer.customer_id, offer.entity_id)
    return offer, view.account


async def list_offers(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: Status | None, before: UUID | None, limit: int
) -> list[Offer]:
    """Newest first."""
    return await store.page(tx, customer_id, entity_id, status, before, limit)


async def _drop(tx: Tx, offer: Offer, status: Status, because: str | None) -> Offer:
    ended = rules.end(offer, status, tx.now, because)
    await store.save(tx, ended)
    if offer.status == "open":
        await _tell(tx, ended)
    await _end_task(tx, ended, BY_ITSELF, status, because)
    await _release(tx, ended)
    return ended


async def _tell(tx: Tx, offer: Offer) -> None:
    event = rules.event(offer, tx.now.date())
    if event:
        await outbox.append(tx, event)


async def _end_task(tx: Tx, offer: Offer, by: str, what: str, because: str | None) -> None:
    """Nobody has to approve it any more."""
    said = f"{what}: {because}" if because else what
    await tasks.finish_tasks(tx, offer.customer_id, offer.entity_id, "approval_wanted", by, said, str(offer.id))


async def _rest(tx: Tx, offer: Offer) -> None:
    await cases.hold_case(tx, HoldCase(offer.customer_id, offer.entity_id, rules.hold_of(offer)))


async def _release(tx: Tx, offer: Offer) -> None:
    release = ReleaseCase(offer.customer_id, offer.entity_id, HoldKind.PAUSED, str(offer.id))
    await cases.release_case(tx, release)


async def _locked(tx: Tx, offer_id: UUID) -> Offer:
    seen = await get_offer(tx, offer_id)
    await receivables.lock(tx, [seen.customer_id])
    return await get_offer(tx, offer_id)


def _may_pass(answer: httpx.Response) -> bool:
    """Not now, or the first call with this key is still at work."""
    if answer.status_code == httpx.codes.CONFLICT:
        return _slug(answer) == "request-in-flight"
    return answer.status_code in LATER


def _slug(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["type"]).rpartition("/")[2]
    except (KeyError, TypeError, ValueError):
        return ""


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])[:500]
    except (KeyError, TypeError, ValueError):
        return "without a reason"
