"""What credit does by the clock: after a change of the policy, bring the limits in line with it; ask the credit bureau;
assess customers again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.credit.agreements.rules import Seller, SellerUnknown
from services.credit.assessments import handlers as assessments
from services.credit.drifts import handlers as drifts
from services.credit.holds import handlers as holds
from services.credit.intake import handlers as intake
from services.credit.limit_letters import handlers as limit_letters
from services.credit.limit_letters.rules import Sellers
from services.credit.limits import handlers as limits
from services.credit.mergers import handlers as mergers
from services.credit.onboarding_mails import handlers as onboarding_mails
from services.credit.reservations import handlers as reservations
from services.credit.segment_drifts import handlers as segment_drifts
from services.credit.sellers import handlers as sellers
from services.credit.vetting import handlers as vetting
from services.credit.vetting.rules import Asked, Bureau
from services.credit.watching import handlers as watching
from shared.calendar import local_date
from shared.db import transaction
from shared.errors import Refused
from shared.mail import Postman
from shared.ticks import TickContext, Ticks

ticks = Ticks()


@dataclass(frozen=True)
class Resources:
    """What the ticks work with besides the database."""

    bureau: Bureau | None = None
    postman: Postman | None = None
    sellers: Sellers | None = None


LEASE_SECONDS_WITHOUT_BUREAU = 10.0
LEASE_SECONDS_WITHOUT_POSTMAN = 10.0
POLICY_RUNS_MAX = 20
"""A call's share of a large book; the other jobs of the worker get their turn in between."""


@ticks.on(next_due=limits.POLICY_WORK_DUE)
async def apply_policy(context: TickContext, accounts_a_run: int = limits.ACCOUNTS_A_RUN) -> bool:
    moved = 0
    for _ in range(POLICY_RUNS_MAX):
        async with transaction(context.database) as tx:
            accounts = await limits.apply_policy(tx, local_date(context.now, "UTC"), accounts_a_run)
        moved += accounts
        if accounts < accounts_a_run:
            break
    return moved > 0


@ticks.on(next_due=vetting.INQUIRY_DUE)
async def ask_bureau(context: TickContext) -> bool:
    """One question a call: written as on its way, asked outside any transaction, its answer recorded."""
    bureau: Bureau | None = context.resources.bureau if context.resources else None
    async with transaction(context.database) as tx:
        given_up = await vetting.give_up(tx)
        lease_seconds = bureau.lease_seconds if bureau else LEASE_SECONDS_WITHOUT_BUREAU
        taken = await vetting.take_inquiry(tx, lease_seconds)
    if taken is None:
        return given_up > 0
    inquiry, country = taken
    asked = await bureau.ask(inquiry, country) if bureau else Asked("refused", detail="no credit bureau is set up")
    async with transaction(context.database) as tx:
        await intake.record_answer(tx, inquiry, asked)
    return True


@ticks.on(next_due=assessments.REASSESS_DUE)
async def reassess(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await assessments.reassess(tx) > 0


@ticks.on(next_due=limits.CHANGES_DUE)
async def follow_clock(context: TickContext) -> bool:
    """Raises that begin or end, limits whose validity ended."""
    async with transaction(context.database) as tx:
        return await limits.follow_clock(tx, local_date(context.now, "UTC")) > 0


@ticks.on(next_due=reservations.EXPIRY_DUE)
async def expire_reservations(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await reservations.expire_reservations(tx) > 0


@ticks.on(next_due=holds.LOOK_DUE)
async def look_at_accounts(context: TickContext) -> bool:
    """Place the holds that the policy wants, release those whose cause is gone."""
    async with transaction(context.database) as tx:
        return await holds.look_at_accounts(tx) > 0


@ticks.on(next_due=segment_drifts.ROUND_DUE)
async def watch_segments(context: TickContext) -> bool:
    """Before the customers, who are held against what is usual in their segments."""
    async with transaction(context.database) as tx:
        return await segment_drifts.watch_segments(tx)


@ticks.on(next_due=drifts.LOOK_DUE)
async def watch_customers(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await drifts.watch_customers(tx) > 0


@ticks.on(next_due=onboarding_mails.MAILS_DUE)
async def send_onboarding_mails(context: TickContext) -> bool:
    """A few a call: written as on their way, sent outside any transaction, their fate recorded."""
    postman, lease_seconds = _postman(context)
    async with transaction(context.database) as tx:
        given_up = await onboarding_mails.give_up(tx)
        taken = await onboarding_mails.take_mails(tx, lease_seconds)
    if not taken:
        return given_up > 0
    sent = await onboarding_mails.send(postman, taken, context.now, lease_seconds)
    async with transaction(context.database) as tx:
        await onboarding_mails.record(tx, sent)
    return True


@ticks.on(next_due=watching.FOLLOW_DUE)
async def follow_customers(context: TickContext) -> bool:
    """What the policy wants done after news of a customer, or on its day: recommended limits, reviews."""
    async with transaction(context.database) as tx:
        return await watching.follow_customers(tx) > 0


@ticks.on(next_due=mergers.LATECOMERS_DUE)
async def follow_mergers(context: TickContext) -> bool:
    """What is heard of customers that were merged is moved to those who they go on as."""
    async with transaction(context.database) as tx:
        return await mergers.follow_mergers(tx) > 0


@ticks.on(next_due=limit_letters.ANNOUNCEMENTS_DUE)
async def plan_limit_letters(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await limit_letters.plan_letters(tx) > 0


@ticks.on(next_due=limit_letters.LETTERS_DUE)
async def send_limit_letters(context: TickContext) -> bool:
    """The same for letters, each in the name of the selling entity that looks after its customer."""
    postman, lease_seconds = _postman(context)
    async with transaction(context.database) as tx:
        given_up = await limit_letters.give_up(tx)
        taken = await limit_letters.take_letters(tx, lease_seconds)
        entities = await sellers.entities_of(tx, {letter.customer_id for letter in taken})
    if not taken:
        return given_up > 0
    named = await _sellers(context.resources.sellers if context.resources else None, set(entities.values()))
    by_customer = {customer_id: named[entity_id] for customer_id, entity_id in entities.items()}
    sent = await limit_letters.send(postman, by_customer, taken, context.now, lease_seconds)
    async with transaction(context.database) as tx:
        await limit_letters.record(tx, sent)
    return True


def _postman(context: TickContext) -> tuple[Postman | None, float]:
    """And how long what is taken counts as on its way."""
    postman: Postman | None = context.resources.postman if context.resources else None
    if postman is None:
        return None, LEASE_SECONDS_WITHOUT_POSTMAN
    return postman, postman.server.timeout_seconds * onboarding_mails.LEASE_TIMEOUTS


async def _sellers(desk: Sellers | None, entity_ids: Collection[str]) -> Mapping[str, Seller | None]:
    """In whose names letters go out; None where nobody says so just now."""

    async def find(entity_id: str) -> Seller | None:
        try:
            return await desk.find_seller(entity_id) if desk else None
        except (SellerUnknown, Refused):
            return None

    return dict(zip(entity_ids, await asyncio.gather(*map(find, entity_ids)), strict=True))
