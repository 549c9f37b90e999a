"""The pages of the credit policy, gathered from limits, policies and what-ifs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from services.credit.review_days.handlers import review_days
from services.credit.scorecards import handlers as scorecards
from services.credit.scorecards.rules import Published
from services.credit.what_ifs import handlers as what_ifs
from services.credit.what_ifs.handlers import Hindsight, Wanted, WhatIf
from shared.calendar import local_date
from shared.db import Tx

VERSIONS_SHOWN = 20
CHANGED_SHOWN = 50
PERIOD_DAYS = 90
WRITTEN = "*"
"""In place of a scorecard's name, which has letters: the document that was written into the form."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a what-if looks at besides the document: `beside` is an earlier version; `scorecard` the name of one, or
    WRITTEN for the one in `scorecard_text`."""

    first: date
    last: date
    beside: int | None = None
    scorecard: str = ""
    scorecard_text: str = ""
    by_class: bool = False


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """`text` is what stands in the editor, `asked` what stands in the form of the what-if. Outcomes are to be
    looked at next on `review_on`."""

    today: date
    in_force: PolicyInForce
    text: str
    checked: Checked
    versions: Sequence[Version]
    scorecards: Sequence[Published]
    asked: Asked
    review_on: date | None

    @property
    def yesterday(self) -> date:
        return self.today - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Compared:
    """A what-if, with the names of the customers of whom decisions change."""

    hindsight: Hindsight
    customers: Mapping[UUID, Customer]


async def draw_policy(tx: Tx, typed: str | None = None, asked: Asked | None = None) -> PolicyShown:
    """With what was typed, or as it is in force; the what-if is of the last days unless others were asked for."""
    in_force, today = await limits.policy_in_force(tx), local_date(tx.now, "UTC")
    text = rules.written(in_force.policy) if typed is None else typed
    return PolicyShown(
        today,
        in_force,
        text,
        await check(tx, text),
        await policies.list_versions(tx, None, VERSIONS_SHOWN),
        await scorecards.list_scorecards(tx),
        asked or Asked(today - timedelta(days=PERIOD_DAYS), today - timedelta(days=1)),
        (await review_days(tx)).of_policy(in_force.policy.review_on),
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


async def compare(tx: Tx, text: str, asked: Asked) -> Compared:
    """What was typed, and an earlier version where one is named, held against what was decided. Changes nothing.
    Raises InvalidPolicyDocument and what `what_ifs.what_if` raises."""
    checked = await check(tx, text)
    if checked.policy is None:
        raise InvalidPolicyDocument(checked.faults)
    is_written = asked.scorecard == WRITTEN
    tried = Wanted(
        "as typed",
        limits=checked.policy.limits,
        rules=checked.policy.rules,
        scorecard=None if is_written else asked.scorecard or None,
        scorecard_document=asked.scorecard_text if is_written else None,
        by_class=asked.by_class,
    )
    wanted = [tried]
    if asked.beside:
        wanted.append(replace(tried, title=f"version {asked.beside}", limits=None, rules=None, version=asked.beside))
    found = await what_ifs.what_if(tx, WhatIf(tuple(wanted), asked.first, asked.last))
    concerned = {each.customer_id for side in found.sides for each in side.changed[:CHANGED_SHOWN]}
    return Compared(found, await customers.customers_of(tx, concerned) if concerned else {})
