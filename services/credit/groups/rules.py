"""What a company and all that belong to it may owe together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5

from shared.errors import NotFound, PreconditionFailed, Refused
from shared.events.credit import GroupLimitChanged, GroupState
from shared.money import Money

GROUPS = UUID("d1d5b1a2-0c3f-5b83-9d53-7f0b2f1c9a44")
"""A group's id is made of this and its head's, since the head has versions of its own."""


class GroupNotFound(NotFound):
    slug = "group-limit-not-found"
    title = "This company has no limit for its group"

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"Customer {customer_id} has no limit for the group it heads.")


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """The limit of the group that the customer heads; version 0 where there is none yet."""

    customer_id: UUID
    version: int
    limit: Money
    reason: str
    changed_by: str
    changed_at: datetime


def change(
    known: GroupLimit | None,
    customer_id: UUID,
    limit: Money,
    reason: str,
    by: str,
    now: datetime,
    expected_version: int | None,
    last_version: int = 0,
) -> GroupLimit:
    """`expected_version` None: it was approved, whatever the version is now. `last_version` is that of a limit which
    the group had and has no longer. Raises Refused, PreconditionFailed."""
    if limit.minor < 0:
        raise Refused(f"A limit is zero or more, not {limit}.", field="/limit/amount")
    version = known.version if known else 0
    if expected_version is not None and expected_version != version:
        raise PreconditionFailed(
            f"The group's limit is at version {version}, not {expected_version}; look again, then decide.",
            current_version=version,
        )
    return GroupLimit(customer_id, max(version, last_version) + 1, limit, reason, by, now)


def told(
    before: GroupLimit | None, after: GroupLimit | None, exposure: tuple[Money, ...], reason: str, today: date
) -> GroupLimitChanged:
    """The event of a limit that was set, changed, or taken away (`after` None)."""
    head = after or before
    assert head
    return GroupLimitChanged(
        customer_id=head.customer_id,
        effective_on=today,
        booked_on=today,
        group=GroupState(
            id=uuid5(GROUPS, str(head.customer_id)),
            version=after.version if after else head.version + 1,
            top_id=head.customer_id,
            limit=after.limit if after else None,
            exposure=exposure,
        ),
        previous_limit=before.limit if before else None,
        reason=reason,
    )
