"""What an ageing report may be asked beside its usual shape: buckets, groups, ages, one currency, and the invoices."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from shared.events.credit import Rate, RatesPublished, RatesState
from tests.reporting.books import Books
from tests.reporting.client import Reporting, problem

D = date
RATES_KEY = UUID("3f1d8a52-6c0e-5a7b-8f43-0d5a1c9be001")


def rates(on: date, version: int = 1, **by_currency: str) -> RatesPublished:
    state = RatesState(
        id=UUID(int=on.toordinal()),
        version=version,
        on=on,
        base="EUR",
        source="ECB",
        rates=tuple(Rate(currency=currency, rate=rate) for currency, rate in by_currency.items()),
    )
    return RatesPublished(customer_id=RATES_KEY, effective_on=on, booked_on=on, rates=state)


async def ageing(reporting: Reporting, **query: Any) -> list[Any]:
    return (await reporting.get("/v1/reports/ageing", as_of="2021-06-30", **query))["items"]


async def test_buckets_are_bounded_by_the_days_asked_for(reporting: Reporting) -> None:
    books = Books()
    customer = books.onboard()
    for late in (0, 10, 11, 45, 121):
        books.issue(customer, D.fromordinal(D(2021, 6, 30).toordinal() - late), 100, net_days=0)
    await reporting.hear(books)
    (item,) = await ageing(reporting, buckets="10,60,120")
    assert [(b["days_from"], b["days_to"], b["amount"], b["open_invoices"]) for b in item["buckets"]] == [
        (None, 0, "1.00", 1),
        (1, 10, "1.00", 1),
        (11, 60, "2.00", 2),
        (61, 120, "0.00", 0),
        (121, None, "1.00", 1),
    ]
    assert (item["total"], item["overdue"]) == ("5.00", "4.00")


@pytest.mark.parametrize(
    "buckets", ["", "thirty", "0,30", "30,30", "60,30", "-1", "30,4000", ",".join(map(str, range(1, 15)))]
)
async def test_buckets_that_cannot_be_read_are_refused(reporting: Reporting, buckets: str) -> None:
    answer = await reporting.http.get("/v1/reports/ageing", params={"buckets": buckets})
    assert problem(answer, 422) == "unreadable-buckets"


async def test_age_counts_from_the_invoice_date_where_it_is_asked_for(reporting: Reporting) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 5, 20), 100, net_days=60)
    await reporting.hear(books)
    (due,) = await ageing(reporting)
    (issued,) = await ageing(reporting, age_from="invoice_date")
    assert (due["current"], issued["d31_60"]) == ("1.00", "1.00")


async def test_what_is_disputed_or_on_a_plan_is_told_apart(reporting: Reporting) -> None:
    books = Books()
    customer = books.onboard()
    contested = books.issue(customer, D(2021, 6, 1), 1_000)
    dispute = books.dispute(contested, D(2021, 6, 10), 400)
    books.resolve(contested, dispute, D(2021, 7, 5))
    books.agree_plan(books.issue(customer, D(2021, 6, 1), 500), D(2021, 6, 12), 500)
    await reporting.hear(books)
    (item,) = await ageing(reporting, apart=True)
    assert (item["total"], item["disputed"], item["on_plan"]) == ("15.00", "4.00", "5.00")
    (before,) = (await reporting.get("/v1/reports/ageing", as_of="2021-06-09", apart=True))["items"]
    (after,) = (await reporting.get("/v1/reports/ageing", as_of="2021-07-05", apart=True))["items"]
    assert (before["disputed"], after["disputed"], after["on_plan"]) == ("0.00", "0.00", "5.00")
    assert "disputed" not in (await ageing(reporting))[0]


async def test_groups_follow_a_customer_to_its_new_segment_and_collector(reporting: Reporting) -> None:
    books = Books()
    acme = books.onboard("Acme", "retail", country="FR")
    books.issue(acme, D(2021, 6, 1), 100, entity_id="nordic")
    await reporting.hear(books)

    async def groups(kind: str) -> list[tuple[str, str]]:
        return [(item["group"], item["total"]) for item in await ageing(reporting, group_by=kind)]

    assert [await groups(kind) for kind in ("segment", "country", "entity", "collector")] == [
        [("retail", "1.00")],
        [("FR", "1.00")],
        [("nordic", "1.00")],
        [("nobody", "1.00")],
    ]
    books.resegment(acme, "key", D(2021, 6, 5))
    books.look_after(acme, "anna", D(2021, 6, 5))
    await reporting.hear(books.received[2:])
    assert (await groups("segment"), await groups("collector")) == ([("key", "1.00")], [("anna", "1.00")])


async def test_several_currencies_are_one_by_the_rates_of_the_day(reporting: Reporting) -> None:
    """100 EUR, 220 USD at 1.1 and 13,000 JPY at 130 are 400 EUR; a day without rates takes those before it."""
    books = Books()
    acme, beta = books.onboard("Acme", "key"), books.onboard("Beta", "retail")
    books.issue(acme, D(2021, 6, 1), 100_00, "EUR")
    books.issue(acme, D(2021, 6, 1), 220_00, "USD")
    books.issue(beta, D(2021, 6, 1), 13_000, "JPY")
    books.events += [rates(D(2021, 6, 29), USD="1.5", JPY="100"), rates(D(2021, 6, 29), 2, USD="1.1", JPY="130")]
    books.events += [rates(D(2021, 7, 1), USD="2", JPY="200")]
    await reporting.hear(books)
    (item,) = await ageing(reporting, reporting_currency="EUR")
    assert (item["currency"], item["total"], item["open_invoices"]) == ("EUR", "400.00", 3)
    assert [
        (i["group"], i["total"]) for i in await ageing(reporting, reporting_currency="USD", group_by="segment")
    ] == [
        ("key", "330.00"),
        ("retail", "110.00"),
    ]
    paged = await reporting.pages(
        "/v1/reports/ageing", as_of="2021-06-30", reporting_currency="EUR", group_by="customer", limit=1
    )
    assert {(i["label"], i["total"]) for i in paged} == {("Acme", "300.00"), ("Beta", "100.00")}
    assert (
        problem(await reporting.http.get("/v1/reports/ageing?as_of=2021-06-01&reporting_currency=EUR"), 422)
        == "no-rate"
    )
    assert (
        problem(await reporting.http.get("/v1/reports/ageing?as_of=2021-06-30&reporting_currency=CHF"), 422)
        == "no-rate"
    )


async def test_a_bucket_leads_to_its_invoices_page_by_page(reporting: Reporting) -> None:
    books = Books()
    acme, beta = books.onboard("Acme"), books.onboard("Beta")
    for day in range(1, 13):
        item = books.issue(
            acme if day % 2 else beta, D(2021, 4, day), 100 + day, "EUR" if day % 3 else "USD", net_days=10
        )
        if day == 5:
            books.pay(item, D(2021, 6, 30))
        if day == 6:
            books.pay(item, D(2021, 7, 1))
    await reporting.hear(books)
    query = {"as_of": "2021-06-30", "late_min": 61, "late_max": 90}
    whole = (await reporting.get("/v1/reports/ageing/invoices", **query))["items"]
    assert await reporting.pages("/v1/reports/ageing/invoices", **query, limit=4) == whole
    assert [row["number"] for row in whole] == [f"INV-{n:05}" for n in range(1, 13) if n != 5]
    assert (whole[0]["days_overdue"], whole[0]["balance"], whole[0]["customer_name"]) == (80, "1.01", "Acme")
    (eur,) = await ageing(reporting, currency="EUR")
    listed = await reporting.pages("/v1/reports/ageing/invoices", **query, currency="EUR", limit=3)
    assert len(listed) == eur["open_invoices"]
    of_beta = (await reporting.get("/v1/reports/ageing/invoices", as_of="2021-06-30", customer_id=str(beta)))["items"]
    assert {row["customer_id"] for row in of_beta} == {str(beta)}
    assert (await reporting.get("/v1/reports/ageing/invoices", as_of="2021-06-30", late_max=0))["items"] == []
