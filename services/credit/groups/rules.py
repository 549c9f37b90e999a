"""What a company and all that belong to it may owe together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.errors import NotFound, PreconditionFailed, Refused
from shared.money import Money


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
) -> GroupLimit:
    """`expected_version` None: it was approved, whatever the version is now. Raises Refused, PreconditionFailed."""
    if limit.minor < 0:
        raise Refused(f"A limit is zero or more, not {limit}.", field="/limit/amount")
    version = known.version if known else 0
    if expected_version is not None and expected_version != version:
        raise PreconditionFailed(
            f"The group's limit is at version {version}, not {expected_version}; look again, then decide.",
            current_version=version,
        )
    return GroupLimit(customer_id, version + 1, limit, reason, by, now)
