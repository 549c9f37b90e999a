"""Segments of customers beside each other: what they owe, how it is collected, how late they pay."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from datetime import date
from io import StringIO

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.segments import handlers as segments
from services.reporting.segments.handlers import CompareSegments
from shared.db import Database, reading
from tests.reporting.books import DAY, Books
from tests.reporting.client import Reporting
from tests.reporting.fold import fold
from tests.reporting.test_fold_agrees import FIRST, LAST, a_ledger, hear

D = date
ASKED = {"as_of": "2021-06-30", "window_days": 30}


def textbook() -> Books:
    """Retail is the textbook case of 30 days: two customers owe 15,000, of which 4,000 are current, 10,000 were sold,
    and an older invoice was paid ten days late. Key owes 500 euro and paid its yen three days early."""
    books = Books()
    large, small, key = (
        books.onboard("Large", "retail"),
        books.onboard("Small", "retail"),
        books.onboard("Key", "key"),
    )
    books.issue(large, D(2021, 4, 1), 9_000_00)
    paid = books.issue(small, D(2021, 5, 11), 1_000_00)
    part_paid = books.issue(large, D(2021, 6, 5), 6_000_00, net_days=7)
    books.issue(small, D(2021, 6, 10), 4_000_00)
    books.pay(paid, D(2021, 6, 20))
    books.pay(part_paid, D(2021, 6, 20), 4_000_00)
    books.issue(key, D(2021, 6, 10), 500_00)
    books.pay(books.issue(key, D(2021, 6, 1), 90_000, "JPY", net_days=10), D(2021, 6, 8))
    return books


async def test_segments_stand_beside_each_other_with_what_they_owe_and_how_late_they_pay(reporting: Reporting) -> None:
    await reporting.hear(textbook())
    euro, yen, retail = (await reporting.get("/v1/reports/segments", **ASKED))["items"]
    assert retail == {
        "segment": "retail",
        "currency": "EUR",
        "customers": 2,
        "receivables": "15000.00",
        "overdue": "11000.00",
        "credit_sales": "10000.00",
        "share_current": "26.67",  # 4,000 / 15,000
        "dso": "45.00",  # 15,000 / 10,000 x 30
        "dso_countback": "74.33",  # June and May are 61 days, and 4,000 of April's 9,000 are 13.33
        "best_possible_dso": "12.00",
        "average_days_delinquent": "33.00",
        "cei": "31.25",  # (10,000 + 10,000 - 15,000) / (10,000 + 10,000 - 4,000)
        "paid_invoices": 1,
        "mean_days_late": "10.00",
    }
    assert (euro["segment"], euro["currency"], euro["customers"]) == ("key", "EUR", 1)
    assert (euro["share_current"], euro["paid_invoices"], euro["mean_days_late"]) == ("100.00", 0, None)
    assert (yen["segment"], yen["currency"], yen["customers"], yen["receivables"]) == ("key", "JPY", 0, "0")
    assert (yen["credit_sales"], yen["share_current"], yen["mean_days_late"]) == ("90000", None, "-3.00")


async def test_a_segment_has_the_ratios_that_are_asked_of_it_alone(reporting: Reporting) -> None:
    await reporting.hear(textbook())
    items = await reporting.pages("/v1/reports/segments", **ASKED, known_at="2021-06-19", limit=1)
    assert [(item["segment"], item["currency"]) for item in items] == [
        ("key", "EUR"),
        ("key", "JPY"),
        ("retail", "EUR"),
    ]
    for item in items:
        alone = {"segment": item["segment"], "currency": item["currency"], "known_at": "2021-06-19"}
        (kpis,) = (await reporting.get("/v1/reports/kpis", **ASKED, **alone))["items"]
        assert {name: item[name] for name in kpis} == kpis
    assert items[2]["customers"] == 2
    assert items[2]["paid_invoices"] == 0  # Paid on the 20th, of which the 19th knew nothing.
    (yen,) = (await reporting.get("/v1/reports/segments", **ASKED, currency="JPY"))["items"]
    assert yen["segment"] == "key"


async def test_a_customer_takes_its_receivables_along_into_another_segment(reporting: Reporting) -> None:
    books = textbook()
    books.resegment(books.items[4].customer_id, "retail", D(2021, 7, 5))
    await reporting.hear(books)
    euro = (await reporting.get("/v1/reports/segments", **ASKED, currency="EUR"))["items"]
    (retail,) = (item for item in euro if item["customers"])
    assert (retail["segment"], retail["customers"], retail["receivables"]) == ("retail", 3, "15500.00")


async def test_the_segments_agree_with_ageing_and_with_a_second_fold_as_they_were_known(
    reports_database: Database,
) -> None:
    books, chance = a_ledger(5), random.Random(5)
    received = books.received
    chance.shuffle(received)
    await hear(reports_database, received, chance)
    want = fold(received)
    async with reading(reports_database) as tx:
        for _ in range(6):
            on = FIRST + chance.randrange((LAST - FIRST).days) * DAY
            known = chance.choice([date.max, on, on + chance.randrange(-8, 30) * DAY])
            found = {each.place: each for each in await segments.compare_segments(tx, CompareSegments(on, 90, known))}
            aged = {
                (b.group or "", b.currency): (b.total, b.overdue)
                for b in await ageing.age_receivables(tx, AgeReceivables(on, known, group_by="segment"))
            }
            owed = {place: (e.kpis.receivables_minor, e.kpis.overdue_minor) for place, e in found.items()}
            assert {place: owed[place] for place in aged} == aged, (on, known)
            assert not any(any(amounts) for place, amounts in owed.items() if place not in aged), (on, known)
            owing: dict[tuple[str, str], set[str]] = defaultdict(set)
            for invoice in want.invoices.values():
                if invoice.owed(on, known)[0]:
                    owing[want.group("segment", invoice) or "", invoice.currency].add(invoice.customer)
            assert {place: e.customers for place, e in found.items() if e.customers} == {
                place: len(customers) for place, customers in owing.items()
            }, (on, known)


async def test_segments_come_as_a_file_too(reporting: Reporting) -> None:
    await reporting.hear(textbook())
    shown = (await reporting.get("/v1/reports/segments", **ASKED))["items"]
    answer = await reporting.http.get("/v1/reports/segments.csv", params=ASKED)
    assert answer.status_code == 200, answer.text
    for row, item in zip(csv.DictReader(StringIO(answer.text)), shown, strict=True):
        for name in item:
            assert (row[name] or None) == (None if item[name] is None else str(item[name])), name


async def test_a_segment_that_nobody_is_in_is_not_there_and_neither_is_anything_before_the_first_invoice(
    reporting: Reporting,
) -> None:
    await reporting.hear(textbook())
    assert (await reporting.get("/v1/reports/segments", as_of="2021-03-31"))["items"] == []
