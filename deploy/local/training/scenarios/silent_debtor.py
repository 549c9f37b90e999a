"""A debtor who has answered nothing for months: one last call, then somebody else takes over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from deploy.local.training.sample import AGENCY, CHILTERN
from deploy.local.training.scenario import Finding, Page, Scenario, account_pages, money
from deploy.local.training.world import Facts, World

NUMBER = "A-24004"
PAYS_AFTER = timedelta(days=5)
WITH_AGENCY = ("placed", "recalled", "closed")


@dataclass(frozen=True, slots=True)
class Seen:
    """The calls since the scenario began, the placements, the referral's task, and the invoice."""

    calls: list[dict[str, Any]]
    placements: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    invoice: dict[str, Any]

    @property
    def paid(self) -> bool:
        return self.invoice["status"] == "settled"


def begin(world: World) -> Facts:
    customer = world.state.customers[CHILTERN]
    invoice = next(world.items("invoice", "/v1/invoices", number=NUMBER))
    contacts = world.items("reminder", "/v1/contacts", customer_id=customer)
    return {
        "customer_id": customer,
        "invoice_id": invoice["id"],
        "balance": money(invoice["balance"]),
        "began_at": world.state.now,
        "days": (world.today - date.fromisoformat(invoice["due_date"])).days,
        "reminders": sum(1 for each in contacts if each["sent_at"]),
    }


def story(facts: Facts) -> list[str]:
    return [
        f"Chiltern Roofing Ltd owes {facts['balance']} on invoice {NUMBER}, {facts['days']} days overdue."
        f" {facts['reminders']} messages went out, the last a final notice. Nobody ever answered, nothing is disputed,"
        " and no mail came back. On day 91 the strategy asked for a decision: the task “agency referral” is yours.",
        "You ring the number on their website. It rings out.",
        "Meridian Recoveries works for us, for 12 percent of what it collects. Placing an account takes two persons:"
        " you ask for it, and Maya Lindqvist, head of collections, decides. Her token: make token SUB=maya.",
    ]


def pages(facts: Facts) -> list[Page]:
    return [*account_pages(facts), Page("invoice", f"/invoices/{facts['invoice_id']}", "the invoice")]


def meanwhile(world: World, facts: Facts) -> None:
    """Some days after the agency has written, the debtor pays."""
    placed = next((each for each in look(world, facts).placements if each["status"] == "placed"), None)
    if placed and world.today - date.fromisoformat(placed["placed_on"]) >= PAYS_AFTER:
        invoice = world.get("invoice", f"/v1/invoices/{facts['invoice_id']}")
        if invoice["status"] != "settled":
            body = {"customer_id": facts["customer_id"], "amount": invoice["balance"], "reference": NUMBER}
            world.post("invoice", "/v1/payments", body, "chiltern-pays")


def look(world: World, facts: Facts) -> Seen:
    customer = facts["customer_id"]
    calls = world.items("reminder", f"/v1/cases/{customer}/calls")
    return Seen(
        [call for call in calls if call["called_at"][:10] >= facts["began_at"][:10]],
        list(world.items("reminder", f"/v1/cases/{customer}/placements")),
        list(world.items("reminder", "/v1/tasks", customer_id=customer, kind="agency_referral")),
        world.get("invoice", f"/v1/invoices/{facts['invoice_id']}"),
    )


def judge(facts: Facts, seen: Seen) -> list[Finding]:
    return [_called(facts, seen), _placed(facts, seen), _task(seen)]


def _called(facts: Facts, seen: Seen) -> Finding:
    if seen.calls:
        return Finding(True, f"The last call is logged: {seen.calls[0]['outcome'].replace('_', ' ')}.")
    return Finding(
        False,
        "Nobody has rung them: an agency comes after a call, never instead of one.",
        "Log the call that rang out, on the account's page or with POST /v1/cases/"
        f'{facts["customer_id"]}/calls {{"outcome": "no_answer"}}. A call without an answer is a call.',
    )


def _placed(facts: Facts, seen: Seen) -> Finding:
    for placement in seen.placements:
        if placement["status"] in WITH_AGENCY and placement["placed_on"]:
            by = f"asked for by {placement['requested_by']}, approved by {placement['decided_by']}"
            return Finding(True, f"{money(placement['amount'])} went to the agency on {placement['placed_on']}, {by}.")
    if seen.paid:
        return Finding(True, "The invoice is paid: there is nothing to place.")
    waiting = next((each for each in seen.placements if each["status"] in ("requested", "approved")), None)
    if waiting and waiting["status"] == "requested":
        return Finding(
            False,
            "The placement waits for a second person.",
            f"As Maya: POST /v1/placements/{waiting['id']}/approval {{}} with the token of make token SUB=maya."
            " Whoever asked cannot approve.",
        )
    if waiting:
        return Finding(False, "The placement is approved and is being handed over.", "Go on to the next moment.")
    return Finding(
        False,
        "The account is neither paid nor placed: it only gets older.",
        f'Ask for it: POST /v1/cases/{facts["customer_id"]}/placements {{"agency_id": "{AGENCY}", "note": "..."}}.',
    )


def _task(seen: Seen) -> Finding:
    if any(task["status"] == "done" for task in seen.tasks):
        return Finding(True, "The task “agency referral” is done.")
    return Finding(
        False,
        "The task “agency referral” is still open.",
        "Finish it with what came of it, on the account's page"
        + (f" or POST /v1/tasks/{seen.tasks[0]['id']}/done." if seen.tasks else "."),
    )


SCENARIO = Scenario(
    slug="silent-debtor",
    title="A debtor who never answers",
    goal="The last call is logged, the account is with the agency by the decision of two persons (or paid), and the"
    " referral's task is done.",
    may_use=(
        "the account's page of the reminder service (log a call, tasks)",
        "POST /v1/cases/{customer_id}/placements, POST /v1/placements/{id}/approval as a second person",
        "GET /v1/placements/{id}/file: what the agency gets",
    ),
    debrief=(
        "Silence is an answer too, and waiting makes debts smaller only in value: by day 91 somebody decides.",
        "Placed means left alone: as long as the agency has the account, nobody here writes or rings.",
        "Go on for some days: they pay, the placement is recalled by itself, and it says what commission is owed.",
    ),
    begin=begin,
    story=story,
    pages=pages,
    meanwhile=meanwhile,
    look=look,
    judge=judge,
)
