"""Segments from size and payment behaviour: a document with faults by line, who moves where, and who stays put."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from httpx import Response

from services.credit.behaviour.rules import History
from services.credit.rates.rules import Rates
from services.credit.segmentations import rules
from services.credit.segmentations.rules import InvalidSegmentation, segment_of
from services.credit.segments.rules import Known, facts
from shared import documents
from shared.money import Money
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem
from tests.credit.test_behaviour import paid

TODAY = date(2012, 1, 3)

DOCUMENT = """\
title: By size and how they pay
owner: Ada
review_on: 2013-01-31
currency: EUR
rules:
  - segment: slow
    when:
      - {fact: average_days_late, from: 15}
      - {fact: payments, from: 3}
  - segment: key
    when: [{fact: sales, from: 10000}]
  - segment: small
"""


def faults(document: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidSegmentation) as caught:
        rules.parse(document)
    return [(fault.line, fault.pointer) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("values", "segment"),
    [
        ({"sales": Decimal("9999.99")}, "small"),
        ({"sales": Decimal("10000")}, "key"),
        ({"sales": None}, "small"),
        ({"average_days_late": Decimal("14.99"), "payments": Decimal(3)}, "small"),
        ({"average_days_late": Decimal(15), "payments": Decimal(3)}, "slow"),
        ({"average_days_late": Decimal(15), "payments": Decimal(2)}, "small"),
        ({"average_days_late": Decimal(15), "payments": Decimal(3), "sales": Decimal(90_000)}, "slow"),
    ],
)
def test_the_first_rule_whose_conditions_all_hold_decides(values: dict[str, Any], segment: str) -> None:
    assert segment_of(rules.parse(DOCUMENT), values).segment == segment


@pytest.mark.parametrize(
    ("old", "new", "line", "pointer"),
    [
        ("fact: sales", "fact: turnover", 11, "/rules/1/when/0/fact"),
        ("from: 10000", "any_of: [A]", 11, "/rules/1/when/0/fact"),
        ("from: 10000", "from: 5, below: 5", 11, "/rules/1/when/0/from"),
        ("{fact: sales, from: 10000}", "{fact: risk_class, from: 1}", 11, "/rules/1/when/0/fact"),
        ("{fact: sales, from: 10000}", "{fact: risk_class, any_of: [A, F]}", 11, "/rules/1/when/0/any_of/1"),
        ("[{fact: sales, from: 10000}]", "[]", 12, "/rules/2"),
        ("  - segment: small\n", "  - {segment: small, when: [{fact: disputes, from: 1}]}\n", 12, "/rules/2/when"),
        ("currency: EUR", "currency: XXX", 4, "/currency"),
        ("review_on: 2013-01-31", "review_on: soon", 3, "/review_on"),
        ("owner: Ada\n", "", 1, "/owner"),
    ],
)
def test_a_fault_is_shown_with_its_line_and_place(old: str, new: str, line: int, pointer: str) -> None:
    assert faults(DOCUMENT.replace(old, new, 1)) == [(line, pointer)]


def test_the_published_schema_takes_the_document() -> None:
    jsonschema.validate(documents.read(DOCUMENT, "a document").value, rules.json_schema())


def known(**more: Any) -> Known:
    about: dict[str, Any] = {
        "customer_id": UUID(int=1),
        "segment": "x",
        "country": "DE",
        "currency": "EUR",
        "onboarded_on": date(2011, 3, 31),
        "history": History(paid=4, days_late=6, paid_late=1),
        "sales": (Money(100_00, "EUR"), Money(125_00, "USD")),
        "invoices": 2,
        "risk_class": None,
        "drifting": False,
        "pin": None,
    }
    return Known(**{**about, **more})


def test_sales_in_several_currencies_are_added_by_the_days_rates_or_not_known() -> None:
    rates = Rates(TODAY, 1, {"USD": Decimal("1.25")})

    assert facts(known(), "EUR", rates, TODAY)["sales"] == Decimal("200.00")
    assert facts(known(), "EUR", None, TODAY)["sales"] is None
    assert facts(known(sales=()), "EUR", None, TODAY)["sales"] == 0


@pytest.mark.parametrize(
    ("today", "months"), [("2011-04-29", 0), ("2011-04-30", 1), ("2012-03-30", 11), ("2012-03-31", 12)]
)
def test_months_are_whole_months_since_onboarding(today: str, months: int) -> None:
    assert facts(known(), "EUR", None, date.fromisoformat(today))["months_known"] == months


async def publish(credit: Credit, document: str = DOCUMENT, version: int = 0) -> Response:
    answer = await credit.http.put("/v1/segmentation", content=document, headers={"if-match": f'"{version}"'})
    await credit.tick()
    return answer


async def segment(credit: Credit, customer: dict[str, Any]) -> str:
    return (await credit.get(f"/v1/customers/{customer['id']}"))["segment"]


async def at(credit: Credit, day: date) -> None:
    await credit.database.pool.execute("update clock set now = $1", datetime(day.year, day.month, day.day, tzinfo=UTC))
    await credit.tick()


def billed(customer: dict[str, Any], minor: int, due_on: date = TODAY - timedelta(40)) -> Invoice:
    return Invoice(UUID(customer["id"]), minor, due_on=due_on)


async def test_segments_follow_the_published_rules_and_the_limit_follows_the_segment(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    policy = await credit.get("/v1/credit-policy")
    limits = [{"segment": name, "limit": {"amount": amount, "currency": "EUR"}} for name, amount in LIMITS.items()]
    await credit.change("PUT", "/v1/credit-policy", policy["version"], {"limits": limits})
    large, slow, small = [await credit.onboard() for _ in range(3)]
    await credit.hear(billed(large, 1_000_000).issue(), billed(small, 999_999).issue())
    for _ in range(3):
        late = billed(slow, 500_000)
        await credit.hear(late.issue(), paid(late, late.due_on + timedelta(20)))

    answer = await publish(credit)

    assert answer.status_code == 201, answer.text
    assert [await segment(credit, each) for each in (large, slow, small)] == ["key", "slow", "small"]
    moved = [each for each in await credit.published(large["id"]) if each["type"] == "customer.segment_changed"]
    assert [each["data"]["previous_segment"] for each in moved] == ["standard"]
    assert (await credit.get(f"/v1/customers/{large['id']}/credit"))["limit"]["amount"] == "90000.00"
    shown = await credit.get(f"/v1/customers/{slow['id']}/segment")
    assert (shown["by_rules"], shown["rule"], shown["version"]) == ("slow", 0, 1)
    assert (shown["facts"]["average_days_late"], shown["facts"]["sales"], shown["facts"]["risk_class"]) == (
        "20",
        "15000",
        None,
    )


LIMITS = {"standard": "10.00", "key": "90000.00", "slow": "1.00", "small": "500.00"}


async def test_the_day_after_a_payment_or_a_missed_date_the_segment_is_looked_at_and_each_month(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    await publish(
        credit,
        DOCUMENT.replace("average_days_late, from: 15", "oldest_overdue_days, from: 20").replace(
            "- {fact: payments, from: 3}", "- {fact: invoices, from: 1}"
        ),
    )
    customer = await credit.onboard()
    invoice = billed(customer, 5_000, TODAY + timedelta(5))
    await credit.hear(invoice.issue())

    await at(credit, invoice.due_on + timedelta(1))
    assert await segment(credit, customer) == "small"
    again = await credit.database.pool.fetchval("select due_at from follow_up")
    assert again == datetime(2012, 2, 1, tzinfo=UTC)
    await at(credit, date(2012, 2, 1))
    assert await segment(credit, customer) == "slow"

    await credit.hear(paid(invoice, date(2012, 2, 1)))
    await at(credit, date(2012, 2, 2))
    assert await segment(credit, customer) == "small"


async def test_a_pinned_customer_stays_until_it_is_left_to_the_rules_again(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/segment-pin"

    pinned = await credit.change("PUT", path, 1, {"segment": "friends", "reason": "The owner's cousin"})

    assert pinned.status_code == 200, pinned.text
    assert pinned.json()["pin"]["reason"] == "The owner's cousin"
    await publish(credit)
    assert await segment(credit, customer) == "friends"
    assert problem(await credit.change("DELETE", path, 7), 412) == "stale-version"
    freed = await credit.change("DELETE", path, 2)
    assert freed.status_code == 200, freed.text
    await credit.tick()

    assert await segment(credit, customer) == "small"
    assert problem(await credit.change("DELETE", path, 3), 409) == "segment-not-pinned"
    assert list(names(await credit.change("PUT", path, 3, {"segment": "x"}))) == ["#/reason"]


async def test_a_preview_says_who_would_move_and_changes_nothing(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    large, small, pinned = [await credit.onboard() for _ in range(3)]
    await credit.hear(billed(large, 5_000_000).issue())
    await credit.change("PUT", f"/v1/customers/{pinned['id']}/segment-pin", 1, {"segment": "own", "reason": "x"})
    before = len(await credit.published())

    preview = (await credit.http.post("/v1/segmentation/previews", content=DOCUMENT)).json()

    assert (preview["customers"], preview["pinned"]) == (3, 1)
    assert {(move["before"], move["after"], move["customers"]) for move in preview["moves"]} == {
        ("own", "own", 1),
        ("standard", "key", 1),
        ("standard", "small", 1),
    }
    assert {mover["customer_id"] for mover in preview["movers"]} == {large["id"], small["id"]}
    assert await segment(credit, large) == "standard"
    assert len(await credit.published()) == before
    assert problem(await credit.http.post("/v1/segmentation/previews"), 404) == "no-segmentation"


async def test_rules_that_are_not_active_move_nobody_and_none_are_there_at_first(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    assert problem(await credit.http.get("/v1/segmentation"), 404) == "no-segmentation"

    await publish(credit, DOCUMENT + "active: false\n")
    await credit.post(f"/v1/customers/{customer['id']}/assessments", {})
    await at(credit, date(2012, 3, 1))

    assert await segment(credit, customer) == "standard"
    assert await credit.database.pool.fetchval("select count(*) from follow_up") == 0


async def test_versions_are_kept_and_a_stale_or_faulty_document_changes_nothing(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await publish(credit)

    assert problem(await publish(credit, DOCUMENT, 0), 412) == "stale-version"
    assert (await publish(credit, DOCUMENT, 1)).json()["version"] == 1
    second = await publish(credit, DOCUMENT.replace("By size", "By weight"), 1)
    assert second.json()["version"] == 2
    assert (await credit.get("/v1/segmentation", version=1))["document"] == DOCUMENT
    broken = await credit.http.post("/v1/segmentation/checks", content=DOCUMENT.replace("sales", "turnover"))
    assert broken.json()["publishable"] is False
    assert [(each["line"], each["pointer"]) for each in broken.json()["faults"]] == [(11, "#/rules/1/when/0/fact")]
    assert problem(await publish(credit, "rules: [", 2), 422) == "invalid-segmentation"
