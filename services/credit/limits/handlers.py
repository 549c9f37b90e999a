"""Open credit accounts, keep their limits on the policy or on what a person said, and answer how they stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.credit.announcements import handlers as announcements
from services.credit.announcements.rules import Limits
from services.credit.exposure import handlers as exposure
from services.credit.exposure.rules import Facts
from services.credit.follow_ups import handlers as follow_ups
from services.credit.limits import rules, store
from services.credit.limits.rules import (
    Account,
    Addition,
    CustomerNotFound,
    Outcome,
)
from services.credit.policy_rules import rules as policies
from services.credit.policy_rules.rules import Policy, PolicyLimit, PolicyNotFound, PolicyRules, StalePolicy
from shared import outbox
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id
from shared.money import Money

POLICY_WORK_DUE = store.POLICY_WORK_DUE
CHANGES_DUE = store.CHANGES_DUE
ACCOUNTS_A_RUN = 500


@dataclass(frozen=True, slots=True)
class SetLimit:
    customer_id: UUID
    limit: Money
    reason: str
    expected_version: int
    today: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class ReturnToPolicy:
    customer_id: UUID
    expected_version: int
    today: date


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    """`rules`, `owner` and `review_on` left out: they stay as they are. `reason` says why."""

    limits: tuple[PolicyLimit, ...]
    expected_version: int
    changed_by: str
    rules: PolicyRules | None = None
    owner: str | None = None
    review_on: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    policy: Policy
    changed_at: datetime | None
    changed_by: str | None


async def open_account(tx: Tx, customer_id: UUID, segment: str, currency: str, today: date) -> Account:
    """Give a customer just onboarded in this transaction what the policy allows."""
    policy = await store.policy_in_force(tx)
    outcome = rules.open_account(new_id(), customer_id, segment, currency, policy, today)
    await store.add_account(tx, outcome.account)
    await outbox.append(tx, *outcome.events)
    return outcome.account


async def follow_customer(tx: Tx, customer_id: UUID, today: date) -> Account:
    """Bring the limit in line with a customer whose segment or currency this transaction changed; what is recommended
    for it follows where the policy wants that."""
    account, facts = await lock_standing(tx, customer_id, today)
    policy = await store.policy_in_force(tx)
    if policy.rules.follows:
        await follow_ups.note(tx, {customer_id: {"segmentation"}})
    return await _save(tx, account, rules.follow_policy(account, policy, facts.exposure, today))


async def set_limit(tx: Tx, command: SetLimit) -> tuple[Account, Facts]:
    """Raises LimitInAnotherCurrency, Refused, PreconditionFailed, AccountClosed, and ApprovalNeeded for an amount that
    one alone may not set."""
    account, facts = await lock_standing(tx, command.customer_id, command.today)
    _expect(account, command.expected_version)
    rules.expect_open(account)
    rules.check_limit(account, command.limit)
    rules.check_approved(command.limit, rules.rules_of(facts.policy_rules), "/limit/amount")
    outcome = rules.set_limit(
        account, command.limit, command.reason, facts.exposure, command.today, command.valid_until
    )
    return await _save(tx, account, outcome), facts


async def put_limit(
    tx: Tx, customer_id: UUID, limit: Money, reason: str, valid_until: date | None, today: date
) -> Account:
    """Set a limit that was approved."""
    account, facts = await lock_standing(tx, customer_id, today)
    return await _save(tx, account, rules.set_limit(account, limit, reason, facts.exposure, today, valid_until))


async def put_recommended(tx: Tx, customer_id: UUID, limit: Money, reason: str, today: date) -> Account:
    """Set what an assessment recommends, within the policy's bounds or approved."""
    account, facts = await lock_standing(tx, customer_id, today)
    return await _save(tx, account, rules.follow_recommendation(account, limit, reason, facts.exposure, today))


async def add(tx: Tx, customer_id: UUID, addition: Addition, reason: str, today: date) -> Account:
    """Let a raise or a security that was approved count, from its day on."""
    account, facts = await lock_standing(tx, customer_id, today)
    return await _save(tx, account, rules.add(account, addition, reason, facts.exposure, today))


async def end_addition(tx: Tx, customer_id: UUID, id: UUID, reason: str, today: date) -> Account:
    """Raises AdditionNotFound."""
    account, facts = await lock_standing(tx, customer_id, today)
    return await _save(tx, account, rules.end_addition(account, id, reason, facts.exposure, today))


async def hold(tx: Tx, account: Account, held: tuple[str, ...]) -> None:
    """Keep with the account, which the caller has locked, what is held: a decision finds it there."""
    await store.save_held(tx, account.customer_id, held)


async def return_to_policy(tx: Tx, command: ReturnToPolicy) -> tuple[Account, Facts]:
    """Raises CustomerNotFound, PreconditionFailed, AccountClosed."""
    account, facts = await lock_standing(tx, command.customer_id, command.today)
    _expect(account, command.expected_version)
    rules.expect_open(account)
    policy = await store.policy_in_force(tx)
    outcome = rules.return_to_policy(account, policy, facts.exposure, command.today)
    return await _save(tx, account, outcome), facts


async def change_policy(tx: Tx, command: ChangePolicy) -> PolicyInForce:
    """A new version, in force at once; the limits that hang on it follow with the worker's next ticks.

    Raises Refused or ContradictoryPolicy for limits that make no policy, StalePolicy for an outdated version.
    """
    policy = await store.lock_policy(tx)
    if policy.version != command.expected_version:
        raise StalePolicy(
            f"The policy is at version {policy.version}, not {command.expected_version}; look again, then decide.",
            current_version=policy.version,
        )
    wanted = policies.amended(policy, command.limits, command.rules, command.owner, command.review_on)
    policies.check(wanted.limits, wanted.rules)
    if wanted != policy:
        look_again = wanted.rules.holds != policy.rules.holds
        follow_again = wanted.rules.follows and any(
            getattr(wanted.rules, part) != getattr(policy.rules, part)
            for part in ("reviews", "recommended", "terms", "classes")
        )
        policy = replace(wanted, version=policy.version + 1, reason=command.reason)
        if not await store.add_policy(tx, policy, command.changed_by):
            raise StalePolicy(f"Somebody else made version {policy.version} of the policy.")
        if look_again:
            await exposure.watch_everybody(tx)
        if follow_again:
            await follow_ups.note_everybody(tx, "policy")
    return PolicyInForce(policy, *await store.policy_changed(tx, policy.version))


async def apply_policy(tx: Tx, today: date, accounts_max: int = ACCOUNTS_A_RUN) -> int:
    """Hold a bounded number of limits against a policy newer than they know. Returns how many were looked at."""
    policy = await store.policy_in_force(tx)
    accounts = await store.lock_accounts_behind(tx, policy.version, accounts_max)
    if not accounts:
        return 0
    await _follow(tx, accounts, policy, today)
    return len(accounts)


async def follow_clock(tx: Tx, today: date, accounts_max: int = ACCOUNTS_A_RUN) -> int:
    """Bring a bounded number of limits in line with the day: raises that begin or end, limits whose validity ended."""
    accounts = await store.lock_accounts_changing(tx, today, accounts_max)
    if accounts:
        await _follow(tx, accounts, await store.policy_in_force(tx), today)
    return len(accounts)


async def _follow(tx: Tx, accounts: Sequence[Account], policy: Policy, today: date) -> list[Account]:
    facts = await exposure.facts_of(tx, [account.customer_id for account in accounts], today)
    outcomes = [
        rules.follow_policy(account, policy, facts[account.customer_id].exposure, today) for account in accounts
    ]
    await store.save_accounts(tx, [outcome.account for outcome in outcomes])
    await outbox.append(tx, *(event for outcome in outcomes for event in outcome.events))
    changed = {b.customer_id: b for b, outcome in zip(accounts, outcomes, strict=True) if outcome.events}
    await announcements.note(tx, {id: Limits(b.limit, b.base_limit) for id, b in changed.items()})
    if policy.rules.holds.is_on:
        await exposure.watch(tx, [outcome.account.customer_id for outcome in outcomes if outcome.events], tx.now)
    return [outcome.account for outcome in outcomes]


async def policy_in_force(tx: Tx) -> PolicyInForce:
    policy = await store.policy_in_force(tx)
    return PolicyInForce(policy, *await store.policy_changed(tx, policy.version))


async def get_policy(tx: Tx, version: int) -> PolicyInForce:
    """Any version there was. Raises PolicyNotFound."""
    for found in await store.policies(tx, version + 1, 1):
        if found[0].version == version:
            return PolicyInForce(*found)
    raise PolicyNotFound(version)


async def list_policies(tx: Tx, before: int | None, count_max: int) -> list[PolicyInForce]:
    """Newest first."""
    return [PolicyInForce(*found) for found in await store.policies(tx, before, count_max)]


async def accounts_after(tx: Tx, after: UUID, count_max: int) -> Sequence[Account]:
    """The book, to look at, a part at a time: the accounts of the next customers after this one."""
    return await store.accounts_after(tx, after, count_max)


async def accounts_of(tx: Tx, customer_ids: Collection[UUID]) -> Mapping[UUID, Account]:
    """To look at; customers that are not known are not in the answer."""
    return {account.customer_id: account for account in await store.read_accounts(tx, customer_ids)}


async def standing(tx: Tx, customer_id: UUID, today: date) -> tuple[Account, Facts]:
    """The account and what is known of it, to look at. Raises CustomerNotFound."""
    account = await store.read_account(tx, customer_id)
    if account is None:
        raise CustomerNotFound(customer_id)
    return account, (await exposure.facts_of(tx, [customer_id], today))[customer_id]


async def lock_standing(tx: Tx, customer_id: UUID, today: date) -> tuple[Account, Facts]:
    """The same with the customer's row locked, to decide on. Raises CustomerNotFound."""
    found = await lock_standings(tx, [customer_id], today)
    if customer_id not in found:
        raise CustomerNotFound(customer_id)
    return found[customer_id]


async def lock_standings(
    tx: Tx, customer_ids: Collection[UUID], today: date, references: Sequence[str] = ()
) -> Mapping[UUID, tuple[Account, Facts]]:
    """The same of many customers; those that are not known are not in the answer. Two statements, unless a limit
    changes with the day or a customer has just come under a group.

    Where a group has a limit the company at its top is locked too, so that of two that race for the last of it one
    gets it.
    """
    wanted = list(customer_ids)
    while True:
        locked = {account.customer_id: account for account in await store.lock_accounts(tx, wanted)}
        known = [customer_id for customer_id in customer_ids if customer_id in locked]
        facts = await exposure.facts_of(tx, known, today, references)
        tops = {found.group.top_id for found in facts.values() if found.group} - locked.keys()
        if not tops:
            break
        wanted = [*wanted, *tops]
    behind = [locked[id] for id in known if (day := locked[id].changes_on) is not None and day <= today]
    if behind:
        for account in await _follow(tx, behind, await store.policy_in_force(tx), today):
            locked[account.customer_id] = account
    return {customer_id: (locked[customer_id], facts[customer_id]) for customer_id in known}


def _expect(account: Account, version: int) -> None:
    if account.version != version:
        raise PreconditionFailed(
            f"The credit account is at version {account.version}, not {version}; look again, then decide.",
            current_version=account.version,
        )


async def _save(tx: Tx, before: Account, outcome: Outcome) -> Account:
    if outcome.account != before:
        await store.save_accounts(tx, [outcome.account])
    await outbox.append(tx, *outcome.events)
    if outcome.events:
        await exposure.watch(tx, [before.customer_id], tx.now)
        await announcements.note(tx, {before.customer_id: Limits(before.limit, before.base_limit)})
    return outcome.account
