"""Compares what is paid after messages with what is paid without."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg

from services.reporting.effectiveness import queries, rules
from services.reporting.effectiveness.rules import By, Effect, Watched
from shared.db import Tx


@dataclass(frozen=True)
class CompareMessages:
    """Messages of the `window_days` days up to `as_of`."""

    as_of: date
    window_days: int
    by: By


async def compare_messages(tx: Tx, query: CompareMessages) -> list[Effect]:
    since = query.as_of - timedelta(days=query.window_days)
    treated = await queries.after_messages(tx, since, query.as_of, query.by)
    untreated = await queries.without_message(tx, since, query.as_of)
    return rules.effects(_watched(treated), _watched(untreated))


def _watched(rows: Iterable[asyncpg.Record]) -> list[Watched]:
    return [
        Watched(row["grouped"], row["age"], row["pace"], max(row["days"], 0), row["paid"], row["count"]) for row in rows
    ]
