"""A receipt for a payment: what it settled and what remains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.invoice.customers.rules import Account
from services.invoice.documents.rules import accounts_of, buyer_of, seller_of
from services.invoice.invoices.rules import Invoice
from services.invoice.payments.rules import Payment
from services.invoice.print_words.rules import WORDS, Tongue, tongue
from services.invoice.printing.rules import envelope, letterhead
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Settled:
    """An invoice, and how much of the payment is bound to it now."""

    invoice: Invoice
    paid_minor: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """`owed` is what the customer still owes in all, by currency."""

    payment: Payment
    account: Account
    settled: tuple[Settled, ...]
    owed: tuple[Money, ...]


def owed(items: Sequence[Invoice]) -> tuple[Money, ...]:
    sums: dict[str, int] = {}
    for item in items:
        sums[item.currency] = sums.get(item.currency, 0) + item.balance_minor
    return tuple(Money(minor, currency) for currency, minor in sorted(sums.items()))


def receipt_view(receipt: Receipt, pay_link: str, language: str | None = None) -> dict[str, Any]:
    """All that `receipt.typ` shows."""
    payment, customer, entity = receipt.payment, receipt.account.customer, receipt.account.entity
    t = tongue(language or customer.language, customer.country)
    seller, buyer = seller_of(entity), buyer_of(customer)
    method = f"method_{payment.method}"
    facts = (
        (t.say("date"), t.day(payment.received_on)),
        (t.say("payment_method"), t.say(method) if method in WORDS else payment.method.replace("_", " ")),
        (t.say("payment_text"), payment.reference),
        (t.say("customer_number"), customer.external_id),
    )
    received = t.money(payment.amount_minor, payment.currency)
    return {
        "title": t.say("receipt"),
        "number": "",
        "language": t.language,
        "seller": letterhead(seller, accounts_of(entity.seller, payment.currency), t),
        "buyer": envelope(buyer, seller, t),
        "facts": [[label, value] for label, value in facts if value],
        "received": t.say("received", amount=received, day=t.day(payment.received_on)),
        "reversed": t.say("was_reversed", day=t.day(payment.reversed_on)) if payment.reversed_on else "",
        "columns": [t.say("settled_by_it"), t.say("total"), t.say("paid_part"), t.say("remains")],
        "rows": [_row(each, t) for each in receipt.settled],
        "sums": _sums(receipt, t),
        "pay": {"label": t.say("pay_online"), "link": pay_link if receipt.owed else ""},
        "words": {"page": t.say("page", page="{page}", pages="{pages}")},
    }


def _row(each: Settled, t: Tongue) -> list[str]:
    invoice = each.invoice
    left = t.money(invoice.balance_minor, invoice.currency) if invoice.balance_minor else t.say("settled")
    return [
        f"{t.say('entry_invoice', number=invoice.number)}, {t.short_day(invoice.issue_date)}",
        t.money(invoice.total_minor, invoice.currency),
        t.money(each.paid_minor, invoice.currency),
        left,
    ]


def _sums(receipt: Receipt, t: Tongue) -> list[list[str]]:
    payment = receipt.payment
    rows = []
    if payment.unapplied_minor:
        rows.append([t.say("kept_unapplied"), t.money(payment.unapplied_minor, payment.currency)])
    rows += [[t.say("still_owed"), t.money(money.minor, money.currency)] for money in receipt.owed if money.minor]
    return rows
