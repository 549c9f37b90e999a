"""Statements of account: made on demand, and asked for by themselves each month."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.deliveries import handlers as deliveries
from services.invoice.deliveries import rules as delivery_rules
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT
from services.invoice.preferences import handlers as preferences
from services.invoice.preferences.rules import Preference
from services.invoice.printing import handlers as printing
from services.invoice.statements import rules, store
from services.invoice.statements.rules import Statement
from shared.calendar import ONE_DAY, add_months, month_end
from shared.db import Tx
from shared.errors import NotFound
from shared.ids import new_id

NEXT_STATEMENTS = f"least({store.NEXT_STATEMENTS}, {preferences.NEXT_STATEMENT})"
CUSTOMERS_AT_ONCE = 100


class CustomerNotFound(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"


async def get_statement(
    tx: Tx, customer_id: UUID, first: date | None, last: date | None, entity_id: str = DEFAULT
) -> Statement:
    """What moved the customer's account in a period (this month so far), from the opening balance to the closing one.

    Raises CustomerNotFound, PeriodRefused.
    """
    account = await customers.find_account(tx, CustomerRef(customer_id), entity_id)
    if account is None:
        raise CustomerNotFound(f"there is no customer {customer_id}")
    since, until = rules.period(first, last, account.entity.today(tx.now))
    return await _statement(tx, account, since, until)


async def _statement(tx: Tx, account: Account, first: date, last: date) -> Statement:
    customer_id, entity_id = account.customer.id, account.entity.id
    openings = await store.openings(tx, customer_id, entity_id, first)
    postings = await store.postings(tx, customer_id, entity_id, first, last)
    sections = rules.sections(openings, postings, account.customer.currency)
    if last >= account.entity.today(tx.now) - ONE_DAY:  # What is on a plan is known of now, not of days gone by.
        sections = rules.with_plans(sections, await store.planned(tx, customer_id, entity_id))
    return Statement(account, first, last, sections)


def print_statement(statement: Statement, pay_link: str, language: str | None = None) -> bytes:
    """The statement as PDF; takes processor time, so by `asyncio.to_thread`."""
    return printing.typeset("statement", rules.statement_view(statement, pay_link, language), statement.last)


async def ask_for_statements(tx: Tx) -> bool:
    """Ask for the delivery of statements, so many customers at a time: of one entity's monthly ones, then of those that
    customers want in a rhythm of their own. False when none is due.

    An entity that has only just begun gets its first statements on the first of the next month.
    """
    found = await store.due(tx)
    if found is None:
        return await _ask_for_wanted(tx)
    entity_id, next_at, month, after = found
    entity = await entities.get_entity(tx, entity_id)
    if next_at is None or month is None:
        month = entity.today(tx.now).replace(day=1)
        await store.schedule(tx, entity_id, entity.starts(add_months(month, 1)), month, None)
        return True
    until = month_end(month)
    ids = await store.customers_with_entries(tx, entity_id, after, until, CUSTOMERS_AT_ONCE)
    own = await preferences.preferences_of(tx, entity_id, ids)
    for customer_id in ids:
        wanted = own.get(customer_id, Preference(customer_id, entity_id))
        account = await customers.find_account(tx, CustomerRef(customer_id), entity_id)
        if account is not None and wanted.statements is None:
            await _ask(tx, account, (month, until), paper=wanted.paper)
    if len(ids) < CUSTOMERS_AT_ONCE:
        following = until + timedelta(days=1)
        await store.schedule(tx, entity_id, entity.starts(add_months(following, 1)), following, None)
    else:
        await store.schedule(tx, entity_id, next_at, month, ids[-1])
    return True


async def _ask_for_wanted(tx: Tx) -> bool:
    """The statements of customers whose own rhythm has come round; a period missed follows at the next call."""
    due = await preferences.due_statements(tx, CUSTOMERS_AT_ONCE)
    for wanted in due:
        account = await customers.lock_account(tx, CustomerRef(wanted.customer_id), wanted.entity_id)
        assert wanted.period_first is not None
        assert wanted.next_at is not None
        last = account.entity.today(wanted.next_at) - ONE_DAY
        await _ask(tx, account, (wanted.period_first, last), paper=wanted.paper)
        await preferences.statement_made(tx, wanted, account)
    return bool(due)


async def _ask(tx: Tx, account: Account, period: tuple[date, date], *, paper: bool) -> None:
    """By mail or on paper, where there is anything to tell; without an address to write to, none."""
    if not paper and not delivery_rules.address_of(account.customer.contacts):
        return
    if rules.has_anything(await _statement(tx, account, *period)):
        asked = delivery_rules.ask(
            account.entity,
            account.customer,
            tx.now,
            delivery_id=new_id(),
            kind="statement",
            channel="letter" if paper else "email",
            period=period,
        )
        await deliveries.ask(tx, [asked])
