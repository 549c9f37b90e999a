"""When standings are kept: the clock's own reckoning and the rule's are the same, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.reporting.standings import handlers, rules
from shared.db import Database, transaction
from tests.reporting.books import Books
from tests.reporting.test_projection import apply

D = date


@pytest.mark.parametrize(
    ("day", "follows"),
    [
        (D(2024, 1, 1), D(2024, 1, 8)),
        (D(2024, 1, 7), D(2024, 1, 8)),
        (D(2024, 1, 8), D(2024, 1, 15)),
        (D(2024, 1, 14), D(2024, 1, 15)),
        (D(2024, 1, 21), D(2024, 1, 22)),
        (D(2024, 1, 22), D(2024, 2, 1)),
        (D(2024, 1, 31), D(2024, 2, 1)),
        (D(2024, 12, 25), D(2025, 1, 1)),
    ],
)
def test_standing_days_are_four_a_month(day: date, follows: date) -> None:
    assert rules.next_standing_day(day) == follows


async def test_the_clock_names_the_next_standing_day_exactly(reports_database: Database) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 1, 5), 100)
    assert await reports_database.pool.fetchval(handlers.STANDING_DUE) is None
    await apply(reports_database, books.received, 10)
    due = await reports_database.pool.fetchval(handlers.STANDING_DUE)
    assert due == datetime(2021, 1, 8, tzinfo=UTC)
    for _ in range(9):
        async with transaction(reports_database) as tx:
            assert not await handlers.keep_standings(tx, due.date() - timedelta(days=1))
        async with transaction(reports_database) as tx:
            assert await handlers.keep_standings(tx, due.date())
        kept = await reports_database.pool.fetchval("select max(before_on) from standing_day")
        assert kept == due.date()
        due = await reports_database.pool.fetchval(handlers.STANDING_DUE)
        assert due == datetime.combine(rules.next_standing_day(kept), datetime.min.time(), UTC)
    of_accounts = await reports_database.pool.fetch("select before_on from standing_day where of_accounts")
    assert [row["before_on"] for row in of_accounts] == [D(2021, 2, 1), D(2021, 3, 1)]
