"""An event in words: what a person reading a customer's history wants to see of it.

Payloads are read as they were published, also by later releases than this one: whatever is missing is left out of the
line, and an unknown type is told by its name.
"""

from __future__ import annotations

from collections.abc import Callable

from services.reporting.collection_lines.rules import COLLECTION
from services.reporting.credit_lines.rules import CREDIT
from services.reporting.wording.rules import Data, Line, amount, day, days, joined, money, words
from shared.money import Money

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
        "dueward.case.released.v1",
        "dueward.case.step_skipped.v1",
        "dueward.case.moved.v1",
    }
)
"""Steps on the way to something that another event tells as well."""

QUIET = STEPS | {
    "dueward.payment.received.v1",
    "dueward.rates.published.v1",
    "dueward.credit.segment_drift_detected.v1",
    "dueward.credit.segment_drift_ended.v1",
}
"""What a glance at the latest goes without; an invoice that was paid tells of its payment."""


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
    return Line("customer", "Customer onboarded", joined(c["name"], c.get("country"), _terms(c), c.get("segment")))


def _customer_updated(d: Data) -> Line:
    return Line("customer", "Customer details changed", ", ".join(words(name) for name in d["changed"]))


def _terms_changed(d: Data) -> Line:
    now, before = _terms(d["customer"]), d["previous_terms"]
    return Line("customer", "Payment terms changed", joined(now, f"before {_agreed(before)}", d.get("reason")))


def _segment_changed(d: Data) -> Line:
    return Line("customer", "Segment changed", f"{d['previous_segment']} → {d['customer']['segment']}")


def _customer_closed(d: Data) -> Line:
    goes_on = "merged into another customer" if d["customer"].get("merged_into") else None
    return Line("customer", "Customer closed", joined(goes_on, d.get("reason")))


def _limit_changed(d: Data) -> Line:
    before = d.get("previous_limit")
    was = f"before {money(before)}" if before else None
    return Line("credit", "Credit limit set", joined(was, words(d.get("reason"))), amount(d["credit"]["limit"]))


def _decision_made(d: Data) -> Line:
    decision = d["decision"]
    detail = joined(*(words(reason) for reason in decision.get("reasons", ())), d.get("reference"))
    return Line("credit", f"Credit {decision['outcome']}", detail, amount(decision["requested"]))


def _assessed(d: Data) -> Line:
    file, before = d["file"], d.get("previous_risk_class")
    was = f"before {before}" if before and before != file["risk_class"] else None
    heaviest = (file.get("lowered") or [])[:2] + (file.get("raised") or [])[:1]
    why = ", ".join(words(reason["code"]) for reason in heaviest)
    return Line("credit", f"Assessed: risk class {file['risk_class']}", joined(was, f"score {file['score']}", why))


def _hold_placed(d: Data) -> Line:
    held = ", ".join(words(each) for each in d["hold"]["held"])
    until = f"until {day(d['hold']['until'])}" if d["hold"].get("until") else None
    return Line("credit", f"Credit hold on {held}", joined(d["hold"].get("reason"), until))


def _hold_released(d: Data) -> Line:
    still = ", ".join(words(each) for each in d.get("held_now", ()))
    return Line("credit", "Credit hold released", joined(d.get("release_reason"), still and f"still held: {still}"))


def _rates_published(d: Data) -> Line:
    r = d["rates"]
    return Line("other", f"Exchange rates of {day(r['on'])} published", f"{len(r['rates'])} currencies, {r['source']}")


def _invoice_issued(d: Data) -> Line:
    detail = joined(f"due {day(d['invoice']['due_date'])}", f"by {d['delivery_channel']}", d.get("customer_reference"))
    return Line("invoice", f"Invoice {_number(d)} issued", detail, amount(d["change"]))


_BALANCE_CHANGES = {
    "unallocation": "Payment taken back from invoice {}",
    "discount": "Discount on invoice {}",
    "small_difference": "Small difference on invoice {} let go",
    "restored": "Correction on invoice {} taken back",
}


def _balance_changed(d: Data) -> Line:
    title = _BALANCE_CHANGES.get(d.get("reason", ""), "Invoice {} paid in part").format(_number(d))
    return Line("invoice", title, f"{money(d['invoice']['balance'])} open", amount(d["change"]))


def _settled(d: Data) -> Line:
    late = d["days_late"]
    timing = "on the due date" if late == 0 else f"{days(late)} late" if late > 0 else f"{days(-late)} early"
    return Line("invoice", f"Invoice {_number(d)} settled", timing, amount(d["change"]))


def _credited(d: Data) -> Line:
    detail = joined(words(d.get("reason")), d.get("credit_note_number"))
    return Line("invoice", f"Invoice {_number(d)} credited", detail, amount(d["change"]))


def _charged(d: Data) -> Line:
    title = f"{words(d['kind']).capitalize()} charged on invoice {_number(d)}"
    return Line("invoice", title, d.get("reason", ""), amount(d["change"]))


def _written_off(d: Data) -> Line:
    return Line("invoice", f"Invoice {_number(d)} written off", words(d.get("reason")), amount(d["change"]))


def _voided(d: Data) -> Line:
    return Line("invoice", f"Invoice {_number(d)} voided", words(d.get("reason")), amount(d["change"]))


def _delivered(d: Data) -> Line:
    return Line("invoice", f"Invoice {_number(d)} delivered", f"by {d['channel']}")


def _notice_sent(d: Data) -> Line:
    return Line("invoice", f"Sent: {words(d['kind'])}", f"by {d['channel']}")


def _plan_agreed(d: Data) -> Line:
    detail = f"{len(d['instalments'])} instalments"
    return Line("invoice", f"Instalment plan agreed for invoice {_number(d)}", detail, amount(d["amount"]))


def _plan_ended(d: Data) -> Line:
    return Line("invoice", f"Instalment plan of invoice {_number(d)} {d['outcome']}", "")


def _plan_broken(d: Data) -> Line:
    return Line("invoice", f"Instalment plan of invoice {_number(d)} broken", f"missed {day(d['missed_on'])}")


def _promise_offered(d: Data) -> Line:
    return Line("reminder", f"Customer promised to pay on {day(d['promised_on'])}", "", amount(d["amount"]))


def _payment_refunded(d: Data) -> Line:
    return Line("payment", "Refunded to the customer", words(d.get("reason")), -amount(d["amount"]))


def _payment_refund_reversed(d: Data) -> Line:
    return Line("payment", "Refund taken back", words(d.get("reason")), amount(d["amount"]))


def _disputed(d: Data) -> Line:
    return Line("dispute", f"Invoice {_number(d)} disputed", words(d.get("reason")), amount(d["amount"]))


def _dispute_resolved(d: Data) -> Line:
    return Line("dispute", f"Dispute of invoice {_number(d)} {d['outcome']}", "", amount(d["amount"]))


def _due_soon(d: Data) -> Line:
    detail = f"due {day(d['invoice']['due_date'])}, in {days(d['days_until_due'])}"
    return Line("overdue", f"Invoice {_number(d)} due soon", detail, amount(d["invoice"]["balance"]))


def _overdue(d: Data) -> Line:
    detail = f"was due {day(d['invoice']['due_date'])}"
    return Line("overdue", f"Invoice {_number(d)} overdue", detail, amount(d["invoice"]["balance"]))


def _aged(d: Data) -> Line:
    title = f"Invoice {_number(d)} reached {days(d['days_overdue'])} overdue"
    return Line("overdue", title, f"was due {day(d['invoice']['due_date'])}", amount(d["invoice"]["balance"]))


def _overdue_cleared(d: Data) -> Line:
    return Line("overdue", f"Invoice {_number(d)} no longer overdue", f"after {days(d['days_overdue'])}")


def _payment_received(d: Data) -> Line:
    p = d["payment"]
    return Line("payment", "Payment received", joined(words(p["method"]), p.get("reference")), amount(p["amount"]))


def _payment_applied(d: Data) -> Line:
    return Line("payment", "Payment applied", f"to {_allocated(d)}", _allocated_sum(d))


def _payment_unapplied(d: Data) -> Line:
    return Line("payment", "Payment taken back", f"from {_allocated(d)}", _allocated_sum(d))


def _payment_reversed(d: Data) -> Line:
    return Line("payment", "Payment reversed", words(d.get("reason")), -amount(d["payment"]["amount"]))


_TELLERS: dict[str, Callable[[Data], Line]] = {
    "dueward.customer.onboarded.v1": _customer_onboarded,
    "dueward.customer.updated.v1": _customer_updated,
    "dueward.customer.terms_changed.v1": _terms_changed,
    "dueward.customer.segment_changed.v1": _segment_changed,
    "dueward.customer.closed.v1": _customer_closed,
    "dueward.credit.limit_changed.v1": _limit_changed,
    "dueward.credit.decision_made.v1": _decision_made,
    "dueward.credit.assessed.v1": _assessed,
    "dueward.credit.hold_placed.v1": _hold_placed,
    "dueward.credit.hold_released.v1": _hold_released,
    "dueward.rates.published.v1": _rates_published,
    "dueward.invoice.issued.v1": _invoice_issued,
    "dueward.invoice.balance_changed.v1": _balance_changed,
    "dueward.invoice.settled.v1": _settled,
    "dueward.invoice.credited.v1": _credited,
    "dueward.invoice.charged.v1": _charged,
    "dueward.invoice.written_off.v1": _written_off,
    "dueward.invoice.voided.v1": _voided,
    "dueward.invoice.delivered.v1": _delivered,
    "dueward.notice.sent.v1": _notice_sent,
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
    **COLLECTION,
    **CREDIT,
}


def _name(type: str) -> str:
    """`dueward.promise.made.v1` reads "Promise made"."""
    parts = [part for part in type.removeprefix("dueward.").split(".") if not part.removeprefix("v").isdigit()]
    return words(" ".join(parts)).capitalize() or type


def _number(d: Data) -> str:
    return d["invoice"]["number"]


def _terms(customer: Data) -> str:
    return f"net {_agreed(customer['payment_terms'])}"


def _agreed(terms: Data) -> str:
    """Events from before prepayment and deposits were told name neither."""
    share, deposit = terms.get("prepaid_percent"), terms.get("deposit")
    prepaid = f", {share} % in advance" if share else ""
    return f"{terms['net_days']} days{prepaid}{f', a deposit of {money(deposit)}' if deposit else ''}"


def _allocated(d: Data) -> str:
    numbers = [part["invoice_number"] for part in d["allocations"]]
    shown = ", ".join(numbers[:4])
    return f"{shown} and {len(numbers) - 4} more" if len(numbers) > 4 else shown


def _allocated_sum(d: Data) -> Money:
    first, *rest = (amount(part["amount"]) for part in d["allocations"])
    return sum(rest, start=first)
