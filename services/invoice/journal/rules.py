"""The receivables journal: which accounts a business fact moves.

An entry debits one account and credits another with one positive amount, so every entry balances by itself.

    fact                  debit                credit
    net of an invoice     trade_receivables    revenue
    tax of an invoice     trade_receivables    output_tax
    money received        bank                 unapplied_cash
    money allocated       unapplied_cash       trade_receivables
    credit note, net      revenue              trade_receivables
    credit note, tax      output_tax           trade_receivables
    discount              discounts_allowed    trade_receivables
      its tax             output_tax           trade_receivables
    small difference      small_differences    trade_receivables
    write-off             bad_debt             trade_receivables
      paid after all      bank                 bad_debt_recovered
    interest              trade_receivables    interest_income
    fee, recovery cost    trade_receivables    fee_income
    refund                unapplied_cash       bank
    opening balance       trade_receivables    opening_balance

A reversal is the same entry with the sides exchanged, pointing at the entry it reverses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Ledger = Literal[
    "trade_receivables",
    "revenue",
    "output_tax",
    "bank",
    "unapplied_cash",
    "discounts_allowed",
    "small_differences",
    "bad_debt",
    "bad_debt_recovered",
    "interest_income",
    "fee_income",
    "opening_balance",
]
Kind = Literal[
    "invoice",
    "tax",
    "payment",
    "allocation",
    "reversal",
    "credit_note",
    "discount",
    "small_difference",
    "write_off",
    "recovery",
    "charge",
    "refund",
    "void",
    "opening",
]


@dataclass(frozen=True, slots=True)
class Entry:
    entity_id: str
    customer_id: UUID
    effective_on: date
    booked_on: date
    kind: Kind
    debit: Ledger
    credit: Ledger
    amount_minor: int
    currency: str
    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    source_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry as it stands in the journal."""

    id: int
    entity_id: str
    customer_id: UUID
    effective_on: date
    booked_on: date
    kind: str
    debit: str
    credit: str
    amount_minor: int
    currency: str
    invoice_id: UUID | None
    payment_id: UUID | None
    source_id: UUID | None
    reverses: int | None


@dataclass(frozen=True, slots=True)
class AccountTotal:
    account: str
    currency: str
    debit_minor: int
    credit_minor: int


def invoice_issued(
    *,
    entity_id: str,
    customer_id: UUID,
    invoice_id: UUID,
    currency: str,
    net_minor: int,
    tax_minor: int,
    effective_on: date,
    booked_on: date,
) -> list[Entry]:
    """A negative part (a credited line taxed otherwise than the rest) is booked the other way round."""
    parts: tuple[tuple[Kind, Ledger, int], ...] = (("invoice", "revenue", net_minor), ("tax", "output_tax", tax_minor))
    return [
        Entry(
            entity_id,
            customer_id,
            effective_on,
            booked_on,
            kind,
            debit="trade_receivables" if minor > 0 else account,
            credit=account if minor > 0 else "trade_receivables",
            amount_minor=abs(minor),
            currency=currency,
            invoice_id=invoice_id,
        )
        for kind, account, minor in parts
        if minor
    ]


def payment_received(
    *,
    entity_id: str,
    customer_id: UUID,
    payment_id: UUID,
    currency: str,
    amount_minor: int,
    effective_on: date,
    booked_on: date,
) -> Entry:
    return Entry(
        entity_id,
        customer_id,
        effective_on,
        booked_on,
        "payment",
        debit="bank",
        credit="unapplied_cash",
        amount_minor=amount_minor,
        currency=currency,
        payment_id=payment_id,
    )


def payment_allocated(
    *,
    entity_id: str,
    customer_id: UUID,
    payment_id: UUID,
    invoice_id: UUID,
    currency: str,
    amount_minor: int,
    effective_on: date,
    booked_on: date,
) -> Entry:
    return Entry(
        entity_id,
        customer_id,
        effective_on,
        booked_on,
        "allocation",
        debit="unapplied_cash",
        credit="trade_receivables",
        amount_minor=amount_minor,
        currency=currency,
        invoice_id=invoice_id,
        payment_id=payment_id,
    )


def trial_balance(totals: Iterable[AccountTotal]) -> dict[str, tuple[int, int]]:
    """Debits and credits by currency over all accounts: the two are equal, or the journal is broken."""
    sums: dict[str, tuple[int, int]] = {}
    for total in totals:
        debit, credit = sums.get(total.currency, (0, 0))
        sums[total.currency] = (debit + total.debit_minor, credit + total.credit_minor)
    return sums
