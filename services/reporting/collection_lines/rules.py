"""What the reminder service publishes, in words: messages, cases, promises, placements, answers and calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.reporting.wording.rules import Data, Line, amount, day, joined, money, words


def _reminder(title: str) -> Callable[[Data], Line]:
    def tell(d: Data) -> Line:
        c = d["contact"]
        numbers = tuple(c.get("invoices", ()))
        about = f"invoice {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} invoices" if numbers else None
        amounts = [amount(a) for a in c.get("amounts", ())]
        several = ", ".join(str(a) for a in amounts) if len(amounts) > 1 else None
        detail = joined(words(c.get("reason")), about, several, f"by {c['channel']}")
        return Line("reminder", f"{title}: {words(c['step'])}", detail, amounts[0] if len(amounts) == 1 else None)

    return tell


def _bounced(d: Data) -> Line:
    line = _reminder("Reminder came back")(d)
    return replace(line, detail=joined(d.get("bounce_reason"), line.detail))


def _case_held(d: Data) -> Line:
    until = f"until {day(d['until'])}" if d.get("until") else ""
    return Line("case", f"Reminders rest: {words(d['kind'])}", until)


def _case_released(d: Data) -> Line:
    return Line("case", "Reminders may go on", f"no longer {words(d['kind'])}")


def _step_skipped(d: Data) -> Line:
    return Line("case", f"Step left out: {words(d['skipped'])}", words(d.get("reason")))


def _case_moved(d: Data) -> Line:
    c = d["case"]
    versions = f"version {d['previous_strategy_version']} → {c['strategy_version']}"
    return Line("case", f"Case moved to another version of strategy {c['strategy']}", versions)


def _case_opened(d: Data) -> Line:
    c = d["case"]
    oldest = f"oldest item due {day(c['oldest_due_on'])}" if c.get("oldest_due_on") else None
    return Line("case", "Collection case opened", joined(oldest, f"strategy {c['strategy']}"))


def _case_escalated(d: Data) -> Line:
    step = d["case"].get("step") or f"level {d['case']['level']}"
    actions = ", ".join(words(action) for action in d.get("actions", ()))
    return Line("case", f"Case escalated to {words(step)}", actions)


def _case_closed(d: Data) -> Line:
    return Line("case", "Collection case closed", words(d.get("reason")))


def _task_assigned(d: Data) -> Line:
    return Line("task", f"Task: {d['task']['title']}", f"due {day(d['task']['due_on'])}")


def _task_done(d: Data) -> Line:
    who = d["task"].get("assignee")
    return Line("task", f"Done: {d['task']['title']}", f"by {who}" if who else "")


def _promise(title: str) -> Callable[[Data], Line]:
    """`title` may name the promised `day` and what became of it, the `status`."""

    def tell(d: Data) -> Line:
        p = d["promise"]
        came = f"{money(p['paid'])} came in" if amount(p["paid"]).minor else ""
        said = title.format(day=day(p["promised_on"]), status=words(p["status"]))
        return Line("reminder", said, came, amount(p["amount"]))

    return tell


def _placement(title: str) -> Callable[[Data], Line]:
    def tell(d: Data) -> Line:
        p = d["placement"]
        collected = f"{money(p['collected'])} collected" if amount(p["collected"]).minor else None
        return Line("case", f"{title} {p['agency_id']}", joined(collected, p.get("because")), amount(p["amount"]))

    return tell


def _pause(title: str) -> Callable[[Data], Line]:
    def tell(d: Data) -> Line:
        p = d["pause"]
        return Line("case", title.format(until=day(p["until"])), joined(words(p["reason"]), ", ".join(p["items"])))

    return tell


def _offer(title: str) -> Callable[[Data], Line]:
    """`title` may name what became of it, the `status`."""

    def tell(d: Data) -> Line:
        o = d["offer"]
        part = f"{money(o['to_pay'])} of it to be paid" if o["kind"] == "settlement" else None
        said = f"{words(o['kind'])} {title.format(until=day(o['expires_on']), status=words(o['status']))}"
        return Line("case", said[:1].upper() + said[1:], joined(part, o.get("because")), amount(o["amount"]))

    return tell


def _proceeding(title: str) -> Callable[[Data], Line]:
    def tell(d: Data) -> Line:
        p = d["proceeding"]
        said = f"{words(p['kind'])} {title}"
        claim = amount(p["claim"]) if p.get("claim") else None
        return Line("case", said[:1].upper() + said[1:], f"since {day(p['opened_on'])}", claim)

    return tell


def _reply_received(d: Data) -> Line:
    files = d["reply"]["attachments"]
    attached = f"with {files} attachment{'s' if files > 1 else ''}" if files else None
    return Line("reminder", "Customer answered", joined(f"by {words(d['reply']['channel'])}", attached))


def _reply_done(d: Data) -> Line:
    return Line("reminder", "Customer's answer dealt with", words(d["reply"].get("reason")))


def _call(d: Data) -> Line:
    c = d["call"]
    title = "Customer called" if c["direction"] == "in" else "Customer was called"
    return Line("reminder", title, joined(words(c["outcome"]), words(c.get("reason")), f"by {c['caller']}"))


COLLECTION: dict[str, Callable[[Data], Line]] = {
    "dueward.reminder.planned.v1": _reminder("Reminder planned"),
    "dueward.reminder.sent.v1": _reminder("Reminder sent"),
    "dueward.reminder.suppressed.v1": _reminder("Reminder held back"),
    "dueward.reminder.failed.v1": _reminder("Reminder failed"),
    "dueward.reminder.bounced.v1": _bounced,
    "dueward.case.opened.v1": _case_opened,
    "dueward.case.escalated.v1": _case_escalated,
    "dueward.case.closed.v1": _case_closed,
    "dueward.task.assigned.v1": _task_assigned,
    "dueward.case.held.v1": _case_held,
    "dueward.case.released.v1": _case_released,
    "dueward.case.step_skipped.v1": _step_skipped,
    "dueward.case.moved.v1": _case_moved,
    "dueward.task.done.v1": _task_done,
    "dueward.promise.made.v1": _promise("Customer promised to pay by {day}"),
    "dueward.promise.kept.v1": _promise("Promise to pay by {day} kept"),
    "dueward.promise.broken.v1": _promise("Promise to pay by {day} broken"),
    "dueward.promise.ended.v1": _promise("Promise to pay by {day} {status}"),
    "dueward.pause.made.v1": _pause("Left in peace until {until}"),
    "dueward.pause.ended.v1": _pause("No longer left in peace"),
    "dueward.offer.made.v1": _offer("offered until {until}"),
    "dueward.offer.accepted.v1": _offer("accepted"),
    "dueward.offer.lapsed.v1": _offer("{status}"),
    "dueward.proceeding.begun.v1": _proceeding("noted"),
    "dueward.proceeding.ended.v1": _proceeding("over"),
    "dueward.placement.made.v1": _placement("Placed with agency"),
    "dueward.placement.recalled.v1": _placement("Taken back from agency"),
    "dueward.placement.closed.v1": _placement("Given back by agency"),
    "dueward.reply.received.v1": _reply_received,
    "dueward.reply.done.v1": _reply_done,
    "dueward.call.logged.v1": _call,
}
