"""A customer's statement of account: the journal as the customer sees it.

What the customer owes is the sum of two accounts: trade receivables, less cash not yet bound to an invoice. An entry
that moves neither of them, or both against each other (an allocation), changes nothing that the customer owes; an
allocation is shown beside the payment it is of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from uuid import UUID

from services.invoice.customers.rules import Account
from services.invoice.documents.rules import accounts_of, buyer_of, seller_of
from services.invoice.print_words.rules import Tongue, tongue
from services.invoice.printing.rules import envelope, letterhead
from shared.errors import Refused
from shared.money import Money

OWED = "trade_receivables"
UNAPPLIED = "unapplied_cash"

EntryKind = Literal[
    "invoice",
    "credit_note",
    "payment",
    "payment_reversal",
    "allocation",
    "refund",
    "discount",
    "small_difference",
    "write_off",
    "charge",
    "void",
    "correction",
]

_KINDS: dict[str, EntryKind] = {
    "invoice": "invoice",
    "tax": "invoice",
    "opening": "invoice",
    "payment": "payment",
    "allocation": "allocation",
    "credit_note": "credit_note",
    "discount": "discount",
    "small_difference": "small_difference",
    "write_off": "write_off",
    "charge": "charge",
    "refund": "refund",
    "void": "void",
}


class PeriodRefused(Refused):
    slug = "statement-period"
    title = "The period does not fit"


@dataclass(frozen=True, slots=True)
class Posting:
    """A journal entry of the customer. `kind` is that of the entry it reverses, where it reverses one."""

    effective_on: date
    kind: str
    is_reversal: bool
    debit: str
    credit: str
    amount_minor: int
    currency: str
    invoice_id: UUID | None
    invoice_number: str | None
    payment_id: UUID | None
    payment_reference: str | None
    source_id: UUID | None

    @property
    def change_minor(self) -> int:
        """What it adds to what the customer owes."""
        accounts = (OWED, UNAPPLIED)
        return self.amount_minor * ((self.debit in accounts) - (self.credit in accounts))


@dataclass(frozen=True, slots=True)
class Applied:
    """What of a payment went to an invoice; negative when it was taken back."""

    invoice_id: UUID
    invoice_number: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the statement: one fact, however many journal entries it took."""

    effective_on: date
    kind: EntryKind
    change_minor: int
    balance_minor: int = 0
    invoice_id: UUID | None = None
    invoice_number: str | None = None
    payment_id: UUID | None = None
    reference: str | None = None
    applied: tuple[Applied, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """What stood on the two accounts before the period, in one currency."""

    currency: str
    owed_minor: int
    unapplied_minor: int


@dataclass(frozen=True, slots=True)
class Section:
    """The statement in one currency. `closing_minor` is net of `unapplied_minor`, the cash not bound to an invoice;
    `on_plan_minor` of what is owed waits for the dates of instalment plans when the statement is made."""

    currency: str
    opening_minor: int
    entries: tuple[Entry, ...]
    closing_minor: int
    unapplied_minor: int
    on_plan_minor: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    account: Account
    first: date
    last: date
    sections: tuple[Section, ...]


def period(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """This month so far unless stated. Raises PeriodRefused."""
    until = last or today
    since = first or until.replace(day=1)
    if since > until:
        raise PeriodRefused(f"the period begins on {since}, after its end on {until}", field="query.from")
    return since, until


def sections(openings: Sequence[Opening], postings: Sequence[Posting], currency: str) -> tuple[Section, ...]:
    """By currency, from what stood before to what stands at the end; one in the customer's own where there is none."""
    before = {each.currency: each for each in openings}
    currencies = sorted(before.keys() | {posting.currency for posting in postings}) or [currency]
    return tuple(
        _section(before.get(currency, Opening(currency, 0, 0)), [p for p in postings if p.currency == currency])
        for currency in currencies
    )


def _section(opening: Opening, postings: Sequence[Posting]) -> Section:
    balance = start = opening.owed_minor - opening.unapplied_minor
    unapplied = opening.unapplied_minor + sum(
        posting.amount_minor * ((posting.credit == UNAPPLIED) - (posting.debit == UNAPPLIED)) for posting in postings
    )
    entries = []
    for entry in _entries(postings):
        balance += entry.change_minor
        entries.append(replace(entry, balance_minor=balance))
    return Section(opening.currency, start, tuple(entries), balance, unapplied)


def _entries(postings: Sequence[Posting]) -> Iterable[Entry]:
    """Entries of one fact and day on one line, in the order they were booked."""
    facts: dict[tuple[Any, ...], Entry] = {}
    for posting in postings:
        kind = _kind(posting)
        if kind is None:
            continue
        if kind == "allocation":
            _add_allocation(facts, posting)
            continue
        subject = posting.source_id or posting.payment_id or posting.invoice_id
        key = (posting.effective_on, kind, subject, posting.invoice_id)
        so_far = facts.get(key)
        facts[key] = Entry(
            effective_on=posting.effective_on,
            kind=kind,
            change_minor=posting.change_minor + (so_far.change_minor if so_far else 0),
            invoice_id=posting.invoice_id,
            invoice_number=posting.invoice_number,
            payment_id=posting.payment_id,
            reference=posting.payment_reference,
            applied=so_far.applied if so_far else (),
        )
    return [fact for fact in facts.values() if fact.change_minor or any(part.amount_minor for part in fact.applied)]


def _kind(posting: Posting) -> EntryKind | None:
    kind = _KINDS.get(posting.kind)
    if not posting.is_reversal or kind in (None, "allocation"):
        return kind if kind == "allocation" or posting.change_minor else None
    return "payment_reversal" if kind == "payment" else "correction"


def _add_allocation(facts: dict[tuple[Any, ...], Entry], posting: Posting) -> None:
    """To the line of its payment where that is of the same day, else on a line of its own."""
    if posting.invoice_id is None or posting.payment_id is None:
        return
    day, payment = posting.effective_on, posting.payment_id
    kinds: tuple[EntryKind, ...] = ("payment_reversal",) if posting.is_reversal else ("payment",)
    key = next((key for kind in kinds if (key := (day, kind, payment, None)) in facts), None)
    key = key or (day, "allocation", payment, None)
    line = facts.get(key) or Entry(day, "allocation", 0, payment_id=payment, reference=posting.payment_reference)
    part = Applied(
        posting.invoice_id,
        posting.invoice_number or "",
        -posting.amount_minor if posting.is_reversal else posting.amount_minor,
    )
    facts[key] = replace(line, applied=(*line.applied, part))


def with_plans(sections: Sequence[Section], planned: Sequence[Money]) -> tuple[Section, ...]:
    """The sections with what is on plans now."""
    on_plan = {money.currency: money.minor for money in planned}
    return tuple(replace(section, on_plan_minor=on_plan.get(section.currency, 0)) for section in sections)


def has_anything(statement: Statement) -> bool:
    """Whether there is anything to tell: a movement, or something still owed."""
    return any(section.entries or section.closing_minor for section in statement.sections)


# --- printed ---


def statement_view(statement: Statement, pay_link: str, language: str | None = None) -> dict[str, Any]:
    """All that `statement.typ` shows."""
    customer, entity = statement.account.customer, statement.account.entity
    t = tongue(language or customer.language, customer.country)
    seller, buyer = seller_of(entity), buyer_of(customer)
    span = t.say("from_to", first=t.day(statement.first), last=t.day(statement.last))
    currency = statement.sections[0].currency
    return {
        "title": t.say("statement"),
        "number": "",
        "language": t.language,
        "seller": letterhead(seller, accounts_of(entity.seller, currency), t),
        "buyer": envelope(buyer, seller, t),
        "facts": [
            [t.say("date"), t.day(statement.last)],
            [t.say("period"), span],
            [t.say("customer_number"), customer.external_id],
        ],
        "columns": [t.say("date"), t.say("entry"), t.say("debit"), t.say("credit"), t.say("balance")],
        "sections": [_section_view(section, statement, t) for section in statement.sections],
        "pay": {"label": t.say("pay_online"), "link": pay_link},
        "words": {"page": t.say("page", page="{page}", pages="{pages}")},
    }


def _section_view(section: Section, statement: Statement, t: Tongue) -> dict[str, Any]:
    currency = section.currency
    owed = section.closing_minor
    favour = f" ({t.say('in_your_favour')})" if owed < 0 else ""
    return {
        "currency": currency,
        "opening": [t.short_day(statement.first), t.say("opening"), t.amount(section.opening_minor, currency)],
        "rows": [_row(entry, currency, t) for entry in section.entries],
        "empty": "" if section.entries else t.say("no_entries"),
        "closing": [t.say("closing") + favour, t.money(abs(owed) if favour else owed, currency)],
        "unapplied": [t.say("unapplied"), t.money(section.unapplied_minor, currency)]
        if section.unapplied_minor
        else [],
        "on_plan": [t.say("on_plan"), t.money(section.on_plan_minor, currency)] if section.on_plan_minor else [],
        "owes": owed > 0,
    }


def _row(entry: Entry, currency: str, t: Tongue) -> dict[str, Any]:
    change = entry.change_minor
    title = t.say(f"entry_{entry.kind}", number=entry.invoice_number or "").strip()
    parts = [f"{part.invoice_number} {t.amount(part.amount_minor, currency)}" for part in entry.applied]
    notes = (entry.reference, t.say("applied_to", numbers=", ".join(parts)) if parts else None)
    return {
        "day": t.short_day(entry.effective_on),
        "title": title,
        "note": " · ".join(note for note in notes if note),
        "debit": t.amount(change, currency) if change > 0 else "",
        "credit": t.amount(-change, currency) if change < 0 else "",
        "balance": t.amount(entry.balance_minor, currency),
    }
