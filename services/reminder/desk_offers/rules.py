"""What the page of an account's offers says, and how its forms are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from services.reminder.authority.rules import Offers as Limits
from services.reminder.errands.rules import INSTALMENTS_FROM_DAYS, monthly_parts
from services.reminder.offers.rules import Effect, Kind, Offer, Status, Terms
from services.reminder.receivables.rules import Item
from shared.errors import Refused
from shared.money import Money
from shared.words import day_words, money_words

SAID = {
    "made": "The offer is kept.",
    "approved": "Approved: now the customer may accept it.",
    "rejected": "The offer is not made.",
    "accepted": "The customer has accepted; it is carried out.",
    "refused": "The customer does not want it; collection goes on.",
    "withdrawn": "Withdrawn; collection goes on.",
}
"""What a page says after something was done, by the word in its address."""

STATUS_WORDS: Mapping[Status, str] = {
    "awaiting_approval": "waits for approval",
    "open": "with the customer",
    "accepted": "accepted",
    "refused": "refused by the customer",
    "expired": "expired unanswered",
    "withdrawn": "withdrawn",
    "rejected": "not approved",
    "lapsed": "accepted, but not paid as agreed",
}
EFFECT_WORDS: Mapping[Effect, str] = {
    "none": "",
    "promised": "It is a promise to pay now.",
    "pending": "The invoice service is being asked to do its part.",
    "done": "Carried out.",
    "failed": "It could not be carried out: there is a task for it.",
}

VALID_DAYS = 7
"""How long an offer stands where nobody says otherwise."""
PLAN_PARTS_MAX = 60


class FieldUnreadable(Refused):
    slug = "field-unreadable"
    title = "Something cannot be read"


@dataclass(frozen=True, slots=True)
class Written:
    """A form as somebody filled it in: of `pay_by`, `pay`, `count` and `first_on` what its kind takes."""

    kind: Kind
    expires_on: date
    items: tuple[str, ...] = ()
    pay_by: date | None = None
    pay: str = ""
    count: int = 0
    first_on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the forms begin with."""

    expires_on: date
    pay_by: date
    first_on: date
    parts: int


def suggest(limits: Limits, today: date) -> Suggestion:
    """Within what a collector may offer alone, where that is possible at all."""
    expires_on = today + timedelta(days=min(VALID_DAYS, limits.valid_days_max))
    pay_by = max(expires_on, today + timedelta(days=limits.extension_days_alone or VALID_DAYS))
    first_on = max(expires_on, today + timedelta(days=INSTALMENTS_FROM_DAYS))
    return Suggestion(expires_on, pay_by, first_on, max(min(limits.instalments_alone, limits.instalments_max), 2))


def read_terms(written: Written, owed: Money) -> Terms:
    """The terms that were written down, for what is owed on their invoices. Raises FieldUnreadable."""
    parts = ()
    if written.kind == "plan":
        if written.first_on is None or not 2 <= written.count <= PLAN_PARTS_MAX:
            raise FieldUnreadable(f"say in how many parts, 2 to {PLAN_PARTS_MAX}, and when the first is due")
        parts = monthly_parts(owed, written.count, written.first_on)
    return Terms(
        kind=written.kind,
        expires_on=written.expires_on,
        items=written.items,
        pay=_read_amount(written.pay, owed.currency) if written.kind == "settlement" else None,
        pay_by=None if written.kind == "plan" else written.pay_by,
        instalments=parts,
        note=written.note.strip() or None,
    )


def _read_amount(text: str, currency: str) -> Money:
    try:
        return Money.parse(str(Decimal(text.strip().replace(" ", ""))), currency)
    except (InvalidOperation, ValueError):
        raise FieldUnreadable(f"{text!r} is no amount of {currency}: write it like 1250.00", field="/pay") from None


def in_words(offer: Offer) -> str:
    """€60.00 by 18 Feb 2026 for all of €100.00"""
    match offer.kind:
        case "extension":
            return f"more time, {money_words(offer.amount)} by {day_words(offer.pay_by)}"
        case "plan":
            first, last = offer.instalments[0].due_date, offer.instalments[-1].due_date
            count = len(offer.instalments)
            return f"{money_words(offer.amount)} in {count} parts, {day_words(first)} to {day_words(last)}"
        case "settlement":
            return f"{money_words(offer.to_pay)} by {day_words(offer.pay_by)} for all of {money_words(offer.amount)}"


def limits_in_words(limits: Limits, today: date) -> list[str]:
    """What may be offered alone, what with a second person, and what not at all."""

    def until(days: int) -> str:
        return day_words(today + timedelta(days=days))

    alone = f"Alone: up to {limits.instalments_alone} parts, or more time until {until(limits.extension_days_alone)}"
    if limits.amounts_alone:
        alone += f", of no more than {' or '.join(map(money_words, limits.amounts_alone))}"
    most = f"{limits.given_up_percent_max.normalize():f} %"
    return [
        f"{alone}.",
        f"With another person's approval: up to {limits.instalments_max} parts, more time until "
        f"{until(limits.extension_days_max)}, and every settlement, which gives up {most} at most.",
        f"An offer stands until {until(limits.valid_days_max)} at the latest.",
    ]


def chosen_first(items: Sequence[Item], subject: Sequence[Item]) -> list[tuple[Item, bool]]:
    """The collectable invoices, each with whether it is ticked to begin with: those that an offer is about where nobody
    says otherwise."""
    numbers = {item.number for item in subject}
    return [(item, item.number in numbers) for item in items if item.is_collectable]
