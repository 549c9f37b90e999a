"""Ask for terms, approve or refuse them; what is approved takes effect in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.credit.customers import handlers as customers
from services.credit.customers.rules import expect_active
from services.credit.limit_requests.handlers import RECOMMENDER
from services.credit.limit_requests.rules import Status, because
from services.credit.limits import handlers as limits
from services.credit.limits.rules import rules_of
from services.credit.term_requests import rules, store
from services.credit.term_requests.rules import TermRequest, TermRequestNotFound
from services.credit.terms.rules import Terms
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class RequestTerms:
    """`approvers_min`: so many approve it even where the policy has nobody approve the customer's limit."""

    customer_id: UUID
    wanted: Terms
    reason: str
    by: str
    evidence: str | None = None
    approvers_min: int = 0


async def request_terms(tx: Tx, command: RequestTerms) -> TermRequest:
    """Where the policy has nobody approve them, they take effect at once. Raises CustomerNotFound, CustomerClosed,
    Refused and TermsInForce."""
    account, facts = await limits.lock_standing(tx, command.customer_id, local_date(tx.now, "UTC"))
    customer = await customers.get_customer(tx, command.customer_id)
    expect_active(customer)
    rules.check(command.wanted, customer.particulars.terms, customer.particulars.currency)
    needed = max(rules_of(facts.policy_rules).approvers_for_terms(account.limit), command.approvers_min)
    request = TermRequest(
        id=new_id(),
        version=1,
        customer_id=customer.id,
        wanted=command.wanted,
        reason=command.reason,
        requested_by=command.by,
        requested_at=tx.now,
        approvers_needed=needed,
        evidence=command.evidence,
    )
    if needed == 0:
        request = replace(request, status="approved", closed_at=tx.now)
    await store.add(tx, request)
    if request.status == "approved":
        await _take_effect(tx, request)
    return request


async def approve_request(tx: Tx, request_id: UUID, by: str) -> TermRequest:
    """Raises TermRequestNotFound, TermRequestClosed, ApprovalRefused."""
    request = rules.approve(await _locked(tx, request_id), by, tx.now)
    await store.save(tx, request)
    if request.status == "approved":
        await _take_effect(tx, request)
    return request


async def close_request(tx: Tx, request_id: UUID, by: str, because: str) -> TermRequest:
    """Raises TermRequestNotFound, TermRequestClosed."""
    request = rules.close(await _locked(tx, request_id), by, because, tx.now)
    await store.save(tx, request)
    return request


async def ask_for_recommended(tx: Tx, command: RequestTerms) -> None:
    """Ask for what an assessment, named by the evidence, recommends: once, whatever becomes of it. What was asked for
    and waits stays where it is the same, and is withdrawn where it is not."""
    waiting = [each for each in await store.waiting_of(tx, command.customer_id) if each.requested_by == command.by]
    if any(each.wanted == command.wanted for each in waiting):
        return
    if await store.was_asked_for(tx, command.customer_id, command.by, command.evidence or "", command.wanted):
        return
    await withdraw_recommended(tx, command.customer_id, "Other terms are recommended by now.")
    await request_terms(tx, command)


async def withdraw_recommended(tx: Tx, customer_id: UUID, because: str) -> None:
    """Take back what assessments asked for and nobody decided on yet. The caller has locked the customer."""
    for request in await store.waiting_of(tx, customer_id):
        if request.requested_by == RECOMMENDER:
            await store.save(tx, rules.close(request, RECOMMENDER, because, tx.now))


async def close_all(tx: Tx, customer_id: UUID, by: str, because: str) -> int:
    """Of a customer that is closed, and locked. Returns how many waited."""
    waiting = await store.waiting_of(tx, customer_id)
    for request in waiting:
        await store.save(tx, rules.close(request, by, because, tx.now))
    return len(waiting)


async def _locked(tx: Tx, request_id: UUID) -> TermRequest:
    request = await get_request(tx, request_id)
    await limits.lock_standing(tx, request.customer_id, local_date(tx.now, "UTC"))
    return await get_request(tx, request_id)


async def _take_effect(tx: Tx, request: TermRequest) -> None:
    source = "recommended" if request.requested_by == RECOMMENDER else "manual"
    today = local_date(tx.now, "UTC")
    await customers.put_terms(tx, request.customer_id, request.wanted, source, because(request), today)


async def get_request(tx: Tx, request_id: UUID) -> TermRequest:
    """Raises TermRequestNotFound."""
    request = await store.read(tx, request_id)
    if request is None:
        raise TermRequestNotFound(request_id)
    return request


async def list_requests(
    tx: Tx, status: Status | None, customer_id: UUID | None, after: UUID | None, count_max: int
) -> Sequence[TermRequest]:
    """In the order in which they were asked for."""
    return await store.requests(tx, status, customer_id, after, count_max)
