"""Open credit accounts, keep their limits on the policy or on what a person said, and answer how they stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.credit.exposure import handlers as exposure
from services.credit.exposure.rules import NOTHING_OWED, Exposure
from services.credit.limits import rules, store
from services.credit.limits.rules import Account, CustomerNotFound, Outcome, Policy, PolicyLimit, StalePolicy
from shared import outbox
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id
from shared.money import Money

POLICY_WORK_DUE = store.POLICY_WORK_DUE
ACCOUNTS_A_RUN = 500


@dataclass(frozen=True, slots=True)
class SetLimit:
    customer_id: UUID
    limit: Money
    reason: str
    expected_version: int
    today: date


@dataclass(frozen=True, slots=True)
class ReturnToPolicy:
    customer_id: UUID
    expected_version: int
    today: date


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    limits: tuple[PolicyLimit, ...]
    expected_version: int
    changed_by: str


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
    """Bring the limit in line with a customer whose segment or currency this transaction changed."""
    account, owed = await lock_standing(tx, customer_id, today)
    policy = await store.policy_in_force(tx)
    return await _save(tx, account, rules.follow_policy(account, policy, owed, today))


async def set_limit(tx: Tx, command: SetLimit) -> tuple[Account, Exposure]:
    account, owed = await lock_standing(tx, command.customer_id, command.today)
    _expect(account, command.expected_version)
    outcome = rules.set_limit(account, command.limit, command.reason, owed, command.today)
    return await _save(tx, account, outcome), owed


async def return_to_policy(tx: Tx, command: ReturnToPolicy) -> tuple[Account, Exposure]:
    account, owed = await lock_standing(tx, command.customer_id, command.today)
    _expect(account, command.expected_version)
    policy = await store.policy_in_force(tx)
    outcome = rules.return_to_policy(account, policy, owed, command.today)
    return await _save(tx, account, outcome), owed


async def change_policy(tx: Tx, command: ChangePolicy) -> PolicyInForce:
    """A new version, in force at once; the limits that hang on it follow with the worker's next ticks.

    Raises Refused or ContradictoryPolicy for limits that make no policy, StalePolicy for an outdated version.
    """
    rules.check_limits(command.limits)
    policy = await store.lock_policy(tx)
    if policy.version != command.expected_version:
        raise StalePolicy(
            f"The policy is at version {policy.version}, not {command.expected_version}; look again, then decide.",
            current_version=policy.version,
        )
    if policy.limits != command.limits:
        policy = Policy(policy.version + 1, command.limits)
        if not await store.add_policy(tx, policy, command.changed_by):
            raise StalePolicy(f"Somebody else made version {policy.version} of the policy.")
    return PolicyInForce(policy, *await store.policy_changed(tx, policy.version))


async def apply_policy(tx: Tx, today: date, accounts_max: int = ACCOUNTS_A_RUN) -> int:
    """Hold a bounded number of limits against a policy newer than they know. Returns how many were looked at."""
    policy = await store.policy_in_force(tx)
    accounts = await store.lock_accounts_behind(tx, policy.version, accounts_max)
    if not accounts:
        return 0
    owed = await exposure.exposures_of(tx, [account.customer_id for account in accounts], today)
    outcomes = [
        rules.follow_policy(account, policy, owed.get(account.customer_id, NOTHING_OWED), today) for account in accounts
    ]
    await store.save_accounts(tx, [outcome.account for outcome in outcomes])
    await outbox.append(tx, *(event for outcome in outcomes for event in outcome.events))
    return len(accounts)


async def policy_in_force(tx: Tx) -> PolicyInForce:
    policy = await store.policy_in_force(tx)
    return PolicyInForce(policy, *await store.policy_changed(tx, policy.version))


async def standing(tx: Tx, customer_id: UUID, today: date) -> tuple[Account, Exposure]:
    """The account and what is owed on it, to look at. Raises CustomerNotFound."""
    account = await store.read_account(tx, customer_id)
    if account is None:
        raise CustomerNotFound(customer_id)
    return account, await exposure.exposure_of(tx, customer_id, today)


async def lock_standing(tx: Tx, customer_id: UUID, today: date) -> tuple[Account, Exposure]:
    """The same with the customer's row locked, to decide on. Raises CustomerNotFound."""
    account = await store.lock_account(tx, customer_id)
    if account is None:
        raise CustomerNotFound(customer_id)
    return account, await exposure.exposure_of(tx, customer_id, today)


async def lock_standings(
    tx: Tx, customer_ids: Collection[UUID], today: date
) -> Mapping[UUID, tuple[Account, Exposure]]:
    """The same of many customers; those that are not known are not in the answer."""
    accounts = await store.lock_accounts(tx, customer_ids)
    owed = await exposure.exposures_of(tx, [account.customer_id for account in accounts], today)
    return {account.customer_id: (account, owed.get(account.customer_id, NOTHING_OWED)) for account in accounts}


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
    return outcome.account
