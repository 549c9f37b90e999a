"""Prepare simulations, and run them over a part of the book, some customers at a time. Nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.rules import Contact
from services.reminder.courses import rules as courses
from services.reminder.courses.rules import Assumptions, Course, Fact, Said
from services.reminder.episodes.rules import new_case
from services.reminder.hindsight import rules as hindsight
from services.reminder.hindsight.rules import Logged, Owed
from services.reminder.holds.rules import HoldKind
from services.reminder.next_steps.rules import Case
from services.reminder.next_steps.rules import facts as case_facts
from services.reminder.policies import handlers as policies
from services.reminder.policies.rules import Policy, Touch
from services.reminder.promises import handlers as promises
from services.reminder.promises.rules import Promise
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import Account, Key
from services.reminder.simulations import rules, store
from services.reminder.simulations.rules import Job, Side, Tally
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies import rules as documents
from services.reminder.strategies.rules import OtherName, Published
from services.reminder.strategy_migrations import rules as migrations
from shared.calendar import ONE_DAY, local_date
from shared.db import Tx

CUSTOMERS_AT_ONCE = 500
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Simulate:
    """What is asked. A side is a published version, a document, or None: the newest version. `policy` is the document
    of a contact policy, None: the one in force. Without `past` it is about the coming `days`."""

    strategy: str
    sides: tuple[int | str | None, ...]
    days: int
    policy: str | None
    past: tuple[date, date] | None
    payments: rules.Payments
    approvals: rules.Approvals
    running: rules.Running


async def prepare(tx: Tx, command: Simulate) -> Job:
    """Raises StrategyNotFound, InvalidStrategy, OtherName, and PeriodRefused."""
    policy = command.policy
    if policy is None:
        found = await policies.find_policy(tx)
        policy = found.document if found.version else None
    begins, ends = tx.now, courses.midnight(tx.now.date() + (command.days + 1) * ONE_DAY)
    if command.past:
        first, last = command.past
        begins, ends = courses.midnight(first), courses.midnight(last + ONE_DAY)
        if last >= tx.now.date():
            raise rules.PeriodRefused(f"{last.isoformat()} is not over yet", field="/past/to")
    return Job(
        strategy=command.strategy,
        sides=tuple([await _side(tx, command.strategy, wanted) for wanted in command.sides]),
        policy=policy,
        begins=begins,
        ends=ends,
        payments=command.payments,
        approvals=command.approvals,
        running=command.running,
        past=command.past is not None,
    )


async def split(tx: Tx, parts: int) -> list[tuple[UUID, UUID | None]]:
    """The book in equal parts, each from after one customer to another one; a small one is a single part."""
    at = await store.splits(tx, parts, CUSTOMERS_AT_ONCE)
    return list(zip([_FIRST, *at], [*at, None], strict=True))


async def simulate(
    tx: Tx, job: Job, after: UUID = _FIRST, last: UUID | None = None, tallies: Sequence[Tally] | None = None
) -> Sequence[Tally]:
    """Run a part of the book; a tally for each side. It is read a chunk of customers at a time, and each is forgotten
    when its course is over. For one picture of the book, `tx` is on one snapshot."""
    assumed = await _assumptions(tx, job)
    tallies = tallies or [Tally(job.strategy) for _ in job.sides]
    chunks = _past_chunks if job.past else _chunks
    async for chunk in chunks(tx, job, assumed, after, last):
        for course in chunk:
            for side, under, tally in zip(job.sides, assumed, tallies, strict=True):
                begun = _moved(course, job, side, under) if job.running == "move" else course
                ended = courses.run(_begun(begun, under), under, tally)
                tally.over(ended, sum(len(account.items) for account in course.accounts.values()))
    return tallies


async def _side(tx: Tx, name: str, wanted: int | str | None) -> Side:
    if not isinstance(wanted, str):
        published = await strategies.find_strategy(tx, name, wanted)
        return Side(published.document, published.version, is_published=True)
    said = documents.parse(wanted).name
    if said != name:
        raise OtherName(f"the document is for {said!r}, the address for {name!r}", field="/name")
    known = {each.name: each.version for each in await strategies.list_strategies(tx)}
    return Side(wanted, known.get(name, 0) + 1, is_published=False)


async def _assumptions(tx: Tx, job: Job) -> list[Assumptions]:
    library = await strategies.library(tx, await (store.versions(tx) if job.past else store.running_on(tx)))
    found = []
    for side in job.sides:
        tried = Published(documents.parse(side.document), side.version, side.document)
        newest = {**library.newest, tried.name: tried}
        pinned = {**library.pinned, (tried.name, tried.version): tried}
        found.append(
            Assumptions(newest, pinned, policies.read(job.policy), job.begins, job.ends, approvals=job.approvals)
        )
    return found


async def _chunks(
    tx: Tx, job: Job, assumed: Sequence[Assumptions], after: UUID, last: UUID | None
) -> AsyncIterator[list[Course]]:
    while True:
        party_of, reached = await store.customers(tx, after, last, CUSTOMERS_AT_ONCE)
        if reached is None:
            return
        yield await _courses(tx, job, assumed, party_of)
        after = reached


async def _past_chunks(
    tx: Tx, job: Job, assumed: Sequence[Assumptions], after: UUID, last: UUID | None
) -> AsyncIterator[list[Course]]:
    """The log goes along: its events come in the order of the customers."""
    log = store.logged(tx, after, last, job.ends)
    ahead = await anext(log, None)
    while True:
        period = job.begins.date(), job.ends.date()
        keys, reached = await store.customers_then(tx, after, last, CUSTOMERS_AT_ONCE, *period)
        if reached is None:
            return
        of_chunk: dict[Key, list[Logged]] = defaultdict(list)
        while ahead is not None and ahead[0] <= reached:
            customer_id, one = ahead
            of_chunk[customer_id, one.data["case"]["entity_id"]].append(one)
            ahead = await anext(log, None)
        yield await _past_courses(tx, job, assumed[0], keys, of_chunk)
        after = reached


async def _past_courses(
    tx: Tx, job: Job, assumed: Assumptions, keys: Sequence[Key], logged: Mapping[Key, Sequence[Logged]]
) -> list[Course]:
    """Cases stand as the log says; a new episode of theirs would run on what is tried."""
    ids = list({customer_id for customer_id, _ in keys})
    if not ids:
        return []
    accounts = await receivables.accounts(tx, keys)
    owed: dict[Key, list[Owed]] = defaultdict(list)
    for key, one in await store.owed_then(tx, ids, job.begins.date(), job.ends.date()):
        owed[key].append(one)
    contacted = await store.contacts_then(tx, ids, job.begins)
    recent = await contacts.recent(tx, ids, assumed.policy)
    return [
        _past_course(
            job,
            assumed,
            {key: accounts[key] for key in own},
            owed,
            logged,
            [row for row in contacted if row["customer_id"] == customer_id],
            [touch for touch in recent.get(customer_id, ()) if touch.at < job.begins],
        )
        for customer_id, own in groupby(keys, key=lambda key: key[0])
    ]


def _past_course(
    job: Job,
    assumed: Assumptions,
    accounts: Mapping[Key, Account],
    owed: Mapping[Key, Sequence[Owed]],
    logged: Mapping[Key, Sequence[Logged]],
    contacted: Sequence[Any],
    touches: Sequence[Touch],
) -> Course:
    facts: list[Fact] = []
    then: dict[Key, Account] = {}
    known: dict[Key, Case] = {}
    said: list[Said] = []
    for n, (key, today) in enumerate(accounts.items()):
        then[key] = account = hindsight.account_then(today, owed.get(key, ()), job.begins)
        facts += hindsight.facts_since(key, owed.get(key, ()), logged.get(key, ()), job.begins, job.ends)
        own = [row for row in contacted if row["entity_id"] == key[1]]
        words = [Said(row["customer_id"], row["entity_id"], row["episode"], row["step"], row["channel"]) for row in own]
        said += words
        days = (local_date(row["at"], account.time_zone) for row in own if row["channel"] in documents.TO_CUSTOMER)
        blank = new_case(UUID(int=n), key[0], assumed.newest[documents.DEFAULT], key[1])
        newest = documents.choose(assumed.newest, case_facts(blank, account, job.begins.date())).strategy
        rest_until = hindsight.rests_after(days, assumed.policy)
        known[key] = hindsight.case_then(
            blank, account, logged.get(key, ()), words, rest_until, assumed.pinned, newest, job.begins, assumed.policy
        )
    return Course(then, known, touches, (), said, {}, facts)


async def _courses(tx: Tx, job: Job, assumed: Sequence[Assumptions], party_of: Mapping[Key, UUID]) -> list[Course]:
    """Of customers, all that their courses need; those for whom the same company is contacted have one together."""
    keys, parties = list(party_of), {customer_id: party for (customer_id, _), party in party_of.items()}
    ids = list(parties)
    if not ids:
        return []
    accounts = await receivables.accounts(tx, keys)
    known = await cases.load_cases(tx, ids)
    late = await receivables.days_late(tx, keys) if _asks_how_late(job, assumed) else {}
    recent = await contacts.recent(tx, ids, _widest(assumed), parties)
    pending = [contact_id for case in known.values() for contact_id in case.pending]
    planned = await _under_way(tx, pending, parties) if pending else {}
    said: dict[UUID, list[Said]] = defaultdict(list)
    for words in await store.said(tx, ids, job.begins.date()):
        said[parties[words[0]]].append(Said(*words))
    promised = [key[0] for key, case in known.items() if any(h.kind is HoldKind.PROMISED for h in case.holds)]
    promises_of = await promises.open_of(tx, promised) if promised else {}
    return [
        _course(
            job,
            {key: replace(accounts[key], average_days_late=late.get(key)) if late else accounts[key] for key in own},
            known,
            recent[party],
            planned.get(party, ()),
            said.get(party, ()),
            promises_of,
        )
        for party, own in groupby(keys, key=party_of.__getitem__)
    ]


def _course(
    job: Job,
    accounts: Mapping[Key, Account],
    known: Mapping[Key, Case],
    recent: Sequence[Touch],
    planned: Sequence[Contact],
    said: Sequence[Said],
    promises_of: Mapping[str, Promise],
) -> Course:
    facts: list[Fact] = []
    for account in accounts.values():
        late = account.average_days_late
        pays = round(late) if job.payments == "as_before" and late is not None else None
        facts += courses.facts_ahead(account, job.begins, job.ends, pays)
    touches = list(recent)
    for contact in planned:  # The course counts these as long as they are planned.
        touch = Touch(contact.due_at, contact.channel)
        if touch in touches:
            touches.remove(touch)
    own = {key: known[key] for key in accounts if key in known}
    return Course(accounts, own, touches, planned, said, promises_of, facts)


def _begun(course: Course, assumed: Assumptions) -> Course:
    """With a case for every account."""
    missing = [key for key in course.accounts if key not in course.cases]
    if not missing:
        return course
    strategy = assumed.newest[documents.DEFAULT]
    new = {key: new_case(UUID(int=n), key[0], strategy, key[1]) for n, key in enumerate(missing)}
    return replace(course, cases={**course.cases, **new})


def _moved(course: Course, job: Job, side: Side, assumed: Assumptions) -> Course:
    """Running cases on the version that is tried, as a migration would move them."""
    new = assumed.pinned[job.strategy, side.version]
    moved = {}
    for key, case in course.cases.items():
        if case.is_open and case.strategy == job.strategy and case.strategy_version != side.version:
            old = assumed.pinned[case.runs_on].strategy
            move = migrations.plan(case, course.accounts[key], old, new, assumed.begins, assumed.policy)
            moved[key] = move.outcome.case
    return replace(course, cases={**course.cases, **moved}) if moved else course


async def _under_way(tx: Tx, ids: Sequence[UUID], parties: Mapping[UUID, UUID]) -> Mapping[UUID, list[Contact]]:
    found: dict[UUID, list[Contact]] = defaultdict(list)
    for contact in [*await contacts.in_status(tx, ids, "planned"), *await contacts.in_status(tx, ids, "sending")]:
        found[parties[contact.customer_id]].append(contact)
    return found


def _asks_how_late(job: Job, assumed: Collection[Assumptions]) -> bool:
    if job.payments == "as_before":
        return True
    kinds = (
        fits
        for each in assumed
        for published in each.newest.values()
        if published.strategy.active
        for fits in published.strategy.kinds
    )
    return any(fits.average_days_late for fits in kinds)


def _widest(assumed: Sequence[Assumptions]) -> Policy:
    """All sides are under one contact policy."""
    return assumed[0].policy
