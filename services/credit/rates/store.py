"""Reference rates, one row a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from services.credit.rates.rules import Rates
from shared.db import Tx


async def lock(tx: Tx) -> None:
    """Imports wait here for each other: their events have one key, which must be published in the order of commits."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('fx_rates'))")


async def of_days(tx: Tx, days: Sequence[date]) -> dict[date, Rates]:
    rows = await tx.fetch("select on_date, version, rates from fx_rates where on_date = any($1)", days)
    return {row["on_date"]: _rates(row) for row in rows}


async def save(tx: Tx, days: Sequence[Rates], source: str) -> None:
    wire = [{code: format(rate, "f") for code, rate in day.by_currency.items()} for day in days]
    await tx.executemany(
        _SAVE, [(day.on, day.version, rates, source, tx.now) for day, rates in zip(days, wire, strict=True)]
    )


_SAVE = """
insert into fx_rates (on_date, version, rates, source, imported_at) values ($1, $2, $3, $4, $5)
on conflict (on_date) do update
set version = excluded.version, rates = excluded.rates, source = excluded.source, imported_at = excluded.imported_at
"""


async def in_force(tx: Tx, on: date) -> tuple[Rates, str] | None:
    """The rates of the last day up to this one, and where they are from."""
    row = await tx.fetchrow(_IN_FORCE, on)
    return (_rates(row), row["source"]) if row else None


_IN_FORCE = """
select on_date, version, rates, source from fx_rates where on_date <= $1 order by on_date desc limit 1
"""


def _rates(row: Any) -> Rates:
    return Rates(row["on_date"], row["version"], {code: Decimal(rate) for code, rate in row["rates"].items()})
