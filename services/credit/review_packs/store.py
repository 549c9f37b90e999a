"""Who was assessed in a period, and when they defaulted afterwards; overrides.

Tables, to be read in one look: assessment, payment_record, invoice_exposure; decision_override, credit_decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from services.credit.review_packs.rules import PAST_DUE_DAYS_MAX, Observed
from shared.db import Tx
from shared.money import Money


async def observed(tx: Tx, scorecard: str, since: date, until: date, today: date) -> tuple[list[int], list[Observed]]:
    """The versions that were used, and each customer's first assessment by this scorecard in the period."""
    rows = await tx.fetch(_OBSERVED, scorecard, since, until, today, PAST_DUE_DAYS_MAX)
    found = [
        Observed(
            customer_id=row["customer_id"],
            assessed_on=row["assessed_on"],
            score=row["score"],
            risk_class=row["risk_class"],
            probability_of_default=Decimal(row["probability_of_default"]),
            in_default=row["in_default"],
            defaulted_on=row["defaulted_on"],
        )
        for row in rows
    ]
    return sorted({row["scorecard_version"] for row in rows}), found


_OBSERVED = """
with first as (
    select distinct on (customer_id) customer_id, assessed_on, scorecard_version,
           (result -> 'score' ->> 'score')::integer as score,
           result -> 'score' ->> 'risk_class' as risk_class,
           result -> 'score' ->> 'probability_of_default' as probability_of_default
    from assessment
    where scorecard = $1 and assessed_on between $2 and $3
    order by customer_id, id
)
select f.*,
       coalesce((
           select bool_or(d.on_day <= f.assessed_on and (d.until_day is null or d.until_day > f.assessed_on)) from (
               select r.due_date + $5::integer + 1 as on_day, r.ended_on as until_day
               from payment_record r where r.customer_id = f.customer_id and r.ended_on > r.due_date + $5::integer
               union all
               select i.due_date + $5::integer + 1, null
               from invoice_exposure i
               where i.customer_id = f.customer_id and i.balance_minor > i.disputed_minor
                 and i.due_date + $5::integer < $4::date
           ) d
       ), false) as in_default,
       (
           select min(d.on_day) from (
               select case when r.written_off then least(r.ended_on, r.due_date + $5::integer + 1)
                           else r.due_date + $5::integer + 1 end as on_day
               from payment_record r
               where r.customer_id = f.customer_id and r.ended_on is not null
                 and (r.written_off or r.ended_on > r.due_date + $5::integer)
               union all
               select i.due_date + $5::integer + 1
               from invoice_exposure i
               where i.customer_id = f.customer_id and i.balance_minor > i.disputed_minor
                 and i.due_date + $5::integer < $4::date
           ) d where d.on_day > f.assessed_on
       ) as defaulted_on
from first f
order by f.customer_id
"""
"""Open and disputed in full is no default; an invoice that was written off defaulted then, if not before."""


async def overrides(
    tx: Tx, since: datetime, until: datetime
) -> Sequence[tuple[UUID, UUID, str, Money, str, str, datetime, tuple[str, ...]]]:
    """(decision_id, customer_id, reference, amount, reason, by, at, reasons of the decision), the oldest first."""
    return [
        (
            row["decision_id"],
            row["customer_id"],
            row["reference"],
            Money(row["amount_minor"], row["currency"]),
            row["reason"],
            row["overridden_by"],
            row["overridden_at"],
            tuple(row["reasons"]),
        )
        for row in await tx.fetch(_OVERRIDES, since, until)
    ]


_OVERRIDES = """
select o.*, d.reasons
from decision_override o join credit_decision d on d.id = o.decision_id
where o.overridden_at >= $1 and o.overridden_at < $2
order by o.overridden_at, o.decision_id
"""
