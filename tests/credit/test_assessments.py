"""Assessing customers: what is known of them, how it scores, and what makes it be done again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events.invoice import InvoiceSettled
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem

STATEMENT: dict[str, Any] = {
    "kind": "financial_statement",
    **{
        name: {"amount": amount, "currency": "EUR"}
        for name, amount in {
            "current_assets": "400000.00",
            "current_liabilities": "200000.00",
            "total_assets": "1000000.00",
            "total_liabilities": "500000.00",
            "retained_earnings": "300000.00",
            "equity": "500000.00",
            "ebit": "100000.00",
        }.items()
    },
}
REPORT = {"kind": "credit_report", "score": 85}


async def learn(credit: Credit, customer_id: str, particulars: dict[str, Any], **about: Any) -> Any:
    body = {"source": "the bureau", "dated_on": "2012-01-02", "particulars": particulars, **about}
    return await credit.post(f"/v1/customers/{customer_id}/vetting-inputs", body)


async def assess(credit: Credit, customer_id: str) -> dict[str, Any]:
    answer = await credit.post(f"/v1/customers/{customer_id}/assessments", {})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def set_clock(credit: Credit, now: str) -> None:
    await credit.database.pool.execute("update clock set now = $1::text::timestamptz", now)


def codes(reasons: list[dict[str, Any]]) -> list[str]:
    return [reason["reason"] for reason in reasons]


async def assessed_events(credit: Credit, customer_id: str) -> list[dict[str, Any]]:
    return [e["data"] for e in await credit.published(customer_id) if e["type"] == "credit.assessed"]


async def test_a_customer_of_whom_nothing_is_known_is_in_the_middle(credit: Credit) -> None:
    made = await assess(credit, (await credit.onboard())["id"])

    assert (made["risk_class"], made["score"], made["probability_of_default"]) == ("C", 490, "0.03")
    assert made["because"] == ["asked"]
    assert codes(made["lowered"]) == ["no_report", "no_statement"]


async def test_reports_and_figures_raise_the_score_and_are_named(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    for particulars in (REPORT, STATEMENT, {"kind": "foundation", "founded_on": "1990-05-01"}):
        assert (await learn(credit, customer["id"], particulars)).status_code == 201

    made = await assess(credit, customer["id"])

    assert made["ratios"]["zone"] == "safe"
    assert made["risk_class"] == "A"
    assert {"bureau_very_good", "z_safe", "equity_sound", "established"} <= set(codes(made["raised"]))
    assert made["valid_until"] == "2012-07-02"  # The report's six months.
    [event] = await assessed_events(credit, customer["id"])
    assert event["file"]["risk_class"] == "A"
    assert event["file"]["scorecard"] == "standard"
    assert event["previous_risk_class"] is None
    assert event["file"]["valid_until"] == "2012-07-02"


async def test_any_assessment_can_be_made_again_from_what_is_stored(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await learn(credit, customer["id"], STATEMENT)
    made = await assess(credit, customer["id"])
    await learn(credit, customer["id"], REPORT)
    await set_clock(credit, "2013-01-03 08:00Z")
    document = (await credit.get("/v1/scorecards/standard"))["document"].replace("base_points: 500", "base_points: 100")
    put = await credit.http.put("/v1/scorecards/standard", content=document, headers={"if-match": '"1"'})
    assert put.status_code == 200, put.text
    before = await credit.published()

    again = await credit.http.post(f"/v1/assessments/{made['id']}/replay")

    assert again.json()["same"] is True, again.text
    assert again.json()["replayed"]["score"] == made["score"]
    assert await credit.published() == before


async def test_what_expires_does_not_count_is_named_and_has_the_customer_assessed_again(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await learn(credit, customer["id"], REPORT, expires_on="2012-02-01")
    first = await assess(credit, customer["id"])

    await set_clock(credit, "2012-02-01 23:59Z")
    await credit.tick()
    assert len(await assessed_events(credit, customer["id"])) == 1
    assert await credit.database.pool.fetchval("select reassess_at::text from credit_file") == "2012-02-02 00:00:00+00"
    await set_clock(credit, "2012-02-02 00:00Z")
    await credit.tick()

    _, event = await assessed_events(credit, customer["id"])
    assert event["because"] == ["input_expired"]
    assert event["file"]["score"] == first["score"] - 90
    [newest, _] = (await credit.get(f"/v1/customers/{customer['id']}/assessments"))["items"]
    assert [left["reason"] for left in newest["left_out"]] == ["expired"]
    [input] = (await credit.get(f"/v1/customers/{customer['id']}/vetting-inputs"))["items"]
    assert input["passed_over"] == "expired"


async def test_only_the_newest_of_a_kind_counts(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await learn(credit, customer["id"], REPORT)
    await learn(credit, customer["id"], {**REPORT, "score": 5}, dated_on="2012-01-01")

    made = await assess(credit, customer["id"])

    assert [(each["input"]["particulars"]["score"], each["reason"]) for each in made["left_out"]] == [(5, "superseded")]


def late(customer_id: str, days: int) -> InvoiceSettled:
    """Paid so many days after it was due."""
    invoice = Invoice(UUID(customer_id), 500)
    invoice.issue()
    settled = invoice.pay(500)
    assert isinstance(settled, InvoiceSettled)
    ended_on = settled.invoice.due_date.fromordinal(settled.invoice.due_date.toordinal() + days)
    state = settled.invoice.model_copy(update={"settled_on": ended_on})
    return settled.model_copy(update={"days_late": days, "invoice": state, "effective_on": ended_on})


async def test_late_payments_and_disputes_have_an_assessed_customer_assessed_again_once_a_day(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    await set_clock(credit, "2026-06-01 08:00Z")
    customer, stranger = await credit.onboard(), await credit.onboard()
    await assess(credit, customer["id"])
    invoice = Invoice(UUID(customer["id"]), 700)

    await credit.hear(late(customer["id"], 45), late(stranger["id"], 45), invoice.issue(), invoice.dispute(700))
    await credit.tick()
    assert len(await assessed_events(credit, customer["id"])) == 1  # Today it was assessed already.
    await set_clock(credit, "2026-06-02 00:00Z")
    await credit.tick()
    await set_clock(credit, "2026-06-02 12:00Z")
    await credit.tick()

    _, event = await assessed_events(credit, customer["id"])
    assert event["because"] == ["disputed", "late_payment"]
    assert event["previous_risk_class"] == "C"
    assert event["file"]["risk_class"] == "E"
    assert [each["code"] for each in event["file"]["lowered"]][:2] == ["pays_very_late", "long_overdue"]
    assert await assessed_events(credit, stranger["id"]) == []


async def test_nobody_is_assessed_who_was_never_assessed(credit: Credit) -> None:
    customer = await credit.onboard()

    await credit.hear(late(customer["id"], 45))
    await credit.tick()

    assert await assessed_events(credit, customer["id"]) == []
    assert await credit.database.pool.fetchval("select count(*) from assessment") == 0


async def test_a_new_input_has_the_customer_assessed_again_the_next_day(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    first = await assess(credit, customer["id"])
    await set_clock(credit, "2012-03-01 10:00Z")

    await learn(credit, customer["id"], REPORT)
    await credit.tick()

    _, event = await assessed_events(credit, customer["id"])
    assert (event["because"], event["file"]["score"]) == (["new_input"], first["score"] + 90)
    assert event["file"]["version"] == 2


@pytest.mark.parametrize(
    ("particulars", "about", "slug", "field"),
    [
        (REPORT, {"dated_on": "2012-01-04"}, "impossible-date", "#/dated_on"),
        (REPORT, {"dated_on": "1700-01-01"}, "impossible-date", "#/dated_on"),
        (REPORT, {"expires_on": "2012-01-01"}, "impossible-date", "#/expires_on"),
        (REPORT, {"dated_on": "2011-01-01"}, "input-expired", "#/expires_on"),
        (
            {**STATEMENT, "revenue": {"amount": "-1.00", "currency": "EUR"}},
            {},
            "impossible-figure",
            "#/particulars/revenue/amount",
        ),
        (
            {**STATEMENT, "equity": {"amount": "1.00", "currency": "EUR"}},
            {},
            "statement-does-not-balance",
            "#/particulars/total_assets/amount",
        ),
        (
            {**STATEMENT, "ebit": {"amount": "1.00", "currency": "USD"}},
            {},
            "figures-in-several-currencies",
            "#/particulars/ebit/currency",
        ),
        (
            {**STATEMENT, "current_assets": {"amount": "1000000.01", "currency": "EUR"}},
            {},
            "impossible-figure",
            "#/particulars/current_assets/amount",
        ),
        ({"kind": "foundation", "founded_on": "2012-01-03"}, {}, "impossible-date", "#/particulars/founded_on"),
        ({**REPORT, "score": 101}, {}, "invalid-request", "#/particulars/score"),
        ({"kind": "horoscope"}, {}, "invalid-request", "#/particulars"),
    ],
)
async def test_an_input_that_cannot_be_is_refused_with_the_field(
    credit_in_2012: Credit, particulars: dict[str, Any], about: dict[str, str], slug: str, field: str
) -> None:
    customer = await credit_in_2012.onboard()

    answer = await learn(credit_in_2012, customer["id"], particulars, **about)

    assert problem(answer, answer.status_code) == slug
    assert field in names(answer, answer.status_code)


async def test_the_day_of_expiry_still_counts(credit_in_2012: Credit) -> None:
    customer = await credit_in_2012.onboard()
    answers = [await learn(credit_in_2012, customer["id"], REPORT, expires_on=f"2012-01-0{day}") for day in (2, 3)]
    assert [answer.status_code for answer in answers] == [422, 201]


async def test_an_unknown_customer_is_named(credit: Credit) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert problem(await credit.post(f"/v1/customers/{nobody}/assessments", {}), 404) == "customer-not-found"
    assert problem(await credit.http.get(f"/v1/customers/{nobody}/vetting-inputs"), 404) == "customer-not-found"
    assert problem(await credit.http.post(f"/v1/assessments/{nobody}/replay"), 404) == "assessment-not-found"
