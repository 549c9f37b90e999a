"""The credit policy's versions: who changed what and when, said in words; and what contradicts itself, by name."""

from __future__ import annotations

from typing import Any

import pytest

from services.credit.policies import rules
from services.credit.policy_rules.rules import Policy, PolicyLimit, PolicyRules
from shared.money import Money
from tests.credit.client import Credit, names, problem

E = {"limit_percent": 0, "net_worth_percent": 0, "net_days_max": 0, "prepaid_percent": 100}
OWES = {"limit_percent": 50, "net_days_max": 14, "deposit_percent": 20}
APPLIES = {"then": "apply", "longer_days_max": 10, "shorter_days_max": 5, "points_max": 5}


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def policy(amount: str = "50000.00", **more: Any) -> dict[str, Any]:
    return {"limits": [{"segment": None, "limit": money(amount)}], **more}


def above(amount: str, approvers: int) -> dict[str, Any]:
    return {"above": money(amount), "approvers": approvers}


async def publish(credit: Credit, version: int, body: dict[str, Any]) -> dict[str, Any]:
    answer = await credit.change("PUT", "/v1/credit-policy", version, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_each_version_says_who_made_it_when_why_and_what_it_changed(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await publish(credit, 1, policy("50000.00", owner="Ada", review_on="2012-02-01", reason="One limit for all"))
    await credit.database.pool.execute("update clock set now = '2012-02-01 08:00Z'")
    changed = policy("40000.00", rules={"approvals": [above("90000.00", 2)], "refer_over_percent": 5})
    changed["limits"].append({"segment": "key", "limit": money("90000.00")})
    await publish(credit, 2, changed)

    newest, second, shipped = (await credit.get("/v1/credit-policy/versions"))["items"]

    about = newest["policy"]
    assert (about["version"], about["changed_by"], about["changed_at"]) == (3, "anna", "2012-02-01T08:00:00Z")
    assert [change["says"] for change in newest["changes"]] == [
        "The limit in EUR for every other segment: 40000.00 EUR instead of 50000.00 EUR.",
        "New: the limit in EUR for segment key, 90000.00 EUR.",
        "New: how many others approve a limit above 90000.00 EUR, 2.",
        "What may exceed the limit and still go to a person: 5 % instead of 0 %.",
    ]
    assert [about[part] for part in ("owner", "review_on", "reason")] == ["Ada", "2012-02-01", None]
    assert second["policy"]["reason"] == "One limit for all"
    assert "No longer there: the limit in USD for every other segment, 50000.00 USD before." in [
        change["says"] for change in second["changes"]
    ]
    assert (shipped["policy"]["version"], shipped["policy"]["changed_by"], shipped["changes"]) == (1, None, [])
    page = await credit.get("/v1/credit-policy/versions", limit=1)
    following = await credit.get("/v1/credit-policy/versions", limit=2, cursor=page["next_cursor"])
    assert following["items"] == [second, shipped]


async def test_two_versions_that_are_not_neighbours_are_compared(credit: Credit) -> None:
    for version, amount in enumerate(("1.00", "2.00", "3.00"), start=1):
        await publish(credit, version, policy(amount))

    since = await credit.get("/v1/credit-policy/versions/4", since=2)
    backwards = await credit.get("/v1/credit-policy/versions/2", since=4)

    assert [(each["before"], each["after"]) for each in since["changes"]] == [("1.00 EUR", "3.00 EUR")]
    assert [(each["before"], each["after"]) for each in backwards["changes"]] == [("3.00 EUR", "1.00 EUR")]
    assert problem(await credit.http.get("/v1/credit-policy/versions/5"), 404) == "policy-version-not-found"


@pytest.mark.parametrize(("day", "overdue"), [("2012-01-31", False), ("2012-02-01", False), ("2012-02-02", True)])
async def test_a_review_is_overdue_the_day_after_its_date(credit_in_2012: Credit, day: str, overdue: bool) -> None:
    await publish(credit_in_2012, 1, policy(owner="Ada", review_on="2012-02-01"))
    await credit_in_2012.database.pool.execute("update clock set now = $1::text::timestamptz", f"{day} 23:59Z")
    assert (await credit_in_2012.get("/v1/credit-policy"))["review_overdue"] is overdue


def every_rule(n: int) -> Policy:
    """A policy of which no value is that of another `n`."""
    terms = {"limit_percent": 50 + n, "net_worth_percent": n, "net_days_max": 10 + n}
    terms |= {"prepaid_percent": n, "deposit_percent": n}
    told = PolicyRules.model_validate(
        {
            "approvals": [{"above": Money(n * 100, "EUR"), "approvers": 1}],
            "counted": {"guarantee": n, "deposit": n, "insurance": n},
            "classes": dict.fromkeys("ABCDE", terms),
            "holds": {
                "held": ("orders",) if n == 1 else ("invoices",),
                "overdue_days_above": n,
                "overdue_amounts_above": [Money(n, "EUR")],
                "promise_broken": n == 1,
                "over_limit": n == 1,
                "insolvency": n == 1,
                "court_flags_from": n,
            },
            "reviews": {
                "months": dict.fromkeys("ABCDE", n),
                "after": ("drift",) if n == 1 else ("disputed",),
                "days": n,
            },
            "recommended": {
                "then": "ask" if n == 1 else "apply",
                "up_percent_max": n,
                "down_percent_max": n,
                "least_percent": n,
                "approvers": n,
            },
            "terms": {
                "then": "ask" if n == 1 else "apply",
                "longer_days_max": n,
                "shorter_days_max": n,
                "points_max": n,
                "least_days": n,
                "least_points": n,
                "approvers": n,
            },
            "refer_over_percent": n,
            "rate_days_max": n,
            "reservation_days": n,
            "limit_letters": n == 1,
            "term_letters": n == 1,
        }
    )
    return Policy(n, (PolicyLimit(None, Money(n, "EUR")),), told, owner=f"Owner {n}")


def test_every_rule_that_a_policy_has_is_told_of_when_it_changes() -> None:
    places = {change.place for change in rules.changes(every_rule(1), every_rule(2))}
    for name in PolicyRules.model_fields:
        assert any(place.startswith(f"/rules/{name}") for place in places), name
    for part in ("counted", "holds", "reviews", "recommended", "terms"):
        for name in type(getattr(every_rule(1).rules, part)).model_fields:
            assert any(place.startswith(f"/rules/{part}/{name}") for place in places), (part, name)
    assert {"/limits/*/EUR", "/owner", "/rules/classes/D/deposit_percent"} < places
    assert rules.changes(every_rule(1), every_rule(1)) == ()


CONTRADICTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"rules": {"approvals": [above("49999.99", 2)]}}, "#/limits/0", "given-above-two-persons"),
    ({"limits": 2 * policy()["limits"]}, "#/limits/1", "limit-named-twice"),
    ({"rules": {"approvals": 2 * [above("9.00", 1)]}}, "#/rules/approvals/1", "threshold-named-twice"),
    ({"rules": {"approvals": [above("9.00", 1), above("10.00", 1)]}}, "#/rules/approvals/1", "more-takes-no-more"),
    ({"rules": {"holds": {"held": [], "over_limit": True}}}, "#/rules/holds/held", "holds-nothing"),
    ({"rules": {"holds": {"held": ["orders", "orders"]}}}, "#/rules/holds/held", "held-twice"),
    (
        {"rules": {"holds": {"overdue_amounts_above": 2 * [money("1.00")]}}},
        "#/rules/holds/overdue_amounts_above/1",
        "amount-named-twice",
    ),
    ({"rules": {"classes": {"A": E}}}, "#/rules/classes", "class-left-out"),
    (
        {"rules": {"classes": {**dict.fromkeys("ABCD", E), "E": {**E, "prepaid_percent": 99}}}},
        "#/rules/classes/E/prepaid_percent",
        "worse-class-gets-more",
    ),
    (
        {"rules": {"classes": {name: {**E, "net_days_max": 1} for name in "ABCDE"}}},
        "#/rules/classes/A/net_days_max",
        "prepaid-and-owed",
    ),
    (
        {"rules": {"classes": {**dict.fromkeys("ABCD", E), "E": {**E, "deposit_percent": 1}}}},
        "#/rules/classes/E/deposit_percent",
        "deposit-of-nothing",
    ),
    (
        {"rules": {"classes": {**dict.fromkeys("ABC", OWES), "D": {**OWES, "deposit_percent": 19}, "E": E}}},
        "#/rules/classes/D/deposit_percent",
        "worse-class-gets-more",
    ),
    (
        {"rules": {"terms": {**APPLIES, "least_days": 11, "least_points": 6}}},
        "#/rules/terms/then",
        "applies-nothing",
    ),
]


@pytest.mark.parametrize(
    "rules",
    [
        {"classes": {**dict.fromkeys("ABC", OWES), "D": {**OWES, "deposit_percent": 20}, "E": E}},
        {"terms": {**APPLIES, "least_days": 10, "least_points": 6}},
        {"terms": {**APPLIES, "least_days": 11, "least_points": 5}},
        {"terms": {**APPLIES, "then": "ask", "least_days": 11, "least_points": 6}},
    ],
)
async def test_deposits_as_high_and_changes_as_small_as_may_be_are_taken(credit: Credit, rules: dict[str, Any]) -> None:
    check = (await credit.http.post("/v1/credit-policy/checks", json=policy(rules=rules))).json()
    assert (check["publishable"], check["faults"]) == (True, [])


@pytest.mark.parametrize(("change", "pointer", "contradiction"), CONTRADICTIONS)
async def test_what_contradicts_itself_is_refused_by_name(
    credit: Credit, change: dict[str, Any], pointer: str, contradiction: str
) -> None:
    answer = await credit.change("PUT", "/v1/credit-policy", 1, policy() | change)

    assert (list(names(answer)), answer.json()["contradiction"]) == ([pointer], contradiction)
    assert (await credit.get("/v1/credit-policy"))["version"] == 1
    check = (await credit.http.post("/v1/credit-policy/checks", json=policy() | change)).json()
    assert check["publishable"] is False
    assert (check["faults"][0]["pointer"], check["faults"][0]["contradiction"]) == (pointer, contradiction)


@pytest.mark.parametrize(
    ("amount", "refused"),
    [("50000.01", False), ("50000.00", False), ("49999.99", True)],
)
async def test_what_everybody_gets_may_reach_what_takes_two_and_not_exceed_it(
    credit: Credit, amount: str, refused: bool
) -> None:
    body = policy("50000.00", rules={"approvals": [above(amount, 2)]})
    check = (await credit.http.post("/v1/credit-policy/checks", json=body)).json()
    assert check["publishable"] is not refused


BAD: list[tuple[dict[str, Any], str]] = [
    (policy("-0.01"), "#/limits/0/limit/amount"),
    ({"limits": [{"segment": None, "limit": money("1.00", "QQQ")}]}, "#/limits/0/limit"),
    (policy(rules={"holds": {"overdue_amounts_above": [money("-1.00")]}}), "#/rules/holds/overdue_amounts_above/0"),
    (
        policy(rules={"holds": {"overdue_amounts_above": [money("1.00", "QQQ")]}}),
        "#/rules/holds/overdue_amounts_above/0",
    ),
    (policy(rules={"approvals": [{"above": money("1.00", "QQQ"), "approvers": 1}]}), "#/rules/approvals/0/above"),
    (policy(rules={"reservation_days": 0}), "#/rules/reservation_days"),
    (policy(review_on="2027-02-30"), "#/review_on"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD)
async def test_a_value_that_cannot_be_is_refused_with_its_place(
    credit: Credit, body: dict[str, Any], pointer: str
) -> None:
    assert list(names(await credit.change("PUT", "/v1/credit-policy", 1, body))) == [pointer]


async def test_a_draft_is_checked_in_all_its_parts_and_changes_nothing(credit: Credit) -> None:
    draft = policy("-1.00", rules={"approvals": 2 * [above("9.00", 1)], "holds": {"held": ["orders", "orders"]}})
    check = (await credit.http.post("/v1/credit-policy/checks", json=draft)).json()
    assert [fault["pointer"] for fault in check["faults"]] == [
        "#/limits/0/limit/amount",
        "#/rules/approvals/1",
        "#/rules/holds/held",
    ]
    fine = (await credit.http.post("/v1/credit-policy/checks", json=policy(owner="Ada"))).json()
    assert (fine["publishable"], fine["faults"], fine["changes"][-1]["says"]) == (
        True,
        [],
        "New: who answers for the policy, Ada.",
    )
    assert (await credit.get("/v1/credit-policy"))["version"] == 1
