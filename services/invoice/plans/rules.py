"""Instalment plans: what is owed on one or several invoices, paid by dates of its own.

A plan covers all that may be collected of its invoices when it is agreed. What is paid of it follows from the invoices:
the plan's amount less what they still have on it fills the instalments, the earliest first. An instalment not filled
when its grace days have passed is missed; so many missed ones break the plan, and all of it may be chased at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Literal
from uuid import UUID

from services.invoice.entities.rules import PlanPolicy
from services.invoice.invoices.rules import Invoice, Outcome
from shared.calendar import ONE_DAY, add_months
from shared.errors import Conflict, NotFound, Refused
from shared.events.invoice import Instalment as InstalmentPart
from shared.events.invoice import InvoicePlanAgreed, InvoicePlanBroken, InvoicePlanEnded
from shared.money import Money, round_half_even, split

Status = Literal["agreed", "active", "kept", "broken", "cancelled"]
Interval = Literal["week", "two_weeks", "month"]
AgreedBy = Literal["staff", "customer"]
Word = Literal["instalment_due", "instalment_missed"]
"""What a customer is told of an instalment: that its day is near, that it did not come."""

INSTALMENTS_MAX = 60
INVOICES_MAX = 100
AWAITED_LOOK_DAYS = 7
REMINDED_AT = time(9, 0)
"""In the entity's time zone."""
_DAYS = {"week": 7, "two_weeks": 14}


class PlanNotFound(NotFound):
    slug = "plan-not-found"
    title = "There is no such plan"


class PlanRefused(Refused):
    slug = "plan-refused"
    title = "No plan can be made of this"


class ScheduleRefused(Refused):
    slug = "plan-schedule"
    title = "The instalments do not fit"


class PlanOver(Conflict):
    slug = "plan-over"
    title = "The plan is over already"


class OnPlan(Conflict):
    slug = "on-plan"
    title = "The invoice is on a plan already"


@dataclass(frozen=True, slots=True)
class Instalment:
    due_date: date
    minor: int


Schedule = tuple[Instalment, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What of a plan is an invoice's."""

    invoice_id: UUID
    number: str
    minor: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`reminded_on` is the business day up to which it is decided what is told of its instalments."""

    id: UUID
    version: int
    entity_id: str
    customer_id: UUID
    status: Status
    currency: str
    amount_minor: int
    grace_days: int
    missed_max: int
    agreed_on: date
    agreed_by: AgreedBy
    shares: tuple[Share, ...]
    schedule: Schedule
    ended_on: date | None = None
    ended_why: str | None = None
    missed_on: date | None = None
    left_minor: int | None = None
    awaited_minor: int = 0
    remind_days_before: int | None = None
    remind_missed: bool = False
    reminded_on: date | None = None

    @property
    def runs(self) -> bool:
        return self.ended_on is None

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


@dataclass(frozen=True, slots=True)
class Filled:
    """An instalment with what of it is paid."""

    due_date: date
    minor: int
    paid_minor: int

    @property
    def open_minor(self) -> int:
        return self.minor - self.paid_minor


@dataclass(frozen=True, slots=True)
class Rest:
    """Days, both included, on which a plan on the invoice ran without being broken: no interest is asked for them
    (Directive 2011/7/EU, art. 5: under a schedule only overdue instalments bear interest)."""

    invoice_id: UUID
    first: date
    last: date


# --- the schedule ---


def even_schedule(
    total_minor: int,
    *,
    count: int,
    every: Interval,
    first_on: date,
    down_payment_minor: int = 0,
    down_on: date | None = None,
) -> Schedule:
    """So many equal parts; what does not divide goes to the first ones, a minor unit each. A down payment comes before
    them and is not one of them. Raises ScheduleRefused."""
    if not 0 <= down_payment_minor < total_minor:
        raise ScheduleRefused("a down payment leaves something to be paid in instalments", field="/down_payment")
    rest = total_minor - down_payment_minor
    if rest < count:
        raise ScheduleRefused(f"{rest} minor units do not make {count} instalments", field="/count")
    dates = [_step(first_on, every, n) for n in range(count)]
    parts = [Instalment(day, minor) for day, minor in zip(dates, split(rest, [1] * count), strict=True)]
    if down_payment_minor:
        parts.insert(0, Instalment(down_on or first_on, down_payment_minor))
    return tuple(parts)


def _step(first_on: date, every: Interval, n: int) -> date:
    """The n-th date: the same day of later months (its last where it has none), or so many weeks on."""
    return add_months(first_on, n) if every == "month" else first_on + timedelta(days=_DAYS[every] * n)


def checked(schedule: Schedule, total: Money, today: date) -> Schedule:
    """The schedule itself when it adds up exactly, in order, from today on. Raises ScheduleRefused."""
    if not schedule:
        raise ScheduleRefused("a plan has at least one instalment", field="/instalments")
    for n, instalment in enumerate(schedule):
        if instalment.minor <= 0:
            raise ScheduleRefused("an instalment of more than zero is wanted", field=f"/instalments/{n}/amount")
        if instalment.due_date < today:
            raise ScheduleRefused(
                f"an instalment on {instalment.due_date} would be missed already; today is {today}",
                field=f"/instalments/{n}/due_date",
            )
        if n and instalment.due_date <= schedule[n - 1].due_date:
            raise ScheduleRefused("instalments are given by date, one a day", field=f"/instalments/{n}/due_date")
    planned = sum(instalment.minor for instalment in schedule)
    if planned != total.minor:
        raise ScheduleRefused(
            f"the instalments add up to {Money(planned, total.currency)}, and {total} is owed", field="/instalments"
        )
    return schedule


@dataclass(frozen=True, slots=True)
class Offer:
    """A schedule that the entity lets the customer agree by itself."""

    count: int
    schedule: Schedule


def offers(total: Money, policy: PlanPolicy, today: date) -> tuple[Offer, ...]:
    """Every monthly schedule within the entity's limits, the shortest first: from two instalments to as many months as
    it allows, none below its smallest one, after the down payment it asks for today. None where the policy does not
    let customers agree plans, or names no smallest instalment in a currency though it has them in others."""
    if not policy.self_service or total.minor <= 0:
        return ()
    smallest = next((each.minor for each in policy.instalment_min if each.currency == total.currency), None)
    if smallest is None:
        if policy.instalment_min:
            return ()
        smallest = 1
    down = round_half_even(total.minor * policy.down_payment / 100)
    found = []
    for count in range(1 if down else 2, policy.months_max + 1):
        if total.minor - down < count * max(smallest, 1):
            break
        schedule = even_schedule(
            total.minor,
            count=count,
            every="month",
            first_on=add_months(today, 1),
            down_payment_minor=down,
            down_on=today,
        )
        found.append(Offer(count, schedule))
    return tuple(found)


def within_limits(count: int, total: Money, policy: PlanPolicy, today: date) -> Schedule:
    """The customer's choice as a schedule. Raises PlanRefused when it is none of what is offered."""
    found = next((offer.schedule for offer in offers(total, policy, today) if offer.count == count), None)
    if found is None:
        raise PlanRefused(f"{count} instalments of {total} are not offered", field="/count")
    return found


# --- the plan's life ---


def plannable(invoices: Sequence[Invoice]) -> Sequence[Invoice]:
    """The invoices themselves when a plan can be made of them. Raises PlanRefused, OnPlan."""
    if not invoices:
        raise PlanRefused("nothing overdue may be collected of this customer")
    if len(invoices) > INVOICES_MAX:
        raise PlanRefused(f"a plan has at most {INVOICES_MAX} invoices; name them")
    for invoice in invoices:
        if invoice.planned_minor:
            raise OnPlan(f"invoice {invoice.number} is on a plan already")
        if invoice.collectable_minor <= 0:
            raise PlanRefused(f"nothing of invoice {invoice.number} may be collected")
        if invoice.currency != invoices[0].currency:
            raise PlanRefused(f"a plan has one currency, not {invoices[0].currency} and {invoice.currency}")
    return invoices


def by_invoice(shares: Sequence[Share], schedule: Schedule) -> list[Schedule]:
    """What of each instalment is whose: the first invoice is paid by the first instalments, and so on. Each invoice's
    parts add up to its share."""
    left = [[instalment.due_date, instalment.minor] for instalment in schedule]
    parts: list[Schedule] = []
    for share in shares:
        wanted, own = share.minor, []
        for instalment in left:
            taken = min(wanted, instalment[1])
            if taken:
                own.append(Instalment(instalment[0], taken))
                instalment[1] -= taken
                wanted -= taken
        parts.append(tuple(own))
    return parts


def agree(invoice: Invoice, plan_id: UUID, schedule: Schedule, on: date) -> Outcome:
    """Put all that may be collected of an invoice on a plan: it waits for the plan's dates."""
    amount = invoice.collectable_minor
    planned = replace(invoice, version=invoice.version + 1, planned_minor=amount)
    event = InvoicePlanAgreed(
        customer_id=planned.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=planned.entity_id,
        invoice=planned.state(),
        plan_id=plan_id,
        amount=planned.money(amount),
        instalments=tuple(
            InstalmentPart(due_date=each.due_date, amount=planned.money(each.minor)) for each in schedule
        ),
    )
    return Outcome(planned, (event,))


def end(invoice: Invoice, plan: Plan, on: date) -> Outcome:
    """Tell that a plan on the invoice is kept, cancelled or broken; what is left of it may be chased again."""
    freed = replace(invoice, version=invoice.version + 1, planned_minor=0)
    about = {
        "customer_id": freed.customer_id,
        "effective_on": on,
        "booked_on": on,
        "entity_id": freed.entity_id,
        "invoice": freed.state(),
        "plan_id": plan.id,
    }
    if plan.status == "broken":
        assert plan.missed_on is not None
        return Outcome(freed, (InvoicePlanBroken(**about, missed_on=plan.missed_on),))
    return Outcome(freed, (InvoicePlanEnded(**about, outcome="kept" if plan.status == "kept" else "cancelled"),))


def fill(plan: Plan, left_minor: int) -> tuple[Filled, ...]:
    """The instalments with what is paid of each, the earliest filled first; `left_minor` is still on the plan."""
    paid = plan.amount_minor - left_minor
    filled = []
    for instalment in plan.schedule:
        part = min(paid, instalment.minor)
        filled.append(Filled(instalment.due_date, instalment.minor, part))
        paid -= part
    return tuple(filled)


def due_by(filled: Sequence[Filled], day: date) -> int:
    """What of the instalments due by a day is not paid."""
    return sum(each.open_minor for each in filled if each.due_date <= day)


def spread(plan: Plan, planned: Mapping[UUID, int], minor: int) -> list[tuple[UUID, int]]:
    """Whose a sum paid on a plan is: its invoices' in their order, each up to what it still has on the plan."""
    parts = []
    for share in plan.shares:
        part = min(minor, planned.get(share.invoice_id, 0))
        if part:
            parts.append((share.invoice_id, part))
            minor -= part
    return parts


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan after a look at it, and the day of the next one (None: it is over)."""

    plan: Plan
    look_on: date | None


def judge(plan: Plan, left_minor: int, today: date) -> Judged:
    """Kept when nothing is left, broken when too much was missed, else looked at when the next miss would count.

    The boundary day counts for the customer: an instalment due on the 10th with 3 grace days is missed on the 14th.
    """
    if left_minor == 0:
        return Judged(replace(plan, version=plan.version + 1, status="kept", ended_on=today, left_minor=0), None)
    # What a bank has yet to confirm is neither paid nor missed.
    unpaid = [filled for filled in fill(plan, max(left_minor - plan.awaited_minor, 0)) if filled.open_minor]
    missed = [filled for filled in unpaid if missed_from(filled.due_date, plan.grace_days) <= today]
    # So many, or the last one: a plan whose end has passed does not run for ever.
    if unpaid and len(missed) >= min(plan.missed_max, len(unpaid)):
        broken = replace(
            plan,
            version=plan.version + 1,
            status="broken",
            ended_on=today,
            missed_on=missed[-1].due_date,
            left_minor=left_minor,
        )
        return Judged(broken, None)
    active = plan.status == "active" or left_minor < plan.amount_minor
    if active and plan.status != "active":
        plan = replace(plan, version=plan.version + 1, status="active")
    if not unpaid:
        return Judged(plan, today + timedelta(days=AWAITED_LOOK_DAYS))
    deciding = unpaid[min(plan.missed_max, len(unpaid)) - 1]
    return Judged(plan, missed_from(deciding.due_date, plan.grace_days))


@dataclass(frozen=True, slots=True)
class Reminder:
    """What is told of an instalment from a day on."""

    kind: Word
    due_date: date
    on: date


def reminders(plan: Plan, left_minor: int) -> list[Reminder]:
    """What is still to be told of instalments that are not paid, the earliest first: each of them so many days before
    its date, and the day after it where it did not come and the plan does not break on that day already."""
    told = []
    for part in fill(plan, max(left_minor - plan.awaited_minor, 0)):
        if not part.open_minor:
            continue
        if plan.remind_days_before is not None:
            before = part.due_date - timedelta(days=plan.remind_days_before)
            told.append(Reminder("instalment_due", part.due_date, before))
        if plan.remind_missed:
            told.append(Reminder("instalment_missed", part.due_date, part.due_date + ONE_DAY))
    decided = plan.reminded_on or plan.agreed_on
    return sorted((each for each in told if each.on > decided), key=lambda each: (each.on, each.due_date))


def reminds_on(plan: Plan, left_minor: int) -> date | None:
    """The day on which something is next to be told, however late it is; None for nothing."""
    return next((each.on for each in reminders(plan, left_minor)), None) if plan.runs else None


def due_reminders(plan: Plan, left_minor: int, today: date) -> tuple[Reminder, ...]:
    """What is to be told today of a plan that is neither kept nor broken today. Late, an instalment is announced until
    its own day; then it is one that did not come."""
    if not plan.runs or judge(plan, left_minor, today).look_on is None:
        return ()
    return tuple(
        each
        for each in reminders(plan, left_minor)
        if each.on <= today and (each.kind == "instalment_missed" or today <= each.due_date)
    )


def reminded(plan: Plan, today: date) -> Plan:
    """It is decided what is told of its instalments up to today."""
    return replace(plan, reminded_on=max(today, plan.reminded_on or today))


def still_to_tell(plan: Plan, left_minor: int, due_date: date) -> bool:
    """Whether word of an instalment that was not sent yet is still true: the plan runs and the instalment is open."""
    return plan.runs and any(
        part.open_minor and part.due_date == due_date for part in fill(plan, max(left_minor - plan.awaited_minor, 0))
    )


def missed_from(due_date: date, grace_days: int) -> date:
    return due_date + timedelta(days=grace_days) + ONE_DAY


def cancel(plan: Plan, left_minor: int, reason: str, on: date) -> Plan:
    """Call it off. Raises PlanOver."""
    if not plan.runs:
        raise PlanOver(f"the plan was {plan.status} on {plan.ended_on}")
    return replace(
        plan, version=plan.version + 1, status="cancelled", ended_on=on, ended_why=reason, left_minor=left_minor
    )


def put_back(plan: Plan, share: Share, planned_minor: int, taken_back_minor: int) -> int:
    """What of a payment that is taken back returns to the plan: at most what was paid of the invoice's share."""
    return min(taken_back_minor, share.minor - planned_minor) if plan.runs else 0
