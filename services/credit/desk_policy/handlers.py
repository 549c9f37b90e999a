"""The pages of the credit policy, gathered from limits, policies and what-ifs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.desk_policy import rules
from services.credit.desk_policy.rules import Checked, InvalidPolicyDocument
from services.credit.desk_words.rules import NothingChanged
from services.credit.limits import handlers as limits
from services.credit.limits.handlers import ChangePolicy, PolicyInForce
from services.credit.policies import handlers as policies
from services.credit.policies import rules as comparing
from services.credit.policies.handlers import Version
from services.credit.what_ifs import handlers as what_ifs
from services.credit.what_ifs.handlers import Hindsight, Wanted, WhatIf
from shared.calendar import local_date
from shared.db import Tx

VERSIONS_SHOWN = 20
CHANGED_SHOWN = 50
PERIOD_DAYS = 90


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """`text` is what stands in the editor; `first` and `last` the days that a what-if looks at unless told others."""

    today: date
    in_force: PolicyInForce
    text: str
    checked: Checked
    versions: Sequence[Version]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Compared:
    """A what-if, with the names of the customers of whom decisions change."""

    hindsight: Hindsight
    customers: Mapping[UUID, Customer]


async def draw_policy(tx: Tx, typed: str | None = None) -> PolicyShown:
    """With what was typed, or as it is in force."""
    in_force, today = await limits.policy_in_force(tx), local_date(tx.now, "UTC")
    text = rules.written(in_force.policy) if typed is None else typed
    return PolicyShown(
        today,
        in_force,
        text,
        await check(tx, text),
        await policies.list_versions(tx, None, VERSIONS_SHOWN),
        today - timedelta(days=PERIOD_DAYS),
        today - timedelta(days=1),
    )


async def check(tx: Tx, text: str) -> Checked:
    """What publishing would say and change."""
    in_force = (await limits.policy_in_force(tx)).policy
    said = rules.read(text, in_force)
    if isinstance(said, list):
        return Checked(said)
    return Checked((), said, comparing.changes(in_force, said))


async def publish(tx: Tx, text: str, expected_version: int, by: str, reason: str | None) -> None:
    """Raises InvalidPolicyDocument, NothingChanged, StalePolicy."""
    checked = await check(tx, text)
    policy = checked.policy
    if policy is None:
        raise InvalidPolicyDocument(checked.faults)
    command = ChangePolicy(
        policy.limits, expected_version, by, policy.rules, policy.owner, policy.review_on, reason=reason
    )
    if (await limits.change_policy(tx, command)).policy.version == expected_version:
        raise NothingChanged(f"The policy is that of version {expected_version}.")


async def compare(tx: Tx, text: str, beside: int | None, since: date, until: date) -> Compared:
    """What was typed, and an earlier version where one is named, held against what was decided. Changes nothing.
    Raises InvalidPolicyDocument and what `what_ifs.what_if` raises."""
    checked = await check(tx, text)
    if checked.policy is None:
        raise InvalidPolicyDocument(checked.faults)
    wanted = [Wanted("as typed", limits=checked.policy.limits, rules=checked.policy.rules)]
    if beside:
        wanted.append(Wanted(f"version {beside}", version=beside))
    found = await what_ifs.what_if(tx, WhatIf(tuple(wanted), since, until))
    concerned = {each.customer_id for side in found.sides for each in side.changed[:CHANGED_SHOWN]}
    return Compared(found, await customers.customers_of(tx, concerned) if concerned else {})
