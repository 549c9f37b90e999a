"""Figures of one group of customers: each agrees with a second fold of the events, and all of a kind add up."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest

from services.reporting.cash_received import handlers as cash_received
from services.reporting.cash_received.handlers import ReceiveCash
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


def with_outcomes() -> Books:
    """The textbook of retail with a dispute of ten days, a broken promise, a write-off of 500, and two reminders; and
    the same of key in the other entity, but for the dispute that took five days, three reminders, and 200 paid."""
    books = textbook()
    for item, days, reminders in ((books.items[0], 10, 2), (books.items[3], 5, 3)):
        dispute = books.dispute(item, D(2021, 6, 12), 100_00)
        books.resolve(item, dispute, D(2021, 6, 12) + days * DAY)
        books.promise(item, D(2021, 6, 13), D(2021, 6, 20), D(2021, 6, 21))
        for _ in range(reminders):
            books.remind(item.customer_id, D(2021, 6, 14), entity_id=item.entity_id)
    books.write_off(books.items[0], D(2021, 6, 25), 500_00)
    books.pay(books.items[3], D(2021, 6, 26), 200_00)
    return books


BY_HAND = {
    "retail": {
        "dso_simple": "43.50",  # 14,500 / 10,000 x 30
        "dso_sales_weighted": "46.33",  # April 8,500 / 9,000 x 30, June 6,000 / 10,000 x 30
        "best_possible_dso": "12.00",
        "bad_debt_ratio": "5.00",
        "promise_kept_rate": "0.00",
        "dispute_rate": "50.00",
        "dispute_days": "10.00",
        "straight_through_rate": "100.00",
        "cost_per_contact": "0.50",
        "turnover": "10.35",  # 10,000 x 365 / 30 / mean of 9,000 and 14,500
    },
    "key": {
        "dso_simple": "18.00",  # 300 / 500 x 30
        "dso_sales_weighted": "18.00",
        "best_possible_dso": "18.00",
        "bad_debt_ratio": "0.00",
        "promise_kept_rate": "0.00",
        "dispute_rate": "100.00",
        "dispute_days": "5.00",
        "straight_through_rate": "100.00",
        "cost_per_contact": "0.50",
        "turnover": "40.56",  # 500 x 365 / 30 / 150
    },
}


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ({"segment": "retail"}, "retail"),
        ({"country": "FR"}, "retail"),
        ({"entity": "default"}, "retail"),
        ({"collector": "nobody"}, "retail"),
        ({"segment": "key"}, "key"),
        ({"entity": "nordic"}, "key"),
        ({"collector": "anna"}, "key"),
    ],
)
async def test_every_indicator_is_told_of_a_group(
    reporting: Reporting, token: Callable[..., str], group: dict[str, str], wanted: str
) -> None:
    await reporting.hear(with_outcomes())
    writer = {"authorization": f"Bearer {token('reports:read reports:write')}", "if-none-match": "*"}
    costs = {"contact_costs": [{"channel": "email", "currency": "EUR", "cost": "0.5"}]}
    await reporting.http.put("/v1/reports/contact-costs", json=costs, headers=writer)
    answer = await reporting.get("/v1/reports/indicators", as_of="2021-06-30", window_days=30, **group)
    (item,) = answer["items"]
    found = {each["name"]: each["value"] for each in item["indicators"]}
    assert {name: found[name] for name in BY_HAND[wanted]} == BY_HAND[wanted]


async def test_the_trend_of_a_group_agrees_with_its_ratios_at_each_month_end(reporting: Reporting) -> None:
    books = textbook()
    await reporting.hear(books)
    for group in ({"segment": "retail"}, {"entity": "nordic"}, {"customer": str(books.items[0].customer_id)}):
        asked = {"window_days": 30, **group}
        trend = await reporting.get("/v1/reports/indicators/trend", as_of="2021-06-25", months=3, **asked)
        assert trend["items"]
        for item in trend["items"]:
            (kpi,) = (await reporting.get("/v1/reports/kpis", as_of=item["on"], **asked))["items"]
            for name in ("receivables", "overdue", "credit_sales", "dso", "best_possible_dso", "cei"):
                assert item[name] == kpi[name], (item["on"], name)


async def test_a_segment_is_held_against_its_own_benchmarks_first(
    reporting: Reporting, token: Callable[..., str]
) -> None:
    await reporting.hear(textbook())
    writer = {"authorization": f"Bearer {token('reports:read reports:write')}", "if-match": '"1"'}
    one = {"figure": "cei", "value": "90.00", "industry": "trade", "as_of": "2021-01-01", "source": "our association"}
    table = {"benchmarks": [one, {**one, "value": "80.00", "segment": "retail"}, {**one, "segment": "key"}]}
    put = await reporting.http.put("/v1/reports/benchmarks", json=table, headers=writer)
    assert put.status_code == 200, put.text
    assert [each["segment"] for each in put.json()["benchmarks"]] == [None, "retail", "key"]

    async def beside(**group: str) -> list[tuple[str | None, str]]:
        answer = await reporting.get("/v1/reports/indicators", as_of="2021-06-30", **group)
        (cei,) = [each for each in answer["items"][0]["indicators"] if each["name"] == "cei"]
        return [(entry["segment"], entry["value"]) for entry in cei["benchmarks"]]

    assert await beside() == [(None, "90.00")]
    assert await beside(segment="retail") == [("retail", "80.00"), (None, "90.00")]
    assert await beside(country="FR") == [(None, "90.00")]


async def test_the_forecasts_and_the_money_that_came_in_of_the_groups_of_a_kind_add_up(reporting: Reporting) -> None:
    """Open items, promises and what came in are each group's own; the habits are everybody's."""
    books = Books()
    for name, segment, entity in (("Retail", "retail", "default"), ("Key", "key", "nordic")):
        customer = books.onboard(name, segment)
        bills = [books.issue(customer, D(2021, month, 3), 1_000_00 * month, entity_id=entity) for month in range(1, 12)]
        for bill in bills[:-1]:
            books.pay(bill, bill.due_on + 5 * DAY)
        books.promise(bills[-1], D(2021, 11, 20), D(2021, 12, 10))
    await reporting.hear(books)

    async def forecast(**group: str) -> tuple[int, list[tuple[str, Decimal]], list[Decimal], list[str]]:
        said = await reporting.get("/v1/reports/cash-forecast", as_of="2021-11-30", weeks=4, accuracy_weeks=8, **group)
        weeks = [(item["first_day"], Decimal(item["expected"])) for item in said["items"]]
        received = [Decimal(hit["received"]) for accuracy in said["accuracy"] for hit in accuracy["items"]]
        return said["promises"], weeks, received, [accuracy["currency"] for accuracy in said["accuracy"]]

    promises, weeks, received, _ = await forecast()
    assert (promises, len(weeks)) == (2, 4)
    assert sum(received) == 2 * (9_000 + 10_000)  # September's and October's, in the eight weeks before
    for parts in (({"segment": "retail"}, {"segment": "key"}), ({"entity": "default"}, {"entity": "nordic"})):
        found = [await forecast(**part) for part in parts]
        assert [each[0] for each in found] == [1, 1]
        for place, (first_day, whole) in enumerate(weeks):
            assert [each[1][place][0] for each in found] == [first_day] * 2
            assert abs(sum(each[1][place][1] for each in found) - whole) <= Decimal("0.02")
        assert sum(sum(each[2]) for each in found) == sum(received)
    assert await forecast(segment="none") == (0, [], [], [])


async def test_money_that_came_in_agrees_with_the_events_for_every_group_and_month(
    heard: tuple[Database, Books, Fold],
) -> None:
    """Added up once more from the payloads: what allocations took off invoices, less what was taken back."""
    database, books, want = heard
    on, months = D(2021, 5, 20), 4
    async with reading(database) as tx:
        for kind in KINDS:
            came_in: dict[tuple[str, str, date], int] = defaultdict(int)
            for one in books.received:
                if one.data.get("reason") in ("allocation", "unallocation"):
                    invoice = want.invoices[one.data["invoice"]["id"]]
                    day = D.fromisoformat(one.data["effective_on"])
                    if D(2021, 1, 1) <= day <= on:
                        amount = int(one.data["change"]["amount"].replace(".", ""))
                        came_in[want.group(kind, invoice) or "", invoice.currency, day.replace(day=1)] -= amount
            for key in {want.group(kind, invoice) or "" for invoice in want.invoices.values()}:
                found = await cash_received.received_by_month(tx, ReceiveCash(on, months, None, Group(kind, key)))
                shown = {(key, each.currency, each.month): each.received_minor for each in found}
                wanted = {place: minor for place, minor in came_in.items() if place[0] == key and minor}
                assert {place: minor for place, minor in shown.items() if minor} == wanted, (kind, key)


async def test_money_that_came_in_is_told_by_month(reporting: Reporting) -> None:
    await reporting.hear(textbook())
    said = await reporting.get("/v1/reports/cash-received", as_of="2021-06-25", months=1, segment="retail")
    assert said["items"] == [
        {"currency": "EUR", "first_day": "2021-05-01", "last_day": "2021-05-31", "received": "0.00"},
        {"currency": "EUR", "first_day": "2021-06-01", "last_day": "2021-06-25", "received": "4000.00"},
    ]


PATHS = [f"/v1/reports/{name}" for name in ("kpis", "indicators", "indicators/trend", "cash-forecast", "cash-received")]


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


async def test_a_file_is_of_one_group_as_well(reporting: Reporting) -> None:
    await reporting.hear(textbook())
    asked = {"as_of": "2021-06-30", "window_days": 30}
    for report, wanted in (("indicators", "EUR,dso_simple,30.00"), ("trend", "EUR,2021-06-30,500.00")):
        answer = await reporting.http.get(f"/v1/reports/{report}.csv", params={**asked, "entity": "nordic"})
        assert wanted in answer.text, report
    forecast = await reporting.http.get("/v1/reports/cash-forecast.csv?as_of=2021-06-30&segment=none")
    assert len(forecast.text.splitlines()) == 1
    for query, slug in (("segment=a&country=b", "several-groups"), ("segment=a&by=day", "not-asked-of-this-report")):
        refused = await reporting.http.get(f"/v1/reports/indicators.csv?{query}")
        assert problem(refused, 422) == slug


def test_one_group_at_a_time() -> None:
    assert asked_group().is_everybody
    assert asked_group(country="DE") == Group("country", "DE")
    with pytest.raises(SeveralGroups) as refused:
        asked_group(segment="retail", collector="anna")
    assert refused.value.field == "query.collector"
