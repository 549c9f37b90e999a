"""A policy tried on the past: what it would have decided, which losses it would have avoided and which sales refused;
and that trying changes nothing."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from shared.db import Database
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem
from tests.credit.test_scorecards import STANDARD

PERIOD = {"from": "2012-01-03", "to": "2012-01-03"}


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def limits(amount: str, **by_segment: str) -> dict[str, Any]:
    named = [{"segment": segment, "limit": money(amount)} for segment, amount in by_segment.items()]
    return {"limits": [{"segment": None, "limit": money(amount)}, *named]}


async def sell(
    credit: Credit, customer_id: str, minor: int, currency: str = "EUR", order: str | None = None
) -> Invoice:
    """The invoice service asks, and issues whatever the answer is, as under its policy `advise`."""
    invoice = Invoice(UUID(customer_id), minor)
    question = {
        "asked_as": str(invoice.id),
        "customer_id": customer_id,
        "amount": money(f"{minor / 100:.2f}"),
        "reference": invoice.number,
    }
    asked = await credit.post("/v1/credit-decisions/batches", {"questions": [question]})
    assert asked.json()["answers"][0]["decision"], asked.text
    await credit.hear(invoice.issue().model_copy(update={"customer_reference": order} if order else {}))
    return invoice


async def look_back(credit: Credit, *proposals: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {**PERIOD, "proposals": proposals, **more}
    answer = await credit.http.post("/v1/credit-policy/what-ifs", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def a_day_later(credit: Credit) -> None:
    await credit.database.pool.execute("update clock set now = '2012-01-04 08:00Z'")


async def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table, the outbox and the event log among them."""
    tables = await database.pool.fetch("select tablename from pg_tables where schemaname = 'public' order by 1")
    return {
        table: [row["told"] for row in await database.pool.fetch(f'select t::text as told from "{table}" t order by 1')]
        for (table,) in tables
    }


@pytest.fixture
async def traded(credit_in_2012: Credit) -> tuple[Credit, list[str]]:
    """One who was given 30,000 and never paid, one who paid as much, one of a key segment who paid 10,000."""
    credit = credit_in_2012
    customers = [(await credit.onboard(segment=segment))["id"] for segment in ("standard", "standard", "key")]
    lost = await sell(credit, customers[0], 3_000_000)
    paid = await sell(credit, customers[1], 3_000_000)
    small = await sell(credit, customers[2], 1_000_000)
    await credit.hear(lost.write_off(), paid.pay(3_000_000), small.pay(1_000_000))
    await a_day_later(credit)
    return credit, customers


async def test_losses_avoided_and_sales_refused_are_told_by_segment_and_nothing_changes(
    traded: tuple[Credit, list[str]],
) -> None:
    credit, customers = traded
    before = await contents(credit.database)

    found = await look_back(credit, {"title": "strict", "policy": limits("20000.00", key="50000.00")})

    assert await contents(credit.database) == before
    decided, strict = found["sides"]
    assert (found["decisions"], found["without_inputs"], decided["title"]) == (3, 0, "as it was decided")
    assert (decided["figures"]["approved"], decided["figures"]["declined"]) == (3, 0)
    figures = strict["figures"]
    assert (figures["approved"], figures["declined"], figures["declined_amounts"]) == (1, 2, [money("60000.00")])
    assert (figures["losses_avoided"], figures["losses_avoided_invoices"]) == ([money("30000.00")], 1)
    assert (figures["sales_refused"], figures["sales_refused_invoices"]) == ([money("30000.00")], 1)
    assert strict["by_segment"]["standard"]["declined"] == 2
    assert (strict["by_segment"]["key"]["approved"], strict["by_segment"]["key"]["sales_refused"]) == (1, [])
    assert strict["changed_customers"] == 2
    assert {each["customer_id"] for each in strict["changed"]} == set(customers[:2])
    assert strict["changed"][0]["moves"] == [{"before": "approved", "after": "declined", "decisions": 1}]
    assert (strict["changed"][0]["limit_before"], strict["changed"][0]["limit_after"]) == (
        money("50000.00"),
        money("20000.00"),
    )
    assert found["assumptions"]


@pytest.mark.parametrize(("limit", "declined"), [("30000.01", 0), ("30000.00", 0), ("29999.99", 2)])
async def test_what_just_fits_is_approved_and_one_minor_unit_less_declines_it(
    traded: tuple[Credit, list[str]], limit: str, declined: int
) -> None:
    found = await look_back(traded[0], {"policy": limits(limit)})
    assert found["sides"][1]["figures"]["declined"] == declined


async def test_two_policies_stand_side_by_side_one_of_them_a_version_there_was(
    traded: tuple[Credit, list[str]],
) -> None:
    credit, _ = traded
    answer = await credit.change("PUT", "/v1/credit-policy", 1, limits("5000.00"))
    assert answer.status_code == 200
    await credit.tick()

    rules = {"refer_over_percent": 50}
    found = await look_back(
        credit,
        {"title": "as before", "version": 1},
        {"title": "lenient", "policy": {**limits("20000.00"), "rules": rules}},
    )

    _, before, lenient = (side["figures"] for side in found["sides"])
    assert (before["approved"], before["declined"]) == (3, 0)
    assert (lenient["approved"], lenient["declined"]) == (1, 2), "invoices are never referred"
    again = await look_back(credit, {})
    assert again["sides"][1]["figures"]["declined"] == 3, "neither: the policy in force"


async def test_the_policy_that_was_in_force_decides_the_same_again(credit_in_2012: Credit) -> None:
    """Orders and invoices, reserved or not, of customers on hold, in a group, over their limits, let pass."""
    credit, dice = credit_in_2012, random.Random(0)
    assert (
        await credit.change("PUT", "/v1/credit-policy", 1, {**limits("50000.00"), "rules": {"refer_over_percent": 20}})
    ).status_code == 200
    top = (await credit.onboard())["id"]
    customers = [top, *[(await credit.onboard(parent_id=top if n < 2 else None))["id"] for n in range(4)]]
    group = {"limit": money("90000.00"), "reason": "x"}
    await credit.change("PUT", f"/v1/customers/{top}/group-limit", 0, group)
    await credit.post(f"/v1/customers/{customers[-1]}/holds", {"held": ["orders", "invoices"], "reason": "x"})
    for n in range(40):
        body = {
            "customer_id": dice.choice(customers),
            "amount": money(f"{dice.randint(1, 40_000)}.00", dice.choice(["EUR", "EUR", "USD"])),
            "reference": f"PO {n}",
            "purpose": dice.choice(["order", "invoice"]),
            "reserve": dice.random() < 0.7,
        }
        made = (await credit.post("/v1/credit-decisions", body)).json()
        if made["outcome"] != "approved" and dice.random() < 0.3:
            override = {"reason": "x", "expires_at": "2012-02-01T00:00:00Z"}
            await credit.post(f"/v1/credit-decisions/{made['id']}/overrides", override)
            await credit.post("/v1/credit-decisions", {**body, "reserve": False})
    await a_day_later(credit)

    decided, again = (await look_back(credit, {"version": 2}))["sides"]

    assert all(decided["figures"][outcome] for outcome in ("approved", "referred", "declined"))
    assert again["figures"] == decided["figures"]
    assert (again["changed_customers"], again["book"]) == (0, decided["book"])


async def test_a_limit_set_by_hand_is_kept_and_one_that_was_the_policys_is_not(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    by_hand, by_policy = [(await credit.onboard())["id"] for _ in range(2)]
    path = f"/v1/customers/{by_hand}/credit-limit"
    await credit.change("PUT", path, 1, {"limit": money("40000.00"), "reason": "x"})
    for customer in (by_hand, by_policy):
        await credit.decide(customer, "35000.00")
    await a_day_later(credit)

    found = await look_back(credit, {"policy": limits("10000.00")})

    tried = found["sides"][1]
    assert [each["customer_id"] for each in tried["changed"]] == [by_policy]
    assert (tried["book"]["limits"], tried["book"]["lowered"], tried["book"]["raised"]) == ([money("50000.00")], 1, 0)
    assert found["sides"][0]["book"]["limits"] == [money("90000.00")]


async def test_by_class_limits_follow_the_scorecard_that_is_tried(traded: tuple[Credit, list[str]]) -> None:
    credit, customers = traded
    await credit.database.pool.execute("update clock set now = '2012-01-03 07:00Z'")
    for customer in customers:
        await credit.post(f"/v1/customers/{customer}/assessments", {})
    await a_day_later(credit)
    harsher = STANDARD.replace("base_points: 500", "base_points: 100")

    found = await look_back(
        credit,
        {"title": "by class", "by_class": True},
        {"title": "by a harsher card", "by_class": True, "scorecard_document": harsher},
    )

    decided, by_class, harsh = found["sides"]
    assert (decided["book"]["classes"], harsh["book"]["classes"]) == ({"C": 3}, {"E": 3})
    assert by_class["book"]["limits"] == [money("75000.00")], "half of the policy's limit, for class C"
    assert (by_class["figures"]["declined"], by_class["by_class"]["C"]["declined"]) == (2, 2)
    assert (harsh["book"]["limits"], harsh["by_class"]["E"]["declined"]) == ([money("0.00")], 3)
    assert harsh["figures"]["losses_avoided"] == [money("30000.00")]
    assert decided["book"]["terms"] == {}
    assert harsh["book"]["terms"] == {"shorter": 3, "more_prepaid": 3}, "class E pays in advance"


async def test_an_invoice_counts_once_however_many_decisions_it_had(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = (await credit.onboard())["id"]
    body = {"customer_id": customer, "amount": money("30000.00"), "reference": "PO 1"}
    for _ in range(2):
        await credit.post("/v1/credit-decisions", body)
    await credit.hear((await sell(credit, customer, 3_000_000, order="PO 1")).write_off())
    await a_day_later(credit)

    figures = (await look_back(credit, {"policy": limits("10000.00")}))["sides"][1]["figures"]

    assert (figures["declined"], figures["losses_avoided"]) == (3, [money("30000.00")])


async def test_a_part_that_was_paid_before_the_rest_was_written_off_is_no_loss(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = (await credit.onboard())["id"]
    lost, open_still = await sell(credit, customer, 2_000_000), await sell(credit, customer, 1_000_000)
    await credit.hear(lost.pay(500_000), lost.write_off(), open_still.pay(1))
    await a_day_later(credit)

    figures = (await look_back(credit, {"policy": limits("0.00")}))["sides"][1]["figures"]

    assert figures["losses_avoided"] == [money("15000.00")]
    assert (figures["sales_refused"], figures["undecided"]) == ([], [money("10000.00")])


async def test_an_invoice_from_before_outcomes_were_kept_counts_once_its_events_are_published_again(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    customer = (await credit.onboard())["id"]
    lost = await sell(credit, customer, 2_000_000)
    written_off = lost.write_off()
    await credit.hear(written_off)
    await credit.database.pool.execute("update invoice_exposure set status = null, number = null, total_minor = null")
    await a_day_later(credit)
    strict = {"policy": limits("0.00")}
    assert (await look_back(credit, strict))["sides"][1]["figures"]["losses_avoided"] == []

    await credit.hear(written_off)

    assert (await look_back(credit, strict))["sides"][1]["figures"]["losses_avoided"] == [money("20000.00")]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"from": "2012-01-04"}, "#/to"),
    ({"to": "2012-01-04"}, "#/to"),
    ({"from": "2008-01-01"}, "#/from"),
    ({"proposals": []}, "#/proposals"),
    ({"proposals": [{"policy": limits("-1.00")}]}, "#/proposals/0/policy/limits/0/limit/amount"),
    ({"proposals": [{}, {"policy": {"limits": 2 * limits("1.00")["limits"]}}]}, "#/proposals/1/policy/limits/1"),
    ({"proposals": [{"policy": limits("1.00"), "version": 1}]}, "#/proposals/0"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD)
async def test_what_cannot_be_tried_is_refused_with_its_place(
    credit_in_2012: Credit, change: dict[str, Any], pointer: str
) -> None:
    await a_day_later(credit_in_2012)
    body = {**PERIOD, "proposals": [{}], **change}
    assert list(names(await credit_in_2012.http.post("/v1/credit-policy/what-ifs", json=body))) == [pointer]


async def test_a_version_or_scorecard_that_is_not_there_is_not_found(credit_in_2012: Credit) -> None:
    await a_day_later(credit_in_2012)
    for proposal, slug in (({"version": 9}, "policy-version-not-found"), ({"scorecard": "x"}, "scorecard-not-found")):
        body = {**PERIOD, "proposals": [proposal]}
        assert problem(await credit_in_2012.http.post("/v1/credit-policy/what-ifs", json=body), 404) == slug
