"""Ask for a limit, approve or refuse it; what is approved takes effect in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.credit.customers import handlers as customers
from services.credit.groups import handlers as groups
from services.credit.groups.handlers import SetGroupLimit
from services.credit.limit_requests import rules, store
from services.credit.limit_requests.rules import LimitRequest, LimitRequestNotFound, Status, Wanted
from services.credit.limits import handlers as limits
from services.credit.limits.rules import rules_of
from services.credit.policy_rules.rules import PolicyRules
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id

RECOMMENDER = "credit"
"""Who asks for what assessments recommend: no person, so that every person may approve it."""


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """`approvers_min`: so many approve it even where the policy has nobody approve such an amount."""

    customer_id: UUID
    wanted: Wanted
    reason: str
    by: str
    approvers_min: int = 0


async def request_limit(tx: Tx, command: RequestLimit) -> LimitRequest:
    """Where the policy has nobody approve it, it takes effect at once. Raises CustomerNotFound, CustomerClosed and
    Refused."""
    today = local_date(tx.now, "UTC")
    account, facts = await limits.lock_standing(tx, command.customer_id, today)
    await customers.refuse_closed(tx, command.customer_id)
    rules.check(command.wanted, account, today)
    policy = rules_of(facts.policy_rules)
    needed = max(rules.approvers_needed(command.wanted, account, policy), command.approvers_min)
    request = LimitRequest(new_id(), 1, command.customer_id, command.wanted, command.reason, command.by, tx.now, needed)
    if needed == 0:
        request = replace(request, status="approved", closed_at=tx.now)
    await store.add(tx, request)
    if request.status == "approved":
        await _take_effect(tx, request, policy)
    return request


async def approve_request(tx: Tx, request_id: UUID, by: str) -> LimitRequest:
    """Raises LimitRequestNotFound, RequestClosed, ApprovalRefused."""
    request, policy = await _locked(tx, request_id)
    request = rules.approve(request, by, tx.now)
    await store.save(tx, request)
    if request.status == "approved":
        await _take_effect(tx, request, policy)
    return request


async def close_request(tx: Tx, request_id: UUID, by: str, because: str) -> LimitRequest:
    """Raises LimitRequestNotFound, RequestClosed."""
    request, _ = await _locked(tx, request_id)
    request = rules.close(request, by, because, tx.now)
    await store.save(tx, request)
    return request


async def ask_for_recommended(tx: Tx, command: RequestLimit) -> LimitRequest | None:
    """Ask for what an assessment, named by the evidence, recommends: once for each assessment, and what an earlier one
    asked for is withdrawn. None where it was asked for before."""
    if await store.has_evidence(tx, command.customer_id, command.by, command.wanted.evidence or ""):
        return None
    await withdraw(tx, command.customer_id, command.by, "A newer assessment recommends another limit.")
    return await request_limit(tx, command)


async def withdraw(tx: Tx, customer_id: UUID, by: str, because: str) -> None:
    """Take back what the same asked for and nobody decided on yet. The caller has locked the customer."""
    for request in await store.waiting_of(tx, customer_id, by):
        await store.save(tx, rules.close(request, by, because, tx.now))


async def _locked(tx: Tx, request_id: UUID) -> tuple[LimitRequest, PolicyRules]:
    request = await get_request(tx, request_id)
    _, facts = await limits.lock_standing(tx, request.customer_id, local_date(tx.now, "UTC"))
    return await get_request(tx, request_id), rules_of(facts.policy_rules)


async def _take_effect(tx: Tx, request: LimitRequest, policy: PolicyRules) -> None:
    today, wanted = local_date(tx.now, "UTC"), request.wanted
    reason = rules.because(request)
    if wanted.kind == "limit" and request.requested_by == RECOMMENDER:
        await limits.put_recommended(tx, request.customer_id, wanted.amount, reason, today)
    elif wanted.kind == "limit":
        await limits.put_limit(tx, request.customer_id, wanted.amount, reason, wanted.until_on, today)
    elif wanted.kind == "group_limit":
        command = SetGroupLimit(request.customer_id, wanted.amount, reason, request.requested_by, None)
        await groups.set_group_limit(tx, command)
    else:
        await limits.add(tx, request.customer_id, rules.addition(request, wanted.kind, policy, today), reason, today)


async def get_request(tx: Tx, request_id: UUID) -> LimitRequest:
    """Raises LimitRequestNotFound."""
    request = await store.read(tx, request_id)
    if request is None:
        raise LimitRequestNotFound(request_id)
    return request


async def list_requests(
    tx: Tx, status: Status | None, customer_id: UUID | None, after: UUID | None, count_max: int
) -> Sequence[LimitRequest]:
    """In the order in which they were asked for."""
    return await store.requests(tx, status, customer_id, after, count_max)
