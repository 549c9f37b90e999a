"""Digests for account teams: who gets which accounts, and what the next one says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from services.reporting.ageing import handlers as ageing
from services.reporting.digests import rules, store
from services.reporting.digests.rules import Account, Accounts, Digest, DigestNotFound
from services.reporting.notices import handlers as notices
from services.reporting.notices.rules import Content, Target
from shared.calendar import ONE_DAY, local_date
from shared.db import Tx
from shared.events import catalogue
from shared.events.event import Event
from shared.events.reminder import PromiseState
from shared.http.preconditions import check_version
from shared.ids import new_id
from shared.money import Money

NEXT_DUE = store.NEXT_DUE


@dataclass(frozen=True, slots=True)
class SetDigest:
    name: str
    recipients: tuple[str, ...]
    accounts: Accounts
    weekday: int
    hour: int
    by: str


async def add_digest(tx: Tx, command: SetDigest) -> Digest:
    """Raises WhoseAccounts."""
    command.accounts.check()
    digest = Digest(
        id=new_id(),
        version=1,
        name=command.name,
        recipients=command.recipients,
        accounts=command.accounts,
        weekday=command.weekday,
        hour=command.hour,
        active=True,
        created_by=command.by,
        created_at=tx.now,
        next_due_at=rules.next_due_at(tx.now, command.weekday, command.hour),
    )
    await store.put(tx, digest)
    return digest


async def change_digest(tx: Tx, digest_id: UUID, version: int, changes: Mapping[str, Any]) -> Digest:
    """`changes` are fields of a Digest that people set. Raises DigestNotFound, PreconditionFailed, WhoseAccounts."""
    digest = await find_digest(tx, digest_id, lock=True)
    check_version(version, digest.version)
    changed = replace(digest, version=digest.version + 1, **changes)
    changed.accounts.check()
    changed = replace(changed, next_due_at=rules.next_due_at(tx.now, changed.weekday, changed.hour))
    await store.put(tx, changed)
    return changed


async def remove_digest(tx: Tx, digest_id: UUID, version: int) -> None:
    """Raises DigestNotFound, PreconditionFailed."""
    check_version(version, (await find_digest(tx, digest_id, lock=True)).version)
    await store.remove(tx, digest_id)


async def find_digest(tx: Tx, digest_id: UUID, *, lock: bool = False) -> Digest:
    """Raises DigestNotFound."""
    digest = await store.read(tx, digest_id, lock=lock)
    if digest is None:
        raise DigestNotFound(digest_id)
    return digest


async def list_digests(tx: Tx, after: UUID | None, limit: int) -> Sequence[Digest]:
    return await store.page(tx, after, limit)


async def make_next(tx: Tx, address: str) -> bool:
    """Make one digest that is due and plan its mails; False when none is. Weeks that were missed come in one, and of
    accounts where nothing is owed and nothing happened there is no mail."""
    digest = await store.take_due(tx)
    if digest is None:
        return False
    content = await write_digest(tx, digest, address)
    if content:
        await notices.plan(tx, [Target("email", to) for to in digest.recipients], content)
    next_due_at = rules.next_due_at(tx.now, digest.weekday, digest.hour)
    await store.put(tx, replace(digest, next_due_at=next_due_at, made_on=local_date(tx.now, "UTC")))
    return True


async def write_digest(tx: Tx, digest: Digest, address: str) -> Content | None:
    """What it would say now; None for nothing."""
    today = local_date(tx.now, "UTC")
    rows = await store.customers(tx, digest.accounts)
    accounts = [account for account in await _accounts(tx, digest, rows, today) if not account.is_quiet]
    if not accounts:
        return None
    shown = rules.ranked(accounts)[: rules.ACCOUNTS_MAX]
    return rules.content_of(digest, shown, len(accounts) - len(shown), today, address)


async def _accounts(tx: Tx, digest: Digest, rows: Sequence[Any], today: date) -> list[Account]:
    ids, until = [row["id"] for row in rows], today - ONE_DAY
    types = [kind.type for kind in rules.NEWS]
    news: dict[UUID, list[Event]] = defaultdict(list)
    for row in await store.happened(tx, ids, digest.since(today), until, types):
        news[row["customer_id"]].append(catalogue.BY_TYPE[row["type"]].model_validate_json(row["data"]))
    promised: dict[UUID, list[tuple[Money, date]]] = defaultdict(list)
    for row in await store.promises(tx, ids):
        promise = PromiseState.model_validate_json(row["promise"])
        if promise.status == "open":
            promised[row["customer_id"]].append((promise.amount - promise.paid, promise.promised_on))
    disputed: dict[UUID, list[Money]] = defaultdict(list)
    for row in await store.disputed(tx, ids):
        disputed[row["customer_id"]].append(Money(row["minor"], row["currency"]))
    accounts = []
    for row in rows:
        aged = await ageing.age_customer(tx, row["id"], until)
        accounts.append(
            Account(
                customer_id=row["id"],
                name=row["name"],
                owed=tuple(Money(each.total, each.currency) for each in aged),
                overdue=tuple(Money(each.overdue, each.currency) for each in aged if each.overdue),
                promised=tuple(sorted(promised[row["id"]], key=lambda each: each[1])),
                disputed=tuple(disputed[row["id"]]),
                news=rules.news_of(news[row["id"]]),
            )
        )
    return accounts
