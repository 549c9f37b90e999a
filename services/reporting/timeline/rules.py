"""An event in words: what a person reading a customer's history wants to see of it.

Payloads are read as they were published, also by later releases than this one: whatever is missing is left out of the
line, and an unknown type is told by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from shared.money import Money, format_minor

Kind = Literal["customer", "credit", "invoice", "dispute", "payment", "overdue", "reminder", "case", "task", "other"]

Data = Mapping[str, Any]

STEPS = frozenset(
    {
        "dueward.credit.limit_changed.v1",
        "dueward.credit.decision_made.v1",
        "dueward.invoice.due_soon.v1",
        "dueward.invoice.overdue_cleared.v1",
        "dueward.payment.applied.v1",
        "dueward.reminder.planned.v1",
        "dueward.case.opened.v1",
        "dueward.case.closed.v1",
    }
)
"""Steps on the way to something that another event tells as well."""

QUIET = STEPS | {"dueward.payment.received.v1"}
"""What a glance at the latest goes without; an invoice that was paid tells of its payment."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline; `amount` is signed where the event moved a balance."""

    kind: Kind
    title: str
    detail: str = ""
    amount: Money | None = None


def describe(type: str, data: Data) -> Line:
    """The line of an event; never raises, whatever the payload holds."""
    teller = _TELLERS.get(type)
    if teller is not None:
        try:
            return teller(data)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            pass
    return Line("other", _name(type))


def _customer_onboarded(d: Data) -> Line:
    c = d["customer"]
    return Line("customer", "Customer onboarded", _joined(c["name"], c.get("country"), _terms(c), c.get("segment")))


def _customer_updated(d: Data) -> Line:
    return Line("customer", "Customer details changed", ", ".join(_words(name) for name in d["changed"]))


def _terms_changed(d: Data) -> Line:
    before = d["previous_terms"]["net_days"]
    return Line("customer", "Payment terms changed", f"{_terms(d['customer'])}, before {before} days")


def _segment_changed(d: Data) -> Line:
    return Line("customer", "Segment changed", f"{d['previous_segment']} → {d['customer']['segment']}")


def _limit_changed(d: Data) -> Line:
    before = d.get("previous_limit")
    was = f"before {_money(before)}" if before else None
    return Line("credit", "Credit limit set", _joined(was, _words(d.get("reason"))), _amount(d["credit"]["limit"]))


def _decision_made(d: Data) -> Line:
    decision = d["decision"]
    detail = _joined(*(_words(reason) for reason in decision.get("reasons", ())), d.get("reference"))
    return Line("credit", f"Credit {decision['outcome']}", detail, _amount(decision["requested"]))


def _assessed(d: Data) -> Line:
    file, before = d["file"], d.get("previous_risk_class")
    was = f"before {before}" if before and before != file["risk_class"] else None
    heaviest = (file.get("lowered") or [])[:2] + (file.get("raised") or [])[:1]
    why = ", ".join(_words(reason["code"]) for reason in heaviest)
    return Line("credit", f"Assessed: risk class {file['risk_class']}", _joined(was, f"score {file['score']}", why))


def _invoice_issued(d: Data) -> Line:
    detail = _joined(
        f"due {_day(d['invoice']['due_date'])}", f"by {d['delivery_channel']}", d.get("customer_reference")
    )
    return Line("invoice", f"Invoice {_number(d)} issued", detail, _amount(d["change"]))


_BALANCE_CHANGES = {
    "unallocation": "Payment taken back from invoice {}",
    "discount": "Discount on invoice {}",
    "small_difference": "Small difference on invoice {} let go",
    "restored": "Correction on invoice {} taken back",
}


def _balance_changed(d: Data) -> Line:
    title = _BALANCE_CHANGES.get(d.get("reason", ""), "Invoice {} paid in part").format(_number(d))
    return Line("invoice", title, f"{_money(d['invoice']['balance'])} open", _amount(d["change"]))


def _settled(d: Data) -> Line:
    late = d["days_late"]
    timing = "on the due date" if late == 0 else f"{_days(late)} late" if late > 0 else f"{_days(-late)} early"
    return Line("invoice", f"Invoice {_number(d)} settled", timing, _amount(d["change"]))


def _credited(d: Data) -> Line:
    detail = _joined(_words(d.get("reason")), d.get("credit_note_number"))
    return Line("invoice", f"Invoice {_number(d)} credited", detail, _amount(d["change"]))


def _charged(d: Data) -> Line:
    title = f"{_words(d['kind']).capitalize()} charged on invoice {_number(d)}"
    return Line("invoice", title, d.get("reason", ""), _amount(d["change"]))


def _written_off(d: Data) -> Line:
    return Line("invoice", f"Invoice {_number(d)} written off", _words(d.get("reason")), _amount(d["change"]))


def _voided(d: Data) -> Line:
    return Line("invoice", f"Invoice {_number(d)} voided", _words(d.get("reason")), _amount(d["change"]))


def _delivered(d: Data) -> Line:
    return Line("invoice", f"Invoice {_number(d)} delivered", f"by {d['channel']}")


def _plan_agreed(d: Data) -> Line:
    detail = f"{len(d['instalments'])} instalments"
    return Line("invoice", f"Instalment plan agreed for invoice {_number(d)}", detail, _amount(d["amount"]))


def _plan_ended(d: Data) -> Line:
    return Line("invoice", f"Instalment plan of invoice {_number(d)} {d['outcome']}", "")


def _plan_broken(d: Data) -> Line:
    return Line("invoice", f"Instalment plan of invoice {_number(d)} broken", f"missed {_day(d['missed_on'])}")


def _promise_offered(d: Data) -> Line:
    return Line("reminder", f"Customer promised to pay on {_day(d['promised_on'])}", "", _amount(d["amount"]))


def _payment_refunded(d: Data) -> Line:
    return Line("payment", "Refunded to the customer", _words(d.get("reason")), -_amount(d["amount"]))


def _payment_refund_reversed(d: Data) -> Line:
    return Line("payment", "Refund taken back", _words(d.get("reason")), _amount(d["amount"]))


def _disputed(d: Data) -> Line:
    return Line("dispute", f"Invoice {_number(d)} disputed", _words(d.get("reason")), _amount(d["amount"]))


def _dispute_resolved(d: Data) -> Line:
    return Line("dispute", f"Dispute of invoice {_number(d)} {d['outcome']}", "", _amount(d["amount"]))


def _due_soon(d: Data) -> Line:
    detail = f"due {_day(d['invoice']['due_date'])}, in {_days(d['days_until_due'])}"
    return Line("overdue", f"Invoice {_number(d)} due soon", detail, _amount(d["invoice"]["balance"]))


def _overdue(d: Data) -> Line:
    detail = f"was due {_day(d['invoice']['due_date'])}"
    return Line("overdue", f"Invoice {_number(d)} overdue", detail, _amount(d["invoice"]["balance"]))


def _aged(d: Data) -> Line:
    title = f"Invoice {_number(d)} reached {_days(d['days_overdue'])} overdue"
    return Line("overdue", title, f"was due {_day(d['invoice']['due_date'])}", _amount(d["invoice"]["balance"]))


def _overdue_cleared(d: Data) -> Line:
    return Line("overdue", f"Invoice {_number(d)} no longer overdue", f"after {_days(d['days_overdue'])}")


def _payment_received(d: Data) -> Line:
    p = d["payment"]
    return Line("payment", "Payment received", _joined(_words(p["method"]), p.get("reference")), _amount(p["amount"]))


def _payment_applied(d: Data) -> Line:
    return Line("payment", "Payment applied", f"to {_allocated(d)}", _allocated_sum(d))


def _payment_unapplied(d: Data) -> Line:
    return Line("payment", "Payment taken back", f"from {_allocated(d)}", _allocated_sum(d))


def _payment_reversed(d: Data) -> Line:
    amount = _amount(d["payment"]["amount"])
    return Line("payment", "Payment reversed", _words(d.get("reason")), -amount)


def _reminder(title: str) -> Callable[[Data], Line]:
    def tell(d: Data) -> Line:
        c = d["contact"]
        numbers = tuple(c.get("invoices", ()))
        about = f"invoice {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} invoices" if numbers else None
        amounts = [_amount(a) for a in c.get("amounts", ())]
        several = ", ".join(str(a) for a in amounts) if len(amounts) > 1 else None
        detail = _joined(_words(c.get("reason")), about, several, f"by {c['channel']}")
        return Line("reminder", f"{title}: {_words(c['step'])}", detail, amounts[0] if len(amounts) == 1 else None)

    return tell


def _case_opened(d: Data) -> Line:
    c = d["case"]
    oldest = f"oldest item due {_day(c['oldest_due_on'])}" if c.get("oldest_due_on") else None
    return Line("case", "Collection case opened", _joined(oldest, f"strategy {c['strategy']}"))


def _case_escalated(d: Data) -> Line:
    step = d["case"].get("step") or f"level {d['case']['level']}"
    actions = ", ".join(_words(action) for action in d.get("actions", ()))
    return Line("case", f"Case escalated to {_words(step)}", actions)


def _case_closed(d: Data) -> Line:
    return Line("case", "Collection case closed", _words(d.get("reason")))


def _task_assigned(d: Data) -> Line:
    return Line("task", f"Task: {d['task']['title']}", f"due {_day(d['task']['due_on'])}")


_TELLERS: dict[str, Callable[[Data], Line]] = {
    "dueward.customer.onboarded.v1": _customer_onboarded,
    "dueward.customer.updated.v1": _customer_updated,
    "dueward.customer.terms_changed.v1": _terms_changed,
    "dueward.customer.segment_changed.v1": _segment_changed,
    "dueward.credit.limit_changed.v1": _limit_changed,
    "dueward.credit.decision_made.v1": _decision_made,
    "dueward.credit.assessed.v1": _assessed,
    "dueward.invoice.issued.v1": _invoice_issued,
    "dueward.invoice.balance_changed.v1": _balance_changed,
    "dueward.invoice.settled.v1": _settled,
    "dueward.invoice.credited.v1": _credited,
    "dueward.invoice.charged.v1": _charged,
    "dueward.invoice.written_off.v1": _written_off,
    "dueward.invoice.voided.v1": _voided,
    "dueward.invoice.delivered.v1": _delivered,
    "dueward.invoice.plan_agreed.v1": _plan_agreed,
    "dueward.invoice.plan_ended.v1": _plan_ended,
    "dueward.invoice.plan_broken.v1": _plan_broken,
    "dueward.invoice.promise_offered.v1": _promise_offered,
    "dueward.invoice.disputed.v1": _disputed,
    "dueward.invoice.dispute_resolved.v1": _dispute_resolved,
    "dueward.invoice.due_soon.v1": _due_soon,
    "dueward.invoice.overdue.v1": _overdue,
    "dueward.invoice.aged.v1": _aged,
    "dueward.invoice.overdue_cleared.v1": _overdue_cleared,
    "dueward.payment.received.v1": _payment_received,
    "dueward.payment.applied.v1": _payment_applied,
    "dueward.payment.unapplied.v1": _payment_unapplied,
    "dueward.payment.reversed.v1": _payment_reversed,
    "dueward.payment.refunded.v1": _payment_refunded,
    "dueward.payment.refund_reversed.v1": _payment_refund_reversed,
    "dueward.reminder.planned.v1": _reminder("Reminder planned"),
    "dueward.reminder.sent.v1": _reminder("Reminder sent"),
    "dueward.reminder.suppressed.v1": _reminder("Reminder held back"),
    "dueward.reminder.failed.v1": _reminder("Reminder failed"),
    "dueward.case.opened.v1": _case_opened,
    "dueward.case.escalated.v1": _case_escalated,
    "dueward.case.closed.v1": _case_closed,
    "dueward.task.assigned.v1": _task_assigned,
}


def _name(type: str) -> str:
    """`dueward.promise.made.v1` reads "Promise made"."""
    parts = [part for part in type.removeprefix("dueward.").split(".") if not part.removeprefix("v").isdigit()]
    return _words(" ".join(parts)).capitalize() or type


def _amount(wire: Data) -> Money:
    return Money.parse(wire["amount"], wire["currency"])


def _money(wire: Data) -> str:
    amount = _amount(wire)
    return f"{format_minor(amount.minor, amount.currency)} {amount.currency}"


def _number(d: Data) -> str:
    return d["invoice"]["number"]


def _terms(customer: Data) -> str:
    return f"net {customer['payment_terms']['net_days']} days"


def _day(text: str) -> str:
    """30 Jun 2013."""
    day = date.fromisoformat(text)
    return f"{day.day} {day:%b %Y}"


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"


def _words(name: str | None) -> str:
    """Identifiers as words: `final_notice` is "final notice"."""
    return (name or "").replace("_", " ").replace("-", " ")


def _joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)


def _allocated(d: Data) -> str:
    numbers = [part["invoice_number"] for part in d["allocations"]]
    shown = ", ".join(numbers[:4])
    return f"{shown} and {len(numbers) - 4} more" if len(numbers) > 4 else shown


def _allocated_sum(d: Data) -> Money:
    first, *rest = (_amount(part["amount"]) for part in d["allocations"])
    return sum(rest, start=first)
