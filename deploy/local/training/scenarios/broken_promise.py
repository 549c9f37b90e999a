"""A customer promises to pay by a day, and does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from deploy.local.training.sample import COTSWOLD
from deploy.local.training.scenario import Finding, Page, Scenario, account_pages, money
from deploy.local.training.world import ONE_DAY, Facts, World
from shared.calendar import next_business_day

NUMBER = "A-24032"
SENT = ("sent", "delivered")
SPOKE = ("spoke", "refused")
PAYS_AFTER = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Seen:
    """Promises, calls, contacts and tasks of the account since the scenario began, the oldest first."""

    promises: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    tasks: list[dict[str, Any]]


def begin(world: World) -> Facts:
    invoice = next(world.items("invoice", "/v1/invoices", number=NUMBER))
    return {
        "customer_id": world.state.customers[COTSWOLD],
        "invoice_id": invoice["id"],
        "balance": invoice["balance"],
        "began_at": world.state.now,
        "promise_on": _promised_on(world.today).isoformat(),
        "days": (world.today - date.fromisoformat(invoice["due_date"])).days,
    }


def _promised_on(today: date) -> date:
    return next_business_day(today + 3 * ONE_DAY, "GB")


def story(facts: Facts) -> list[str]:
    return [
        f"Cotswold Joinery Ltd owes {money(facts['balance'])} on invoice {NUMBER}, {facts['days']} days overdue. You"
        " ring them, and Priya Barnes answers:",
        "“The invoice is fine. Our own customer pays us this week, and until then the account is empty. You get all of"
        f" it on {facts['promise_on']}, you have my word.”",
        "Write down what was said, then let the days go by. If the money does not come: the promise is broken after"
        " three business days of grace, and the case goes on by itself. Ring again then. Priya Barnes will say:"
        " “He still has not paid us. I am sorry. I will pay you from our reserve the day after tomorrow.”",
    ]


def pages(facts: Facts) -> list[Page]:
    return [*account_pages(facts), Page("invoice", f"/invoices/{facts['invoice_id']}", "the invoice")]


def meanwhile(world: World, facts: Facts) -> None:
    """Nothing comes before somebody has talked to the customer about the broken promise; then it pays. As long as
    nobody wrote the promise down, the customer says the same again, of a later day."""
    seen = look(world, facts)
    if not _right(facts, seen) and world.today >= date.fromisoformat(facts["promise_on"]):
        facts["promise_on"] = _promised_on(world.today).isoformat()
    call = _call_after_break(seen)
    if call and world.today - _day(call["called_at"]) >= PAYS_AFTER:
        invoice = world.get("invoice", f"/v1/invoices/{facts['invoice_id']}")
        if invoice["status"] != "settled":
            body = {"customer_id": facts["customer_id"], "amount": invoice["balance"], "reference": NUMBER}
            world.post("invoice", "/v1/payments", body, "cotswold-pays")


def look(world: World, facts: Facts) -> Seen:
    case, began = f"/v1/cases/{facts['customer_id']}", facts["began_at"][:10]
    since = {"promises": "made_on", "calls": "called_at"}
    made = {
        name: sorted(
            (each for each in world.items("reminder", f"{case}/{name}") if each[when][:10] >= began),
            key=lambda each: each[when],
        )
        for name, when in since.items()
    }
    contacts = world.items("reminder", "/v1/contacts", customer_id=facts["customer_id"])
    tasks = world.items("reminder", "/v1/tasks", customer_id=facts["customer_id"], kind="promise_broken")
    sent = sorted((each for each in contacts if each["sent_at"]), key=lambda each: each["sent_at"])
    return Seen(made["promises"], made["calls"], sent, list(tasks))


def judge(facts: Facts, seen: Seen) -> list[Finding]:
    return [
        _first_call(facts, seen),
        _promise(facts, seen),
        _broken(seen),
        _next_step(seen),
        _second_call(facts, seen),
        _task(seen),
    ]


def _first_call(facts: Facts, seen: Seen) -> Finding:
    logged = [call for call in seen.calls if call["outcome"] in SPOKE and call["reason"]]
    hint = (
        "Log a call on the account's page, with the reason in their own word, or POST /v1/cases/"
        f'{facts["customer_id"]}/calls {{"outcome": "spoke", "person": "Priya Barnes", "reason": "cash_flow"}}.'
    )
    if logged:
        return Finding(True, f"The first call is logged with its reason: {logged[0]['reason']}.")
    if seen.calls:
        return Finding(False, "A call is logged, without the reason why they pay late.", hint)
    return Finding(False, "The call is not logged: nobody else knows what was said.", hint)


def _promise(facts: Facts, seen: Seen) -> Finding:
    hint = (
        "Take the promise on the account's page, or POST /v1/cases/"
        f'{facts["customer_id"]}/promises {{"amount": {{"amount": "{facts["balance"]["amount"]}", "currency": "GBP"}},'
        f' "on": "{facts["promise_on"]}"}}.'
    )
    if _right(facts, seen):
        return Finding(True, f"The promise is kept in writing: {money(facts['balance'])} by {facts['promise_on']}.")
    if seen.promises:
        last = seen.promises[-1]
        said = f"The promise says {money(last['amount'])} by {last['promised_on']}; that is not what they said."
        return Finding(False, said, f"{hint} Name the wrong one in `replaces`.")
    return Finding(False, "The promise is not written down: reminders would go out before its day.", hint)


def _right(facts: Facts, seen: Seen) -> dict[str, Any] | None:
    wanted = (facts["balance"], facts["promise_on"])
    return next((each for each in seen.promises if (each["amount"], each["promised_on"]) == wanted), None)


def _break(seen: Seen) -> dict[str, Any] | None:
    return next((each for each in seen.promises if each["status"] == "broken"), None)


def _broken(seen: Seen) -> Finding:
    if broken := _break(seen):
        return Finding(True, f"It was broken on {broken['ended_on']}, and that counts.")
    running = next((each for each in seen.promises if each["status"] == "open"), None)
    if running:
        return Finding(
            False,
            f"It runs: broken after {running['grace_until']}, if nothing comes.",
            "Let the days go by (next day), without calling or writing meanwhile: you have agreed on a day.",
        )
    return Finding(False, "There is no promise that could be kept or broken.", "First write the promise down.")


def _next_step(seen: Seen) -> Finding:
    broken = _break(seen)
    if not broken:
        return Finding(False, "The next step has not gone out: it waits for the promise.", "It follows by itself.")
    sent = next((each for each in seen.contacts if _after(each["sent_at"], broken) and each["status"] in SENT), None)
    if sent:
        return Finding(True, f"The next step, {sent['step']}, went out on {sent['sent_at'][:10]} by {sent['channel']}.")
    return Finding(
        False,
        "The promise is broken, and the next step has not gone out yet.",
        "It goes out within the contact policy's hours: go on to the next moment. GET /v1/cases/{id}/explanation says"
        " when. One contact a day: a call in the morning moves it to the day after.",
    )


def _call_after_break(seen: Seen) -> dict[str, Any] | None:
    broken = _break(seen)
    if not broken:
        return None
    later = (call for call in seen.calls if _after(call["called_at"], broken))
    return next((call for call in later if call["outcome"] in SPOKE and call["reason"]), None)


def _second_call(facts: Facts, seen: Seen) -> Finding:
    if call := _call_after_break(seen):
        return Finding(True, f"You talked about it on {call['called_at'][:10]}, and the reason is written down.")
    return Finding(
        False,
        "Nobody has talked to them since the promise was broken.",
        "Ring them once it is broken, calmly: what has happened, what is new, which day now. Log it with a reason"
        f" (POST /v1/cases/{facts['customer_id']}/calls).",
    )


def _task(seen: Seen) -> Finding:
    if any(task["status"] == "done" for task in seen.tasks):
        return Finding(True, "The task of the broken promise is done.")
    if seen.tasks:
        hint = f'Finish it on the account\'s page, or POST /v1/tasks/{seen.tasks[0]["id"]}/done {{"outcome": "..."}}.'
        return Finding(False, "The task “promise broken” is still open.", hint)
    return Finding(False, "There is no task yet: it comes when the promise is broken.", "Let the days go by.")


def _after(moment: str, broken: dict[str, Any]) -> bool:
    return moment[:10] >= broken["ended_on"]


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).date()


SCENARIO = Scenario(
    slug="broken-promise",
    title="A broken promise",
    goal="Call and promise are written down as they were said; when the promise is broken, the next step has gone out,"
    " you have talked to them again with the reason noted, and the task is done.",
    may_use=(
        "the account's page of the reminder service (log a call, take a promise, tasks)",
        "POST /v1/cases/{customer_id}/calls, POST /v1/cases/{customer_id}/promises",
        "GET /v1/cases/{customer_id}/explanation, POST /v1/tasks/{id}/done",
        "next day: the promise has a day, and three business days of grace",
    ),
    debrief=(
        "A promise has an amount and a day, or it is none. While it runs nobody writes; when it breaks, the system"
        " escalates without anybody getting angry.",
        "Broken promises count: they move the account up in the worklist, and strategies may ask for them.",
        "Go on for two days after the second call: the money comes.",
    ),
    begin=begin,
    story=story,
    pages=pages,
    meanwhile=meanwhile,
    look=look,
    judge=judge,
)
