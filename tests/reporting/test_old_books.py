"""Figures of books in which what is owed is older than a year's sales."""

from __future__ import annotations

from datetime import date

import pytest

from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import MeasureCollection
from shared.db import Database, reading
from tests.reporting import truth
from tests.reporting.books import Books
from tests.reporting.test_projection import apply

D = date


@pytest.mark.parametrize("lately_minor", [39_999, 40_000, 50_000], ids=["more", "all", "less"])
async def test_sales_are_counted_back_as_far_as_what_is_owed_goes(
    reports_database: Database, lately_minor: int
) -> None:
    """40,000 are owed and this much was sold in the last twelve months; the rest was three years ago."""
    books = Books()
    customer = books.onboard()
    books.issue(customer, D(2021, 3, 10), 30_000)
    last = books.issue(customer, D(2024, 5, 20), lately_minor)
    books.pay(last, D(2024, 5, 25), lately_minor - 10_000)
    await apply(reports_database, books.received, 10)
    async with reading(reports_database) as tx:
        (found,) = await kpis.measure_collection(tx, MeasureCollection(D(2024, 5, 31), 30))
    wanted = truth.kpis(books.items, "EUR", D(2024, 5, 31), 30)
    assert wanted
    assert wanted["dso_countback"]
    countback = found.ratios.dso_countback
    assert countback is not None
    assert float(countback) == round(float(wanted["dso_countback"]), 2)
    assert (countback > 365) == (lately_minor < 40_000)
