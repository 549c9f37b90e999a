"""The customer's page: what it shows, in the customer's language, and what the customer may say on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.invoice.autopay.rules import Collection
from services.invoice.balances.rules import Total
from services.invoice.entities.rules import Entity
from services.invoice.invoices.rules import Invoice, Outcome
from services.invoice.pay_words.rules import Tongue
from services.invoice.payment_references.rules import payment_reference, printed
from services.invoice.plans.rules import Filled, Offer, Plan, Schedule, spread
from services.invoice.printing.rules import in_fours
from shared.errors import DomainError, Refused
from shared.events.invoice import InvoicePromiseOffered
from shared.money import Money, exponent

PROMISE_DAYS_MAX = 30
"""The latest day that a customer may name by itself; later ones are for a conversation."""
HISTORY = 12
PARTS_SHOWN = 12
"""A plan of more instalments is told by its first ones and its last."""


class PromiseRefused(Refused):
    slug = "promise-date"
    title = "This day cannot be promised"


class AmountUnreadable(Refused):
    slug = "amount-unreadable"
    title = "This is not an amount"


@dataclass(frozen=True, slots=True)
class ContestableLine:
    """A line of an invoice as the customer may contest it, with its part of the tax."""

    position: int
    description: str
    gross_minor: int


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    id: UUID
    number: str
    issue_date: date
    settled_on: date
    status: str
    total_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ReceivedPayment:
    id: UUID
    received_on: date
    amount_minor: int
    unapplied_minor: int
    currency: str
    method: str
    status: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What is overdue in one currency, and the plans for it that the customer may choose from."""

    invoice_ids: tuple[UUID, ...]
    total: Money
    offers: tuple[Offer, ...]


def promised_day(text: str, today: date) -> date:
    """A day from today to a month from now. Raises PromiseRefused."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise PromiseRefused(f"{text!r} is not a day such as {today.isoformat()}", field="/promised_on") from None
    if not today <= day <= last_promise(today):
        raise PromiseRefused(f"a day from {today} to {last_promise(today)} can be promised here", field="/promised_on")
    return day


def last_promise(today: date) -> date:
    return today + timedelta(days=PROMISE_DAYS_MAX)


def promisable(invoices: Sequence[Invoice]) -> list[Invoice]:
    """What a promise speaks of: everything that may be chased now."""
    return [invoice for invoice in invoices if invoice.collectable_minor > 0]


def offer_promise(invoices: Sequence[Invoice], promised_on: date, booked_on: date) -> list[Outcome]:
    """Announce that the customer will pay these invoices by a day: a new version of each, its amounts unchanged."""
    outcomes = []
    for invoice in invoices:
        told = replace(invoice, version=invoice.version + 1)
        event = InvoicePromiseOffered(
            customer_id=told.customer_id,
            effective_on=booked_on,
            booked_on=booked_on,
            entity_id=told.entity_id,
            invoice=told.state(),
            promised_on=promised_on,
            amount=told.money(told.collectable_minor),
        )
        outcomes.append(Outcome(told, (event,)))
    return outcomes


def plannable(invoices: Sequence[Invoice], today: date) -> list[tuple[UUID, ...]]:
    """Overdue invoices that a plan may be made of, by currency: those that may be collected and are on none."""
    by_currency: dict[str, list[UUID]] = {}
    for invoice in invoices:
        if invoice.overdue_minor(today) and invoice.collectable_minor > 0 and not invoice.planned_minor:
            by_currency.setdefault(invoice.currency, []).append(invoice.id)
    return [tuple(ids) for _, ids in sorted(by_currency.items())]


def is_choice(plan: Plan, total: Money, count: int, today: date) -> bool:
    """Whether a plan is what the customer asks for, agreed by itself a moment ago."""
    parts = [each for each in plan.schedule if each.due_date > plan.agreed_on]
    return (
        plan.agreed_by == "customer"
        and plan.agreed_on == today
        and plan.money(plan.amount_minor) == total
        and len(parts) == count
    )


def offer_view(offered: Offered, t: Tongue, today: date) -> dict[str, Any]:
    """What is overdue in a currency with the plans for it."""
    currency = offered.total.currency
    return {
        "total": t.money(offered.total.minor, currency),
        "minor": offered.total.minor,
        "currency": currency,
        "choices": [
            {
                "count": offer.count,
                "said": _in_parts(offer, t, currency, today),
                "parts": _parts(offer.schedule, t, currency),
            }
            for offer in offered.offers
        ],
    }


def _in_parts(offer: Offer, t: Tongue, currency: str, today: date) -> str:
    """A down payment is due today, and comes before the instalments."""
    down = [each for each in offer.schedule if each.due_date <= today]
    parts = [each for each in offer.schedule if each.due_date > today]
    amount = t.money(parts[0].minor, currency)
    said = t.say("plan_parts_one" if offer.count == 1 else "plan_parts", count=offer.count, amount=amount)
    return t.say("plan_down", down=t.money(down[0].minor, currency), rest=said) if down else said


def _parts(schedule: Schedule, t: Tongue, currency: str) -> list[str]:
    """Each date with its amount; of a long plan the first and the last ones."""
    said = [f"{t.short_day(each.due_date)}: {t.money(each.minor, currency)}" for each in schedule]
    return said if len(said) <= PARTS_SHOWN else [*said[:3], "…", said[-1]]


@dataclass(frozen=True, slots=True)
class NextPart:
    """The instalment to pay next: its day, what of it is open and not under way, and whose invoices that pays."""

    due_date: date
    minor: int
    numbers: tuple[str, ...]


def next_part(plan: Plan, filled: Sequence[Filled], items: Sequence[Invoice]) -> NextPart | None:
    """The earliest instalment that is not paid, nor being debited."""
    under_way = plan.awaited_minor
    for part in filled:
        left = max(0, part.open_minor - under_way)
        under_way -= part.open_minor - left
        if left:
            planned = {item.id: item.planned_minor for item in items}
            names = {share.invoice_id: share.number for share in plan.shares}
            paid = spread(plan, planned, left)
            return NextPart(part.due_date, left, tuple(names[invoice_id] for invoice_id, _ in paid))
    return None


def next_view(plan: Plan, part: NextPart, t: Tongue) -> dict[str, str]:
    """How the next instalment is paid: by the button, or by transfer under its reference."""
    amount = t.money(part.minor, plan.currency)
    one = len(part.numbers) == 1
    reference = in_fours(payment_reference(part.numbers[0])) if one else " ".join(part.numbers)[:140]
    return {
        "plan": str(plan.id),
        "on": part.due_date.isoformat(),
        "title": f"{t.say('plan_next')}: {t.day(part.due_date)}",
        "pay": t.say("plan_pay", amount=amount),
        "transfer": t.say("plan_transfer", amount=amount, reference=reference),
    }


def plan_view(
    plan: Plan, filled: Sequence[Filled], items: Sequence[Invoice], t: Tongue, today: date, attempt: UUID
) -> dict[str, Any]:
    """A running plan: its invoices, each instalment with what is open of it, and the next one to pay."""
    part = next_part(plan, filled, items)
    return {
        "next": next_view(plan, part, t) if part else None,
        "attempt": str(attempt),
        "invoices": ", ".join(share.number for share in plan.shares),
        "parts": [
            {
                "day": t.day(each.due_date),
                "amount": t.money(each.minor, plan.currency),
                "late": bool(each.open_minor) and each.due_date < today,
                "said": _standing(each, plan, t, today),
            }
            for each in filled
        ],
    }


def _standing(part: Filled, plan: Plan, t: Tongue, today: date) -> str:
    if not part.open_minor:
        return t.say("plan_paid")
    key = "plan_late" if part.due_date < today else "plan_open"
    return t.say(key, amount=t.money(part.open_minor, plan.currency))


def written(text: str) -> str:
    """What the customer wrote, without what cannot be kept."""
    return text.replace("\0", "").replace("\r\n", "\n").strip()


def typed_amount(text: str, currency: str) -> Money | None:
    """An amount as people of any language type it: `1.234,50`, `1,234.50`, `1 234,5`, `40`; None for nothing. The last
    separator begins the decimals where no more digits follow it than the currency has. Raises AmountUnreadable."""
    plain = re.sub(r"[\s\u00a0\u202f'’]", "", text.replace(currency, "")).strip("€$£¥")
    if not plain:
        return None
    last = re.search(r"[.,](\d*)\Z", plain, re.ASCII)
    whole, decimals = (plain[: last.start()], last[1]) if last else (plain, "")
    if len(decimals) > exponent(currency):
        whole, decimals = plain, ""
    if not re.fullmatch(r"\d+|\d{1,3}([.,])\d{3}(\1\d{3})*", whole, re.ASCII):
        raise AmountUnreadable(f"{text[:40]!r} is not an amount such as 125.00", field="/amount")
    try:
        return Money.parse(f"{re.sub('[.,]', '', whole)}.{decimals or '0'}".removesuffix(".0"), currency)
    except ValueError as error:
        raise AmountUnreadable(str(error), field="/amount") from None


def item_view(
    invoice: Invoice, t: Tongue, today: date, collecting_minor: int = 0, under_way_minor: int = 0
) -> dict[str, Any]:
    """One open invoice as the page shows it; what is collected anyway is not chosen to be paid."""
    late = (today - invoice.due_date).days
    resting = invoice.planned_minor == invoice.balance_minor
    planned = t.say("planned", amount=t.money(invoice.planned_minor, invoice.currency))
    if resting:  # The plan's dates are those that count.
        when = planned
    elif late > 0:
        when = t.say("overdue_by_one" if late == 1 else "overdue_by", days=late)
    elif late == 0:
        when = t.say("due_today")
    else:
        when = t.say("due_in_one" if late == -1 else "due_in", days=-late)
    return {
        "id": invoice.id,
        "number": invoice.number,
        "issued": t.day(invoice.issue_date),
        "due": t.day(invoice.due_date),
        "when": when,
        "late": late > 0 and not resting,
        "balance": t.money(invoice.balance_minor, invoice.currency),
        "total": t.money(invoice.total_minor, invoice.currency) if invoice.reduced_minor else None,
        "disputed": t.money(invoice.disputed_minor, invoice.currency) if invoice.disputed_minor else None,
        "planned": planned if invoice.planned_minor and not resting else None,
        "collecting": t.say("being_collected", amount=t.money(collecting_minor, invoice.currency))
        if collecting_minor
        else None,
        "chosen": invoice.collectable_minor > collecting_minor,
        "payable": invoice.undisputed_minor > under_way_minor,
        "disputable": invoice.collectable_minor > 0,
        "reference": printed(payment_reference(invoice.number)),
    }


def transfer_of(
    items: Sequence[Invoice], collecting: Mapping[UUID, int], next_parts: Sequence[tuple[str, NextPart]]
) -> tuple[str, int, tuple[str, ...]] | None:
    """What to transfer now: currency, amount and the invoices' numbers. All that may be collected in the currency due
    longest and is not debited anyway, or where all is on a plan its next instalment."""
    parts = [(item, item.collectable_minor - collecting.get(item.id, 0)) for item in items]
    payable = [(item, minor) for item, minor in parts if minor > 0]
    if payable:
        currency = payable[0][0].currency
        own = [(item, minor) for item, minor in payable if item.currency == currency]
        return currency, sum(minor for _, minor in own), tuple(item.number for item, _ in own)
    if next_parts:
        currency, part = next_parts[0]
        return currency, part.minor, part.numbers
    return None


def totals_view(totals: Sequence[Total], t: Tongue) -> list[dict[str, str | None]]:
    """What is owed by currency, what of it is past due, and what waits for the dates of a plan or for the bank."""

    def unless_nothing(key: str, minor: int, currency: str) -> str | None:
        return t.say(key, amount=t.money(minor, currency)) if minor else None

    return [
        {
            "owed": t.money(total.open_minor, total.currency),
            "overdue": t.money(total.overdue_minor, total.currency) if total.overdue_minor else None,
            "on_plan": unless_nothing("on_plan", total.on_plan_minor, total.currency),
            "being_collected": unless_nothing("being_collected", total.being_collected_minor, total.currency),
        }
        for total in totals
        if total.open_minor
    ]


def failed_view(items: Sequence[Invoice], collections: Sequence[Collection], t: Tongue, entity: Entity) -> list[str]:
    """What could not be collected, and when it is tried again."""
    told = []
    for each in collections:
        what = _collected(each, items, t)
        if what is None or each.failure is None:
            continue
        if each.look_at:
            told.append(t.say("collect_again", what=what, day=t.day(entity.today(each.look_at))))
        else:
            told.append(t.say("collect_given_up", what=what))
    return told


def coming_view(items: Sequence[Invoice], collections: Sequence[Collection], label: str, t: Tongue) -> list[str]:
    """What will be debited on which day, and what the bank has yet to confirm."""
    told = []
    for each in collections:
        what, amount = _collected(each, items, t), t.money(each.amount_minor, each.currency)
        if what and each.under_way:
            told.append(t.say("debit_under_way", what=what, amount=amount, label=label))
        elif what and each.status == "announced" and each.debit_on:
            told.append(t.say("debit_on", what=what, amount=amount, label=label, day=t.day(each.debit_on)))
    return told


def _collected(collection: Collection, items: Sequence[Invoice], t: Tongue) -> str | None:
    """What a charge is for, where that is still open."""
    if collection.instalment_on:
        return t.say("what_instalment", day=t.day(collection.instalment_on)) if items else None
    item = next((each for each in items if each.id == collection.invoice_id), None)
    return t.say("what_invoice", number=item.number) if item else None


_REFUSALS = {
    "nothing-to-pay": "refused_nothing_to_pay",
    "dispute-amount": "refused_dispute",
    "dispute-code": "refused_other",
    "amount-unreadable": "refused_amount",
    "on-plan": "refused_on_plan",
    "plan-refused": "refused_plan",
    "plan-over": "refused_plan",
    "plan-not-found": "refused_plan",
    "invoice-not-found": "refused_invoice",
}


def refusal(refused: DomainError, t: Tongue, today: date) -> str:
    """Why something did not work, in the customer's words."""
    if isinstance(refused, PromiseRefused):
        if refused.field is None:
            return t.say("refused", why=t.say("refused_promise_none"))
        span = t.say("refused_promise_date", first=t.day(today), last=t.day(last_promise(today)))
        return t.say("refused", why=span)
    if refused.slug == "dispute-amount" and refused.field == "/amount":
        return t.say("refused", why=t.say("refused_amount"))
    return t.say("refused", why=t.say(_REFUSALS.get(refused.slug, "refused_other")))


def seller_lines(entity: Entity) -> list[str]:
    """Who the page belongs to, with where to ask."""
    seller = entity.seller
    address = seller.address
    place = [*address.lines, " ".join(part for part in (address.postal_code, address.city) if part)] if address else []
    return [seller.legal_name or entity.name, *place]
