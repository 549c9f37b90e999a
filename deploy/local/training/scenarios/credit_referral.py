"""An order goes beyond a good customer's limit: raise it, or say no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from deploy.local.training.sample import FIRST_LIMIT, THISTLE
from deploy.local.training.scenario import Finding, Page, Scenario, account_pages, gbp, money
from deploy.local.training.world import ONE_DAY, Facts, World

ORDER = "PO-7731"
ORDERED = "9000.00"
OPEN = "7500.00"
LIMIT_MAX = "20000.00"
"""As far as a credit controller may go alone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The credit account, the answers given for the order since, and what sales was asked to read."""

    credit: dict[str, Any]
    decisions: list[dict[str, Any]]
    told_sales: bool


def begin(world: World) -> Facts:
    customer = world.state.customers[THISTLE]
    invoice = {
        "customer_id": customer,
        "due_date": (world.today + timedelta(days=30)).isoformat(),
        "lines": [{"description": "Packed herbs, June", "unit_price": gbp(OPEN)}],
    }
    world.post("invoice", "/v1/invoices", invoice, "thistle-owes")
    world.settle()
    asked = world.post("credit", "/v1/credit-decisions", _question(customer), "thistle-orders")
    return {
        "customer_id": customer,
        "asked_id": asked["id"],
        "outcome": asked["outcome"],
        "available": money(asked["available"]),
        "began_at": world.state.now,
    }


def _question(customer: str) -> dict[str, Any]:
    return {"customer_id": customer, "amount": gbp(ORDERED), "reference": ORDER}


def story(facts: Facts) -> list[str]:
    return [
        f"Thistle Foods Ltd orders for {ORDERED} GBP ({ORDER}). Its limit is {FIRST_LIMIT} GBP, {OPEN} GBP are open,"
        f" {facts['available']} are left: the credit service says “{facts['outcome']}”, and the order is on your desk.",
        "Sam of sales wants an answer today. Look at how Thistle Foods pays before you give one: its timeline has"
        " every invoice and every payment of this year.",
        f"You may set limits up to {LIMIT_MAX} GBP by hand, with a reason; beyond that the CFO decides. Or you decline:"
        " then the limit stays, and Sam is told why, with a note on the account that mentions him (@sam).",
    ]


def pages(facts: Facts) -> list[Page]:
    return account_pages(facts)


def meanwhile(world: World, facts: Facts) -> None:
    """The day after the order was approved it is delivered and invoiced."""
    seen = look(world, facts)
    approved = _approved(seen)
    if approved and approved["decided_at"][:10] < world.today.isoformat():
        invoice = {
            "customer_id": facts["customer_id"],
            "reference": ORDER,
            "due_date": (world.today + 30 * ONE_DAY).isoformat(),
            "issue_date": world.today.isoformat(),
            "lines": [{"description": f"Order {ORDER}", "unit_price": gbp(ORDERED)}],
        }
        if not any(each["reference"] == ORDER for each in _invoices(world, facts)):
            world.post("invoice", "/v1/invoices", invoice, "thistle-delivered")


def _invoices(world: World, facts: Facts) -> list[dict[str, Any]]:
    return list(world.items("invoice", "/v1/invoices", customer_id=facts["customer_id"]))


def look(world: World, facts: Facts) -> Seen:
    customer = facts["customer_id"]
    decisions = world.items("credit", "/v1/credit-decisions", customer_id=customer)
    tasks = world.items("reminder", "/v1/tasks", customer_id=customer, assignee="sam")
    return Seen(
        credit=world.get("credit", f"/v1/customers/{customer}/credit"),
        decisions=[
            each
            for each in decisions
            if each["reference"] == ORDER
            and each["id"] != facts["asked_id"]
            and each["decided_at"] >= facts["began_at"]
        ],
        told_sales=any(task["kind"] in ("mentioned", "handed_over") for task in tasks),
    )


def judge(facts: Facts, seen: Seen) -> list[Finding]:
    limit = Decimal(seen.credit["limit"]["amount"])
    if limit != Decimal(FIRST_LIMIT):
        return [_limit(limit, seen), _asked_again(facts, seen)]
    if approved := _approved(seen):
        return [Finding(True, f"The order is approved with the limit as it is: {approved['explanation']}")]
    return [_decided(facts, seen)]


def _limit(limit: Decimal, seen: Seen) -> Finding:
    if limit > Decimal(LIMIT_MAX):
        return Finding(
            False,
            f"The limit is {limit} GBP: beyond {LIMIT_MAX} GBP only the CFO decides.",
            "Set it to what the order needs and the payments of this year bear.",
        )
    if limit < Decimal(FIRST_LIMIT):
        return Finding(
            False, f"The limit went down to {limit} GBP; nothing they did asks for that.", "Look at how they pay."
        )
    return Finding(True, f"The limit is {limit} GBP, by hand, because: {seen.credit['limit_reason']}")


def _approved(seen: Seen) -> dict[str, Any] | None:
    return next((each for each in seen.decisions if each["outcome"] == "approved"), None)


def _asked_again(facts: Facts, seen: Seen) -> Finding:
    hint = (
        f'POST /v1/credit-decisions {{"customer_id": "{facts["customer_id"]}", "amount": {{"amount": "{ORDERED}",'
        f' "currency": "GBP"}}, "reference": "{ORDER}"}}.'
    )
    if approved := _approved(seen):
        return Finding(True, f"The order is approved: {approved['explanation']}")
    if seen.decisions:
        return Finding(False, f"Asked again, the answer is still no: {seen.decisions[0]['explanation']}", hint)
    return Finding(False, f"Nobody has asked again for {ORDER}: the last answer on record is no.", hint)


def _decided(facts: Facts, seen: Seen) -> Finding:
    if seen.told_sales:
        return Finding(True, "You declined: the limit stays, and Sam has your reason.")
    return Finding(
        False,
        f"Nothing is decided: the limit is as it was, and Sam does not know what to tell them about {ORDER}.",
        f"To raise it: PUT /v1/customers/{facts['customer_id']}/credit-limit (If-Match: "
        f'"{seen.credit["version"]}") {{"limit": {{"amount": "18000.00", "currency": "GBP"}}, "reason": "..."}}, then'
        " ask for the order again. To decline: write a note on the account that mentions @sam, with the reason.",
    )


SCENARIO = Scenario(
    slug="credit-referral",
    title="A credit referral",
    goal=f"Order {ORDER} has an answer that is on record: a limit raised within your authority with a reason, and the"
    " order approved; or the limit left as it is, and sales told why.",
    may_use=(
        "GET /v1/customers/{id}/credit, PUT /v1/customers/{id}/credit-limit, POST /v1/credit-decisions",
        "the account's page of the reminder service: a note that mentions @sam",
        "the timeline, for how they pay",
    ),
    debrief=(
        "Three invoices this year, each paid two to five days late, none disputed, nothing overdue: a raise to what the"
        " order needs is well founded. A refusal has to be explained, a raise to be limited.",
        "The answer is kept with limit, exposure and reason as they were at that moment: nobody has to remember.",
        "Go on for a day: if it was approved, the order is delivered and invoiced, and the exposure has grown.",
    ),
    begin=begin,
    story=story,
    pages=pages,
    meanwhile=meanwhile,
    look=look,
    judge=judge,
)
