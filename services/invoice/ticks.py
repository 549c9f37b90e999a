"""What the invoice service does by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.invoice.autopay import handlers as autopay
from services.invoice.checkouts import handlers as checkouts
from services.invoice.customers import handlers as customers
from services.invoice.deliveries import handlers as deliveries
from services.invoice.dispatch import handlers as dispatch
from services.invoice.disputes import handlers as disputes
from services.invoice.imports import handlers as imports
from services.invoice.instalment_reminders import handlers as instalment_reminders
from services.invoice.interest import handlers as interest
from services.invoice.matching import handlers as matching
from services.invoice.overdue import handlers as overdue
from services.invoice.plans import handlers as plans
from services.invoice.reconciliation import handlers as reconciliation
from services.invoice.recurring import handlers as recurring
from services.invoice.statements import handlers as statements
from services.invoice.writing import handlers as writing
from shared.clock import real_now
from shared.db import reading, transaction
from shared.errors import Unavailable
from shared.ticks import TickContext, Ticks

ticks = Ticks()

IMPORT_LANES = 2
"""While the database writes one chunk, the next one is read and judged."""
CHUNKS_A_LANE = 5
"""Then the other jobs get their turn."""
ENTRIES_A_TURN = 50
"""Bank entries, each in a transaction of its own."""


@ticks.on(next_due=overdue.NEXT_DUE)
async def announce_overdue(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await overdue.announce_overdue(tx) > 0


@ticks.on(next_due=disputes.NEXT_ESCALATION)
async def escalate_disputes(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await disputes.escalate_disputes(tx)


@ticks.on(next_due=interest.TO_REVIEW)
async def review_charges(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await interest.review_charges(tx)


@ticks.on(next_due=interest.NEXT_RUN)
async def charge_monthly(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await interest.charge_monthly(tx)


@ticks.on(next_due=plans.NEXT_LOOK)
async def judge_plans(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await plans.judge_plans(tx)


@ticks.on(next_due=instalment_reminders.NEXT_DUE)
async def remind_of_instalments(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await instalment_reminders.remind_of_instalments(tx)


@ticks.on(next_due=imports.NEXT_DUE)
async def issue_imported(context: TickContext) -> bool:
    lanes = (_issue_chunks(context) for _ in range(IMPORT_LANES))
    issued = await asyncio.gather(*lanes, return_exceptions=True)
    for ended in issued:
        if isinstance(ended, BaseException):
            raise ended
    return any(issued)


async def _issue_chunks(context: TickContext) -> bool:
    return await _chunk_after_chunk(context, imports.issue_chunk)


@ticks.on(next_due=imports.NEXT_JUDGE)
async def judge_imported(context: TickContext) -> bool:
    """Dry runs, and imports that are all or nothing: one after the other, since later rows depend on earlier ones."""
    return await _chunk_after_chunk(context, imports.judge_chunk)


@ticks.on(next_due=imports.NEXT_TOGETHER)
async def issue_together(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await imports.issue_together(tx) is not None


async def _chunk_after_chunk(
    context: TickContext, take: Callable[..., Awaitable[imports.Issued | imports.Unknown | None]]
) -> bool:
    """Chunk after chunk; customers whose event is still on its way are asked of credit first."""
    for done in range(CHUNKS_A_LANE):
        async with transaction(context.database) as tx:
            outcome = await take(tx)
        if isinstance(outcome, imports.Unknown):
            await customers.learn_customers(context.database, context.resources.credit, outcome.refs)
            async with transaction(context.database) as tx:
                await take(tx, unknown_are_bad=True)
        elif outcome is None:
            return done > 0
    return True


@ticks.on(next_due=recurring.NEXT_DUE, may_call=recurring.HAS_ANY)
async def issue_recurring(context: TickContext) -> bool:
    """The next due period of each recurring invoice, a transaction each; periods missed follow at the next calls."""
    async with reading(context.database) as tx:
        due = await recurring.due_bills(tx)
    billed, waits = False, None
    for bill in due:
        credit = await recurring.ask_credit(context.resources.credit, bill)
        try:
            async with transaction(context.database) as tx:
                await recurring.bill_period(tx, bill, credit)
            billed = True
        except Unavailable as error:  # Credit, which must be asked first: others may go on without it.
            waits = error
    if waits and not billed:
        raise waits
    return billed


@ticks.on(next_due=reconciliation.NEXT_DUE)
async def reconcile_books(context: TickContext) -> bool:
    shown = await reconciliation.ask_reporting(context.database, context.resources.reporting)
    async with transaction(context.database) as tx:
        return await reconciliation.reconcile_daily(tx, shown) is not None


@ticks.on(next_due=matching.NEXT_DUE)
async def apply_cash(context: TickContext) -> bool:
    for done in range(ENTRIES_A_TURN):
        async with transaction(context.database) as tx:
            if not await matching.apply_next(tx):
                return done > 0
    return True


@ticks.on(next_due=dispatch.MAILS_DUE)
async def send_documents(context: TickContext) -> bool:
    """Rounds of mails until nothing can be done now."""
    moved = False
    while await _send_mails(context):
        moved = True
    return moved


async def _send_mails(context: TickContext) -> bool:
    """Mark, read, send, record. Only the marks and the records are made in transactions."""
    postman = context.resources.postman
    async with reading(context.database) as tx:
        found = await deliveries.to_do(tx, real_now(), dispatch.MAILS_AT_ONCE)
    abandoned = [each for each in found if each.status == "sending"]
    if abandoned:
        async with transaction(context.database) as tx:
            await dispatch.give_up(tx, abandoned)
    queued = [each for each in found if each.status == "queued"]
    if not queued:
        return bool(abandoned)
    seconds, lease_until = dispatch.lease(postman, real_now())
    async with transaction(context.database) as tx:
        taken = await dispatch.take_mails(tx, queued, lease_until)
    async with reading(context.database) as tx:
        envelopes = [await writing.open_envelope(tx, each, context.resources.pay_links) for each in taken]
        at = tx.now
    drawn = await writing.draw(envelopes, at)
    async with transaction(context.database) as tx:
        await writing.keep(tx, envelopes, drawn)
    envelopes = drawn
    sent = await dispatch.send(postman, envelopes, at, seconds)
    async with transaction(context.database) as tx:
        await dispatch.record(tx, sent)
    return True


@ticks.on(next_due=dispatch.LETTERS_DUE)
async def gather_letters(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await dispatch.gather_letters(tx) is not None


@ticks.on(next_due=statements.NEXT_STATEMENTS)
async def ask_for_statements(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await statements.ask_for_statements(tx)


@ticks.on(next_due=checkouts.NEXT_LOOK)
async def ask_after_checkouts(context: TickContext) -> bool:
    """Ask the provider what became of payments of which no word came: calls get lost."""
    async with reading(context.database) as tx:
        waiting = await checkouts.to_look_at(tx, context.now)
    for checkout in waiting:
        word = await checkouts.ask(context.resources.stripe, checkout)
        async with transaction(context.database) as tx:
            await checkouts.settle(tx, word)
    return bool(waiting)


@ticks.on(next_due=autopay.NEXT_LOOK)
async def collect_by_saved_methods(context: TickContext) -> bool:
    """Look up methods just saved, begin charges on due dates, and make those whose time has come. Without a provider
    nothing is charged, and what is due waits for one."""
    desk = context.resources.stripe
    if desk is None:
        return False
    async with transaction(context.database) as tx:
        wanted = await autopay.wanted_methods(tx)
        begun = await autopay.begin_due(tx)
    for method in wanted:
        found = await autopay.look_up(desk, method)
        async with transaction(context.database) as tx:
            await autopay.keep_method(tx, method, found)
    async with transaction(context.database) as tx:
        ready = await autopay.to_charge(tx)
    for collection, method in ready:
        charged = await autopay.charge(desk, collection, method)
        async with transaction(context.database) as tx:
            await autopay.record(tx, charged)
    return bool(wanted or begun or ready)
