"""Two records that turned out to be one company: one goes on, the other is closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.credit.customers.rules import Customer, expect_active
from shared.errors import Conflict


class MergerRefused(Conflict):
    slug = "merger-refused"
    title = "These customers cannot be merged as they stand"


@dataclass(frozen=True, slots=True)
class Merger:
    """`customer_id` goes on as `into_id`. `moved` counts what was moved, by what it is."""

    customer_id: UUID
    into_id: UUID
    reason: str
    merged_by: str
    merged_at: datetime
    moved: Mapping[str, int]


def check(customer: Customer, into: Customer, ancestors_of_into: Sequence[UUID], *, heads_group: bool) -> None:
    """Raises CustomerClosed, MergerRefused."""
    expect_active(customer)
    expect_active(into)
    if customer.id == into.id:
        raise MergerRefused("A customer is not merged into itself.", field="/into_id")
    if customer.id in ancestors_of_into and into.particulars.parent_id != customer.id:
        raise MergerRefused(
            f"{into.external_id} belongs to {customer.external_id} by way of another company; "
            "what belongs to that one would belong to itself. Change its parent first.",
            field="/into_id",
        )
    if heads_group:
        raise MergerRefused(
            f"{customer.external_id} heads a group with a limit of its own; take that away, and set one for "
            f"{into.external_id} if there is to be one."
        )


def parents_after(
    customer: Customer, into: Customer, subsidiaries: Sequence[Customer]
) -> list[tuple[Customer, UUID | None]]:
    """Who belongs to whom when it is done: what belonged to the one that is closed belongs to the one that goes on,
    which moves up where it belonged to it itself."""
    return [
        (each, customer.particulars.parent_id if each.id == into.id else into.id)
        for each in subsidiaries
        if each.particulars.parent_id == customer.id
    ]
