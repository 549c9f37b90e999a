"""Early-payment discounts: what a payment in time earns, from the dates and rates agreed when the invoice was issued.

A payment of P under a rate r settles P / (1 - r), of which P x r / (1 - r) is the discount: paid in full, an invoice
of B costs B x (1 - r), and a part payment earns the same rate on its part (the customary reading of `2/10 net 30`,
and German tax practice: UStAE 17.1, a payment shortened by a discount settles the price that belongs to it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.invoice.pricing.rules import BP, divide_half_even
from shared.money import split


@dataclass(frozen=True, slots=True)
class Offer:
    """So much (in basis points) off what is paid by the end of a day."""

    until: date
    rate_bp: int


def earned(offers: Sequence[Offer], received_on: date) -> int:
    """The rate, in basis points, that money received on a day earns; the last day counts. 0 when it is too late."""
    return max((offer.rate_bp for offer in offers if received_on <= offer.until), default=0)


def cash_to_settle(open_minor: int, rate_bp: int) -> int:
    """What has to be paid of an open amount under a rate: the amount less its discount, which is rounded half-even."""
    return open_minor - divide_half_even(open_minor * rate_bp, BP)


def discount(paid_minor: int, *, open_minor: int, rate_bp: int) -> int:
    """What a payment takes off an open amount besides itself.

    Half-even of P x r / (1 - r), and never more than is open with the payment. Who pays what is open less its discount
    settles it to the cent, also where the customer rounded a half of a minor unit in its own favour.
    """
    assert 0 <= paid_minor <= open_minor
    if not rate_bp or not paid_minor:
        return 0
    most = -(-open_minor * rate_bp // BP)
    if paid_minor >= open_minor - most:
        return open_minor - paid_minor
    return min(divide_half_even(paid_minor * rate_bp, BP - rate_bp), open_minor - paid_minor)


def tax_of(discount_minor: int, *, net_minor: int, tax_minor: int) -> int:
    """The tax in a discount, in the proportion of the invoice's own net and tax.

    In Germany a discount taken lowers the taxable amount and the tax with it (s. 17(1) UStG); likewise art. 90 of
    directive 2006/112/EC. Largest remainder, so that net and tax add up to the discount.
    """
    if net_minor < 0 or tax_minor <= 0:
        return 0
    return split(discount_minor, [net_minor, tax_minor])[1]


@dataclass(frozen=True, slots=True)
class Claim:
    """What is open of one invoice, and the rate that the payment at hand earns on it."""

    open_minor: int
    rate_bp: int

    @property
    def cash_minor(self) -> int:
        return cash_to_settle(self.open_minor, self.rate_bp)


def share(available_minor: int, claims: Sequence[Claim]) -> list[int]:
    """What of a payment goes to each claim, in their order.

    An amount that is exactly the first claims in full was meant so: a discount that was not taken is not granted.
    Otherwise each claim takes what settles it with its discount; what is then left goes back to the claims in the same
    order, since their discounts were not taken either.
    """
    exactly = 0
    for claim in claims:
        exactly += claim.open_minor
        if exactly >= available_minor:
            break
    in_full = exactly == available_minor
    parts = []
    left = available_minor
    for claim in claims:
        part = min(claim.open_minor if in_full else claim.cash_minor, left)
        parts.append(part)
        left -= part
    for position, claim in enumerate(claims):
        more = min(claim.open_minor - parts[position], left)
        parts[position] += more
        left -= more
    return parts
