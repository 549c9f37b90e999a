"""How much a customer may owe: by the policy for currency and segment, unless a person set it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from services.credit.exposure.rules import Exposure, Facts
from services.credit.policy_rules.rules import DEFAULTS, Policy, PolicyRules
from services.credit.rates.rules import Rates, fresh
from shared.errors import Conflict, NotFound, Refused
from shared.events.credit import CreditLimitChanged, CreditState
from shared.events.event import Event
from shared.money import Money

Source = Literal["policy", "manual", "recommended"]
Kind = Literal["temporary", "seasonal", "guarantee", "deposit", "insurance"]
"""What raises a limit besides its base: a raise for a while or each year's season, and security somebody gives."""


class CustomerNotFound(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"No customer has the id {customer_id}.", customer_id=str(customer_id))


class LimitInAnotherCurrency(Refused):
    slug = "limit-in-another-currency"
    title = "A limit is set in the customer's own currency"


class AccountClosed(Conflict):
    """Told as of the customer: `customer-closed` wherever nothing new begins with one."""

    slug = "customer-closed"
    title = "The customer is closed"


class AdditionNotFound(NotFound):
    slug = "addition-not-found"
    title = "Nothing like that raises this limit"


class LimitSetByHand(Conflict):
    slug = "limit-set-by-hand"
    title = "A person set this customer's limit"


class ApprovalNeeded(Conflict):
    slug = "approval-needed"
    title = "A limit of this size is approved by others first"


class Reason(StrEnum):
    """Why the limit and what is available of it are what they are."""

    LIMIT_FROM_POLICY = "limit_from_policy"
    LIMIT_SET_BY_HAND = "limit_set_by_hand"
    LIMIT_RECOMMENDED = "limit_recommended"
    RAISED = "limit_raised"
    OVER_LIMIT = "over_limit"
    OVER_GROUP_LIMIT = "over_group_limit"
    OTHER_CURRENCIES_NOT_COUNTED = "other_currencies_not_counted"


@dataclass(frozen=True, slots=True)
class Addition:
    """What raises the limit besides its base. `counted` is the part of `amount` that does; it counts from `from_on` up
    to and with `until_on`, and where there is a `season` only between those days of each year ("11-15", "01-15")."""

    id: UUID
    kind: Kind
    amount: Money
    counted: Money
    from_on: date
    until_on: date | None = None
    season: tuple[str, str] | None = None
    ended_on: date | None = None

    def counts_on(self, day: date) -> bool:
        if day < self.from_on or (self.until_on and day > self.until_on) or (self.ended_on and day >= self.ended_on):
            return False
        if self.season is None:
            return True
        first, last = self.season
        now = day.strftime("%m-%d")
        return first <= now <= last if first <= last else now >= first or now <= last

    def changes_after(self, day: date) -> date | None:
        """The next day on which it begins to count or ceases to."""
        days = [
            self.from_on,
            *([self.until_on + _DAY] if self.until_on else []),
            *([self.ended_on] if self.ended_on else []),
        ]
        for year in (day.year - 1, day.year, day.year + 1, self.from_on.year, self.from_on.year + 1):
            if self.season:
                first, last = (date.fromisoformat(f"{year:04}-{each}") for each in self.season)
                days += [first, last + _DAY]
        return min(
            (each for each in days if each > day and self.counts_on(each) != self.counts_on(each - _DAY)), default=None
        )


_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's credit account. `customer_status`, `currency` and `segment` are the customer's. `limit` is what is
    in force: the base, which is the policy's or set by hand, and the `additions` that count; `changes_on` is the day on
    which time alone changes it next. `held` is what holds keep from the customer."""

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
    base: Money | None = None
    additions: tuple[Addition, ...] = ()
    valid_until: date | None = None
    changes_on: date | None = None
    held: tuple[str, ...] = ()

    @property
    def base_limit(self) -> Money:
        return self.base or self.limit


@dataclass(frozen=True, slots=True)
class Outcome:
    account: Account
    events: tuple[Event, ...] = ()


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
        base=limit,
    )
    return Outcome(account, (_changed(account, None, Exposure(), today, reason),))


def follow_policy(account: Account, policy: Policy, exposure: Exposure, today: date) -> Outcome:
    """Hold a limit that comes from the policy against its newest version and the customer's segment and currency, and
    any limit against the day: a validity may have ended, a raise begun. One that was recommended stays until the next
    assessment recommends another.

    A limit that stays the same is no event. One set by hand stays, unless the customer's currency changed: then a
    person has to decide first (LimitSetByHand).
    """
    if account.additions and account.limit.currency != account.currency:
        raise LimitSetByHand(
            f"There are raises or securities in {account.limit.currency}; end them before the currency changes.",
            field="/currency",
        )
    if account.source == "manual" and not _has_ended(account, today):
        if account.limit.currency != account.currency:
            raise LimitSetByHand(
                f"The limit of {account.limit} was set by hand ({account.reason}); return it to the policy"
                " before the customer's currency changes.",
                field="/currency",
            )
        return _settled(account, account, exposure, today, account.reason)
    if account.source == "recommended" and account.limit.currency == account.currency:
        return _settled(account, account, exposure, today, account.reason)
    base, reason = _by_policy(policy, account.segment, account.currency)
    after = replace(account, base=base, source="policy", reason=reason, policy_version=policy.version, valid_until=None)
    return _settled(account, after, exposure, today, reason)


def set_limit(
    account: Account,
    limit: Money,
    reason: str,
    exposure: Exposure,
    today: date,
    valid_until: date | None = None,
) -> Outcome:
    """A person says what the customer may owe; it holds until it is returned to the policy, or to a day. Raises and
    securities come on top of it."""
    check_limit(account, limit)
    if valid_until and valid_until < today:
        raise Refused(f"A limit valid until {valid_until} would have ended already.", field="/valid_until")
    if (account.source, account.base_limit, account.reason, account.valid_until) == (
        "manual",
        limit,
        reason,
        valid_until,
    ):
        return Outcome(account)
    after = replace(account, base=limit, source="manual", reason=reason, valid_until=valid_until)
    return _settled(account, after, exposure, today, reason, announce=True)


def follow_recommendation(account: Account, limit: Money, reason: str, exposure: Exposure, today: date) -> Outcome:
    """An assessment recommends what the customer may owe; raises and securities come on top of it."""
    check_limit(account, limit)
    after = replace(account, base=limit, source="recommended", reason=reason, valid_until=None)
    return _settled(account, after, exposure, today, reason, announce=True)


def check_limit(account: Account, limit: Money, field: str = "/limit") -> None:
    """Raises LimitInAnotherCurrency, and Refused for an amount below zero."""
    if limit.currency != account.currency:
        raise LimitInAnotherCurrency(
            f"The customer is kept in {account.currency}; a limit in {limit.currency} cannot be held against that.",
            field=f"{field}/currency",
        )
    if limit.minor < 0:
        raise Refused(f"A limit is zero or more, not {limit}.", field=f"{field}/amount")


def expect_open(account: Account) -> None:
    """Raises AccountClosed."""
    if account.customer_status != "active":
        raise AccountClosed("The customer is closed: nothing more is owed by it, so its limit stays where it ended.")


def check_approved(limit: Money, rules: PolicyRules, field: str) -> None:
    """Raises ApprovalNeeded where one person alone may not set it."""
    if needed := rules.approvers_for(limit):
        raise ApprovalNeeded(
            f"The policy has a limit of {limit} approved by {needed} besides who asks: send it as a limit request.",
            field=field,
            approvers_needed=needed,
        )


def expect_none_to_approve(rules: PolicyRules, limit: Money) -> None:
    """The same for the terms of a customer with this limit."""
    if needed := rules.approvers_for_terms(limit):
        raise ApprovalNeeded(
            f"The policy has terms beside a limit of {limit} approved by {needed} besides who asks: send them as a term"
            " request.",
            field="/payment_terms",
            approvers_needed=needed,
        )


def return_to_policy(account: Account, policy: Policy, exposure: Exposure, today: date) -> Outcome:
    """Take back what a person set. The event goes out even where the amount stays: who says so changed."""
    if account.source == "policy":
        return Outcome(account)
    base, reason = _by_policy(policy, account.segment, account.currency)
    after = replace(account, base=base, source="policy", reason=reason, policy_version=policy.version, valid_until=None)
    return _settled(account, after, exposure, today, reason, announce=True)


def add(account: Account, addition: Addition, reason: str, exposure: Exposure, today: date) -> Outcome:
    """Let something raise the limit, from its day on."""
    after = replace(account, additions=(*account.additions, addition))
    return _settled(account, after, exposure, today, reason)


def end_addition(account: Account, id: UUID, reason: str, exposure: Exposure, today: date) -> Outcome:
    """From today it counts no longer. Raises AdditionNotFound."""
    if not any(each.id == id and each.ended_on is None for each in account.additions):
        raise AdditionNotFound(f"Nothing in force raises this limit under the id {id}.")
    additions = tuple(replace(each, ended_on=today) if each.id == id else each for each in account.additions)
    return _settled(account, replace(account, additions=additions), exposure, today, reason)


def _has_ended(account: Account, today: date) -> bool:
    return account.valid_until is not None and today > account.valid_until


def _settled(
    before: Account, after: Account, exposure: Exposure, today: date, reason: str, *, announce: bool = False
) -> Outcome:
    """The account with what counts today, and when that changes next; a limit that stays the same is no event, unless
    who says so changed. `reason` is told with the event."""
    limit = after.base_limit
    for addition in after.additions:
        if addition.counts_on(today):
            limit += addition.counted
    days = [each.changes_after(today) for each in after.additions]
    if after.source == "manual" and after.valid_until:
        days.append(after.valid_until + _DAY)
    after = replace(
        after,
        limit=limit,
        base=after.base_limit,
        changes_on=min((day for day in days if day), default=None),
    )
    if limit == before.limit and not announce:
        return Outcome(after)
    after = replace(after, version=before.version + 1)
    return Outcome(after, (_changed(after, before.limit, exposure, today, reason),))


def available(limit: Money, exposure: Exposure, rates: Rates | None = None) -> Money:
    """The limit less what counts against it; negative when more is owed than allowed."""
    return limit - exposure.against(limit.currency, rates).total


def usable_rates(facts: Facts, rules: PolicyRules, today: date) -> Rates | None:
    return fresh(facts.rates, today, rules.rate_days_max)


def group_headroom(facts: Facts, rates: Rates | None) -> Money | None:
    """What the group may still owe together, in its currency; None where there is no group."""
    return available(facts.group.limit, facts.group.exposure, rates) if facts.group else None


def reasons(account: Account, facts: Facts, rates: Rates | None = None) -> tuple[Reason, ...]:
    """Why the account stands as it does, in a fixed order."""
    found = [_BY_SOURCE[account.source]]
    if account.limit != account.base_limit:
        found.append(Reason.RAISED)
    if available(account.limit, facts.exposure, rates).minor < 0:
        found.append(Reason.OVER_LIMIT)
    together = group_headroom(facts, rates)
    if together and together.minor < 0:
        found.append(Reason.OVER_GROUP_LIMIT)
    if facts.exposure.against(account.limit.currency, rates).not_counted:
        found.append(Reason.OTHER_CURRENCIES_NOT_COUNTED)
    return tuple(found)


_BY_SOURCE: dict[Source, Reason] = {
    "policy": Reason.LIMIT_FROM_POLICY,
    "manual": Reason.LIMIT_SET_BY_HAND,
    "recommended": Reason.LIMIT_RECOMMENDED,
}


def rules_of(document: Mapping[str, Any]) -> PolicyRules:
    """The policy's rules as they are kept."""
    told = {name: value for name, value in document.items() if name not in (WATCH, FOLLOW)}
    return PolicyRules.model_validate(told) if told else DEFAULTS


WATCH = "watch"
"""Stands with the kept rules where some hold rule is on, so that news of an invoice has its customer looked at."""
FOLLOW = "follow"
"""The same where the policy does something besides holding: reviews, limits that follow recommendations."""


def _by_policy(policy: Policy, segment: str, currency: str) -> tuple[Money, str]:
    """The limit, zero where the policy has none, and the reason in words."""
    limit = policy.limit_for(segment, currency)
    if limit is None:
        return Money.zero(currency), f"The policy has no limit for {currency}, so nothing may be owed in it."
    return limit, f"The policy's limit for segment {segment} in {currency}."


def _changed(
    account: Account, previous: Money | None, exposure: Exposure, today: date, reason: str
) -> CreditLimitChanged:
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
        reason=reason,
    )
