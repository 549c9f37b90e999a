"""The reference rates that come with the service: as published, held against each other, and no further than known."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.invoice.client import Receivables, problem
from tests.invoice.test_interest_charged import charge, put_policies

# Sources: docs/money.md, "Reference rates". The law looks at these days only (directive 2011/7/EU, art. 2(7)(b); SI
# 2002/1675, art. 4).
PUBLISHED = [
    ("ecb_mro", "2023-01-01", "2.5"),
    ("ecb_mro", "2023-07-01", "4"),
    ("ecb_mro", "2024-01-01", "4.5"),
    ("ecb_mro", "2024-07-01", "4.25"),
    ("ecb_mro", "2025-01-01", "3.15"),
    ("ecb_mro", "2025-07-01", "2.15"),
    ("ecb_mro", "2026-01-01", "2.15"),
    ("boe_bank_rate", "2007-12-31", "5.5"),
    ("boe_bank_rate", "2008-06-30", "5"),
    ("boe_bank_rate", "2008-12-31", "2"),
    ("boe_bank_rate", "2009-06-30", "0.5"),
    ("boe_bank_rate", "2010-12-31", "0.5"),
    ("boe_bank_rate", "2013-06-30", "0.5"),
    ("boe_bank_rate", "2016-06-30", "0.5"),
    ("boe_bank_rate", "2016-12-31", "0.25"),
    ("boe_bank_rate", "2017-06-30", "0.25"),
    ("boe_bank_rate", "2017-12-31", "0.5"),
    ("boe_bank_rate", "2018-06-30", "0.5"),
    ("boe_bank_rate", "2018-12-31", "0.75"),
    ("boe_bank_rate", "2019-06-30", "0.75"),
    ("boe_bank_rate", "2019-12-31", "0.75"),
    ("boe_bank_rate", "2020-06-30", "0.1"),
    ("boe_bank_rate", "2020-12-31", "0.1"),
    ("boe_bank_rate", "2021-06-30", "0.1"),
    ("boe_bank_rate", "2021-12-31", "0.25"),
    ("boe_bank_rate", "2022-06-30", "1.25"),
    ("boe_bank_rate", "2022-12-31", "3.5"),
    ("boe_bank_rate", "2023-06-30", "5"),
    ("boe_bank_rate", "2023-12-31", "5.25"),
    ("boe_bank_rate", "2024-06-30", "5.25"),
    ("boe_bank_rate", "2024-12-31", "4.75"),
    ("boe_bank_rate", "2025-06-30", "4.25"),
    ("boe_bank_rate", "2025-12-31", "3.75"),
    ("de_basiszinssatz", "2025-07-01", "1.27"),
    ("de_basiszinssatz", "2026-01-01", "1.27"),
    ("de_basiszinssatz", "2026-06-30", "1.27"),
]


async def rates(books: Receivables, series: str) -> tuple[list[tuple[date, Decimal]], date]:
    shown: dict[str, Any] = await books.get(f"/v1/interest-rates/{series}")
    found = [(date.fromisoformat(each["valid_from"]), Decimal(each["percent"])) for each in shown["rates"]]
    return found, date.fromisoformat(shown["known_until"])


def on(found: list[tuple[date, Decimal]], day: date) -> Decimal:
    return [percent for valid_from, percent in found if valid_from <= day][-1]


@pytest.mark.parametrize("series", ["ecb_mro", "boe_bank_rate", "de_basiszinssatz"])
async def test_each_rate_is_the_published_one_on_the_days_that_the_law_looks_at(
    books: Receivables, series: str
) -> None:
    found, known_until = await rates(books, series)
    for name, day, percent in PUBLISHED:
        if name == series:
            assert on(found, date.fromisoformat(day)) == Decimal(percent), day
            assert date.fromisoformat(day) <= known_until
    assert found[-1][0] <= known_until, "no rate is given for a day on which it cannot be known"


async def test_the_german_base_rate_moves_as_the_main_refinancing_rate_does(books: Receivables) -> None:
    """S. 247(1) BGB: by the points by which the last operation before the half-year differs from the one before it."""
    refinancing, _ = await rates(books, "ecb_mro")
    base, known_until = await rates(books, "de_basiszinssatz")
    halves = [date(year, month, 1) for year in range(2009, 2027) for month in (1, 7)]
    for before, half in pairwise(each for each in halves if each <= known_until):
        moved = on(refinancing, half - timedelta(days=1)) - on(refinancing, before - timedelta(days=1))
        assert on(base, half) - on(base, before) == moved, half


@pytest.mark.parametrize(
    ("law", "last_known"),
    [
        ({"law": "eu"}, "2026-06-30"),
        ({"law": "eu", "reference": "de_basiszinssatz", "margin": 9}, "2026-06-30"),
        ({"law": "contract", "reference": "ecb_mro", "margin": 5}, "2026-02-05"),
    ],
)
async def test_days_of_which_nobody_knows_the_rate_are_provisional_and_not_charged(
    books: Receivables, law: dict[str, Any], last_known: str
) -> None:
    await books.at("2026-08-01")
    await put_policies(books, interest={"otherwise": law})
    issued = await books.issue(await books.customer(), "1000.00", issue_date="2025-12-01", due_date="2025-12-31")

    async def provisional(day: date) -> bool:
        shown = await books.get(f"/v1/invoices/{issued['id']}/interest", as_of=day.isoformat())
        return shown["segments"][-1]["provisional"]

    last = date.fromisoformat(last_known)
    assert [await provisional(last), await provisional(last + timedelta(days=1))] == [False, True]
    refused = await charge(books, issued["id"], to=(last + timedelta(days=1)).isoformat())
    assert problem(refused, 422) == "interest-rate-unknown"
    assert (await charge(books, issued["id"], to=last_known)).status_code == 201
