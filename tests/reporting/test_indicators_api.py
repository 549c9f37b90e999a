"""Indicators over HTTP, beside benchmarks and costs that users put there themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.reporting.books import Books
from tests.reporting.client import Reporting, problem

D = date


def a_quarter() -> Books:
    """The textbook case of 30 days, with a dispute of ten days, a write-off and reminders."""
    books = Books()
    customer = books.onboard()
    books.issue(customer, D(2021, 4, 1), 9_000_00, net_days=30)
    books.issue(customer, D(2021, 6, 5), 6_000_00, net_days=7)
    books.pay(books.items[1], D(2021, 6, 20), 4_000_00)
    books.issue(customer, D(2021, 6, 10), 4_000_00, net_days=30)
    dispute = books.dispute(books.items[0], D(2021, 6, 2), 100_00)
    books.resolve(books.items[0], dispute, D(2021, 6, 12))
    books.remind(customer, D(2021, 6, 3))
    books.remind(customer, D(2021, 6, 13))
    return books


async def shown(reporting: Reporting, **query: Any) -> dict[str, str | None]:
    answer = await reporting.get("/v1/reports/indicators", as_of="2021-06-30", window_days=30, **query)
    (item,) = answer["items"]
    return {each["name"]: each["value"] for each in item["indicators"]}


async def test_the_textbook_case_is_told_with_every_variant(reporting: Reporting) -> None:
    await reporting.hear(a_quarter())
    assert await shown(reporting) == {
        "dso_simple": "45.00",
        "dso_countback": "77.67",
        "dso_sales_weighted": "48.00",  # All of April's, 30 days, and 6,000 of June's 10,000: 18.
        "best_possible_dso": "12.00",
        "average_days_delinquent": "33.00",
        "cei": "26.67",
        "turnover": "10.14",  # 10,000 in 30 days, 12,000 owed on average
        "share_current": "26.67",
        "bad_debt_ratio": "0.00",
        "promise_kept_rate": None,
        "dispute_rate": "50.00",  # one dispute, two invoices
        "dispute_days": "10.00",
        "straight_through_rate": "100.00",
        "cost_per_contact": None,
    }


async def test_what_contacts_cost_is_said_by_the_user(reporting: Reporting, token: Callable[..., str]) -> None:
    await reporting.hear(a_quarter())
    writer = {"authorization": f"Bearer {token('reports:read reports:write')}"}
    costs = {"contact_costs": [{"channel": "email", "currency": "EUR", "cost": "0.035"}]}
    put = await reporting.http.put("/v1/reports/contact-costs", json=costs, headers={**writer, "if-none-match": "*"})
    assert (put.status_code, put.json()["version"], put.json()["put_by"]) == (200, 1, "anna")
    assert (await shown(reporting))["cost_per_contact"] == "0.04"  # 0.035


async def test_benchmarks_come_with_their_date_and_source_and_are_replaced_as_a_whole(
    reporting: Reporting, token: Callable[..., str]
) -> None:
    await reporting.hear(a_quarter())
    answer = await reporting.get("/v1/reports/indicators", as_of="2021-06-30")
    beside = {each["name"]: each["benchmarks"] for each in answer["items"][0]["indicators"]}
    assert beside["cei"][0]["value"] == "86.52"
    assert all(entry["source"] and entry["as_of"] for entries in beside.values() for entry in entries)

    writer = {"authorization": f"Bearer {token('reports:read reports:write')}"}
    ours = {
        "benchmarks": [
            {"figure": "cei", "value": "90.00", "industry": "ours", "as_of": "2021-01-01", "source": "our association"}
        ]
    }
    url = "/v1/reports/benchmarks"
    assert problem(await reporting.http.put(url, json=ours, headers=writer), 428) == "precondition-required"
    put = await reporting.http.put(url, json=ours, headers={**writer, "if-match": '"1"'})
    assert (put.status_code, put.headers["etag"]) == (200, '"2"')
    assert (
        problem(await reporting.http.put(url, json=ours, headers={**writer, "if-match": '"1"'}), 412) == "stale-version"
    )
    assert problem(await reporting.http.put(url, json=ours, headers={"if-match": '"2"'}), 403)
    unsourced = {"benchmarks": [{**ours["benchmarks"][0], "source": ""}]}
    assert problem(await reporting.http.put(url, json=unsourced, headers={**writer, "if-match": '"2"'}), 422)
    answer = await reporting.get("/v1/reports/indicators", as_of="2021-06-30")
    beside = {each["name"]: each["benchmarks"] for each in answer["items"][0]["indicators"]}
    assert [entry["industry"] for entry in beside["cei"]] == ["ours"]
    assert beside["dso_simple"] == []


async def test_the_trend_ends_with_the_day_itself_and_agrees_with_the_kpis_of_each_month_end(
    reporting: Reporting,
) -> None:
    await reporting.hear(a_quarter())
    trend = await reporting.get("/v1/reports/indicators/trend", as_of="2021-06-25", months=3, window_days=30)
    assert [item["on"] for item in trend["items"]] == ["2021-04-30", "2021-05-31", "2021-06-25"]
    for item in trend["items"]:
        (kpi,) = (await reporting.get("/v1/reports/kpis", as_of=item["on"], window_days=30))["items"]
        for name in ("receivables", "overdue", "credit_sales", "dso", "best_possible_dso", "cei"):
            assert item[name] == kpi[name], (item["on"], name)


async def test_a_payment_that_waited_or_was_taken_back_did_not_go_straight_through(reporting: Reporting) -> None:
    books = Books()
    customer = books.onboard()
    for n in range(4):
        books.pay(books.issue(customer, D(2021, 6, 1), 100 + n), D(2021, 6, 10))
    received = books.received
    late = next(r for r in received if r.envelope.type == "dueward.payment.applied.v1")
    await reporting.hear([r for r in received if r is not late])
    await reporting.hear(list(reversed(received)))  # A second time, backwards.
    assert (await shown(reporting))["straight_through_rate"] == "100.00"
    await reporting.database.pool.execute("update receipt set applied_on = applied_on + 1 where amount_minor = 100")
    assert (await shown(reporting))["straight_through_rate"] == "75.00"
