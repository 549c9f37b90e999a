"""Import reference rates and tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.credit.rates import rules, store
from services.credit.rates.rules import NoRates, Rates, RatesRefused
from shared import outbox
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class ImportRates:
    """`days` as `rules.read` gave them."""

    days: Sequence[tuple[date, dict[str, Decimal]]]
    source: str
    today: date


@dataclass(frozen=True, slots=True)
class Imported:
    """`changed` of the `days` were new or other than known."""

    days: tuple[date, ...]
    changed: tuple[date, ...]


async def import_rates(tx: Tx, command: ImportRates) -> Imported:
    """A day that says what is known already is no event. Raises RatesRefused for a day that is yet to come."""
    days = tuple(day for day, _ in command.days)
    if days[-1] > command.today:
        raise RatesRefused(f"rates of {days[-1]}, which is after today, {command.today}")
    await store.lock(tx)
    known = await store.of_days(tx, days)
    changed = [
        Rates(day, known[day].version + 1 if day in known else 1, rates)
        for day, rates in command.days
        if day not in known or known[day].by_currency != rates
    ]
    if changed:
        await store.save(tx, changed, command.source)
        await outbox.append(tx, *(rules.published(day, command.source, command.today) for day in changed))
    return Imported(days, tuple(day.on for day in changed))


async def rates_on(tx: Tx, on: date) -> tuple[Rates, str]:
    """What holds on a day: its own rates, or those of the last day before it, with their source. Raises NoRates."""
    found = await store.in_force(tx, on)
    if found is None:
        raise NoRates(f"no rates are known for {on} or any day before it")
    return found
