"""Who is reviewed when: by class, after an event, by hand; and what comes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.credit.policy_rules.rules import ReviewRules
from services.credit.reviews import rules
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem
from tests.credit.test_behaviour import paid

TODAY = date(2012, 1, 3)
MONTHS = {"A": 12, "B": 12, "C": 6, "D": 3, "E": 3}


async def review_by(credit: Credit, **reviews: Any) -> None:
    policy = await credit.get("/v1/credit-policy")
    body = {"limits": policy["limits"], "rules": {"reviews": reviews}}
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text


async def at(credit: Credit, day: date) -> None:
    await credit.database.pool.execute("update clock set now = $1", datetime(day.year, day.month, day.day, tzinfo=UTC))
    await credit.tick()


async def assessed(credit: Credit) -> dict[str, Any]:
    customer = await credit.onboard()
    answer = await credit.post(f"/v1/customers/{customer['id']}/assessments", {})
    assert answer.status_code == 201, answer.text
    return customer


async def queue(credit: Credit, **query: Any) -> list[Any]:
    return (await credit.get("/v1/reviews", **query))["items"]


@pytest.mark.parametrize(
    ("risk_class", "last_on", "expected"),
    [
        ("C", date(2012, 1, 3), date(2012, 7, 3)),
        ("D", date(2011, 11, 30), date(2012, 2, 29)),
        ("B", date(2012, 1, 3), None),
        (None, date(2012, 1, 3), None),
    ],
)
def test_the_next_review_is_so_many_months_after_the_last(
    risk_class: Any, last_on: date, expected: date | None
) -> None:
    assert rules.next_on(last_on, risk_class, ReviewRules(months={"C": 6, "D": 3})) == expected


@pytest.mark.parametrize(("today", "found"), [(date(2012, 7, 2), ()), (date(2012, 7, 3), ("periodic",))])
def test_it_is_due_from_the_day_itself_on(today: date, found: tuple[str, ...]) -> None:
    assert rules.causes((), date(2012, 7, 3), ReviewRules(), today) == found


async def test_nobody_is_reviewed_while_the_policy_does_not_say_so(credit_in_2012: Credit) -> None:
    await assessed(credit_in_2012)

    await at(credit_in_2012, date(2013, 1, 3))

    assert await queue(credit_in_2012) == []
    assert await credit_in_2012.database.pool.fetchval("select count(*) from follow_up") == 0


async def test_a_review_comes_due_by_class_is_taken_and_done_and_the_next_is_planned_from_then(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    customer = await assessed(credit)
    found = (await credit.get(f"/v1/customers/{customer['id']}/assessments"))["items"][0]
    months = MONTHS[found["risk_class"]]
    await review_by(credit, months=MONTHS, days=10)
    await credit.tick()
    due = await credit.database.pool.fetchval("select due_at from follow_up")
    assert due == datetime(2012 + (months == 12), 1 + months % 12, 3, tzinfo=UTC), "the clock may jump to the very day"

    await at(credit, due.date() - timedelta(1))
    assert await queue(credit) == []
    await at(credit, due.date())

    [review] = await queue(credit, status="open")
    assert (review["because"], review["owner"]) == (["periodic"], None)
    assert review["due_on"] == str(due.date() + timedelta(10))
    taken = await credit.change("PUT", f"/v1/reviews/{review['id']}/owner", review["version"], {"owner": "petra"})
    assert (taken.json()["owner"], taken.json()["version"]) == ("petra", 2)
    assert [each["id"] for each in await queue(credit, owner="petra")] == [review["id"]]
    path = f"/v1/reviews/{review['id']}/completion"
    done = (await credit.post(path, {"outcome": "limit_changed", "note": "Halved"})).json()
    assert (done["status"], done["owner"], done["done_by"], done["outcome"]) == (
        "done",
        "petra",
        "anna",
        "limit_changed",
    )
    assert problem(await credit.post(path, {"outcome": "no_change"}), 409) == "review-done-before"

    await credit.tick()
    assert await queue(credit, status="open") == []
    again = await credit.database.pool.fetchval("select due_at from follow_up")
    assert again.date() == rules.add_months(due.date(), months)
    told = [event for event in await credit.published(customer["id"]) if event["type"].startswith("credit.review")]
    assert [(event["type"], event["version"]) for event in told] == [
        ("credit.review_due", 1),
        ("credit.review_done", 3),
    ]


async def test_a_late_payment_opens_a_review_once_and_what_happens_meanwhile_is_added(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await assessed(credit)
    await review_by(credit, after=["late_payment", "disputed"])
    first, second = (Invoice(UUID(customer["id"]), 500, due_on=TODAY - timedelta(40)) for _ in range(2))

    await credit.hear(first.issue(), paid(first, TODAY))
    await at(credit, TODAY + timedelta(1))
    [review] = await queue(credit, customer_id=customer["id"])
    assert review["because"] == ["late_payment"]
    await credit.hear(second.issue(), second.dispute(100))
    await at(credit, TODAY + timedelta(2))

    [review] = await queue(credit, customer_id=customer["id"])
    assert (review["because"], review["version"]) == (["late_payment", "disputed"], 2)
    assert review["due_on"] == str(TODAY + timedelta(15))


async def test_a_customer_who_drifts_is_reviewed_also_where_nobody_ever_assessed_it(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await review_by(credit, after=["drift"])
    for number, late in enumerate([1, 0, 2, -1, 1, 0, 30, 32, 33]):
        invoice = Invoice(UUID(customer["id"]), 500, due_on=TODAY + timedelta(7 * number))
        await at(credit, invoice.due_on + timedelta(late))
        await credit.hear(invoice.issue(), paid(invoice, invoice.due_on + timedelta(late)))

    await at(credit, TODAY + timedelta(100))

    assert [review["because"] for review in await queue(credit)] == [["drift"]]


async def test_one_is_opened_by_hand_and_only_one_at_a_time(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/reviews"

    opened = await credit.post(path, {"reason": "New owner", "owner": "petra"})

    assert opened.status_code == 201, opened.text
    review = opened.json()
    assert (review["because"], review["owner"], review["opened_by"]) == (["by_hand", "New owner"], "petra", "anna")
    assert (await credit.get(opened.headers["location"]))["id"] == review["id"]
    assert problem(await credit.post(path, {"reason": "Again"}), 409) == "review-under-way"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/reason"),
        ({"reason": "x", "due_on": "2000-01-01"}, "#/due_on"),
        ({"reason": "x", "owner": ""}, "#/owner"),
    ],
)
async def test_a_bad_review_names_the_field(credit: Credit, body: Any, pointer: str) -> None:
    customer = await credit.onboard()
    assert list(names(await credit.post(f"/v1/customers/{customer['id']}/reviews", body))) == [pointer]


async def test_an_outcome_in_words_has_words_and_an_old_version_decides_nothing(credit: Credit) -> None:
    customer = await credit.onboard()
    review = (await credit.post(f"/v1/customers/{customer['id']}/reviews", {"reason": "x"})).json()
    path = f"/v1/reviews/{review['id']}"

    assert list(names(await credit.post(f"{path}/completion", {"outcome": "other"}))) == ["#/note"]
    assert problem(await credit.change("PUT", f"{path}/owner", 7, {"owner": "x"}), 412) == "stale-version"
    assert problem(await credit.change("PUT", f"{path}/owner", None, {"owner": "x"}), 428)
    assert problem(await credit.http.get(f"/v1/reviews/{uuid4()}"), 404) == "review-not-found"


async def test_the_queue_is_read_page_by_page_and_what_is_due_first_comes_first(credit: Credit) -> None:
    days = ["2100-03-01", "2100-01-01", "2100-02-01"]
    for day in days:
        customer = await credit.onboard()
        await credit.post(f"/v1/customers/{customer['id']}/reviews", {"reason": "x", "due_on": day})

    first = await credit.get("/v1/reviews", limit=2)
    second = await credit.get("/v1/reviews", limit=2, cursor=first["next_cursor"])

    assert [review["due_on"] for page in (first, second) for review in page["items"]] == sorted(days)
    assert [review["due_on"] for review in await queue(credit, due_until="2100-01-31")] == ["2100-01-01"]


async def test_a_policy_that_reviews_a_worse_class_less_often_contradicts_itself(credit: Credit) -> None:
    policy = await credit.get("/v1/credit-policy")
    body = {"limits": policy["limits"], "rules": {"reviews": {"months": {"B": 6, "D": 12}}}}

    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)

    assert names(answer) == {"#/rules/reviews/months/D": "Class D is reviewed less often than class B."}
