"""Credit accounts and policies.

A lock takes the customer's row first, which is what puts the customer's events in order, and the account's with it:
locking a row is what makes PostgreSQL read its newest version after a wait.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from services.credit.limits.rules import FOLLOW, WATCH, Account, Addition, rules_of
from services.credit.policy_rules.rules import Policy, PolicyLimit
from shared.db import Tx
from shared.money import Money

POLICY_WORK_DUE = """(
    select p.changed_at
    from credit_policy p
    where p.version = (select max(version) from credit_policy)
      and exists (select from credit_account a where a.source = 'policy' and a.policy_version < p.version)
)"""
"""When the policy in force was decided, while there are limits not yet held against it."""


CHANGES_DUE = "(select min(changes_on)::timestamp at time zone 'UTC' from credit_account where changes_on is not null)"
"""The start of the day on which time alone next changes a limit."""

_ACCOUNT = """
a.id, a.customer_id, c.status as customer_status, c.segment, c.currency, a.version, a.limit_minor,
a.currency as limit_currency, a.source, a.reason, a.policy_version, a.base_minor, a.additions, a.valid_until,
a.changes_on, a.held
"""


async def read_account(tx: Tx, customer_id: UUID) -> Account | None:
    row = await tx.fetchrow(_READ_ACCOUNT, customer_id)
    return _account(row) if row else None


_READ_ACCOUNT = f"""
select {_ACCOUNT}
from customer c join credit_account a on a.customer_id = c.id
where c.id = $1
"""


async def read_accounts(tx: Tx, customer_ids: Collection[UUID]) -> list[Account]:
    return [_account(row) for row in await tx.fetch(_READ_ACCOUNTS, list(customer_ids))]


_READ_ACCOUNTS = f"""
select {_ACCOUNT}
from customer c join credit_account a on a.customer_id = c.id
where c.id = any($1)
"""


async def lock_accounts(tx: Tx, customer_ids: Collection[UUID]) -> list[Account]:
    """In the one order that keeps two such transactions from waiting for each other; unknown customers are left out."""
    if len(customer_ids) == 1:
        [customer_id] = customer_ids
        return [_account(row) for row in await tx.fetch(_LOCK_ONE_ACCOUNT, customer_id)]
    return [_account(row) for row in await tx.fetch(_LOCK_ACCOUNTS, customer_ids)]


_LOCK_ACCOUNTS = f"""
with recursive up (id, parent_id) as (
    select id, parent_id from customer where id = any($1::uuid[]) and exists (select from credit_group)
    union
    select above.id, above.parent_id from up join customer above on above.id = up.parent_id
)
select {_ACCOUNT}
from customer c join credit_account a on a.customer_id = c.id
where c.id = any($1::uuid[] || array(select up.id from up join credit_group g on g.customer_id = up.id))
order by c.id
for no key update of c, a
"""

_LOCK_ONE_ACCOUNT = _LOCK_ACCOUNTS.replace("$1::uuid[]", "array[$1::uuid]")
"""Planned once: an array whose length PostgreSQL does not know is planned for at every call."""


async def lock_accounts_behind(tx: Tx, policy_version: int, count_max: int) -> list[Account]:
    """Accounts whose policy limit was not yet held against this version; customers that are busy wait their turn."""
    return [_account(row) for row in await tx.fetch(_LOCK_ACCOUNTS_BEHIND, policy_version, count_max)]


_LOCK_ACCOUNTS_BEHIND = f"""
select {_ACCOUNT}
from credit_account a join customer c on c.id = a.customer_id
where a.source = 'policy' and a.policy_version < $1
order by c.id
limit $2
for no key update of c, a skip locked
"""


async def lock_accounts_changing(tx: Tx, today: date, count_max: int) -> list[Account]:
    """Accounts whose limit time alone changes today or should have before."""
    return [_account(row) for row in await tx.fetch(_LOCK_ACCOUNTS_CHANGING, today, count_max)]


_LOCK_ACCOUNTS_CHANGING = f"""
select {_ACCOUNT}
from credit_account a join customer c on c.id = a.customer_id
where a.changes_on <= $1
order by c.id
limit $2
for no key update of c, a skip locked
"""


async def accounts_after(tx: Tx, after: UUID, count_max: int) -> list[Account]:
    """In the order of the customers' ids."""
    return [_account(row) for row in await tx.fetch(_ACCOUNTS_AFTER, after, count_max)]


_ACCOUNTS_AFTER = f"""
select {_ACCOUNT}
from customer c join credit_account a on a.customer_id = c.id
where c.id > $1
order by c.id limit $2
"""


async def save_held(tx: Tx, customer_id: UUID, held: tuple[str, ...]) -> None:
    await tx.execute("update credit_account set held = $2 where customer_id = $1", customer_id, held)


async def add_account(tx: Tx, account: Account) -> None:
    await tx.execute(_ADD_ACCOUNT, *_row(account), tx.now)


_ADD_ACCOUNT = """
insert into credit_account (customer_id, id, version, currency, limit_minor, source, reason, policy_version,
                            base_minor, additions, valid_until, changes_on, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11, $12, $13)
"""


async def save_accounts(tx: Tx, accounts: Sequence[Account]) -> None:
    await tx.execute(_SAVE_ACCOUNTS, *(list(column) for column in zip(*map(_row, accounts), strict=True)), tx.now)


_SAVE_ACCOUNTS = """
update credit_account a
set version = n.version, currency = n.currency, limit_minor = n.limit_minor, source = n.source, reason = n.reason,
    policy_version = n.policy_version, base_minor = n.base_minor, additions = n.additions::jsonb,
    valid_until = n.valid_until, changes_on = n.changes_on,
    changed_at = case when n.version > a.version then $13 else a.changed_at end
from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
            $9::bigint[], $10::text[], $11::date[], $12::date[])
     as n (customer_id, id, version, currency, limit_minor, source, reason, policy_version, base_minor, additions,
           valid_until, changes_on)
where a.id = n.id
"""


async def policy_in_force(tx: Tx) -> Policy:
    return _policy(await tx.fetchrow("select * from credit_policy order by version desc limit 1"))


async def lock_policy(tx: Tx) -> Policy:
    """Changes of the policy wait here for each other."""
    return _policy(await tx.fetchrow(_LOCK_POLICY))


_LOCK_POLICY = "select * from credit_policy order by version desc limit 1 for update"


async def add_policy(tx: Tx, policy: Policy, changed_by: str) -> bool:
    """False when somebody added this version in the meantime."""
    limits = [{"segment": entry.segment, "limit": _wire(entry.limit)} for entry in policy.limits]
    rules = policy.rules.model_dump(mode="json", exclude_defaults=True) | (
        ({WATCH: True} if policy.rules.holds.is_on else {}) | ({FOLLOW: True} if policy.rules.follows else {})
    )
    return bool(
        await tx.fetchval(
            _ADD_POLICY,
            policy.version,
            limits,
            tx.now,
            changed_by,
            rules,
            policy.owner,
            policy.review_on,
            policy.reason,
        )
    )


_ADD_POLICY = """
insert into credit_policy (version, limits, changed_at, changed_by, rules, owner, review_on, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (version) do nothing
returning true
"""


async def policy_changed(tx: Tx, version: int) -> tuple[datetime | None, str | None]:
    """When, and by whom; both None for the version that came with the service."""
    row = await tx.fetchrow("select changed_at, changed_by from credit_policy where version = $1", version)
    return (row["changed_at"], row["changed_by"]) if row else (None, None)


async def policies(tx: Tx, before: int | None, count_max: int) -> list[tuple[Policy, datetime | None, str | None]]:
    """Versions below `before`, newest first, each with when and by whom it was made."""
    rows = await tx.fetch(_POLICIES, before, count_max)
    return [(_policy(row), row["changed_at"], row["changed_by"]) for row in rows]


_POLICIES = """
select * from credit_policy where $1::bigint is null or version < $1 order by version desc limit $2
"""


def _row(account: Account) -> tuple[Any, ...]:
    return (
        account.customer_id,
        account.id,
        account.version,
        account.limit.currency,
        account.limit.minor,
        account.source,
        account.reason,
        account.policy_version,
        account.base_limit.minor,
        orjson.dumps([_kept(each) for each in account.additions]).decode(),
        account.valid_until,
        account.changes_on,
    )


def _kept(addition: Addition) -> dict[str, Any]:
    return {
        "id": str(addition.id),
        "kind": addition.kind,
        "amount_minor": addition.amount.minor,
        "counted_minor": addition.counted.minor,
        "from_on": addition.from_on,
        "until_on": addition.until_on,
        "season": addition.season,
        "ended_on": addition.ended_on,
    }


def _addition(kept: dict[str, Any], currency: str) -> Addition:
    until_on, ended_on = ((date.fromisoformat(kept[name]) if kept[name] else None) for name in ("until_on", "ended_on"))
    return Addition(
        id=UUID(kept["id"]),
        kind=kept["kind"],
        amount=Money(kept["amount_minor"], currency),
        counted=Money(kept["counted_minor"], currency),
        from_on=date.fromisoformat(kept["from_on"]),
        until_on=until_on,
        season=tuple(kept["season"]) if kept["season"] else None,
        ended_on=ended_on,
    )


def _account(row: Any) -> Account:
    return Account(
        id=row["id"],
        customer_id=row["customer_id"],
        customer_status=row["customer_status"],
        segment=row["segment"],
        currency=row["currency"],
        version=row["version"],
        limit=Money(row["limit_minor"], row["limit_currency"]),
        source=row["source"],
        reason=row["reason"],
        policy_version=row["policy_version"],
        base=Money(row["limit_minor"] if row["base_minor"] is None else row["base_minor"], row["limit_currency"]),
        additions=tuple(_addition(kept, row["limit_currency"]) for kept in row["additions"]),
        valid_until=row["valid_until"],
        changes_on=row["changes_on"],
        held=tuple(row["held"]),
    )


def _policy(row: Any) -> Policy:
    return Policy(
        version=row["version"],
        limits=tuple(
            PolicyLimit(entry["segment"], Money.parse(entry["limit"]["amount"], entry["limit"]["currency"]))
            for entry in row["limits"]
        ),
        rules=rules_of(row["rules"]),
        owner=row["owner"],
        review_on=row["review_on"],
        reason=row["reason"],
    )


def _wire(money: Money) -> dict[str, str]:
    return {"amount": money.amount, "currency": money.currency}
