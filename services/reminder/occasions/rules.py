"""What a letter speaks of besides its invoices: a promise, an instalment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.reminder.mails.rules import Letter
from services.reminder.offers.rules import Offer
from services.reminder.promises.rules import Promise

PROMISE_BROKEN, PLAN_OFFER = "promise-broken", "plan-offer"
PLAIN, PLAIN_BEFORE_DUE = "second-reminder", "due-soon"
"""Said in place of a template that speaks of a promise or an instalment, to whoever has none."""


def of_promise(letter: Letter, promises: Iterable[Promise]) -> Letter:
    """`promises` newest first; the newest that runs or was broken is meant."""
    promise = next((each for each in promises if each.status in ("open", "broken")), None)
    if promise is None:
        return plain(letter)
    return replace(letter, promised=promise.amount, promised_on=promise.promised_on)


def of_instalment(letter: Letter, offers: Iterable[Offer]) -> Letter:
    """The next instalment of the newest plan that the customer accepted, or its last one when all are past."""
    plan = next((each for each in offers if each.kind == "plan" and each.status == "accepted"), None)
    if plan is None:
        return plain(letter)
    ahead = [each for each in plan.instalments if each.due_date >= letter.written_on]
    meant = ahead[0] if ahead else plan.instalments[-1]
    return replace(letter, instalment=plan.money(meant.minor), instalment_due_on=meant.due_date)


def plain(letter: Letter) -> Letter:
    return replace(letter, template=PLAIN_BEFORE_DUE if letter.due_on else PLAIN)
