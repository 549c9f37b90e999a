"""A key account contests a part of an invoice, and claims a little more than is true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from deploy.local.training.sample import ALBION
from deploy.local.training.scenario import Finding, Page, Scenario, account_pages, gbp, money
from deploy.local.training.world import Facts, World

NUMBER = "A-24024"
CLAIMED = "5000.00"
MISSING = "3000.00"
PAYS_AFTER = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Seen:
    """The dispute with its messages, the credit note it led to, and the invoice, as the APIs show them."""

    dispute: dict[str, Any]
    credited: dict[str, str] | None
    invoice: dict[str, Any]


def begin(world: World) -> Facts:
    customer = world.state.customers[ALBION]
    invoice = next(world.items("invoice", "/v1/invoices", number=NUMBER))
    body = {
        "reason": "20 of the 60 sensors never arrived. We do not pay for what we did not get.",
        "code": "wrong_quantity",
        "amount": gbp(CLAIMED),
    }
    dispute = world.post("invoice", f"/v1/invoices/{invoice['id']}/disputes", body, "albion-disputes")
    message = {
        "body": "Harriet Okafor by telephone: please look into it, we want to settle this before the quarter ends.",
        "from_customer": True,
    }
    world.post("invoice", f"/v1/disputes/{dispute['id']}/messages", message, "albion-writes")
    return {
        "customer_id": customer,
        "invoice_id": invoice["id"],
        "dispute_id": dispute["id"],
        "total": money(invoice["total"]),
        "answer_by": dispute["answer_by"],
        "days": (world.today - date.fromisoformat(invoice["due_date"])).days,
    }


def story(facts: Facts) -> list[str]:
    return [
        f"Albion Instruments Ltd is a key account. Invoice {NUMBER} over {facts['total']} is {facts['days']} days"
        " overdue, and reminders went out for it. This morning Harriet Okafor contests"
        f" {CLAIMED} GBP: 20 of 60 sensors at 250.00 GBP never arrived.",
        "Wanda of the warehouse has the papers: 48 sensors were delivered with the invoice; nobody ever sent the"
        f" other 12. Of the 20 that Albion misses, 8 stand in their goods-in book under the old part number. So"
        f" {MISSING} GBP are to be credited, and the rest is owed.",
        f"The answer is due by {facts['answer_by']}. Meanwhile the contested part is not chased, and the rest is.",
    ]


def pages(facts: Facts) -> list[Page]:
    return [
        Page("invoice", f"/disputes/{facts['dispute_id']}", "the dispute: owner, what was said, how it ends"),
        Page("invoice", f"/invoices/{facts['invoice_id']}", "the invoice with what is owed and contested"),
        *account_pages(facts),
    ]


def meanwhile(world: World, facts: Facts) -> None:
    """Two days after a fair answer the customer pays what is left."""
    seen = look(world, facts)
    ended, left = seen.dispute["resolved_on"], seen.invoice["balance"]
    if not ended or seen.dispute["status"] != "accepted" or seen.invoice["status"] == "settled":
        return
    if world.today - date.fromisoformat(ended) >= PAYS_AFTER:
        body = {"customer_id": facts["customer_id"], "amount": left, "reference": NUMBER}
        world.post("invoice", "/v1/payments", body, "albion-pays")


def look(world: World, facts: Facts) -> Seen:
    dispute = world.get("invoice", f"/v1/disputes/{facts['dispute_id']}")
    note = dispute["credit_note_id"]
    credited = world.get("invoice", f"/v1/credit-notes/{note}")["total"] if note else None
    return Seen(dispute, credited, world.get("invoice", f"/v1/invoices/{facts['invoice_id']}"))


def judge(facts: Facts, seen: Seen) -> list[Finding]:
    dispute, path = seen.dispute, f"/v1/disputes/{facts['dispute_id']}"
    answered = any(not message["from_customer"] for message in dispute["messages"])
    fair = dispute["status"] == "accepted" and seen.credited == gbp(MISSING)
    return [
        Finding(
            bool(dispute["owner"]),
            f"{dispute['owner']} owns the dispute." if dispute["owner"] else "Nobody owns the dispute.",
            f'Give it an owner on its page, or PATCH {path} {{"owner": "local"}} with If-Match.',
        ),
        Finding(
            answered,
            "The customer has an answer." if answered else "The customer has no answer yet.",
            f'Write a message on the page of the dispute, or POST {path}/messages {{"body": "..."}}: what you found,'
            " what you credit, what is still owed and why.",
        ),
        _ending(facts, seen, fair=fair),
        _in_time(dispute, facts["answer_by"]),
    ]


def _ending(facts: Facts, seen: Seen, *, fair: bool) -> Finding:
    hint = (
        f"The page accepts all or nothing. A part is accepted by POST /v1/invoices/{facts['invoice_id']}/disputes/"
        f'{facts["dispute_id"]}/resolution {{"outcome": "accepted", "amount": {{"amount": "{MISSING}", "currency":'
        ' "GBP"}, "note": "..."}. The credit note follows by itself.'
    )
    if fair:
        return Finding(True, f"Credit note over {money(seen.credited)}: exactly what never arrived.")
    if seen.credited:
        return Finding(False, f"{money(seen.credited)} were credited, and {MISSING} GBP never arrived.", hint)
    if seen.dispute["status"] == "open":
        return Finding(False, "The dispute is open: nothing is credited and nothing refused.", hint)
    return Finding(False, f"The dispute ended as {seen.dispute['status']}, without a credit note.", hint)


def _in_time(dispute: dict[str, Any], answer_by: str) -> Finding:
    if not dispute["resolved_on"]:
        return Finding(
            False, f"It has to end by {answer_by}.", "Owner, answer and resolution are a quarter of an hour."
        )
    return Finding(
        dispute["resolved_on"] <= answer_by,
        f"It ended on {dispute['resolved_on']}; the answer was due by {answer_by}.",
        "Too late this time: what nobody answers is escalated the day after. make down and make training begin anew.",
    )


SCENARIO = Scenario(
    slug="disputing-key-account",
    title="A key account disputes an invoice",
    goal="The dispute has an owner, the customer has an answer, and it ends in time with a credit note over what never"
    " arrived, no less and no more.",
    may_use=(
        "the page of the dispute (owner, messages; it accepts or rejects the whole)",
        "GET /v1/disputes, PATCH /v1/disputes/{id}, POST /v1/disputes/{id}/messages",
        "POST /v1/invoices/{id}/disputes/{dispute_id}/resolution, which accepts a part as well",
    ),
    debrief=(
        "Most disputes are partly our own fault: an owner, a date and an honest figure end them faster than pressure.",
        "Only the contested part was held back. The credit note came from the resolution, so that books, invoice and"
        " the customer's page say the same.",
        "Go on for two days: Albion pays the rest without another word.",
    ),
    begin=begin,
    story=story,
    pages=pages,
    meanwhile=meanwhile,
    look=look,
    judge=judge,
)
