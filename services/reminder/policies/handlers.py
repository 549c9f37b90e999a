"""Publish the contact policy, hand out the one in force, and keep what customers do not want."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.reminder.policies import rules, store
from services.reminder.policies.rules import (
    POLICY,
    OptOutNotFound,
    Policy,
    PolicyDocument,
    PolicyVersion,
    Refused,
)
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import Unwanted
from services.reminder.strategies.rules import Channel
from shared.db import Tx
from shared.errors import PreconditionFailed
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class PublishPolicy:
    """`expected_version` is the version the writer saw, 0 for the built-in policy."""

    document: PolicyDocument
    expected_version: int
    by: str


@dataclass(frozen=True, slots=True)
class OptOut:
    """A customer wants no messages on a channel: none at all, or none about one invoice."""

    customer_id: UUID
    channel: Channel
    invoice_number: str | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class EndOptOut:
    customer_id: UUID
    opt_out_id: UUID
    by: str


def read(document: str | None) -> Policy:
    """What a kept document says; None is the built-in policy."""
    return rules.read(document) if document else POLICY


async def current(tx: Tx) -> Policy:
    """The policy in force."""
    newest = await store.find(tx, None)
    return read(newest.document if newest else None)


async def find_policy(tx: Tx, version: int | None = None) -> PolicyVersion:
    """The newest version or the one asked for; version 0 is the built-in policy. Raises PolicyNotFound."""
    found = await store.find(tx, version) if version != 0 else None
    if found is None and version:
        raise rules.PolicyNotFound(f"there is no version {version} of the contact policy")
    return found or rules.BUILT_IN


async def publish_policy(tx: Tx, command: PublishPolicy) -> PolicyVersion:
    """Make the next version; the same policy again makes none. Raises PreconditionFailed when the writer did not see
    the newest one."""
    newest = await find_policy(tx)
    if newest.version != command.expected_version:
        raise PreconditionFailed(
            f"the contact policy is at version {newest.version}, you changed {command.expected_version}"
        )
    if newest.version and newest.said == command.document:
        return newest
    next_one = PolicyVersion(newest.version + 1, command.document.model_dump_json(), tx.now, command.by)
    if not await store.add(tx, next_one):
        raise PreconditionFailed(f"the contact policy got version {next_one.version} from somebody else just now")
    return next_one


async def opt_out(tx: Tx, command: OptOut) -> Refused:
    """From now on nothing more goes out this way. Said again, nothing changes."""
    await receivables.lock(tx, [command.customer_id])
    new = Refused(
        id=new_id(),
        customer_id=command.customer_id,
        channel=command.channel,
        invoice_number=command.invoice_number,
        reason=command.reason,
        recorded_at=tx.now,
        recorded_by=command.by,
    )
    kept = await store.add_opt_out(tx, new)
    await _keep(tx, command.customer_id)
    return kept


async def end_opt_out(tx: Tx, command: EndOptOut) -> None:
    """The customer may be contacted this way again. Raises OptOutNotFound."""
    await receivables.lock(tx, [command.customer_id])
    if not await store.end_opt_out(tx, command.customer_id, command.opt_out_id, tx.now, command.by):
        raise OptOutNotFound(f"no opt-out {command.opt_out_id} of this customer runs")
    await _keep(tx, command.customer_id)


async def list_opt_outs(tx: Tx, customer_id: UUID) -> list[Refused]:
    """All there ever were, oldest first."""
    return await store.opt_outs(tx, customer_id, ended=True)


async def _keep(tx: Tx, customer_id: UUID) -> None:
    running = await store.opt_outs(tx, customer_id)
    await receivables.keep_unwanted(tx, customer_id, [Unwanted(each.channel, each.invoice_number) for each in running])
