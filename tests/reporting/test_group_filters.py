"""Figures of one group of customers: each agrees with a second fold of the events, and all of a kind add up."""

from __future__ import annotations

import random
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest

from services.reporting.groups.rules import Group, Kind, SeveralGroups, asked_group
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import MeasureCollection
from shared.db import Database, reading
from tests.reporting import truth
from tests.reporting.books import DAY, Books, Item
from tests.reporting.client import Reporting, problem
from tests.reporting.fold import Fold, fold
from tests.reporting.test_fold_agrees import FIRST, LAST, a_ledger, hear

D = date
KINDS: tuple[Kind, ...] = ("segment", "country", "entity", "collector", "customer")


@pytest.fixture
async def heard(reports_database: Database) -> tuple[Database, Books, Fold]:
    """Out of order, in batches of any size."""
    books, chance = a_ledger(3), random.Random(3)
    received = books.received
    chance.shuffle(received)
    await hear(reports_database, received, chance)
    return reports_database, books, fold(books.received)


def of_group(books: Books, want: Fold, kind: Kind, key: str) -> list[Item]:
    return [item for item in books.items if want.group(kind, want.invoices[str(item.id)]) == key]


def rounded(exact: Fraction | None) -> Decimal | None:
    if exact is None:
        return None
    return (Decimal(exact.numerator * 100) / exact.denominator).quantize(Decimal(1), ROUND_HALF_EVEN).scaleb(-2)


async def test_the_ratios_of_every_group_agree_with_a_second_fold(heard: tuple[Database, Books, Fold]) -> None:
    database, books, want = heard
    chance = random.Random(4)
    days = [FIRST + chance.randrange(-2, (LAST - FIRST).days) * DAY for _ in range(4)]
    async with reading(database) as tx:
        for on in days:
            known, window = on + chance.randrange(-8, 30) * DAY, chance.choice([1, 30, 90])
            for kind in KINDS:
                owed, owed_then = want.ageing(on, kind=kind), want.ageing(on, known, kind)
                for key in {want.group(kind, invoice) for invoice in want.invoices.values()}:
                    assert key
                    asked = MeasureCollection(on, window, group=Group(kind, key))
                    found = {each.currency: each for each in await kpis.measure_collection(tx, asked)}
                    nothing = [[0] * 4] * 5
                    for currency, each in found.items():
                        buckets = owed.get((currency, key), nothing)
                        assert each.receivables_minor == sum(row[0] for row in buckets), (on, kind, key)
                        assert each.overdue_minor == sum(row[0] for row in buckets[1:]), (on, kind, key)
                        exact = truth.kpis(of_group(books, want, kind, key), currency, on, window) or {}
                        for name, value in exact.items():
                            assert getattr(each.ratios, name) == rounded(value), (on, kind, key, currency, name)
                    assert {currency for currency, group in owed if group == key} <= found.keys()
                    then = MeasureCollection(on, window, known, group=Group(kind, key))
                    for each in await kpis.measure_collection(tx, then):
                        buckets = owed_then.get((each.currency, key), nothing)
                        assert each.receivables_minor == sum(row[0] for row in buckets), (on, known, kind, key)


async def test_sales_of_the_groups_of_a_kind_add_up_to_all_sales_also_as_they_were_known(
    heard: tuple[Database, Books, Fold],
) -> None:
    database, _, want = heard
    async with reading(database) as tx:
        for on, known in ((D(2021, 4, 9), D(2021, 4, 9)), (D(2021, 5, 3), D(2021, 5, 1)), (D(2021, 5, 3), date.max)):
            whole = {
                each.currency: each.sales_minor
                for each in await kpis.measure_collection(tx, MeasureCollection(on, 90, known))
            }
            for kind in KINDS:
                parts = dict.fromkeys(whole, 0)
                for key in {want.group(kind, invoice) or "" for invoice in want.invoices.values()}:
                    asked = MeasureCollection(on, 90, known, group=Group(kind, key))
                    for each in await kpis.measure_collection(tx, asked):
                        parts[each.currency] = parts.get(each.currency, 0) + each.sales_minor
                assert {c: minor for c, minor in parts.items() if minor} == {c: m for c, m in whole.items() if m}, kind


def textbook() -> Books:
    """Retail is the textbook case of 30 days: 15,000 receivable of which 4,000 current, 10,000 sold. Key owes 500."""
    books = Books()
    retail, key = books.onboard("Retail", "retail", country="FR"), books.onboard("Key", "key")
    books.issue(retail, D(2021, 4, 1), 9_000_00, net_days=30)
    paid = books.issue(retail, D(2021, 6, 5), 6_000_00, net_days=7)
    books.pay(paid, D(2021, 6, 20), 4_000_00)
    books.issue(retail, D(2021, 6, 10), 4_000_00, net_days=30)
    books.issue(key, D(2021, 6, 10), 500_00, net_days=30, entity_id="nordic")
    books.look_after(key, "anna", D(2021, 6, 11))
    return books


@pytest.mark.parametrize(
    ("group", "receivables", "dso"),
    [
        ({}, "15500.00", "44.29"),  # 15,500 / 10,500 x 30
        ({"segment": "retail"}, "15000.00", "45.00"),
        ({"country": "FR"}, "15000.00", "45.00"),
        ({"entity": "nordic"}, "500.00", "30.00"),
        ({"collector": "anna"}, "500.00", "30.00"),
        ({"collector": "nobody"}, "15000.00", "45.00"),
    ],
)
async def test_ratios_are_asked_of_one_group_over_http(
    reporting: Reporting, group: dict[str, str], receivables: str, dso: str
) -> None:
    await reporting.hear(textbook())
    answer = await reporting.get("/v1/reports/kpis", as_of="2021-06-30", window_days=30, **group)
    (item,) = answer["items"]
    assert (item["receivables"], item["dso"]) == (receivables, dso)


PATHS = ["/v1/reports/kpis"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_group_that_is_not_there_is_empty_and_a_parameter_that_is_not_there_a_problem(
    reporting: Reporting, path: str
) -> None:
    books = textbook()
    await reporting.hear(books)
    mine = str(books.items[0].customer_id)
    (item,) = (await reporting.get(path, as_of="2021-06-30", customer=mine))["items"][:1]
    assert item["currency"] == "EUR"
    for group in ({"segment": "none"}, {"customer": "8c1e3a08-53a3-4f5c-a6c5-6c0c23a8c6a4"}, {"entity": "none"}):
        assert (await reporting.get(path, as_of="2021-06-30", **group))["items"] == []
    assert problem(await reporting.http.get(f"{path}?customer_segment=retail"), 422) == "unknown-parameter"
    assert problem(await reporting.http.get(f"{path}?customer=me"), 422)
    assert problem(await reporting.http.get(f"{path}?segment=retail&country=FR"), 422) == "several-groups"


def test_one_group_at_a_time() -> None:
    assert asked_group().is_everybody
    assert asked_group(country="DE") == Group("country", "DE")
    with pytest.raises(SeveralGroups) as refused:
        asked_group(segment="retail", collector="anna")
    assert refused.value.field == "query.collector"
