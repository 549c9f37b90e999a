"""Invoices that collect themselves: a method of payment the customer left with the provider, charged on the due date.

A charge is written down before the provider is asked, one for each invoice (or instalment of a plan) and attempt, and
its id is the provider's Idempotency-Key: asking twice charges once. A refusal is tried again on a schedule and then
given up, and the customer sees both on its page.

A SEPA debit is announced before it is made, with its amount and its day: 14 calendar days before, unless fewer are
agreed with the customer (SEPA Direct Debit Core rulebook, EPC016-06, pre-notification; Stripe offers the Core scheme
only). It takes days until the bank has confirmed it, and it can come back afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from services.invoice.entities.rules import Entity
from services.invoice.invoices.rules import Invoice
from services.invoice.plans.rules import Filled, Plan, due_by
from shared.calendar import at_local_time
from shared.errors import NotFound
from shared.money import Money

CHARGED_AT = time(9, 0)
"""In the entity's time zone, on the due date."""
RETRY_DAYS = (3, 5, 7)
"""Days after the last refusal: what failed for lack of funds often passes after payday. A debit comes not before the
days of notice, which word of the refusal gives."""
FUTILE = frozenset({"account_closed", "debit_not_authorized", "no_account"})
"""Refusals that another attempt does not change, in the provider's words."""
RETURNED = frozenset(
    {"bank_cannot_process", "check_returned", "debit_not_authorized", "incorrect_account_details", "insufficient_funds"}
)
"""Why a debit comes back by itself; other reasons are the customer's."""
DEBIT_CURRENCY = "EUR"
LOST_AFTER = timedelta(hours=1)
"""A charge of which nothing was heard is asked for again under its own key, which charges once."""
UNDER_WAY_LOOK = timedelta(hours=12)

MethodStatus = Literal["wanted", "active", "removed"]
"""wanted: the customer paid and asked to keep the method, the provider is still to be asked which it was."""
MethodKind = Literal["card", "sepa_debit"]
Status = Literal["announced", "meant", "paid", "refused", "given_up", "needless"]
"""announced: the customer was told the day; needless: nothing was left to collect when its time came."""


class MethodNotFound(NotFound):
    slug = "payment-method-not-found"
    title = "There is no such saved payment method"


@dataclass(frozen=True, slots=True)
class Method:
    """A card or mandate at the provider; `label` is how people know it, `Visa •••• 4242`, and `mandate_reference` how
    the customer's bank names the mandate."""

    id: UUID
    customer_id: UUID
    entity_id: str
    status: MethodStatus
    intent_id: str
    added_at: datetime
    look_at: datetime | None
    provider_customer: str | None = None
    provider_method: str | None = None
    label: str | None = None
    kind: MethodKind = "card"
    last4: str | None = None
    mandate_id: str | None = None
    mandate_reference: str | None = None

    @property
    def debits(self) -> bool:
        return self.kind == "sepa_debit"


@dataclass(frozen=True, slots=True)
class Collection:
    """One charge of one invoice, or of one instalment of a plan. `look_at` is when something is to be done about it,
    `debit_on` the day that was announced."""

    id: UUID
    method_id: UUID
    customer_id: UUID
    entity_id: str
    invoice_id: UUID | None
    attempt: int
    currency: str
    amount_minor: int
    status: Status
    look_at: datetime | None
    intent_id: str | None = None
    payment_id: UUID | None = None
    failure: str | None = None
    plan_id: UUID | None = None
    instalment_on: date | None = None
    debit_on: date | None = None

    @property
    def under_way(self) -> bool:
        """A debit that the bank has yet to confirm."""
        return self.status == "meant" and self.intent_id is not None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def debit_day(method: Method, entity: Entity, due_on: date, today: date) -> date | None:
    """The day to announce a debit for: the due date, or the first day that leaves the notice. None for cards, which
    are charged without notice."""
    if not method.debits:
        return None
    return max(due_on, today + timedelta(days=entity.policies.collection.notice_days))


def begin(collection_id: UUID, method: Method, entity: Entity, invoice: Invoice, now: datetime) -> Collection | None:
    """A charge over what may be chased of the invoice; None where nothing may: paid, disputed, on a plan."""
    if invoice.collectable_minor <= 0:
        return None
    begun = Collection(
        id=collection_id,
        method_id=method.id,
        customer_id=invoice.customer_id,
        entity_id=invoice.entity_id,
        invoice_id=invoice.id,
        attempt=1,
        currency=invoice.currency,
        amount_minor=invoice.collectable_minor,
        status="meant",
        look_at=now,
    )
    return _announced(begun, entity, debit_day(method, entity, invoice.due_date, entity.today(now)))


def begin_instalment(
    collection_id: UUID, method: Method, entity: Entity, plan: Plan, filled: Sequence[Filled], on: date, now: datetime
) -> Collection:
    """A charge over an instalment; needless where it is paid, or where a debit cannot be announced in time for its day:
    the customer pays that one by itself, since a day missed may break the plan."""
    part = next(each for each in filled if each.due_date == on)
    owed = plan_owes(plan, filled, on, part.minor)
    begun = Collection(
        id=collection_id,
        method_id=method.id,
        customer_id=plan.customer_id,
        entity_id=plan.entity_id,
        invoice_id=None,
        attempt=1,
        currency=plan.currency,
        amount_minor=owed or part.minor,
        status="meant",
        look_at=now,
        plan_id=plan.id,
        instalment_on=on,
    )
    debit_on = debit_day(method, entity, on, entity.today(now))
    if not owed or (debit_on is not None and debit_on > on):
        return needless(begun)
    return _announced(begun, entity, debit_on)


def _announced(collection: Collection, entity: Entity, debit_on: date | None) -> Collection:
    if debit_on is None:
        return collection
    at = at_local_time(debit_on, CHARGED_AT, entity.time_zone)
    return replace(collection, status="announced", debit_on=debit_on, look_at=at)


def plan_owes(plan: Plan, filled: Sequence[Filled], by: date, at_most_minor: int) -> int:
    """What may be collected on a running plan by a day, beside what is under way already."""
    if not plan.runs:
        return 0
    return max(0, min(at_most_minor, due_by(filled, by) - plan.awaited_minor))


def confirmed(announced: Collection, owed_minor: int, now: datetime) -> Collection | None:
    """What was announced, at the time for it: never more than that, less where less is owed now, None for nothing."""
    minor = min(announced.amount_minor, owed_minor)
    return replace(announced, status="meant", amount_minor=minor, look_at=now) if minor > 0 else None


def again(
    collection_id: UUID, method: Method, refused: Collection, owed_minor: int, now: datetime
) -> Collection | None:
    """The next attempt, over what is owed now; a debit over no more than was told with the refusal."""
    minor = min(refused.amount_minor, owed_minor) if method.debits or refused.plan_id else owed_minor
    if minor <= 0:
        return None
    return replace(
        refused,
        id=collection_id,
        method_id=method.id,
        attempt=refused.attempt + 1,
        amount_minor=minor,
        status="meant",
        look_at=now,
        intent_id=None,
        failure=None,
    )


def paid(collection: Collection, intent_id: str, payment_id: UUID) -> Collection:
    return replace(collection, status="paid", look_at=None, intent_id=intent_id, payment_id=payment_id)


def refused(
    collection: Collection, method: Method, why: str, entity: Entity, today: date, *, futile: bool = False
) -> Collection:
    """To be tried again some days later, a bounded number of times."""
    if futile or collection.attempt > len(RETRY_DAYS):
        return replace(collection, status="given_up", look_at=None, failure=why)
    days = RETRY_DAYS[collection.attempt - 1]
    if method.debits:
        days = max(days, entity.policies.collection.notice_days)
    again_on = today + timedelta(days=days)
    return replace(
        collection,
        status="refused",
        look_at=at_local_time(again_on, CHARGED_AT, entity.time_zone),
        failure=why,
        debit_on=again_on if method.debits else None,
    )


def dropped(collection: Collection) -> Collection:
    """Its method is gone: what was announced is not debited, what was refused not tried again."""
    return replace(collection, status="needless" if collection.status == "announced" else "given_up", look_at=None)


def follows(new: Method, collection: Collection) -> Collection:
    """What of an older method's goes on with the one that takes its place: everything, but for debits that nobody has
    announced."""
    if new.debits and collection.debit_on is None:
        return dropped(collection)
    return replace(collection, method_id=new.id)


def unheard(collection: Collection, now: datetime) -> Collection:
    """Nobody knows whether it was charged: ask again under the same key."""
    return replace(collection, look_at=now + LOST_AFTER)


def under_way(collection: Collection, intent_id: str, now: datetime) -> Collection:
    """A debit that takes days: the provider is asked again how it went."""
    return replace(collection, intent_id=intent_id, look_at=now + UNDER_WAY_LOOK)


def needless(collection: Collection) -> Collection:
    return replace(collection, status="needless", look_at=None)
