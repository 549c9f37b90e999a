"""The accounts of whoever looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.dashboard_sales import queries, rules
from services.reporting.dashboard_sales.rules import ACCOUNTS_MAX, Account, Totals
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.handlers import RankDebtors
from shared.db import Tx

OWNERS_MAX = 500
EVERYBODY_MAX = 50


@dataclass(frozen=True, slots=True)
class Accounts:
    """`owner` is None for the accounts most overdue of all; `is_cut` says that there are more than shown."""

    currencies: Sequence[str]
    currency: str
    owners: Sequence[str]
    owner: str | None
    accounts: Sequence[Account]
    totals: Totals
    is_cut: bool


async def draw_accounts(
    tx: Tx, as_of: date, currency: str | None, owner: str | None, reader: Sequence[str]
) -> Accounts | None:
    """None before anything has moved. `reader` are the names that whoever looks goes by."""
    aged = await ageing.age_receivables(tx, AgeReceivables(as_of))
    if not aged:
        return None
    busiest = sorted(aged, key=lambda buckets: (-buckets.open_invoices, buckets.currency))
    shown = next((buckets.currency for buckets in aged if buckets.currency == currency), busiest[0].currency)
    owners = await queries.owners(tx, OWNERS_MAX)
    whose = rules.owner_of(owner, owners, reader)
    if whose is None:
        ranked = await debtors.rank_debtors(tx, RankDebtors(as_of, ALL_KNOWN, shown, "overdue", EVERYBODY_MAX))
        ids, is_cut = [debtor.customer_id for debtor in ranked], len(ranked) == EVERYBODY_MAX
    else:
        ids = await queries.of_owner(tx, whose, ACCOUNTS_MAX + 1)
        ids, is_cut = ids[:ACCOUNTS_MAX], len(ids) > ACCOUNTS_MAX
    accounts = rules.accounts(
        await queries.standing(tx, ids, shown, as_of),
        await queries.promises(tx, ids, shown, as_of),
        await queries.credit(tx, ids, as_of),
        shown,
    )
    return Accounts(
        [buckets.currency for buckets in busiest], shown, owners, whose, accounts, rules.totals(accounts), is_cut
    )
