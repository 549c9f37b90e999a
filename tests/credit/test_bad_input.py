"""What cannot be is refused by each door with a problem that says what is wrong and, where a field is to blame, names
it. The rules themselves are tested with their features."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

from tests.credit.applications import NORDWIND, money
from tests.credit.client import ACME, Credit, names, problem
from tests.credit.test_scorecards import DOCUMENT

TOP, LOW = str(uuid4()), str(uuid4())
"""A customer and one that belongs to it, in the place of their ids."""
NO_SUCH_NUMBER = "DE136695977"
REPORT = {"source": "Bureau Ltd", "particulars": {"kind": "credit_report", "score": 50}, "dated_on": "2011-01-01"}
NEGATIVE, UNKNOWN = money("-0.01"), money("1.00", "XXQ")
LIMIT = {"limit": money("1.00")}
WANTED = {"kind": "limit", "reason": "x"}
HELD = {"holds": {"held": [], "over_limit": True}}
HOME = f"/v1/customers/{TOP}"

BAD: list[tuple[str, str, str, str, Any]] = [
    ("invalid-request", "#/vat_id", "POST", "/v1/customers", {**ACME, "external_id": "X", "vat_id": NO_SUCH_NUMBER}),
    (
        "invalid-request",
        "#/identifiers/0/value",
        "POST",
        "/v1/applications",
        {**NORDWIND, "identifiers": [{"kind": "vat", "value": NO_SUCH_NUMBER}]},
    ),
    ("input-expired", "#/expires_on", "POST", f"{HOME}/vetting-inputs", {**REPORT, "expires_on": "2011-12-31"}),
    ("parent-refused", "#/parent_id", "PATCH", HOME, {"parent_id": LOW}),
    ("parent-refused", "#/parent_id", "PATCH", HOME, {"parent_id": TOP}),
    ("refused", "#/limit/amount", "PUT", f"{HOME}/credit-limit", {"limit": NEGATIVE, "reason": "x"}),
    ("invalid-request", "#/limit", "PUT", f"{HOME}/credit-limit", {"limit": UNKNOWN, "reason": "x"}),
    ("refused", "#/limit/amount", "PUT", f"{HOME}/group-limit", {"limit": NEGATIVE, "reason": "x"}),
    ("invalid-request", "#/limit", "PUT", f"{HOME}/group-limit", {"limit": UNKNOWN, "reason": "x"}),
    ("refused", "#/amount/amount", "POST", f"{HOME}/limit-requests", {**WANTED, "amount": NEGATIVE}),
    ("invalid-request", "#/amount", "POST", f"{HOME}/limit-requests", {**WANTED, "amount": UNKNOWN}),
    ("refused", "#/limits/0/limit/amount", "PUT", "/v1/credit-policy", {"limits": [{"limit": NEGATIVE}]}),
    ("invalid-request", "#/limits/0/limit", "PUT", "/v1/credit-policy", {"limits": [{"limit": UNKNOWN}]}),
    ("contradictory-policy", "#/limits/1", "PUT", "/v1/credit-policy", {"limits": [LIMIT, LIMIT]}),
    ("contradictory-policy", "#/rules/holds/held", "PUT", "/v1/credit-policy", {"limits": [LIMIT], "rules": HELD}),
    (
        "invalid-scorecard",
        "#/characteristics/0/bins/2",
        "PUT",
        "/v1/scorecards/small",
        DOCUMENT.replace("below: 10", "below: 11"),
    ),
]


async def test_each_kind_of_bad_input_is_refused_and_its_field_named(credit: Credit) -> None:
    top = await credit.onboard()
    low = await credit.onboard(parent_id=top["id"])
    for slug, pointer, method, path, body in BAD:
        text = body if isinstance(body, str) else json.dumps(body)
        is_new = path.endswith(("group-limit", "scorecards/small"))
        answer = await credit.http.request(
            method,
            path.replace(TOP, top["id"]),
            content=text.replace(TOP, top["id"]).replace(LOW, low["id"]),
            headers={
                "content-type": "application/json",
                "idempotency-key": str(uuid4()),
                **({"if-none-match": "*"} if is_new else {"if-match": '"1"'}),
            },
        )
        assert problem(answer, 422) == slug, (method, path)
        assert list(names(answer)) == [pointer], (method, path)


async def test_who_asks_does_not_approve_and_a_reservation_is_used_once(credit: Credit) -> None:
    customer = (await credit.onboard())["id"]
    order = {"customer_id": customer, "amount": money("1.00"), "reference": "PO 1", "reserve": True}
    assert (await credit.post("/v1/credit-decisions", order)).status_code == 201
    again = await credit.post("/v1/credit-decisions", order)
    assert (problem(again, 409), list(names(again, 409))) == ("order-reserved", ["#/reference"])
    [reservation] = (await credit.get("/v1/reservations", customer_id=customer))["items"]
    use = f"/v1/reservations/{reservation['id']}/use"
    assert (await credit.post(use, {"invoice_id": str(uuid4())})).status_code == 200
    assert problem(await credit.post(use, {"invoice_id": str(uuid4())}), 409) == "reservation-ended"

    rules = {"approvals": [{"above": money("0.00"), "approvers": 1}], "terms": {"then": "ask"}}
    limits = [{"limit": money("1.00")}]
    assert (await credit.change("PUT", "/v1/credit-policy", 1, {"limits": limits, "rules": rules})).status_code == 200
    for kind, wanted in (("limit", {"kind": "limit", "amount": money("5.00")}), ("term", {"net_days": 60})):
        asked = await credit.post(f"/v1/customers/{customer}/{kind}-requests", {**wanted, "reason": "x"})
        own = await credit.post(f"/v1/{kind}-requests/{asked.json()['id']}/approvals", None)
        assert problem(own, 409) == "approval-refused", kind


def below(credit: Credit, child: Any, parent: Any) -> Any:
    return credit.change("PATCH", f"/v1/customers/{child['id']}", 1, {"parent_id": parent["id"]})


async def test_two_that_become_each_others_parent_at_once_make_no_circle(credit: Credit) -> None:
    for _ in range(4):
        one, other = await credit.onboard(), await credit.onboard()
        answers = await asyncio.gather(below(credit, one, other), below(credit, other, one))
        assert sorted(each.status_code for each in answers) == [200, 422]


async def test_a_merger_and_changes_of_parents_at_the_same_moment_wait_for_each_other(credit: Credit) -> None:
    for _ in range(4):
        one, other, third = [await credit.onboard() for _ in range(3)]
        answers = await asyncio.gather(
            credit.post(f"/v1/customers/{one['id']}/merger", {"into_id": other["id"], "reason": "x"}),
            below(credit, one, third),
            below(credit, other, third),
        )
        assert {each.status_code for each in answers} <= {200, 201, 409, 412}
