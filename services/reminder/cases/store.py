"""Cases, one a customer and selling entity; loaded and saved many at a time, under their customers' locks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps.rules import Case
from services.reminder.receivables.rules import Key
from shared.db import Tx

NEXT_CHECK = "(select min(check_at) from collection_case where check_at is not null)"

_COLUMNS = """customer_id, id, version, entity_id, status, episode, strategy, strategy_version, level, step, opened_on,
closed_on, closed_because, climbed_on, rest_until, holds, noticed, blocked_step, refused, pending, check_at,
broken_promises, hastened, reached, stepped_on, awaiting, approved, challenger, arm, formal_notice_on"""


_FIELDS = [name.strip() for name in _COLUMNS.split(",")]


async def due(tx: Tx, limit: int) -> dict[Key, UUID | None]:
    """Accounts whose case has something to decide, those who wait longest first, each with the parent company where
    one takes the messages of several customers."""
    rows = await tx.fetch(_DUE, tx.now, limit)
    return {(row["customer_id"], row["entity_id"]): row["party"] for row in rows}


_DUE = """
select customer_id, entity_id,
       case when exists (select from account where contact_parent) then coalesce(
           (select parent_id from account where id = customer_id and contact_parent),
           (select parent_id from account where contact_parent and parent_id = customer_id limit 1)
       ) end as party
from collection_case
where check_at <= $1 order by check_at, customer_id, entity_id limit $2
"""


async def due_of(tx: Tx, customer_ids: Sequence[UUID]) -> list[Key]:
    """The same, of some customers: all of theirs."""
    return [(row["customer_id"], row["entity_id"]) for row in await tx.fetch(_DUE_OF, tx.now, customer_ids)]


_DUE_OF = "select customer_id, entity_id from collection_case where customer_id = any($2::uuid[]) and check_at <= $1"


class Loaded(NamedTuple):
    """Cases by account, and the document of the contact policy in force, None for the built-in one."""

    cases: dict[Key, Case]
    policy: str | None


async def load(tx: Tx, customer_ids: Sequence[UUID]) -> Loaded:
    """All cases of the customers, with whatever entity. The policy comes along: it is needed wherever cases are."""
    rows = await tx.fetch(_LOAD, customer_ids)
    cases = _cases(row for row in rows if row["customer_id"] is not None)
    return Loaded({case.key: case for case in cases}, rows[0]["policy"])


_LOAD = f"""
select p.document as policy, {_COLUMNS}
from (select (select document from contact_policy order by version desc limit 1) as document) p
left join collection_case on customer_id = any($1::uuid[])
"""


async def account_of(tx: Tx, case_id: UUID) -> Key | None:
    row = await tx.fetchrow("select customer_id, entity_id from collection_case where id = $1", case_id)
    return (row["customer_id"], row["entity_id"]) if row else None


async def save(tx: Tx, cases: Sequence[Case]) -> None:
    """A case's fields are the columns."""
    rows = sorted(cases, key=lambda case: case.key)
    await tx.execute(_SAVE, orjson.dumps(rows, default=str).decode())


_SAVE = f"""
insert into collection_case ({_COLUMNS})
select {_COLUMNS} from json_populate_recordset(null::collection_case, $1::text::json)
on conflict (customer_id, entity_id) do update set
    version = excluded.version, status = excluded.status, episode = excluded.episode, strategy = excluded.strategy,
    strategy_version = excluded.strategy_version, level = excluded.level, step = excluded.step,
    opened_on = excluded.opened_on, closed_on = excluded.closed_on, closed_because = excluded.closed_because,
    climbed_on = excluded.climbed_on, rest_until = excluded.rest_until,
    holds = excluded.holds, noticed = excluded.noticed,
    blocked_step = excluded.blocked_step, refused = excluded.refused, pending = excluded.pending,
    check_at = excluded.check_at, broken_promises = excluded.broken_promises,
    hastened = excluded.hastened, reached = excluded.reached, stepped_on = excluded.stepped_on,
    awaiting = excluded.awaiting, approved = excluded.approved, challenger = excluded.challenger, arm = excluded.arm,
    formal_notice_on = excluded.formal_notice_on
"""


async def page(tx: Tx, status: str | None, entity_id: str | None, after: Key | None, limit: int) -> list[Case]:
    """Cases that ever had an episode, in the order of their customers' ids and their entities."""
    return _cases(await tx.fetch(_PAGE, status, entity_id, *(after or (None, None)), limit))


_PAGE = f"""
select {_COLUMNS} from collection_case
where episode > 0 and ($1::text is null or status = $1) and ($2::text is null or entity_id = $2)
  and ($3::uuid is null or (customer_id, entity_id) > ($3, $4::text))
order by customer_id, entity_id limit $5
"""


def _cases(rows: Iterable[Any]) -> list[Case]:
    return [
        Case(
            **{
                **{name: row[name] for name in _FIELDS},
                "refused": tuple(row["refused"]),
                "pending": tuple(map(UUID, row["pending"])),
                "noticed": tuple(map(date.fromisoformat, row["noticed"])),
                "holds": tuple(map(_hold, row["holds"])),
            }
        )
        for row in rows
    ]


def _hold(kept: dict[str, Any]) -> Hold:
    until = date.fromisoformat(kept["until"]) if kept["until"] else None
    promised_on = date.fromisoformat(kept["promised_on"]) if kept.get("promised_on") else None
    return Hold(HoldKind(kept["kind"]), until, kept["source"], kept["detail"], promised_on)
