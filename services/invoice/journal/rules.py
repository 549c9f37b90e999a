"""The receivables journal: which accounts a business fact moves.

An entry debits one account and credits another with one positive amount, so every entry balances by itself.

    fact                  debit                credit
    net of an invoice     trade_receivables    revenue
    tax of an invoice     trade_receivables    output_tax
    money received        bank                 unapplied_cash
    money allocated       unapplied_cash       trade_receivables
      taken back          trade_receivables    unapplied_cash
    credit note, net      revenue              trade_receivables
    credit note, tax      output_tax           trade_receivables
    discount              discounts_allowed    trade_receivables
      its tax             output_tax           trade_receivables
    small difference      small_differences    trade_receivables
    write-off             bad_debt             trade_receivables
      paid after all      bad_debt             bad_debt_recovered   (the write-off is reversed, as far as it is paid)
    interest              trade_receivables    interest_income
    fee, recovery cost    trade_receivables    fee_income
    refund                unapplied_cash       bank
    opening balance       trade_receivables    opening_balance

A reversal is the same entry with the sides exchanged, pointing at the entry it reverses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal, cast
from uuid import UUID

from shared.money import format_minor

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
    "unallocation",
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
class EntryFilter:
    """Which entries: those with an effective date in a closed span, narrowed by whatever else is given."""

    first: date = date.min
    last: date = date.max
    entity_id: str | None = None
    customer_id: UUID | None = None
    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """What the general ledger calls one of our accounts."""

    code: str
    name: str


DEFAULT_CHART: Mapping[Ledger, ChartAccount] = MappingProxyType(
    {
        "bank": ChartAccount("1000", "Bank"),
        "trade_receivables": ChartAccount("1100", "Trade receivables"),
        "unapplied_cash": ChartAccount("2100", "Unapplied cash"),
        "output_tax": ChartAccount("2200", "Output tax"),
        "opening_balance": ChartAccount("3000", "Opening balances"),
        "revenue": ChartAccount("4000", "Revenue"),
        "interest_income": ChartAccount("4200", "Interest on late payment"),
        "fee_income": ChartAccount("4210", "Fees and recovery costs"),
        "discounts_allowed": ChartAccount("4900", "Discounts allowed"),
        "small_differences": ChartAccount("4910", "Small differences"),
        "bad_debt_recovered": ChartAccount("4920", "Bad debt recovered"),
        "bad_debt": ChartAccount("6900", "Bad debt"),
    }
)
"""Until an entity brings its own; a number range as many small charts of accounts have it, no standard."""


@dataclass(frozen=True, slots=True)
class Chart:
    """An entity's chart of accounts: every account of the journal has a code. Version 0 is the default."""

    entity_id: str
    version: int
    accounts: Mapping[str, ChartAccount]

    def of(self, account: str) -> ChartAccount:
        return self.accounts.get(account) or DEFAULT_CHART[cast("Ledger", account)]


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry with the names that people know: of the customer, the invoice and the payment."""

    entry: Booked
    customer_external_id: str
    invoice_number: str | None
    payment_reference: str | None


EXPORT_COLUMNS = (
    *("entry", "entity", "effective_on", "booked_on", "kind", "debit_account", "debit_name", "credit_account"),
    *("credit_name", "amount", "currency", "customer", "invoice", "payment", "reference", "reverses"),
)


def export_row(posting: Posting, chart: Chart) -> tuple[str, ...]:
    """One entry as the general ledger takes it, in the order of `EXPORT_COLUMNS`."""
    entry, debit, credit = posting.entry, chart.of(posting.entry.debit), chart.of(posting.entry.credit)
    return (
        *(str(entry.id), entry.entity_id, entry.effective_on.isoformat(), entry.booked_on.isoformat(), entry.kind),
        *(debit.code, debit.name, credit.code, credit.name),
        *(format_minor(entry.amount_minor, entry.currency), entry.currency),
        *(_harmless(posting.customer_external_id), posting.invoice_number or "", str(entry.payment_id or "")),
        *(_harmless(posting.payment_reference or ""), str(entry.reverses or "")),
    )


def _harmless(text: str) -> str:
    """Text from outside that a spreadsheet would take for a formula is told to be text (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


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
