"""Days, prepayment and deposit follow the risk class by the policy: by themselves, or as others approve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.credit.limits.rules import Account, Addition
from services.credit.policy_rules.rules import Approval, ClassTerms, PolicyRules
from services.credit.recommendations.rules import Recommendation, in_force, recommend, terms_course
from services.credit.terms.rules import Source, Terms
from shared.money import Money
from tests.credit.client import ACME, Credit, names, problem
from tests.credit.conftest import calling

BASE = Money(100_000, "EUR")
BEFORE = Terms(30, 10, Money(20_000, "EUR"))
TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("share", "net_worth", "deposit"),
    [(0, None, None), (10, None, 20_000), (33, None, 66_000), (33, -1, None), (1, None, 2_000), (100, None, 200_000)],
)
def test_a_deposit_is_a_share_of_the_recommended_limit_in_two_digits(
    share: int, net_worth: int | None, deposit: int | None
) -> None:
    terms = ClassTerms(limit_percent=20, net_days_max=14, deposit_percent=share)
    worth = Money(net_worth, "EUR") if net_worth is not None else None
    advice = recommend("D", terms, Money(1_000_000, "EUR"), worth, None)
    assert advice.deposit == (Money(deposit, "EUR") if deposit else None)
    assert advice.customer_terms == Terms(14, 0, advice.deposit)


def test_deposits_are_rounded_down() -> None:
    terms = ClassTerms(limit_percent=100, net_days_max=14, deposit_percent=9)
    assert recommend("D", terms, Money(310_000, "EUR"), None, None).deposit == Money(27_000, "EUR")


def advised(days: int = 30, prepaid: int = 10, deposit: int = 20_000, base: Money = BASE) -> Recommendation:
    terms = ClassTerms(limit_percent=20, net_days_max=days, prepaid_percent=prepaid, deposit_percent=20)
    asked = Money(deposit, "EUR") if deposit else None
    return Recommendation(base, terms, "D", BASE, None, (), asked)


def then(what: str, **more: Any) -> PolicyRules:
    """By themselves 15 days more, 20 fewer, and 30 points; not less than 5 days or 5 points."""
    terms = {"then": what, "longer_days_max": 15, "shorter_days_max": 20, "points_max": 30}
    return PolicyRules.model_validate({"terms": {**terms, **more}})


@pytest.mark.parametrize(
    ("advice", "expected"),
    [
        (advised(), "leave"),
        (advised(days=34), "leave"),
        (advised(days=35), "apply"),
        (advised(days=45), "apply"),
        (advised(days=46), "ask"),
        (advised(days=26), "leave"),
        (advised(days=25), "apply"),
        (advised(days=10), "apply"),
        (advised(days=9), "ask"),
        (advised(prepaid=14), "leave"),
        (advised(prepaid=15), "apply"),
        (advised(prepaid=5), "apply"),
        (advised(prepaid=40), "apply"),
        (advised(prepaid=41), "ask"),
        (advised(deposit=24_999), "leave"),
        (advised(deposit=25_000), "apply"),
        (advised(deposit=15_000), "apply"),
        (advised(deposit=50_000), "apply"),
        (advised(deposit=50_001), "ask"),
        (advised(deposit=0), "apply"),
        (advised(days=34, prepaid=14, deposit=24_999), "leave"),
        (advised(days=34, prepaid=15), "apply"),
        (advised(days=46, prepaid=15), "ask"),
        (advised(base=Money(0, "EUR"), deposit=0), "ask"),
        (advised(base=Money(0, "EUR")), "leave"),
        (Recommendation(None, None, None, BASE, None, ("never_assessed",)), "leave"),
    ],
)
def test_terms_follow_by_themselves_within_the_bounds_and_are_asked_for_beyond(
    advice: Recommendation, expected: str
) -> None:
    asked = "leave" if expected == "leave" else "ask"
    assert terms_course(BEFORE, "recommended", advice, BASE, then("apply")) == expected
    assert terms_course(BEFORE, "default", advice, BASE, then("apply")) == expected
    assert terms_course(BEFORE, "recommended", advice, BASE, then("ask")) == asked
    assert terms_course(BEFORE, "recommended", advice, BASE, then("nothing")) == "leave"
    own: tuple[Source, ...] = ("manual", "agreed")
    assert {terms_course(BEFORE, source, advice, BASE, then("apply")) for source in own} == {asked}


@pytest.mark.parametrize(("above", "expected"), [(100_000, "apply"), (99_999, "ask")])
def test_terms_of_a_limit_that_others_approve_are_asked_for(above: int, expected: str) -> None:
    rules = then("apply").model_copy(update={"approvals": (Approval(above=Money(above, "EUR"), approvers=1),)})
    assert terms_course(BEFORE, "recommended", advised(days=20), BASE, rules) == expected


def test_only_deposits_that_were_received_and_count_today_are_given() -> None:
    def security(kind: Any, minor: int, **days: Any) -> Addition:
        amount = Money(minor, "EUR")
        return Addition(uuid4(), kind, amount, Money(minor // 2, "EUR"), **{"from_on": TODAY, **days})

    given = (
        security("deposit", 5_000),
        security("deposit", 2_000, ended_on=TODAY),
        security("deposit", 1_000, from_on=date(2026, 3, 3)),
        security("guarantee", 700),
    )
    account = Account(uuid4(), uuid4(), "active", "standard", "EUR", 1, BASE, "policy", "x", 1, BASE, given)
    found = in_force(BEFORE, "recommended", account, TODAY)
    assert (found.deposit_received, found.deposit_outstanding) == (Money(5_000, "EUR"), Money(15_000, "EUR"))
    assert in_force(Terms(30), "default", account, TODAY).deposit_outstanding is None
    little = in_force(Terms(30, 0, Money(4_000, "EUR")), "default", account, TODAY)
    assert little.deposit_outstanding == Money(0, "EUR")


WIDE = {"longer_days_max": 365, "shorter_days_max": 365, "points_max": 100}
CLASS = {"limit_percent": 50, "net_days_max": 14, "prepaid_percent": 30, "deposit_percent": 20}
REPORT = {"kind": "credit_report", "score": 0, "judgments": 3}


async def follow_by(credit: Credit, what: str, days: int = 14, **rules: Any) -> None:
    """Every class gets the same, so that a test need not know which one an assessment finds."""
    policy = await credit.get("/v1/credit-policy")
    body = {
        "limits": [
            {"segment": None, "limit": {"amount": "50000.00", "currency": "EUR"}},
            {"segment": "key", "limit": {"amount": "90000.00", "currency": "EUR"}},
        ],
        "rules": {
            "classes": {name: {**CLASS, "net_days_max": days} for name in "ABCDE"},
            "terms": {"then": what, **WIDE, **rules.pop("terms", {})},
            **rules,
        },
    }
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text


async def newcomer(credit: Credit) -> str:
    """A customer of whose terms nobody said anything."""
    body = {name: value for name, value in ACME.items() if name != "payment_terms"}
    return (await credit.post("/v1/customers", {**body, "external_id": str(uuid4())})).json()["id"]


async def assess(credit: Credit, customer_id: str) -> str:
    answer = await credit.post(f"/v1/customers/{customer_id}/assessments", {})
    await credit.tick()
    return answer.json()["id"]


async def terms_of(credit: Credit, customer_id: str) -> tuple[int, int, str | None, str]:
    terms = (await credit.get(f"/v1/customers/{customer_id}"))["payment_terms"]
    deposit = terms["deposit"]["amount"] if terms["deposit"] else None
    return terms["net_days"], terms["prepaid_percent"], deposit, terms["source"]


async def requests(credit: Credit, customer_id: str, status: str = "waiting") -> list[Any]:
    return (await credit.get("/v1/term-requests", customer_id=customer_id, status=status))["items"]


async def test_an_assessment_moves_the_terms_by_itself_and_tells_everybody_why(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "apply")
    customer = await newcomer(credit)
    assert await terms_of(credit, customer) == (30, 0, None, "default")

    await assess(credit, customer)

    assert await terms_of(credit, customer) == (14, 30, "5000.00", "recommended")
    [told] = [each["data"] for each in await credit.published(customer) if each["type"] == "customer.terms_changed"]
    risk_class = (await credit.get(f"/v1/customers/{customer}/credit"))["risk_class"]
    assert told["reason"] == (
        f"Recommended for risk class {risk_class}: 14 days, 30 % in advance, a deposit of 5000.00 EUR."
    )
    assert (told["source"], told["previous_terms"]["net_days"]) == ("recommended", 30)
    assert told["customer"]["payment_terms"]["prepaid_percent"] == 30

    await follow_by(credit, "apply", days=60)
    await credit.tick()
    assert await terms_of(credit, customer) == (60, 30, "5000.00", "recommended")


async def test_terms_and_limit_are_recommended_again_when_the_segment_is_another(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "apply", recommended={"then": "apply", "up_percent_max": 1000})
    customer = await newcomer(credit)
    await assess(credit, customer)
    assert (await terms_of(credit, customer))[2] == "5000.00"

    version = (await credit.get(f"/v1/customers/{customer}"))["version"]
    await credit.change("PATCH", f"/v1/customers/{customer}", version, {"segment": "key"})
    await credit.tick()

    assert (await terms_of(credit, customer))[2] == "9000.00"
    shown = await credit.get(f"/v1/customers/{customer}/credit")
    assert (shown["base_limit"]["amount"], shown["limit_source"]) == ("45000.00", "recommended")


async def test_a_deposit_counts_only_once_it_was_received(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "apply")
    customer = await newcomer(credit)
    await assess(credit, customer)
    asked = {"amount": "5000.00", "currency": "EUR"}

    before = await credit.get(f"/v1/customers/{customer}/limit-recommendation")
    limit = (await credit.get(f"/v1/customers/{customer}/credit"))["limit"]["amount"]
    body = {"kind": "deposit", "amount": {**asked, "amount": "2000.00"}, "evidence": "IBAN 1", "reason": "Received"}
    assert (await credit.post(f"/v1/customers/{customer}/limit-requests", body)).json()["status"] == "approved"
    after = await credit.get(f"/v1/customers/{customer}/limit-recommendation")

    assert (before["deposit"], before["terms"]["deposit_percent"], limit) == (asked, 20, "50000.00")
    assert before["terms_in_force"]["deposit_outstanding"] == asked
    assert after["terms_in_force"] == {
        "net_days": 14,
        "prepaid_percent": 30,
        "deposit": asked,
        "source": "recommended",
        "deposit_received": {"amount": "2000.00", "currency": "EUR"},
        "deposit_outstanding": {"amount": "3000.00", "currency": "EUR"},
    }
    assert (await credit.get(f"/v1/customers/{customer}/credit"))["limit"]["amount"] == "52000.00"


async def test_a_persons_own_terms_are_asked_about_once_and_approved_by_as_many_as_the_policy_wants(
    credit_in_2012: Credit, keys_folder: Path, token: Callable[..., str]
) -> None:
    credit = credit_in_2012
    await follow_by(credit, "apply", terms={"approvers": 2})
    customer = (await credit.onboard())["id"]
    evidence = await assess(credit, customer)

    [request] = await requests(credit, customer)
    assert (request["requested_by"], request["approvers_needed"], request["evidence"]) == ("credit", 2, evidence)
    assert await terms_of(credit, customer) == (30, 0, None, "manual")
    await assess(credit, customer)
    assert [each["id"] for each in await requests(credit, customer)] == [request["id"]], "the same is not asked anew"

    path = f"/v1/term-requests/{request['id']}/approvals"
    assert (await credit.post(path, {})).json()["status"] == "waiting"
    assert problem(await credit.post(path, {}), 409) == "approval-refused"
    async with calling(credit.database, keys_folder, token(subject="bert")) as bert:
        assert (await bert.post(path, {})).json()["status"] == "approved"
    assert await terms_of(credit, customer) == (14, 30, "5000.00", "recommended")
    assert problem(await credit.post(path, {}), 409) == "term-request-closed"


async def test_what_was_refused_is_asked_again_only_with_another_assessment_or_other_terms(
    credit_in_2012: Credit,
) -> None:
    credit = credit_in_2012
    await follow_by(credit, "ask")
    customer = await newcomer(credit)
    await assess(credit, customer)
    [request] = await requests(credit, customer)
    refusal = {"reason": "We know better"}
    assert (await credit.post(f"/v1/term-requests/{request['id']}/refusal", refusal)).json()["status"] == "refused"

    await follow_by(credit, "ask", terms={"approvers": 2})
    await credit.tick()
    assert await requests(credit, customer) == []
    await follow_by(credit, "ask", days=20)
    await credit.tick()
    [other] = await requests(credit, customer)
    assert other["net_days"] == 20
    await follow_by(credit, "ask", days=40)
    await credit.tick()
    assert [each["net_days"] for each in await requests(credit, customer)] == [40]
    assert [each["id"] for each in await requests(credit, customer, "withdrawn")] == [other["id"]]


async def test_a_person_asks_for_terms_and_never_approves_them(
    credit_in_2012: Credit, keys_folder: Path, token: Callable[..., str]
) -> None:
    credit = credit_in_2012
    customer = (await credit.onboard())["id"]
    path = f"/v1/customers/{customer}/term-requests"
    at_once = await credit.post(path, {"net_days": 45, "reason": "A good customer"})
    assert (at_once.status_code, at_once.json()["status"]) == (201, "approved")
    assert await terms_of(credit, customer) == (45, 0, None, "manual")
    assert problem(await credit.post(path, {"net_days": 45, "reason": "Again"}), 409) == "terms-in-force"

    above = {"above": {"amount": "49999.99", "currency": "EUR"}, "approvers": 1}
    await follow_by(credit, "ask", approvals=[above])
    version = (await credit.get(f"/v1/customers/{customer}"))["version"]
    patched = await credit.change("PATCH", f"/v1/customers/{customer}", version, {"payment_terms": {"net_days": 60}})
    assert problem(patched, 409) == "approval-needed"
    request = (await credit.post(path, {"net_days": 60, "reason": "A very good one"})).json()
    assert (request["status"], request["approvers_needed"]) == ("waiting", 1)
    approvals = f"/v1/term-requests/{request['id']}/approvals"
    assert problem(await credit.post(approvals, {}), 409) == "approval-refused"
    async with calling(credit.database, keys_folder, token(subject="bert")) as bert:
        assert (await bert.post(approvals, {})).json()["status"] == "approved"
    assert await terms_of(credit, customer) == (60, 0, None, "manual")
    assert (await credit.published(customer))[-1]["data"]["reason"] == (
        "A very good one (asked for by anna, approved by bert)"
    )


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"net_days": 366}, "#/net_days"),
        ({"prepaid_percent": 101}, "#/prepaid_percent"),
        ({"deposit": {"amount": "1.00", "currency": "USD"}}, "#/deposit/currency"),
        ({"deposit": {"amount": "-1.00", "currency": "EUR"}}, "#/deposit/amount"),
    ],
)
async def test_terms_that_cannot_be_are_not_asked_for(credit: Credit, wanted: dict[str, Any], pointer: str) -> None:
    customer = await credit.onboard()
    answer = await credit.post(f"/v1/customers/{customer['id']}/term-requests", {"reason": "x", **wanted})
    assert list(names(answer)) == [pointer]
    assert problem(await credit.http.get(f"/v1/term-requests/{uuid4()}"), 404) == "term-request-not-found"


async def test_what_is_asked_for_a_customer_that_is_merged_comes_to_nothing(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "ask")
    old, new = await newcomer(credit), await newcomer(credit)
    await assess(credit, old)
    [request] = await requests(credit, old)

    merger = await credit.post(f"/v1/customers/{old}/merger", {"into_id": new, "reason": "Same company"})

    assert merger.json()["moved"]["term_requests"] == 1
    closed = await credit.get(f"/v1/term-requests/{request['id']}")
    assert closed["status"] == "refused"
    answer = await credit.post(f"/v1/customers/{old}/term-requests", {"net_days": 1, "reason": "x"})
    assert problem(answer, 409) == "customer-closed"


async def test_nothing_follows_while_the_policy_does_not_say_so(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await follow_by(credit, "nothing", reviews={"months": {"E": 1}})
    customer = await newcomer(credit)

    await assess(credit, customer)

    assert await terms_of(credit, customer) == (30, 0, None, "default")
    assert await credit.database.pool.fetchval("select count(*) from term_request") == 0
    assert await credit.database.pool.fetchval("select version from customer where id = $1", UUID(customer)) == 1
