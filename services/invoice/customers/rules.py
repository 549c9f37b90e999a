"""The customer as the invoice service sees one: a copy of what credit owns, and the account it has with an entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from services.invoice.entities.rules import Entity
from shared.errors import Refused


class CustomerUnknown(Refused):
    """Neither this service nor credit knows the customer. 422, since it is the request's content that names it."""

    slug = "customer-unknown"
    title = "There is no such customer"


class CustomerClosed(Refused):
    slug = "customer-closed"
    title = "The customer's account is closed"


@dataclass(frozen=True, slots=True)
class Customer:
    """`merged_into` is who a closed customer goes on as."""

    id: UUID
    version: int
    external_id: str
    name: str
    status: str
    country: str
    language: str
    time_zone: str
    currency: str
    segment: str
    net_days: int
    contacts: list[dict[str, Any]]
    address: dict[str, Any] | None = None
    vat_id: str | None = None
    buyer_reference: str | None = None
    requires: Sequence[str] = ()
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account with one selling entity: whoever holds its lock may change what is owed on it. `paper` is
    whether the customer wants its documents so."""

    customer: Customer
    entity: Entity
    series_prefix: str
    paper: bool

    @property
    def channel(self) -> Literal["email", "letter"]:
        """How its invoices go out where nothing else is said."""
        return "letter" if self.paper else "email"


def billable(customer: Customer) -> Customer:
    """The customer itself, when new claims on it may be made. Raises CustomerClosed."""
    if customer.status == "closed":
        whither = f"; it goes on as customer {customer.merged_into}" if customer.merged_into else ""
        extra = {"merged_into": str(customer.merged_into)} if customer.merged_into else {}
        raise CustomerClosed(
            f"customer {customer.external_id} is closed, so it cannot be invoiced{whither}",
            field="/customer_id",
            **extra,
        )
    return customer
