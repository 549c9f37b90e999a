"""Money of one customer was booked for another with nearly the same name: one is chased wrongly, one not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.local.training.sample import FENLAND_FREIGHT, FENLAND_PRINT
from deploy.local.training.scenario import Finding, Page, Scenario, account_pages, gbp, money
from deploy.local.training.world import Facts, World

PAID = "A-24033"
HIT = "A-24030"
AMOUNT = "1940.00"
RECEIVED_ON = "2024-05-31"


@dataclass(frozen=True, slots=True)
class Seen:
    """The payment as it was booked, the payers' invoices, what paid the right one, and the calls to its customer."""

    booked: dict[str, Any]
    right: dict[str, Any]
    wrong: dict[str, Any]
    paid_by: dict[str, Any] | None
    case: dict[str, Any]
    calls: list[dict[str, Any]]


def begin(world: World) -> Facts:
    freight, printer = world.state.customers[FENLAND_FREIGHT], world.state.customers[FENLAND_PRINT]
    body = {
        "customer_id": printer,
        "amount": gbp(AMOUNT),
        "received_on": RECEIVED_ON,
        "reference": "FENLAND FREIGHT LTD INV 24033 THANK YOU",
        "allocations": [{"invoice_number": HIT}],
    }
    payment = world.post("invoice", "/v1/payments", body, "fenland-misapplied")
    return {
        "customer_id": freight,
        "other_id": printer,
        "payment_id": payment["id"],
        "right_id": next(world.items("invoice", "/v1/invoices", number=PAID))["id"],
        "wrong_id": next(world.items("invoice", "/v1/invoices", number=HIT))["id"],
        "began_at": world.state.now,
    }


def story(facts: Facts) -> list[str]:
    return [
        f"Darren Doyle of Fenland Freight Ltd rings, and he is angry: “We paid {PAID} on the day it was due, and you"
        " send us reminders!”",
        f"You look it up. On {RECEIVED_ON} {AMOUNT} GBP came in, with the text “FENLAND FREIGHT LTD INV 24033 THANK"
        f" YOU”. A colleague has just booked it for Fenland Print Ltd, on {HIT}, which happens to be over the same"
        " amount. So one customer is chased for what it paid, and the other is not asked for what it owes.",
        f"The payment is {facts['payment_id']}.",
    ]


def pages(facts: Facts) -> list[Page]:
    return [
        Page("invoice", f"/invoices/{facts['right_id']}", f"{PAID} of Fenland Freight, which is paid and looks open"),
        Page("invoice", f"/invoices/{facts['wrong_id']}", f"{HIT} of Fenland Print, which is open and looks paid"),
        *account_pages(facts),
    ]


def meanwhile(world: World, facts: Facts) -> None:
    """Nothing: the customers have done their part."""


def look(world: World, facts: Facts) -> Seen:
    customer = facts["customer_id"]
    payments = world.items("invoice", "/v1/payments", customer_id=customer)
    calls = world.items("reminder", f"/v1/cases/{customer}/calls")
    paid_by = (
        each
        for each in payments
        if not each["reversed_on"] and any(part["invoice_number"] == PAID for part in each["allocations"])
    )
    return Seen(
        booked=world.get("invoice", f"/v1/payments/{facts['payment_id']}"),
        right=world.get("invoice", f"/v1/invoices/{facts['right_id']}"),
        wrong=world.get("invoice", f"/v1/invoices/{facts['wrong_id']}"),
        paid_by=next(paid_by, None),
        case=world.get("reminder", f"/v1/cases/{customer}"),
        calls=[call for call in calls if call["called_at"][:10] >= facts["began_at"][:10]],
    )


def judge(facts: Facts, seen: Seen) -> list[Finding]:
    return [_taken_back(facts, seen), _open_again(seen), _applied(facts, seen), _episode(seen), _call(facts, seen)]


def _taken_back(facts: Facts, seen: Seen) -> Finding:
    hint = (
        f'POST /v1/payments/{facts["payment_id"]}/reversal {{"reason": "booked for the wrong customer", "kind":'
        ' "booked_by_mistake"}. Nothing is deleted: the journal shows both bookings.'
    )
    if not seen.booked["reversed_on"]:
        return Finding(False, "The payment still stands with Fenland Print.", hint)
    if seen.booked["reversal_kind"] != "booked_by_mistake":
        said = "The payment is taken back, but not as our mistake: it looks as if the customer's bank had refused it."
        return Finding(False, said, hint)
    return Finding(True, f"The wrong booking was taken back on {seen.booked['reversed_on']}, as our mistake.")


def _open_again(seen: Seen) -> Finding:
    standing = [part for part in seen.booked["allocations"] if part["reversed_on"] is None]
    if not standing:
        return Finding(True, f"{HIT} of Fenland Print is rid of money that was not theirs.")
    return Finding(False, f"{HIT} of Fenland Print looks paid, with somebody else's money.", "Reverse the payment.")


def _applied(facts: Facts, seen: Seen) -> Finding:
    hint = (
        f'POST /v1/payments {{"customer_id": "{facts["customer_id"]}", "amount": {{"amount": "{AMOUNT}", "currency":'
        f' "GBP"}}, "received_on": "{RECEIVED_ON}", "allocations": [{{"invoice_number": "{PAID}"}}]}}.'
    )
    if seen.paid_by is None:
        return Finding(False, f"{PAID} of Fenland Freight is still owed {money(seen.right['balance'])}.", hint)
    if seen.paid_by["received_on"] != RECEIVED_ON:
        said = f"{PAID} is paid as of {seen.paid_by['received_on']}, but the money came on {RECEIVED_ON}."
        return Finding(False, said, f"Reverse it as well (booked_by_mistake), then: {hint}")
    paid = seen.right["status"] == "settled"
    return Finding(paid, f"{PAID} of Fenland Freight is {'' if paid else 'not '}paid with the money of {RECEIVED_ON}.")


def _episode(seen: Seen) -> Finding:
    cleared = seen.right["overdue_since"] is None and seen.right["settled_on"] == RECEIVED_ON
    if cleared and seen.case["status"] == "closed":
        return Finding(
            True, "Fenland Freight was never late: its overdue episode is put right, and the case is closed."
        )
    return Finding(
        False,
        "Fenland Freight still counts as late, and reminders go on.",
        f"Book the money with the day it came, {RECEIVED_ON}: then the episode ends with effect of that day.",
    )


def _call(facts: Facts, seen: Seen) -> Finding:
    if any(call["reason"] == "already_paid" for call in seen.calls):
        return Finding(True, "The call is logged with its reason: already paid.")
    return Finding(
        False,
        "The call of Darren Doyle is not logged with its reason.",
        f'POST /v1/cases/{facts["customer_id"]}/calls {{"outcome": "spoke", "direction": "in", "person":'
        ' "Darren Doyle", "reason": "already_paid"}, or the account\'s page. Say sorry while you are at it.',
    )


SCENARIO = Scenario(
    slug="misapplied-payment",
    title="A misapplied payment",
    goal="The wrong booking is taken back as our mistake, the money stands on the right invoice with the day it came,"
    " the right customer was never late, and its call is logged.",
    may_use=(
        "POST /v1/payments/{id}/reversal, POST /v1/payments",
        "the invoices' pages, to look at; the reminder account's page, to log the call",
        "GET /v1/cases/{customer_id}/explanation",
    ),
    debrief=(
        "Money is never deleted or moved: a booking is taken back, another is made, and the journal shows both.",
        "The day it came decides what was late. Booked as of that day, the reminders turn out to have been ours.",
        "Go on for a day: Fenland Print is asked for what it owes, from where its reminders stood.",
    ),
    begin=begin,
    story=story,
    pages=pages,
    meanwhile=meanwhile,
    look=look,
    judge=judge,
)
