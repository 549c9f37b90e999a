"""What a customer might be allowed by class, size and policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.credit.limits.rules import Account, Source
from services.credit.policy_rules.rules import DEFAULT_CLASSES, Approval, PolicyRules, RecommendedRules, RiskClass
from services.credit.rates.rules import Rates
from services.credit.recommendations.rules import course, recommend
from shared.money import Money
from tests.credit.client import Credit
from tests.credit.conftest import calling

LIMIT = Money(5_000_000, "EUR")
RATES = Rates(date(2026, 1, 2), 1, {"USD": Decimal("1.25")})


@pytest.mark.parametrize(
    ("risk_class", "net_worth", "limit", "reason"),
    [
        ("A", None, 10_000_000, "share_of_policy_limit"),
        ("A", Money(100_000_000, "EUR"), 10_000_000, "share_of_policy_limit"),
        ("A", Money(99_999_990, "EUR"), 9_900_000, "capped_by_net_worth"),
        ("B", Money(12_500_000, "USD"), 1_000_000, "capped_by_net_worth"),
        ("B", Money(1, "GBP"), 5_000_000, "no_rate_for_net_worth"),
        ("B", Money(-1, "EUR"), 0, "capped_by_net_worth"),
        ("C", None, 2_500_000, "share_of_policy_limit"),
        ("D", None, 1_000_000, "share_of_policy_limit"),
        ("E", None, 0, "share_of_policy_limit"),
    ],
)
def test_a_limit_is_a_share_of_the_policys_and_of_the_net_worth(
    risk_class: RiskClass, net_worth: Money | None, limit: int, reason: str
) -> None:
    found = recommend(risk_class, DEFAULT_CLASSES[risk_class], LIMIT, net_worth, RATES)
    assert (found.limit, found.reasons[-1]) == (Money(limit, "EUR"), reason)


async def test_who_was_never_assessed_gets_no_recommendation(credit: Credit) -> None:
    customer = await credit.onboard()
    told = await credit.get(f"/v1/customers/{customer['id']}/limit-recommendation")
    assert (told["limit"], told["reasons"]) == (None, ["never_assessed"])


def account(source: Source = "policy", base: int = 100_000) -> Account:
    limit = Money(base, "EUR")
    return Account(uuid4(), uuid4(), "active", "standard", "EUR", 1, limit, source, "x", 1, limit)


def then(what: str, **more: Any) -> PolicyRules:
    return PolicyRules(recommended=RecommendedRules.model_validate({"then": what, **more}))


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (100_000, "leave"),
        (109_999, "leave"),
        (110_000, "apply"),
        (125_000, "apply"),
        (125_001, "ask"),
        (90_001, "leave"),
        (90_000, "apply"),
        (50_000, "apply"),
        (49_999, "ask"),
        (0, "ask"),
    ],
)
def test_a_limit_follows_by_itself_within_the_bounds_of_the_policy_and_is_asked_for_beyond(
    limit: int, expected: str
) -> None:
    """At most 25 % up and 50 % down, and nothing below 10 %."""
    assert course(account(), Money(limit, "EUR"), then("apply")) == expected
    assert course(account(), Money(limit, "EUR"), then("nothing")) == "leave"
    assert course(account(), Money(limit, "EUR"), then("ask")) == ("leave" if expected == "leave" else "ask")
    assert course(account("recommended"), Money(limit, "EUR"), then("apply")) == expected
    assert course(account("manual"), Money(limit, "EUR"), then("apply")) == ("leave" if expected == "leave" else "ask")


@pytest.mark.parametrize(("above", "expected"), [(1_200_00, "apply"), (1_199_99, "ask")])
def test_an_amount_that_others_approve_is_asked_for(above: int, expected: str) -> None:
    rules = then("apply").model_copy(update={"approvals": (Approval(above=Money(above, "EUR"), approvers=1),)})
    assert course(account(), Money(120_000, "EUR"), rules) == expected


def test_from_nothing_every_limit_is_beyond_the_bounds() -> None:
    assert course(account(base=0), Money(1, "EUR"), then("apply")) == "ask"


async def follow_by(credit: Credit, what: str, limit: str = "50000.00", **rules: Any) -> None:
    policy = await credit.get("/v1/credit-policy")
    body = {
        "limits": [{"segment": None, "limit": {"amount": limit, "currency": "EUR"}}],
        "rules": {"recommended": {"then": what, **rules}},
    }
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text


async def assess(credit: Credit, customer_id: str, **statement: Any) -> str:
    if statement:
        body = {"source": "x", "dated_on": "2012-01-02", "particulars": statement}
        assert (await credit.post(f"/v1/customers/{customer_id}/vetting-inputs", body)).status_code == 201
    answer = await credit.post(f"/v1/customers/{customer_id}/assessments", {})
    await credit.tick()
    return answer.json()["risk_class"]


async def limit_of(credit: Credit, customer_id: str) -> tuple[str, str]:
    shown = await credit.get(f"/v1/customers/{customer_id}/credit")
    return shown["limit"]["amount"], shown["limit_source"]


async def requests(credit: Credit, customer_id: str, status: str = "waiting") -> list[Any]:
    return (await credit.get("/v1/limit-requests", customer_id=customer_id, status=status))["items"]


REPORT = {"kind": "credit_report", "score": 0, "judgments": 3}


async def test_an_assessment_moves_the_limit_by_itself_and_says_why(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "apply", down_percent_max=100, up_percent_max=1000)
    customer = await credit.onboard()
    assert await limit_of(credit, customer["id"]) == ("50000.00", "policy")

    risk_class = await assess(credit, customer["id"], **REPORT)

    share = DEFAULT_CLASSES[risk_class].limit_percent  # pyright: ignore[reportArgumentType]
    assert share < 100
    assert await limit_of(credit, customer["id"]) == (f"{500 * share}.00", "recommended")
    [changed] = [each for each in await credit.published(customer["id"]) if each["type"] == "credit.limit_changed"][1:]
    assert changed["data"]["source"] == "recommended"
    assert changed["data"]["reason"] == f"Recommended for risk class {risk_class}, {share} % of 50000.00 EUR."
    shown = await credit.get(f"/v1/customers/{customer['id']}/credit")
    assert shown["reasons"] == ["limit_recommended"]


async def test_the_policys_limit_moves_and_a_recommended_one_is_recommended_anew(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "apply", down_percent_max=100, up_percent_max=1000)
    customer = await credit.onboard()
    share = DEFAULT_CLASSES[await assess(credit, customer["id"], **REPORT)].limit_percent  # pyright: ignore[reportArgumentType]

    await follow_by(credit, "apply", "80000.00", down_percent_max=100, up_percent_max=999)
    await credit.tick()

    assert await limit_of(credit, customer["id"]) == (f"{800 * share}.00", "recommended")


async def test_beyond_the_bounds_it_is_asked_for_once_and_any_person_approves_it(
    credit_in_2012: Credit, keys_folder: Path, token: Callable[..., str]
) -> None:
    credit = credit_in_2012
    await follow_by(credit, "apply", down_percent_max=5, approvers=2)
    customer = await credit.onboard()
    await assess(credit, customer["id"], **REPORT)

    [request] = await requests(credit, customer["id"])
    assert (request["requested_by"], request["approvers_needed"], request["kind"]) == ("credit", 2, "limit")
    assert await limit_of(credit, customer["id"]) == ("50000.00", "policy")

    await assess(credit, customer["id"])
    [renewed] = await requests(credit, customer["id"])
    assert [each["id"] for each in await requests(credit, customer["id"], "withdrawn")] == [request["id"]]
    first = await credit.post(f"/v1/limit-requests/{renewed['id']}/approvals", {})
    assert first.json()["status"] == "waiting"
    async with calling(credit.database, keys_folder, token(subject="bert")) as bert:
        second = await bert.post(f"/v1/limit-requests/{renewed['id']}/approvals", {})
    assert second.json()["status"] == "approved"

    amount, source = await limit_of(credit, customer["id"])
    assert (amount, source) == (renewed["amount"]["amount"], "recommended")


async def test_what_a_person_refused_is_not_asked_again_before_the_next_assessment(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "ask")
    customer = await credit.onboard()
    await assess(credit, customer["id"], **REPORT)
    [request] = await requests(credit, customer["id"])
    await credit.post(f"/v1/limit-requests/{request['id']}/refusal", {"reason": "We know better"})

    await follow_by(credit, "ask", approvers=2)
    await credit.tick()

    assert await requests(credit, customer["id"]) == []
    await assess(credit, customer["id"])
    assert len(await requests(credit, customer["id"])) == 1


async def test_nothing_follows_while_the_policy_does_not_say_so(credit_in_2012: Credit) -> None:
    customer = await credit_in_2012.onboard()

    await assess(credit_in_2012, customer["id"], **REPORT)

    assert await credit_in_2012.database.pool.fetchval("select count(*) from limit_request") == 0
    assert (await limit_of(credit_in_2012, customer["id"]))[1] == "policy"
