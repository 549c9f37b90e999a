"""Reference rates, kept as credit publishes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from services.reporting.rates import store
from services.reporting.rates.rules import NoRate, Rates
from shared.db import Tx
from shared.delivery import Received
from shared.events.credit import RatesPublished


async def keep_rates(tx: Tx, received: Sequence[Received]) -> None:
    """A day's rates are replaced by a newer version of them only."""
    days = [r.event.rates for r in received if isinstance(r.event, RatesPublished)]
    if days:
        await store.keep(
            tx, [(d.on, d.base, d.source, d.version, {rate.currency: rate.rate for rate in d.rates}) for d in days]
        )


async def rates_on(tx: Tx, on: date) -> Rates:
    """What held on a day: its own rates, or those of the last day before it. Raises NoRate."""
    found = await store.in_force(tx, on)
    if found is None:
        raise NoRate(f"no rates are known for {on} or any day before it", field="query.reporting_currency")
    rates = {currency: Decimal(rate) for currency, rate in found["by_currency"].items()}
    return Rates(found["on_day"], found["base"], rates)
