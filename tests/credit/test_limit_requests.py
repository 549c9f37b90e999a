"""Limits that others approve, what raises them for a while, groups, and other currencies by the day's rates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.credit.limits.rules import Addition
from services.credit.policy_rules.rules import PolicyRules
from shared.db import Database
from shared.money import Money
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem
from tests.credit.conftest import calling
from tests.credit.test_rates import send, xml


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


APPROVALS = [{"above": money("60000.00"), "approvers": 1}, {"above": money("100000.00"), "approvers": 2}]


@pytest.fixture
async def others(
    credit_database: Database, keys_folder: Path, token: Callable[..., str]
) -> AsyncIterator[tuple[Credit, Credit]]:
    async with (
        calling(credit_database, keys_folder, token("all", "berta")) as berta,
        calling(credit_database, keys_folder, token("all", "carl")) as carl,
    ):
        yield berta, carl


async def change_rules(credit: Credit, **rules: Any) -> None:
    policy = await credit.get("/v1/credit-policy")
    body = {"limits": policy["limits"], "rules": rules}
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text


async def ask(credit: Credit, customer_id: str, kind: str, amount: str, **more: Any) -> dict[str, Any]:
    body = {"kind": kind, "amount": money(amount), "reason": "Agreed", **more}
    answer = await credit.post(f"/v1/customers/{customer_id}/limit-requests", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def limit_of(credit: Credit, customer_id: str) -> str:
    return (await credit.get(f"/v1/customers/{customer_id}/credit"))["limit"]["amount"]


async def on(credit: Credit, day: date) -> None:
    await credit.database.pool.execute("update clock set now = $1", datetime(day.year, day.month, day.day, tzinfo=UTC))
    await credit.tick()


@pytest.mark.parametrize(
    ("limit", "approvers"),
    [("60000.00", 0), ("60000.01", 1), ("100000.00", 1), ("100000.01", 2)],
)
def test_who_has_to_approve_goes_by_the_amount(limit: str, approvers: int) -> None:
    rules = PolicyRules.model_validate({"approvals": APPROVALS})
    assert rules.approvers_for(Money.parse(limit, "EUR")) == approvers
    assert rules.approvers_for(Money.parse("0.01", "USD")) == 2, "no currency is a way around"


async def test_a_large_limit_takes_two_others_and_never_who_asks(credit: Credit, others: tuple[Credit, Credit]) -> None:
    berta, carl = others
    await change_rules(credit, approvals=APPROVALS)
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/credit-limit"
    alone = await credit.change("PUT", path, 1, {"limit": money("200000.00"), "reason": "x"})
    assert problem(alone, 409) == "approval-needed"

    request = await ask(credit, customer["id"], "limit", "200000.00")
    assert (request["status"], request["approvers_needed"]) == ("waiting", 2)
    approve = f"/v1/limit-requests/{request['id']}/approvals"
    assert problem(await credit.post(approve, None), 409) == "approval-refused"
    assert (await berta.post(approve, None)).json()["status"] == "waiting"
    assert problem(await berta.post(approve, None), 409) == "approval-refused"
    assert await limit_of(credit, customer["id"]) == "50000.00"

    assert (await carl.post(approve, None)).json()["status"] == "approved"

    standing = await credit.get(f"/v1/customers/{customer['id']}/credit")
    assert (standing["limit"], standing["limit_source"]) == (money("200000.00"), "manual")
    assert standing["limit_reason"] == "Agreed (asked for by anna, approved by berta, approved by carl)"
    assert problem(await carl.post(approve, None), 409) == "limit-request-closed"
    small = await credit.change("PUT", path, 2, {"limit": money("60000.00"), "reason": "x"})
    assert small.status_code == 200


async def test_the_database_itself_keeps_who_asks_from_approving(credit: Credit) -> None:
    await change_rules(credit, approvals=APPROVALS)
    customer = await credit.onboard()
    request = await ask(credit, customer["id"], "limit", "70000.00")
    with pytest.raises(Exception, match="limit_request_never_approved_by_the_requester"):
        await credit.database.pool.execute(
            "update limit_request set approvals = $2 where id = $1", UUID(request["id"]), [{"by": "anna", "at": "x"}]
        )


async def test_a_request_is_refused_by_others_and_withdrawn_by_who_asked(
    credit: Credit, others: tuple[Credit, Credit]
) -> None:
    await change_rules(credit, approvals=APPROVALS)
    customer = await credit.onboard()
    for caller, status in ((others[0], "refused"), (credit, "withdrawn")):
        request = await ask(credit, customer["id"], "limit", "70000.00")
        waiting = await credit.get("/v1/limit-requests")
        assert [one["id"] for one in waiting["items"]] == [request["id"]]
        closed = await caller.post(f"/v1/limit-requests/{request['id']}/refusal", {"reason": "No"})
        assert closed.json()["status"] == status
    assert await limit_of(credit, customer["id"]) == "50000.00"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "limit", "amount": money("-1.00")}, "#/amount/amount"),
    ({"kind": "limit", "amount": money("1.00", "XXQ")}, "#/amount"),
    ({"kind": "limit", "amount": money("1.00", "USD")}, "#/amount/currency"),
    ({"kind": "temporary", "amount": money("1.00")}, "#/until"),
    ({"kind": "temporary", "amount": money("1.00"), "until": "2000-01-01"}, "#/until"),
    ({"kind": "temporary", "amount": money("0.00"), "until": "2099-01-01"}, "#/amount/amount"),
    ({"kind": "seasonal", "amount": money("1.00")}, "#/season"),
    ({"kind": "seasonal", "amount": money("1.00"), "season": ["02-29", "03-01"]}, "#/season"),
    ({"kind": "seasonal", "amount": money("1.00"), "season": ["13-01", "03-01"]}, "#/season"),
    ({"kind": "guarantee", "amount": money("1.00")}, "#/evidence"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD)
async def test_a_bad_request_names_the_field(credit: Credit, change: dict[str, Any], pointer: str) -> None:
    customer = await credit.onboard()
    answer = await credit.post(f"/v1/customers/{customer['id']}/limit-requests", {"reason": "x", **change})
    assert list(names(answer)) == [pointer]


async def test_a_temporary_raise_counts_from_its_first_to_its_last_day(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await ask(credit, customer["id"], "temporary", "10000.00", **{"from": "2012-02-01", "until": "2012-02-10"})

    seen = {}
    for day in (date(2012, 1, 31), date(2012, 2, 1), date(2012, 2, 10), date(2012, 2, 11)):
        due = await credit.database.pool.fetchval("select min(changes_on) from credit_account")
        await on(credit, day)
        seen[day.isoformat()] = (await limit_of(credit, customer["id"]), due and due.isoformat())

    assert seen == {
        "2012-01-31": ("50000.00", "2012-02-01"),
        "2012-02-01": ("60000.00", "2012-02-01"),
        "2012-02-10": ("60000.00", "2012-02-11"),
        "2012-02-11": ("50000.00", "2012-02-11"),
    }
    limits = [
        e["data"]["credit"] for e in await credit.published(customer["id"]) if e["type"] == "credit.limit_changed"
    ]
    assert [(one["version"], one["limit"]["amount"]) for one in limits] == [
        (1, "50000.00"),
        (2, "60000.00"),
        (3, "50000.00"),
    ]


async def test_a_decision_does_not_wait_for_the_tick_when_a_raise_ends(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await ask(credit, customer["id"], "temporary", "10000.00", until="2012-01-03")
    assert (await credit.decide(customer["id"], "60000.00"))["outcome"] == "approved"

    await credit.database.pool.execute("update clock set now = '2012-01-04 00:00Z'")

    assert (await credit.decide(customer["id"], "60000.00"))["outcome"] == "declined"


@pytest.mark.parametrize(
    ("day", "counts"),
    [(date(2012, 11, 14), False), (date(2012, 11, 15), True), (date(2013, 1, 15), True), (date(2013, 1, 16), False)],
)
def test_a_season_may_go_over_the_turn_of_the_year(day: date, counts: bool) -> None:
    ten = Money(1000, "EUR")
    season = Addition(uuid4(), "seasonal", ten, ten, date(2012, 1, 1), season=("11-15", "01-15"))
    assert season.counts_on(day) is counts
    assert season.changes_after(date(2012, 3, 1)) == date(2012, 11, 15)
    assert season.changes_after(date(2012, 11, 15)) == date(2013, 1, 16)


async def test_security_counts_by_the_share_of_the_policy_and_can_be_ended(credit: Credit) -> None:
    await change_rules(credit, counted={"guarantee": 100, "deposit": 100, "insurance": 90})
    customer = await credit.onboard()
    await ask(credit, customer["id"], "insurance", "10000.00", evidence="Policy 4711")
    guarantee = await ask(credit, customer["id"], "guarantee", "5000.00", evidence="Bond 12")
    assert await limit_of(credit, customer["id"]) == "64000.00"

    path = f"/v1/customers/{customer['id']}/limit-additions/{guarantee['id']}/end"
    assert (await credit.post(path, {"reason": "Returned"})).status_code == 200

    assert await limit_of(credit, customer["id"]) == "59000.00"
    assert problem(await credit.post(path, {"reason": "Returned"}), 404) == "addition-not-found"


async def test_a_limit_set_until_a_day_gives_way_to_the_policy(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/credit-limit"
    body = {"limit": money("70000.00"), "reason": "x", "valid_until": "2012-01-04"}
    assert (await credit.change("PUT", path, 1, body)).status_code == 200

    await on(credit, date(2012, 1, 4))
    assert await limit_of(credit, customer["id"]) == "70000.00"
    await on(credit, date(2012, 1, 5))

    standing = await credit.get(f"/v1/customers/{customer['id']}/credit")
    assert (standing["limit"], standing["limit_source"], standing["valid_until"]) == (money("50000.00"), "policy", None)
    past = {**body, "valid_until": "2012-01-04"}
    assert list(names(await credit.change("PUT", path, 3, past))) == ["#/valid_until"]


BAD_RULES: list[tuple[dict[str, Any], str]] = [
    ({"approvals": [*APPROVALS, {"above": money("200000.00"), "approvers": 1}]}, "#/rules/approvals/2"),
    ({"approvals": [APPROVALS[0], APPROVALS[0]]}, "#/rules/approvals/1"),
    ({"approvals": [{"above": money("-1.00"), "approvers": 1}]}, "#/rules/approvals/0/above"),
    ({"approvals": [{"above": money("1.00"), "approvers": 3}]}, "#/rules/approvals/0/approvers"),
    ({"holds": {"held": [], "over_limit": True}}, "#/rules/holds/held"),
    ({"holds": {"overdue_amounts_above": 2 * [money("1.00")]}}, "#/rules/holds/overdue_amounts_above/1"),
    ({"classes": {"A": {"limit_percent": 1, "net_days_max": 1}}}, "#/rules/classes"),
    ({"surprise": True}, "#/rules/surprise"),
]


@pytest.mark.parametrize(("rules", "pointer"), BAD_RULES)
async def test_a_policy_that_contradicts_itself_is_refused_with_the_place(
    credit: Credit, rules: dict[str, Any], pointer: str
) -> None:
    policy = await credit.get("/v1/credit-policy")
    answer = await credit.change("PUT", "/v1/credit-policy", 1, {"limits": policy["limits"], "rules": rules})
    assert list(names(answer)) == [pointer]
    assert (await credit.get("/v1/credit-policy"))["version"] == 1


async def test_a_policy_sent_without_rules_keeps_those_it_has(credit: Credit) -> None:
    await change_rules(credit, approvals=APPROVALS)
    policy = await credit.get("/v1/credit-policy")
    body = {"limits": [{"segment": None, "limit": money("1.00")}]}
    changed = (await credit.change("PUT", "/v1/credit-policy", 2, body)).json()
    assert (changed["version"], changed["rules"]) == (3, policy["rules"])


async def test_other_currencies_count_by_the_rates_of_the_day(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await credit.hear(Invoice(UUID(customer["id"]), 1_250_000, "USD").issue())
    assert (await credit.decide(customer["id"], "50000.00"))["reasons"] == [
        "within_limit",
        "other_currencies_not_counted",
    ]
    await send(credit, xml(_2012_01_02={"USD": "1.25", "JPY": "100"}))

    standing = await credit.get(f"/v1/customers/{customer['id']}/credit")
    assert (standing["available"], standing["rates_on"]) == (money("40000.00"), "2012-01-02")
    yen = [(await credit.decide(customer["id"], amount, "JPY")) for amount in ("4000000", "4000001")]
    assert [one["outcome"] for one in yen] == ["approved", "declined"]
    assert (await credit.decide(customer["id"], "1.00", "GBP"))["reasons"] == ["no_rate_for_requested_currency"]

    for day, reasons in ((9, ["over_limit"]), (10, ["within_limit", "other_currencies_not_counted"])):
        await credit.database.pool.execute("update clock set now = $1", datetime(2012, 1, day, tzinfo=UTC))
        assert (await credit.decide(customer["id"], "50000.00"))["reasons"] == reasons, "rates are used for a week"
    replayed = await credit.http.post(f"/v1/credit-decisions/{yen[1]['id']}/replay")
    assert replayed.json()["same"] is True


async def test_a_group_owes_together_and_its_limit_may_be_in_another_currency(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    top = await credit.onboard()
    child = await credit.onboard(parent_id=top["id"])
    grandchild = await credit.onboard(parent_id=child["id"])
    await send(credit, xml(_2012_01_02={"USD": "1.25"}))
    path = f"/v1/customers/{top['id']}/group-limit"
    body = {"limit": money("50000.00", "USD"), "reason": "Together"}
    assert (await credit.change("PUT", path, 0, body)).status_code == 200
    assert problem(await credit.change("PUT", path, 0, body), 412) == "stale-version"
    assert list(names(await credit.change("PUT", path, 1, {**body, "limit": money("-1.00")}))) == ["#/limit/amount"]
    await credit.hear(Invoice(UUID(child["id"]), 3_000_000).issue(), Invoice(UUID(top["id"]), 500_000).issue())

    told = [await credit.decide(grandchild["id"], amount) for amount in ("5000.00", "5000.01")]

    assert [one["reasons"] for one in told] == [["within_limit"], ["over_group_limit"]]
    assert (await credit.change("DELETE", path, 1)).status_code == 204
    assert (await credit.decide(grandchild["id"], "50000.00"))["outcome"] == "approved"


async def test_exposure_shows_what_is_on_plan(credit: Credit) -> None:
    customer = await credit.onboard()
    issued = Invoice(UUID(customer["id"]), 1_000).issue()
    await credit.hear(
        issued.model_copy(update={"invoice": issued.invoice.model_copy(update={"on_plan": Money(600, "EUR")})})
    )
    [part] = (await credit.get(f"/v1/customers/{customer['id']}/credit"))["exposure"]["components"]
    assert (part["open"], part["on_plan"]) == (money("10.00"), money("6.00"))


async def test_a_groups_limit_is_told_when_it_is_set_changed_and_taken_away(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    top = await credit.onboard()
    member = await credit.onboard(parent_id=top["id"])
    await credit.hear(Invoice(UUID(member["id"]), 70_000).issue())
    path = f"/v1/customers/{top['id']}/group-limit"

    await credit.change("PUT", path, 0, {"limit": money("1000.00"), "reason": "Together"})
    await credit.change("PUT", path, 1, {"limit": money("2000.00"), "reason": "More"})
    await credit.change("PUT", path, 2, {"limit": money("2000.00"), "reason": "More"})
    await credit.change("DELETE", path, 2)
    await credit.change("PUT", path, 0, {"limit": money("500.00"), "reason": "Again"})

    told = [each for each in await credit.published(top["id"]) if each["type"] == "credit.group_limit_changed"]
    assert [each["version"] for each in told] == [1, 2, 3, 4]
    limits = [(each["data"]["group"]["limit"] or {}).get("amount") for each in told]
    assert limits == ["1000.00", "2000.00", None, "500.00"]
    assert {tuple(owed["amount"] for owed in each["data"]["group"]["exposure"]) for each in told} == {("700.00",)}
    assert len({each["subject"] for each in told} | {top["id"]}) == 2
