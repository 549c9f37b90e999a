"""How much a customer may owe: by the policy for currency and segment, unless a person set it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.credit.exposure.rules import Exposure
from shared.errors import Conflict, NotFound, PreconditionFailed, Refused
from shared.events.credit import CreditLimitChanged, CreditState
from shared.events.event import Event
from shared.money import Money

Source = Literal["policy", "manual"]


class CustomerNotFound(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"No customer has the id {customer_id}.", customer_id=str(customer_id))


class LimitInAnotherCurrency(Refused):
    slug = "limit-in-another-currency"
    title = "A limit is set in the customer's own currency"


class LimitSetByHand(Conflict):
    slug = "limit-set-by-hand"
    title = "A person set this customer's limit"


class ContradictoryPolicy(Refused):
    slug = "contradictory-policy"
    title = "The policy says two things at once"


class StalePolicy(PreconditionFailed):
    """Two changes of the policy started from the same version; one won."""


class Reason(StrEnum):
    """Why the limit and what is available of it are what they are."""

    LIMIT_FROM_POLICY = "limit_from_policy"
    LIMIT_SET_BY_HAND = "limit_set_by_hand"
    OVER_LIMIT = "over_limit"
    OTHER_CURRENCIES_NOT_COUNTED = "other_currencies_not_counted"


@dataclass(frozen=True, slots=True)
class PolicyLimit:
    """What a customer of this segment may owe in this currency; of any segment not named otherwise when None."""

    segment: str | None
    limit: Money


@dataclass(frozen=True, slots=True)
class Policy:
    version: int
    limits: tuple[PolicyLimit, ...]

    def limit_for(self, segment: str, currency: str) -> Money | None:
        """The segment's own limit in the currency, else the currency's limit for everybody, else None."""
        for_everybody = None
        for entry in self.limits:
            if entry.limit.currency == currency:
                if entry.segment == segment:
                    return entry.limit
                if entry.segment is None:
                    for_everybody = entry.limit
        return for_everybody


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's credit account. `customer_status`, `currency` and `segment` are the customer's."""

    id: UUID
    customer_id: UUID
    customer_status: str
    segment: str
    currency: str
    version: int
    limit: Money
    source: Source
    reason: str
    policy_version: int


@dataclass(frozen=True, slots=True)
class Outcome:
    account: Account
    events: tuple[Event, ...] = ()


def check_limits(limits: Sequence[PolicyLimit]) -> None:
    """Raises Refused for a limit below zero, and for two limits of one segment in one currency."""
    seen: dict[tuple[str | None, str], int] = {}
    for position, entry in enumerate(limits):
        if entry.limit.minor < 0:
            raise Refused(f"A limit is zero or more, not {entry.limit}.", field=f"/limits/{position}/limit/amount")
        name = (entry.segment, entry.limit.currency)
        if name in seen:
            whom = f"segment {entry.segment}" if entry.segment else "every segment"
            raise ContradictoryPolicy(
                f"Entry {seen[name]} has a limit for {whom} in {entry.limit.currency} already.",
                field=f"/limits/{position}",
            )
        seen[name] = position


def open_account(id: UUID, customer_id: UUID, segment: str, currency: str, policy: Policy, today: date) -> Outcome:
    limit, reason = _by_policy(policy, segment, currency)
    account = Account(
        id=id,
        customer_id=customer_id,
        customer_status="active",
        segment=segment,
        currency=currency,
        version=1,
        limit=limit,
        source="policy",
        reason=reason,
        policy_version=policy.version,
    )
    return Outcome(account, (_changed(account, None, Exposure(), today),))


def follow_policy(account: Account, policy: Policy, exposure: Exposure, today: date) -> Outcome:
    """Hold a limit that comes from the policy against its newest version and the customer's segment and currency.

    A limit that stays the same is no event. One set by hand stays, unless the customer's currency changed: then a
    person has to decide first (LimitSetByHand).
    """
    if account.source == "manual":
        if account.limit.currency != account.currency:
            raise LimitSetByHand(
                f"The limit of {account.limit} was set by hand ({account.reason}); return it to the policy"
                " before the customer's currency changes.",
                field="/currency",
            )
        return Outcome(account)
    limit, reason = _by_policy(policy, account.segment, account.currency)
    if limit == account.limit:
        return Outcome(replace(account, reason=reason, policy_version=policy.version))
    after = replace(account, version=account.version + 1, limit=limit, reason=reason, policy_version=policy.version)
    return Outcome(after, (_changed(after, account.limit, exposure, today),))


def set_limit(account: Account, limit: Money, reason: str, exposure: Exposure, today: date) -> Outcome:
    """A person says what the customer may owe; it holds until it is returned to the policy."""
    if limit.currency != account.currency:
        raise LimitInAnotherCurrency(
            f"The customer is kept in {account.currency}; a limit in {limit.currency} cannot be held against that.",
            field="/limit/currency",
        )
    if limit.minor < 0:
        raise Refused(f"A limit is zero or more, not {limit}.", field="/limit/amount")
    if (account.source, account.limit, account.reason) == ("manual", limit, reason):
        return Outcome(account)
    after = replace(account, version=account.version + 1, limit=limit, source="manual", reason=reason)
    return Outcome(after, (_changed(after, account.limit, exposure, today),))


def return_to_policy(account: Account, policy: Policy, exposure: Exposure, today: date) -> Outcome:
    """Take back what a person set. The event goes out even where the amount stays: who says so changed."""
    if account.source == "policy":
        return Outcome(account)
    limit, reason = _by_policy(policy, account.segment, account.currency)
    after = replace(
        account,
        version=account.version + 1,
        limit=limit,
        source="policy",
        reason=reason,
        policy_version=policy.version,
    )
    return Outcome(after, (_changed(after, account.limit, exposure, today),))


def available(limit: Money, exposure: Exposure) -> Money:
    """The limit less what is open in its currency; negative when more is owed than allowed."""
    return limit - exposure.open_in(limit.currency)


def reasons(account: Account, exposure: Exposure) -> tuple[Reason, ...]:
    """Why the account stands as it does, in a fixed order."""
    found = [Reason.LIMIT_SET_BY_HAND if account.source == "manual" else Reason.LIMIT_FROM_POLICY]
    if available(account.limit, exposure).minor < 0:
        found.append(Reason.OVER_LIMIT)
    if exposure.beside(account.limit.currency):
        found.append(Reason.OTHER_CURRENCIES_NOT_COUNTED)
    return tuple(found)


def _by_policy(policy: Policy, segment: str, currency: str) -> tuple[Money, str]:
    """The limit, zero where the policy has none, and the reason in words."""
    limit = policy.limit_for(segment, currency)
    if limit is None:
        return Money.zero(currency), f"The policy has no limit for {currency}, so nothing may be owed in it."
    return limit, f"The policy's limit for segment {segment} in {currency}."


def _changed(account: Account, previous: Money | None, exposure: Exposure, today: date) -> CreditLimitChanged:
    return CreditLimitChanged(
        customer_id=account.customer_id,
        effective_on=today,
        booked_on=today,
        credit=CreditState(
            id=account.id,
            version=account.version,
            limit=account.limit,
            exposure=exposure.amounts,
            available=available(account.limit, exposure),
        ),
        previous_limit=previous,
        source=account.source,
        reason=account.reason,
    )
