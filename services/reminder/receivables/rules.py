"""What a customer owes and whom to write to there: the local copy, and the invoice service's word before a mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from shared.events.credit import ContactPerson, PostalAddress
from shared.events.invoice import InvoiceState
from shared.money import Money

WRITTEN_TO = ("billing", "approver", "escalation")
"""Which contact person a reminder goes to: the first of these roles that has an e-mail address."""

ENTITY = "default"
"""The selling entity that is there from the start."""

UNHEARD_MAX = 1_000
"""So many versions of an invoice are waited for; one that jumps further has lost the others for good."""

Key = tuple[UUID, str]
"""An account: what a customer, by id, owes a selling entity."""


@dataclass(frozen=True, slots=True)
class Item:
    """An open invoice. `overdue_since` is the first overdue day of its running episode; after a dispute, nothing of it
    is asked for before `collect_again_on`."""

    number: str
    issued_on: date
    due_on: date
    balance: Money
    disputed: Money
    collectable: Money
    overdue_since: date | None
    collect_again_on: date | None = None
    is_on_plan: bool = False

    @property
    def is_collectable(self) -> bool:
        return self.collectable.minor > 0

    @property
    def is_disputed(self) -> bool:
        return self.disputed.minor > 0

    @property
    def is_overdue(self) -> bool:
        return self.overdue_since is not None

    def rests_on(self, day: date) -> bool:
        """Whether that is one of the fresh days after a dispute."""
        return self.collect_again_on is not None and day < self.collect_again_on


@dataclass(frozen=True, slots=True)
class Unwanted:
    """A channel that the customer does not want, at all or about the invoice of a number."""

    channel: str
    invoice: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A customer of a selling entity, whom to write to there, and what is open with that entity. `items` are ordered by
    due date, oldest first.

    Of them `overdue` may be chased: neither disputed nor on a plan as a whole; `held_back` is overdue but may not.
    `ahead` is what is not overdue and may be asked for, by due date. `has_rest` says that some of them rest after a
    dispute, or have rested.
    """

    id: UUID
    external_id: str | None
    name: str | None
    country: str | None
    language: str
    time_zone: str
    segment: str | None
    person: ContactPerson | None
    items: tuple[Item, ...] = ()
    entity_id: str = ENTITY
    phone: str | None = None
    address: PostalAddress | None = None
    unwanted: tuple[Unwanted, ...] = ()
    risk_class: str | None = None
    average_days_late: float | None = None
    overdue: tuple[Item, ...] = field(init=False, compare=False, repr=False)
    held_back: tuple[Item, ...] = field(init=False, compare=False, repr=False)
    ahead: tuple[tuple[date, tuple[Item, ...]], ...] = field(init=False, compare=False, repr=False)
    has_rest: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Every decision asks for these several times."""
        late = [item for item in self.items if item.overdue_since is not None]
        ahead: dict[date, list[Item]] = {}
        for item in self.items:
            if item.overdue_since is None and item.collectable.minor > 0:
                ahead.setdefault(item.due_on, []).append(item)
        set_once = object.__setattr__
        set_once(self, "overdue", tuple(item for item in late if item.collectable.minor > 0))
        set_once(self, "held_back", tuple(item for item in late if item.collectable.minor <= 0))
        set_once(self, "ahead", tuple((due_on, tuple(items)) for due_on, items in ahead.items()))
        set_once(self, "has_rest", any(item.collect_again_on is not None for item in self.items))

    @property
    def key(self) -> Key:
        return self.id, self.entity_id

    @property
    def email(self) -> str | None:
        return self.person.email if self.person else None

    @property
    def region(self) -> str | None:
        return self.address.region if self.address else None

    def reached_at(self, channel: str) -> str | None:
        """The address or number by which the customer is reached on a channel; letters go to the postal address."""
        if channel == "email":
            return self.email
        return self.phone if channel in ("sms", "call") else None

    def opted_out(self, channel: str, invoice: str | None = None) -> bool:
        """Whether nothing may go out on the channel at all, or about the invoice of that number."""
        return any(each.channel == channel and each.invoice == invoice for each in self.unwanted)

    def chased_on(self, day: date) -> tuple[Item, ...]:
        """What is overdue and may be asked for on that day: without what rests after a dispute."""
        return tuple(item for item in self.overdue if not item.rests_on(day)) if self.has_rest else self.overdue


def person_to_write_to(contacts: Iterable[Mapping[str, Any]]) -> ContactPerson | None:
    """The contact person a reminder is addressed to; None when nobody there has an e-mail address."""
    reachable = {contact["role"]: contact for contact in reversed(list(contacts)) if contact.get("email")}
    for role in WRITTEN_TO:
        if role in reachable:
            return ContactPerson(role=role, name=reachable[role]["name"], email=reachable[role]["email"])
    return None


def phone_to_write_to(contacts: Iterable[Mapping[str, Any]]) -> str | None:
    """The number that text messages and calls go to."""
    phones = {contact["role"]: contact["phone"] for contact in reversed(list(contacts)) if contact.get("phone")}
    return next((phones[role] for role in WRITTEN_TO if role in phones), None)


def newest_of_each(invoices: Iterable[tuple[UUID, InvoiceState]]) -> list[tuple[UUID, InvoiceState]]:
    """(customer id, invoice) pairs, one an invoice: a batch may hold several versions of it, in any order."""
    newest: dict[UUID, tuple[UUID, InvoiceState]] = {}
    for customer_id, invoice in invoices:
        known = newest.get(invoice.id)
        if known is None or known[1].version < invoice.version:
            newest[invoice.id] = customer_id, invoice
    return list(newest.values())


@dataclass(frozen=True, slots=True)
class Heard:
    """What has been heard of an invoice: the newest `version`, and which below it are `unheard`, since its events
    travel on several topics."""

    version: int
    unheard: frozenset[int] = frozenset()


def hear(told: Sequence[InvoiceState], stood: Mapping[UUID, Heard]) -> tuple[list[bool], dict[UUID, Heard]]:
    """Which of the states, in their order, are told for the first time and which for a second time, under whatever
    event id; and what has been heard of their invoices then."""
    known = dict(stood)
    first_time = []
    for state in told:
        heard = known.get(state.id, Heard(0))
        if state.version > heard.version:
            skipped = range(max(heard.version + 1, state.version - UNHEARD_MAX), state.version)
            known[state.id] = Heard(state.version, heard.unheard.union(skipped))
        elif state.version in heard.unheard:
            known[state.id] = Heard(heard.version, heard.unheard - {state.version})
        else:
            first_time.append(False)
            continue
        first_time.append(True)
    return first_time, known


def ended(invoices: Iterable[tuple[UUID, InvoiceState]], today: date) -> dict[Key, frozenset[str]]:
    """By account, the status of those that are past due and owe nothing any more."""
    found: dict[Key, frozenset[str]] = {}
    for customer_id, invoice in invoices:
        if invoice.balance.minor == 0 and invoice.due_date < today:
            key = customer_id, invoice.entity_id
            found[key] = found.get(key, frozenset()) | {invoice.status}
    return found


def latest_of_each(days: Iterable[tuple[UUID, date]]) -> dict[UUID, date]:
    """The latest day by id: what was promised for one dispute stands when another ends."""
    latest: dict[UUID, date] = {}
    for id, day in days:
        latest[id] = max(day, latest.get(id, day))
    return latest


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """One sum a currency, in the order of their codes."""
    sums: dict[str, int] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return tuple(Money(minor, currency) for currency, minor in sorted(sums.items()))


@dataclass(frozen=True, slots=True)
class Discount:
    """What may be deducted from an invoice that is paid by the end of a day."""

    amount: Money
    until: date


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where a transfer goes; `currency` None: of whatever currency."""

    holder: str | None
    iban: str
    bic: str | None = None
    bank: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class BalanceItem:
    """One invoice in the answer of the invoice service; `reference` is what a transfer should bear (ISO 11649)."""

    number: str
    issued_on: date
    due_on: date
    days_overdue: int
    collectable: Money
    invoice_id: UUID | None = None
    reference: str | None = None
    discount: Discount | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What a customer owes at this moment, as its owner says. Amounts and dates are the invoice service's own."""

    seller: str
    items: tuple[BalanceItem, ...]
    pay_link: str
    banks: tuple[BankAccount, ...] = ()
    seller_address: tuple[str, ...] = ()
    seller_country: str | None = None

    @property
    def overdue(self) -> tuple[BalanceItem, ...]:
        return tuple(item for item in self.items if item.days_overdue >= 1 and item.collectable.minor > 0)

    def due_on(self, day: date) -> tuple[BalanceItem, ...]:
        return tuple(
            item for item in self.items if item.due_on == day and item.days_overdue < 1 and item.collectable.minor > 0
        )


def read_balance(answer: Mapping[str, Any]) -> Balance:
    """Parse `GET /v1/customers/{id}/balance`. Raises KeyError, TypeError or ValueError where it is not one."""
    return Balance(
        seller=answer["entity"]["name"],
        items=tuple(sorted(map(_read_item, answer["items"]), key=lambda item: (item.due_on, item.number))),
        pay_link=answer["pay_link"],
        banks=tuple(map(_read_bank, answer.get("bank_accounts") or ())),
        seller_address=tuple(answer["entity"].get("address") or ()),
        seller_country=answer["entity"].get("country"),
    )


def _read_item(item: Mapping[str, Any]) -> BalanceItem:
    return BalanceItem(
        number=item["number"],
        issued_on=date.fromisoformat(item["issue_date"]),
        due_on=date.fromisoformat(item["due_date"]),
        days_overdue=int(item["days_overdue"]),
        collectable=_read_money(item["collectable"]),
        invoice_id=UUID(item["invoice_id"]) if item.get("invoice_id") else None,
        reference=item.get("reference"),
        discount=_read_discount(item["discount"]) if item.get("discount") else None,
    )


def _read_discount(discount: Mapping[str, Any]) -> Discount:
    return Discount(_read_money(discount["amount"]), date.fromisoformat(discount["until"]))


def _read_bank(bank: Mapping[str, Any]) -> BankAccount:
    return BankAccount(bank.get("holder"), bank["iban"], bank.get("bic"), bank.get("bank"), bank.get("currency"))


def _read_money(money: Mapping[str, str]) -> Money:
    return Money.parse(money["amount"], money["currency"])


def items(columns: Sequence[Sequence[Any]]) -> tuple[Item, ...]:
    """Open receivables, a column of theirs after the other. Most are undisputed: the amounts are then the same."""
    made = []
    for number, issued_on, due_on, currency, owed, disputed, asked, since, again_on, on_plan in zip(
        *columns, strict=True
    ):
        balance = Money(owed, currency)
        made.append(
            Item(
                number=number,
                issued_on=issued_on,
                due_on=due_on,
                balance=balance,
                disputed=Money(disputed, currency) if disputed else _nothing(currency),
                collectable=balance if asked == owed else Money(asked, currency),
                overdue_since=since,
                collect_again_on=again_on,
                is_on_plan=on_plan > 0,
            )
        )
    return tuple(made)


@cache
def _nothing(currency: str) -> Money:
    return Money.zero(currency)


def numbers(items: Sequence[Item | BalanceItem]) -> tuple[str, ...]:
    return tuple(item.number for item in items)
