from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.credit.limits import handlers as limits
from services.credit.ticks import POLICY_RUNS_MAX, apply_policy
from shared.ticks import TickContext
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def entry(amount: str, currency: str = "EUR", segment: str | None = None) -> dict[str, Any]:
    return {"segment": segment, "limit": money(amount, currency)}


async def limit_events(credit: Credit, customer_id: str) -> list[dict[str, Any]]:
    return [e["data"] for e in await credit.published(customer_id) if e["type"] == "credit.limit_changed"]


async def test_a_new_customer_may_owe_what_the_policy_says_for_the_currency(credit: Credit) -> None:
    customer = await credit.onboard()

    answer = await credit.http.get(f"/v1/customers/{customer['id']}/credit")

    assert answer.headers["etag"] == '"1"'
    assert answer.json() == {
        "customer_id": customer["id"],
        "version": 1,
        "limit": money("50000.00"),
        "limit_source": "policy",
        "limit_reason": "The policy's limit for segment standard in EUR.",
        "base_limit": money("50000.00"),
        "valid_until": None,
        "additions": [],
        "policy_version": 1,
        "exposure": {"total": money("0.00"), "items": [], "components": [], "not_counted": []},
        "available": money("50000.00"),
        "group": None,
        "rates_on": None,
        "risk_class": None,
        "hold": None,
        "reasons": ["limit_from_policy"],
    }


@pytest.mark.parametrize(
    ("currency", "limit"), [("JPY", "8000000"), ("KWD", "15000.000"), ("USD", "50000.00"), ("ISK", "0")]
)
async def test_the_limit_is_in_the_customers_own_currency(credit: Credit, currency: str, limit: str) -> None:
    customer = await credit.onboard(currency=currency)

    standing = await credit.get(f"/v1/customers/{customer['id']}/credit")

    assert standing["limit"] == standing["available"] == money(limit, currency)


async def test_credit_shows_what_is_owed_by_currency_and_component(credit: Credit) -> None:
    customer = await credit.onboard()
    owner = UUID(customer["id"])
    first, second, dollars = Invoice(owner, 40_000), Invoice(owner, 4_900_000), Invoice(owner, 700, "USD")
    await credit.hear(
        first.issue(), first.pay(10_000), second.issue(), second.dispute(100), first.dispute(5), dollars.issue()
    )

    standing = await credit.get(f"/v1/customers/{customer['id']}/credit")

    assert standing["available"] == money("700.00")
    assert standing["reasons"] == ["limit_from_policy", "other_currencies_not_counted"]
    assert standing["exposure"]["total"] == money("49300.00")
    assert standing["exposure"]["items"] == [money("49300.00"), money("7.00", "USD")]
    eur, usd = standing["exposure"]["components"]
    assert (eur["open"], eur["disputed"], eur["open_invoices"]) == (money("49300.00"), money("1.05"), 2)
    assert (usd["open"], usd["disputed"], usd["open_invoices"]) == (money("7.00", "USD"), money("0.00", "USD"), 1)


async def test_who_owes_more_than_the_limit_has_less_than_nothing_available(credit: Credit) -> None:
    customer = await credit.onboard()
    await credit.hear(Invoice(UUID(customer["id"]), 5_000_001).issue())

    standing = await credit.get(f"/v1/customers/{customer['id']}/credit")

    assert standing["available"] == money("-0.01")
    assert "over_limit" in standing["reasons"]


async def test_a_limit_set_by_hand_holds_and_is_announced(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/credit"
    await credit.hear(Invoice(UUID(customer["id"]), 100).issue())

    answer = await credit.change("PUT", f"{path}-limit", 1, {"limit": money("800.00"), "reason": "Bank guarantee"})

    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    told = answer.json()
    assert (told["limit"], told["limit_source"], told["limit_reason"]) == (money("800.00"), "manual", "Bank guarantee")
    assert told["reasons"] == ["limit_set_by_hand"]
    assert await credit.get(path) == told
    _, changed = await limit_events(credit, customer["id"])
    assert (changed["previous_limit"], changed["source"]) == (money("50000.00"), "manual")
    assert changed["credit"]["available"] == money("799.00")
    assert changed["credit"]["version"] == 2


async def test_a_limit_goes_back_to_the_policy(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/credit-limit"
    await credit.change("PUT", path, 1, {"limit": money("800.00"), "reason": "Bank guarantee"})

    answer = await credit.change("DELETE", path, 2)

    assert (answer.json()["limit"], answer.json()["limit_source"]) == (money("50000.00"), "policy")
    assert [event["credit"]["version"] for event in await limit_events(credit, customer["id"])] == [1, 2, 3]


BAD_LIMITS: list[tuple[Any, str]] = [
    ({"limit": money("-0.01"), "reason": "x"}, "#/limit/amount"),
    ({"limit": money("1.00", "USD"), "reason": "x"}, "#/limit/currency"),
    ({"limit": money("1.00", "XXQ"), "reason": "x"}, "#/limit"),
    ({"limit": money("1.001"), "reason": "x"}, "#/limit"),
    ({"limit": money("1e3"), "reason": "x"}, "#/limit/amount"),
    ({"limit": 100, "reason": "x"}, "#/limit"),
    ({"limit": {"amount": 100, "currency": "EUR"}, "reason": "x"}, "#/limit/amount"),
    ({"limit": money("1.00")}, "#/reason"),
    ({"limit": money("1.00"), "reason": " "}, "#/reason"),
    ({"limit": money("1.00"), "reason": "x", "until": "2030-01-01"}, "#/until"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_LIMITS)
async def test_a_bad_limit_names_the_field_and_changes_nothing(credit: Credit, body: Any, pointer: str) -> None:
    customer = await credit.onboard()

    answer = await credit.change("PUT", f"/v1/customers/{customer['id']}/credit-limit", 1, body)

    assert list(names(answer)) == [pointer]
    assert len(await limit_events(credit, customer["id"])) == 1


async def test_a_limit_is_changed_only_from_the_version_that_was_seen(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/credit-limit"
    body = {"limit": money("1.00"), "reason": "x"}

    assert problem(await credit.change("PUT", path, None, body), 428) == "precondition-required"
    assert problem(await credit.change("PUT", path, 2, body), 412) == "stale-version"
    assert problem(await credit.change("DELETE", path, 2), 412) == "stale-version"
    unknown = f"/v1/customers/{uuid4()}/credit"
    assert problem(await credit.change("PUT", f"{unknown}-limit", 1, body), 404) == "customer-not-found"
    assert problem(await credit.http.get(unknown), 404) == "customer-not-found"


async def test_of_many_limits_set_from_one_version_one_wins(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/credit-limit"
    bodies = [{"limit": money(f"{n}.00"), "reason": "race"} for n in range(1, 9)]

    answers = await asyncio.gather(*(credit.change("PUT", path, 1, body) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert len(await limit_events(credit, customer["id"])) == 2


async def test_the_policy_that_comes_with_the_service_has_a_limit_for_the_usual_currencies(credit: Credit) -> None:
    answer = await credit.http.get("/v1/credit-policy")

    assert answer.headers["etag"] == '"1"'
    policy = answer.json()
    assert (policy["version"], policy["changed_at"], policy["changed_by"]) == (1, None, None)
    limits = {entry["limit"]["currency"]: entry["limit"]["amount"] for entry in policy["limits"]}
    assert len(limits) == len(policy["limits"]) == 30
    assert limits["EUR"] == "50000.00"
    assert {entry["segment"] for entry in policy["limits"]} == {None}


async def test_a_new_policy_moves_the_limits_that_hang_on_it_and_no_others(credit: Credit) -> None:
    plain, key, by_hand, dollars = [
        await credit.onboard(**about) for about in ({}, {"segment": "key"}, {"segment": "key"}, {"currency": "USD"})
    ]
    await credit.change(
        "PUT", f"/v1/customers/{by_hand['id']}/credit-limit", 1, {"limit": money("5.00"), "reason": "x"}
    )
    limits = [entry("50000.00"), entry("90000.00", segment="key"), entry("1.00", "USD")]

    answer = await credit.change("PUT", "/v1/credit-policy", 1, {"limits": limits})
    await credit.tick()

    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["changed_by"], answer.json()["limits"]) == (2, "anna", limits)
    standing = {c["id"]: await credit.get(f"/v1/customers/{c['id']}/credit") for c in (plain, key, by_hand, dollars)}
    assert [s["limit"] for s in standing.values()] == [
        money("50000.00"),
        money("90000.00"),
        money("5.00"),
        money("1.00", "USD"),
    ]
    assert [s["version"] for s in standing.values()] == [1, 2, 2, 2]
    assert [s["policy_version"] for s in standing.values()] == [2, 2, 1, 2]
    assert len(await limit_events(credit, plain["id"])) == 1, "a limit that stays is no event"
    assert [e["credit"]["limit"] for e in await limit_events(credit, key["id"])] == [
        money("50000.00"),
        money("90000.00"),
    ]


async def test_a_policy_reaches_a_book_of_any_size(credit: Credit) -> None:
    customers = [await credit.onboard() for _ in range(2 * POLICY_RUNS_MAX + 5)]

    await credit.change("PUT", "/v1/credit-policy", 1, {"limits": [entry("7.00")]})
    context = TickContext(credit.database, await credit.database.clock.business_now(credit.database.pool), None)
    calls = [await apply_policy(context, accounts_a_run=2) for _ in range(3)]

    assert calls == [True, True, False], "two calls share the work, the third finds none"
    rows = await credit.database.pool.fetch(
        "select limit_minor, policy_version, count(*) n from credit_account group by 1, 2"
    )
    assert [tuple(row) for row in rows] == [(700, 2, len(customers))]
    due = await credit.database.pool.fetchval(f"select {limits.POLICY_WORK_DUE}")
    assert due is None, "nothing is left to do"


async def test_the_same_policy_again_is_no_new_version(credit: Credit) -> None:
    policy = await credit.get("/v1/credit-policy")

    answer = await credit.change("PUT", "/v1/credit-policy", 1, {"limits": policy["limits"]})

    assert answer.json() == policy


async def test_who_is_onboarded_after_a_change_gets_the_new_policy(credit: Credit) -> None:
    await credit.change("PUT", "/v1/credit-policy", 1, {"limits": [entry("3.00", segment="new")]})

    customer = await credit.onboard(segment="new")
    stranger = await credit.onboard()

    assert (await credit.get(f"/v1/customers/{customer['id']}/credit"))["limit"] == money("3.00")
    standing = await credit.get(f"/v1/customers/{stranger['id']}/credit")
    assert (standing["limit"], standing["policy_version"]) == (money("0.00"), 2)
    assert standing["limit_reason"] == "The policy has no limit for EUR, so nothing may be owed in it."


BAD_POLICIES: list[tuple[Any, str]] = [
    ({"limits": []}, "#/limits"),
    ({}, "#/limits"),
    ({"limits": [entry("-1.00")]}, "#/limits/0/limit/amount"),
    ({"limits": [entry("1.00"), entry("1.00", segment="a"), entry("2.00")]}, "#/limits/2"),
    ({"limits": [entry("1.00", "ABC")]}, "#/limits/0/limit"),
    ({"limits": [entry("1.5", "JPY")]}, "#/limits/0/limit"),
    ({"limits": [entry("1.00", segment="")]}, "#/limits/0/segment"),
    ({"limits": [{"segment": "a"}]}, "#/limits/0/limit"),
    ({"limits": [entry("1.00")], "note": "x"}, "#/note"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_POLICIES)
async def test_a_bad_policy_names_the_entry_and_changes_nothing(credit: Credit, body: Any, pointer: str) -> None:
    answer = await credit.change("PUT", "/v1/credit-policy", 1, body)

    assert list(names(answer)) == [pointer]
    assert (await credit.get("/v1/credit-policy"))["version"] == 1


async def test_of_two_policies_made_from_one_version_one_wins(credit: Credit) -> None:
    bodies = [{"limits": [entry(f"{n}.00")]} for n in range(1, 6)]

    answers = await asyncio.gather(*(credit.change("PUT", "/v1/credit-policy", 1, body) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 4
    assert (await credit.get("/v1/credit-policy"))["version"] == 2
    problem(await credit.change("PUT", "/v1/credit-policy", None, bodies[0]), 428)


async def test_another_segment_brings_its_limit_with_it(credit: Credit) -> None:
    await credit.change("PUT", "/v1/credit-policy", 1, {"limits": [entry("10.00"), entry("90.00", segment="key")]})
    customer = await credit.onboard()

    await credit.change("PATCH", f"/v1/customers/{customer['id']}", 1, {"segment": "key"})

    standing = await credit.get(f"/v1/customers/{customer['id']}/credit")
    assert (standing["limit"], standing["version"]) == (money("90.00"), 2)
    _, changed = await limit_events(credit, customer["id"])
    assert (changed["previous_limit"], changed["source"]) == (money("10.00"), "policy")


async def test_another_currency_brings_its_limit_but_not_over_one_set_by_hand(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}"

    await credit.change("PATCH", path, 1, {"currency": "JPY"})
    standing = await credit.get(f"{path}/credit")
    assert standing["limit"] == money("8000000", "JPY")

    await credit.change("PUT", f"{path}/credit-limit", 2, {"limit": money("5", "JPY"), "reason": "x"})
    answer = await credit.change("PATCH", path, 2, {"currency": "USD", "name": "New"})
    assert problem(answer, 409) == "limit-set-by-hand"
    assert list(names(answer, 409)) == ["#/currency"]
    assert (await credit.get(path))["name"] == customer["name"], "nothing of the change is kept"


async def test_a_limit_set_by_hand_while_the_policy_is_applied_is_not_lost(credit: Credit) -> None:
    customers = [await credit.onboard() for _ in range(12)]
    await credit.change("PUT", "/v1/credit-policy", 1, {"limits": [entry("7.00")]})

    async def set_by_hand(customer: dict[str, Any]) -> int:
        path = f"/v1/customers/{customer['id']}/credit-limit"
        answer = await credit.change("PUT", path, 1, {"limit": money("5.00"), "reason": "x"})
        return answer.status_code

    *codes, _ = await asyncio.gather(*map(set_by_hand, customers), credit.tick())
    await credit.tick()

    for customer, code in zip(customers, codes, strict=True):
        standing = await credit.get(f"/v1/customers/{customer['id']}/credit")
        expected = ("5.00", "manual") if code == 200 else ("7.00", "policy")
        assert (standing["limit"]["amount"], standing["limit_source"]) == expected
        versions = [event["credit"]["version"] for event in await limit_events(credit, customer["id"])]
        assert versions == [1, 2]


async def test_reading_and_setting_limits_need_scopes_of_their_own(credit: Credit, token: Callable[..., str]) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/credit"
    reader = {"authorization": f"Bearer {token('credit:read')}", "if-match": '"1"'}
    clerk = {"authorization": f"Bearer {token('customers:read customers:write')}"}
    body = {"limit": money("1.00"), "reason": "x"}

    assert (await credit.http.get(path, headers=reader)).status_code == 200
    assert problem(await credit.http.get(path, headers=clerk), 403) == "forbidden"
    assert problem(await credit.http.put(f"{path}-limit", json=body, headers=reader), 403) == "forbidden"
    policy = {"limits": [entry("1.00")]}
    assert problem(await credit.http.put("/v1/credit-policy", json=policy, headers=reader), 403) == "forbidden"
