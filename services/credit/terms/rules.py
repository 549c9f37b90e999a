"""How a customer pays: days, what is paid in advance, and the deposit it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.errors import Refused
from shared.money import Money

Source = Literal["default", "manual", "agreed", "recommended"]
"""Who says so: nobody yet, a person or another system, the customer with us when it applied, or an assessment."""

OWN: tuple[Source, ...] = ("manual", "agreed")
"""What a person said is only ever asked about."""


@dataclass(frozen=True, slots=True)
class Terms:
    """An invoice is due `net_days` after its date, and `prepaid_percent` of each order is paid before it is delivered.
    `deposit` is what the customer is asked for; it raises the limit once it was received and registered as such."""

    net_days: int
    prepaid_percent: int = 0
    deposit: Money | None = None


def check(terms: Terms, currency: str, field: str = "/payment_terms") -> None:
    """Raises Refused for a deposit of nothing or less, or in another currency than the customer's."""
    if terms.deposit is None:
        return
    if terms.deposit.minor <= 0:
        raise Refused(f"A deposit is above zero, not {terms.deposit}.", field=f"{field}/deposit/amount")
    if terms.deposit.currency != currency:
        raise Refused(
            f"The customer is kept in {currency}; a deposit of {terms.deposit} cannot be held against that.",
            field=f"{field}/deposit/currency",
        )
