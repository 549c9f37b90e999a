"""Credit notes: what of an invoice is taken back, whole, by an amount, or by lines, with its net and its tax.

All notes of an invoice together never take back more than it was issued for, neither of a line nor of a tax group, and
when they take back all of a group, its taxes come to exactly those of the invoice: the tax of a note is the tax on all
that is credited of the group to date, rounded half-even (EN 16931, BR-CO-17), less what was credited before. Amounts
are positive, as credit notes are written; quantities and nets of lines have the sign they have on the invoice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.invoice.invoices.rules import Adjustment, Document, Invoice
from services.invoice.journal.rules import Entry, Kind, Ledger
from services.invoice.pricing.rules import BP, ONE, PricedLine, TaxGroup, decimal_text, divide_half_even
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

Group = tuple[str, int]


class CreditNoteNotFound(NotFound):
    slug = "credit-note-not-found"
    title = "There is no such credit note"


class CreditRefused(Refused):
    slug = "credit-note-amount"
    title = "So much cannot be credited"


class NothingToCredit(Conflict):
    slug = "nothing-to-credit"
    title = "There is nothing left of the invoice to credit"


@dataclass(frozen=True, slots=True)
class NoteLine:
    """`of_quantity_millionths` is what it takes back of the invoice's line at `invoice_position`; both are None where
    an amount is taken back, whatever it was for."""

    position: int
    description: str
    quantity_millionths: int
    unit_price_minor: int
    net_minor: int
    tax_category: str
    tax_rate_bp: int
    invoice_position: int | None = None
    of_quantity_millionths: int | None = None

    @property
    def group(self) -> Group:
        return self.tax_category, self.tax_rate_bp


@dataclass(frozen=True, slots=True)
class NoteTax:
    category: str
    rate_bp: int
    taxable_minor: int
    tax_minor: int

    @property
    def group(self) -> Group:
        return self.category, self.rate_bp


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit note takes back, before it has a number."""

    lines: tuple[NoteLine, ...]
    taxes: tuple[NoteTax, ...]

    @property
    def net_minor(self) -> int:
        return sum(tax.taxable_minor for tax in self.taxes)

    @property
    def tax_minor(self) -> int:
        return sum(tax.tax_minor for tax in self.taxes)

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class CreditNote:
    """`unapplied_minor` is what of it had been paid, and is unapplied cash again."""

    id: UUID
    entity_id: str
    customer_id: UUID
    invoice_id: UUID
    number: str
    currency: str
    issue_date: date
    effective_on: date
    reason: str
    net_minor: int
    tax_minor: int
    total_minor: int
    unapplied_minor: int
    issued_at: datetime
    voided_on: date | None = None
    void_reason: str | None = None

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


@dataclass(frozen=True, slots=True)
class Written:
    """A credit note with its lines and taxes, and the number and date of the invoice that it takes back (BG-3)."""

    note: CreditNote
    credit: Credit
    invoice_number: str
    invoice_date: date


@dataclass(frozen=True, slots=True)
class LineAsked:
    """What of an invoice's line is to be credited; None: all that is left of it."""

    position: int
    quantity_millionths: int | None = None


def remaining(document: Document, earlier: Sequence[Credit]) -> dict[Group, NoteTax]:
    """What of each tax group was not credited yet."""
    left: dict[Group, NoteTax] = {}
    for group in document.taxes:
        left[group.category, group.rate_bp] = NoteTax(
            group.category, group.rate_bp, group.taxable_minor, group.tax_minor
        )
    for credit in earlier:
        for tax in credit.taxes:
            before = left[tax.group]
            left[tax.group] = replace(
                before,
                taxable_minor=before.taxable_minor - tax.taxable_minor,
                tax_minor=before.tax_minor - tax.tax_minor,
            )
    return left


def whole(document: Document, earlier: Sequence[Credit], reason: str) -> Credit:
    """All that is left of the invoice: its lines, as far as only lines were credited before. Raises NothingToCredit."""
    left = remaining(document, earlier)
    taxes = tuple(tax for tax in left.values() if tax.taxable_minor or tax.tax_minor)
    if sum(tax.taxable_minor + tax.tax_minor for tax in taxes) <= 0:
        raise NothingToCredit(f"invoice {document.invoice.number} is credited in full")
    lines: list[NoteLine] = []
    if all(line.invoice_position for credit in earlier for line in credit.lines):
        rests = (_rest(line, earlier) for line in document.lines)
        lines = [_line(line, quantity, net) for line, (quantity, net) in zip(document.lines, rests, strict=True) if net]
    # Allowances and charges on the whole stand on no line, and what amounts took back is not known by line.
    for tax in taxes:
        missing = tax.taxable_minor - sum(line.net_minor for line in lines if line.group == tax.group)
        if missing:
            lines.append(_plain(reason, missing, tax.group))
    return Credit(_numbered(lines), taxes)


def by_amount(document: Document, earlier: Sequence[Credit], asked: Money, reason: str) -> Credit:
    """A gross amount, spread over the tax groups by what is left of each.

    Raises NothingToCredit, and CreditRefused for more than is left.
    """
    invoice, left = document.invoice, remaining(document, earlier)
    total = sum(tax.taxable_minor + tax.tax_minor for tax in left.values())
    if total <= 0:
        raise NothingToCredit(f"invoice {invoice.number} is credited in full")
    if asked.currency != invoice.currency:
        raise CreditRefused(
            f"invoice {invoice.number} is in {invoice.currency}, not {asked.currency}", field="/amount/currency"
        )
    if not 0 < asked.minor <= total:
        raise CreditRefused(
            f"{asked} cannot be credited; between nothing and {invoice.money(total)} can", field="/amount"
        )
    if asked.minor == total:
        return whole(document, earlier, reason)
    groups = list(left.values())
    shares = spread(asked.minor, [tax.taxable_minor + tax.tax_minor for tax in groups])
    taxes = tuple(_of_gross(tax, share) for tax, share in zip(groups, shares, strict=True) if share)
    lines = [_plain(reason, tax.taxable_minor, tax.group) for tax in taxes if tax.taxable_minor]
    return Credit(_numbered(lines), taxes)


def by_lines(document: Document, earlier: Sequence[Credit], asked: Sequence[LineAsked]) -> Credit:
    """Lines of the invoice, each with a quantity or all that is left of it. Raises CreditRefused."""
    by_position = {line.position: line for line in document.lines}
    lines: list[NoteLine] = []
    for index, each in enumerate(asked):
        field = f"/lines/{index}"
        line = by_position.pop(each.position, None)
        if line is None:
            raise CreditRefused(f"the invoice has no line {each.position}, or it is named twice", field=field)
        lines.append(_line(line, *_of_line(line, each.quantity_millionths, earlier, field)))
    left = remaining(document, earlier)
    nets: dict[Group, int] = {}
    for line in lines:
        nets[line.group] = nets.get(line.group, 0) + line.net_minor
    issued = {(group.category, group.rate_bp): group for group in document.taxes}
    taxes = tuple(_of_net(issued[group], left[group], net, document.invoice) for group, net in nets.items())
    credit = Credit(_numbered(lines), taxes)
    if credit.total_minor <= 0:
        raise CreditRefused("the lines come to nothing, or less; a credit note takes something back", field="/lines")
    return credit


def _of_line(line: PricedLine, asked: int | None, earlier: Sequence[Credit], field: str) -> tuple[int, int]:
    """Quantity and net: the line's net by quantity credited to date, rounded half-even, less what was before."""
    rest, rest_net = _rest(line, earlier)
    if asked is None:
        if not rest:
            raise CreditRefused(f"line {line.position} is credited in full", field=field)
        return rest, rest_net
    if not (0 < asked <= rest or rest <= asked < 0):
        raise CreditRefused(
            f"of line {line.position}, {decimal_text(rest, 6)} can be credited, not {decimal_text(asked, 6)}",
            field=f"{field}/quantity",
        )
    if asked == rest:
        return rest, rest_net
    sign = 1 if line.quantity_millionths > 0 else -1
    to_date = line.quantity_millionths - rest + asked
    net_to_date = divide_half_even(line.net_minor * to_date * sign, line.quantity_millionths * sign)
    return asked, net_to_date - (line.net_minor - rest_net)


def _rest(line: PricedLine, earlier: Sequence[Credit]) -> tuple[int, int]:
    """Quantity and net of an invoice's line that were not credited by line yet."""
    before = [each for credit in earlier for each in credit.lines if each.invoice_position == line.position]
    quantity = sum(each.of_quantity_millionths or 0 for each in before)
    return line.quantity_millionths - quantity, line.net_minor - sum(each.net_minor for each in before)


def _of_net(issued: TaxGroup, left: NoteTax, net: int, invoice: Invoice) -> NoteTax:
    if not (0 <= net <= left.taxable_minor or left.taxable_minor <= net <= 0):
        rate = decimal_text(issued.rate_bp, 2)
        raise CreditRefused(
            f"of what is taxed {issued.category} {rate} %, {invoice.money(left.taxable_minor)} net can be credited, "
            f"not {invoice.money(net)}",
            field="/lines",
        )
    if net == left.taxable_minor:
        return left
    net_to_date = issued.taxable_minor - left.taxable_minor + net
    tax = divide_half_even(net_to_date * issued.rate_bp, BP) - (issued.tax_minor - left.tax_minor)
    low, high = sorted((0, left.tax_minor))
    return replace(left, taxable_minor=net, tax_minor=min(max(tax, low), high))


def _of_gross(left: NoteTax, gross: int) -> NoteTax:
    """The net and the tax within a gross amount, which they add up to."""
    if gross == left.taxable_minor + left.tax_minor:
        return left
    net = divide_half_even(gross * BP, BP + left.rate_bp)
    tax_low, tax_high = sorted((0, left.tax_minor))
    tax = min(max(gross - net, tax_low), tax_high)
    net_low, net_high = sorted((0, left.taxable_minor))
    net = min(max(gross - tax, net_low), net_high)
    return replace(left, taxable_minor=net, tax_minor=gross - net)


def spread(amount: int, over: Sequence[int]) -> list[int]:
    """Parts of an amount in proportion to `over`, whose sum is positive and not less than it: they add up to it, and
    none is more than its own `over` (for negative ones: less)."""
    total, parts = sum(over), list[int]()
    taken = running = 0
    for each in over:
        running += each
        # Half up, not half even: the difference of two such roundings is never more than the next whole number.
        to_date = (2 * amount * running + total) // (2 * total)
        parts.append(to_date - taken)
        taken = to_date
    return parts


def _line(line: PricedLine, quantity: int, net: int) -> NoteLine:
    """As on the invoice where quantity x price gives the net; else (fine prices, allowances) as one of it."""
    plain = divide_half_even(quantity * line.unit_price_minor, ONE) == net
    if plain:
        described, count, price = line.description, quantity, line.unit_price_minor
    else:
        described = f"{decimal_text(quantity, 6)} × {line.description}"
        count, price = (ONE, net) if net >= 0 else (-ONE, -net)
    return NoteLine(0, described, count, price, net, line.tax_category, line.tax_rate_bp, line.position, quantity)


def _plain(description: str, net: int, group: Group) -> NoteLine:
    return NoteLine(0, description, ONE if net >= 0 else -ONE, abs(net), net, *group)


def _numbered(lines: Iterable[NoteLine]) -> tuple[NoteLine, ...]:
    return tuple(replace(line, position=position) for position, line in enumerate(lines, start=1))


def issue_date(stated: date | None, invoice: Invoice, today: date) -> date:
    """Today unless stated. Raises CreditRefused for a date before the invoice's, or after today."""
    day = stated or today
    if not invoice.issue_date <= day <= today:
        raise CreditRefused(
            f"a credit note of {day}; it is dated from the invoice's {invoice.issue_date} to today, {today}",
            field="/issue_date",
        )
    return day


def entries(invoice: Invoice, adjustment: Adjustment, *, net_minor: int, tax_minor: int, kind: Kind) -> list[Entry]:
    """What taking back a net and a tax books; a negative part the other way round, as when it was issued."""
    parts: tuple[tuple[Ledger, int], ...] = (("revenue", net_minor), ("output_tax", tax_minor))
    return [
        Entry(
            invoice.entity_id,
            invoice.customer_id,
            adjustment.effective_on,
            adjustment.booked_on,
            kind,
            debit=account if minor > 0 else "trade_receivables",
            credit="trade_receivables" if minor > 0 else account,
            amount_minor=abs(minor),
            currency=invoice.currency,
            invoice_id=invoice.id,
            source_id=adjustment.id,
        )
        for account, minor in parts
        if minor
    ]


def to_restore(standing: Sequence[Adjustment], missing_minor: int) -> list[Adjustment]:
    """Which discounts and small differences fall away so that at least so much can be credited: whole, the newest
    first."""
    restored: list[Adjustment] = []
    for adjustment in sorted(standing, key=lambda each: each.id, reverse=True):
        if missing_minor <= 0:
            break
        restored.append(adjustment)
        missing_minor -= adjustment.amount_minor
    return restored


def by_note(lines: Iterable[tuple[UUID, NoteLine]], taxes: Iterable[tuple[UUID, NoteTax]]) -> Mapping[UUID, Credit]:
    """Lines and taxes put together again."""
    found: dict[UUID, tuple[list[Any], list[Any]]] = {}
    for note_id, line in lines:
        found.setdefault(note_id, ([], []))[0].append(line)
    for note_id, tax in taxes:
        found.setdefault(note_id, ([], []))[1].append(tax)
    return {note_id: Credit(tuple(own), tuple(own_taxes)) for note_id, (own, own_taxes) in found.items()}
