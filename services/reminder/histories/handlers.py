"""Explain a past day from what is kept of it."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from services.reminder.cases.handlers import View
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.rules import Contact
from services.reminder.histories import rules, store
from services.reminder.histories.rules import Kept, Past
from services.reminder.legal import handlers as legal
from services.reminder.offers import handlers as offers
from services.reminder.pauses import handlers as pauses
from services.reminder.placements import handlers as placements
from services.reminder.policies import handlers as policies
from services.reminder.policies.rules import PolicyVersion
from services.reminder.promises import handlers as promises
from services.reminder.replies import handlers as replies
from services.reminder.sayings.rules import Explanation
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies.rules import Published, StrategyNotFound
from services.reminder.tasks import handlers as tasks
from shared.calendar import ONE_DAY, at_local_time
from shared.db import Tx

PAGE = 500


async def explain_past(tx: Tx, view: View, day: date) -> tuple[datetime, Explanation]:
    """The end of the day in the customer's time zone, and what can be said of it."""
    until = at_local_time(day + ONE_DAY, time(), view.account.time_zone)
    past = Past(
        day=day,
        until=until,
        happened=await store.happened(tx, view.case.id),
        contacts=[c for c in await _all_contacts(tx, view.account.id) if c.entity_id == view.account.entity_id],
        policy=await _policy_at(tx, until),
        kept=await _kept(tx, view.account.id, view.account.entity_id),
    )
    name, version = rules.strategy_at(past) or view.case.runs_on
    return until, rules.explain(past, view.account, await _strategy(tx, name, version) or view.strategy)


async def _all_contacts(tx: Tx, customer_id: UUID) -> list[Contact]:
    """Newest first."""
    found: list[Contact] = []
    while page := await contacts.list_contacts(tx, customer_id, None, found[-1].id if found else None, PAGE):
        found += page
    return found


async def _kept(tx: Tx, customer_id: UUID, entity_id: str) -> Kept:
    """Of the account's agreements and tasks the newest, which are all there are in any life but a very long one."""
    account = customer_id, entity_id
    asked = await tasks.list_tasks(tx, customer_id, "approve_step", None, None, None, None, PAGE)
    return Kept(
        pauses=await pauses.list_pauses(tx, *account, None, None, PAGE),
        promises=await promises.list_promises(tx, *account, None, None, PAGE),
        offers=await offers.list_offers(tx, *account, None, None, PAGE),
        placements=await placements.list_placements(tx, *account, None, None, None, PAGE),
        agencies={agency.id: agency for agency in await placements.list_agencies(tx, None, PAGE)},
        proceedings=await legal.list_proceedings(tx, *account, None, None, None, PAGE),
        replies=await replies.list_replies(tx, *account, None, None, PAGE),
        approvals=[task for task in asked if task.entity_id == entity_id],
    )


async def _policy_at(tx: Tx, moment: datetime) -> PolicyVersion:
    policy = await policies.find_policy(tx)
    while policy.published_at and policy.published_at >= moment:
        policy = await policies.find_policy(tx, policy.version - 1)
    return policy


async def _strategy(tx: Tx, name: str, version: int) -> Published | None:
    try:
        return await strategies.find_strategy(tx, name, version)
    except StrategyNotFound:
        return None
