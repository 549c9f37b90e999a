"""Everything that can be made again from the feed, from a batch of events."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.balances import handlers as balances
from services.reporting.contacts import handlers as contacts
from services.reporting.late_reasons import handlers as late_reasons
from services.reporting.outcomes import handlers as outcomes
from services.reporting.payment_habits import handlers as payment_habits
from services.reporting.plans import handlers as plans
from services.reporting.product_lines import handlers as product_lines
from services.reporting.projection import store
from services.reporting.rates import handlers as rates
from services.reporting.search import handlers as search
from shared.db import Tx
from shared.delivery import Received

READ_MODELS = (
    "customer",
    "collector",
    "rates",
    "contact",
    "promise",
    "dispute",
    "receipt",
    "invoice",
    "movement",
    "receivable",
    "account_cell",
    "account_standing",
    "account_period",
    "group_cell",
    "group_standing",
    "standing_day",
    "flow",
    "payment_course",
    "payment_reference",
    "search_word",
    "instalment_plan",
    "product_share",
    "reason_given",
)
"""Every table that `keep_read_models` fills, and nothing else writes."""


async def keep_read_models(tx: Tx, received: Sequence[Received]) -> None:
    """Balances come last, because whoever adds to the same sums waits from there on."""
    await contacts.keep_contacts(tx, received)
    await rates.keep_rates(tx, received)
    await outcomes.keep_outcomes(tx, received)
    await payment_habits.keep_courses(tx, received)
    await plans.keep_plans(tx, received)
    await product_lines.keep_shares(tx, received)
    await late_reasons.keep_reasons(tx, received)
    await search.keep_words(tx, received)
    await balances.keep_balances(tx, received)


async def begin(tx: Tx) -> None:
    """Before events are taken into the tables in use: others may do so at the same time, but none may replace them."""
    await store.share_tables(tx)


async def hold_up(tx: Tx) -> None:
    """From here to the end of the transaction nobody takes events."""
    await store.own_tables(tx)
    await balances.queue(tx)
