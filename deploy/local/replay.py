"""Replays a ledger day by day through the services' HTTP APIs, on their simulated clock.

A day has two fixed moments: at 08:00 its invoices are issued (and, where the ledger says so, disputed), at 12:00 what
was settled that day is paid (a dispute is rejected first). Between them the clock stops at every moment a service names
as its next. After each step the driver waits until the whole system is idle, so a day never bleeds into the next.

Every POST has an Idempotency-Key made from the ledger, and is repeated until it is answered: any process may be killed
at any time, and the books come out the same.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from urllib.parse import quote

import orjson

from deploy.local.ledger import Row
from deploy.local.profiles import profile
from deploy.local.wire import NotAnswered, Origin

SERVICES = ("credit", "reminder", "reporting", "invoice")
"""In the order their clocks are set: invoice last, so that whoever hears of its day has reached it."""

MOVER = "invoice"
ISSUE_AT = time_of_day(8)
PAY_AT = time_of_day(12)
ONE_DAY = timedelta(days=1)
AT_ONCE_MAX = 8
IDLE_WAIT_MS = 5_000
ANSWER_WITHIN_S = 60.0


class ReplayFailed(Exception):
    """A service refused a row of the ledger, or never came to rest; the message says which and why."""


@dataclass(frozen=True)
class Target:
    """Where the services are, and the token that opens them."""

    base_urls: Mapping[str, str]
    token: str


@dataclass
class Progress:
    """How far a replay is, for whoever watches."""

    day: date
    days_done: int
    days_total: int
    invoices: int
    payments: int


@dataclass
class Summary:
    """What a replay did, and how long it took."""

    customers: int = 0
    invoices: int = 0
    disputes: int = 0
    payments: int = 0
    first: date = date.min
    last: date = date.min
    seconds: float = 0.0


@dataclass
class Day:
    issued: list[Row] = field(default_factory=list)
    settled: list[Row] = field(default_factory=list)


def last_day(rows: Iterable[Row]) -> date:
    """The day a ledger's story ends: whatever is not settled by then has at least become due."""
    return max(row.settled_date or row.due_date for row in rows)


class Client:
    """POSTs that survive restarts: repeated with the same Idempotency-Key until answered, for `patience_s` at most."""

    def __init__(self, target: Target, patience_s: float = 180.0) -> None:
        headers = {"authorization": f"Bearer {target.token}", "accept": "application/json"}
        self._origins = {name: Origin(target.base_urls[name], headers, ANSWER_WITHIN_S) for name in SERVICES}
        self._patience_s = patience_s

    async def close(self) -> None:
        await asyncio.gather(*(origin.close() for origin in self._origins.values()))

    async def send(
        self, service: str, method: str, path: str, body: Any = None, key: str | None = None
    ) -> dict[str, Any]:
        """The answer's JSON. Raises ReplayFailed on a refusal, or when nobody answers in time."""
        headers = {"content-type": "application/json"} if body is not None else {}
        if key:
            headers["idempotency-key"] = key
        content = orjson.dumps(body) if body is not None else b""
        deadline = time.monotonic() + self._patience_s
        pause = 0.05
        while True:
            try:
                status, answer = await self._origins[service].request(method, path, headers, content)
                if status < 300:
                    return orjson.loads(answer)
                trouble = f"{status} {answer.decode(errors='replace')}"
                in_flight = status == 409 and b"request-in-flight" in answer
                if status < 500 and not in_flight:
                    raise ReplayFailed(f"{method} {service}{path} {body or ''}: {trouble}")
            except NotAnswered as error:
                trouble = str(error)
            if time.monotonic() > deadline:
                raise ReplayFailed(f"{method} {service}{path} was not answered in {self._patience_s:.0f} s: {trouble}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)


class Replay:
    """One ledger on its way through the services."""

    def __init__(self, target: Target, rows: Sequence[Row], on_progress: Callable[[Progress], None] = lambda _: None):
        self._client = Client(target)
        self._rows = rows
        self._on_progress = on_progress
        self._customers: dict[str, str] = {}
        self._invoices: dict[str, str] = {}
        self._disputes: dict[str, str] = {}
        self._now: datetime | None = None
        self._next_due: datetime | None = None
        self._listens: dict[str, Collection[str]] = dict.fromkeys(SERVICES, ())
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self.summary = Summary()

    async def run(self) -> Summary:
        """Replay from the first invoice's day to the last day of the story."""
        began = time.monotonic()
        days: dict[date, Day] = defaultdict(Day)
        for row in self._rows:
            days[row.invoice_date].issued.append(row)
            if row.settled_date:
                days[row.settled_date].settled.append(row)
        first, last = min(days), last_day(self._rows)
        self.summary.first, self.summary.last = first, last
        try:
            await self._move_clock(_at(first, time_of_day(0)))
            await self._settle()
            day = first
            while day <= last:
                await self._replay_day(day, days.get(day, Day()))
                done = (day - first).days + 1
                self._on_progress(
                    Progress(day, done, (last - first).days + 1, self.summary.invoices, self.summary.payments)
                )
                day += ONE_DAY
            await self._move_clock(_at(last, time_of_day(23, 59)))
            await self._settle()
        finally:
            await self._client.close()
        self.summary.seconds = time.monotonic() - began
        return self.summary

    async def _replay_day(self, day: date, work: Day) -> None:
        agenda: list[tuple[datetime, Callable[[Day], Any]]] = []
        if work.issued:
            agenda.append((_at(day, ISSUE_AT), self._issue))
        if work.settled:
            agenda.append((_at(day, PAY_AT), self._pay))
        end = _at(day + ONE_DAY, time_of_day(0))
        while True:
            moments = [moment for moment, _ in agenda[:1]]
            if self._next_due is not None and self._next_due < end:
                moments.append(self._next_due)
            if not moments:
                return
            moment = min(moments)
            due_now = self._next_due is not None and self._next_due <= moment
            await self._move_clock(moment)
            if due_now:
                await self._settle()
            if agenda and agenda[0][0] == moment:
                _, act = agenda.pop(0)
                await act(work)
                await self._settle()

    async def _issue(self, work: Day) -> None:
        newcomers = {row.customer_ref: row for row in work.issued if row.customer_ref not in self._customers}
        if newcomers:
            await asyncio.gather(*(self._onboard(row) for row in newcomers.values()))
            await self._settle()
        await asyncio.gather(*(self._issue_one(row) for row in work.issued))

    async def _onboard(self, row: Row) -> None:
        who = profile(row.customer_ref, row.amount.currency)
        body = {
            "external_id": row.customer_ref,
            "name": who.name,
            "country": who.country,
            "language": who.language,
            "time_zone": who.time_zone,
            "currency": row.amount.currency,
            "segment": row.segment,
            "payment_terms": {"net_days": who.net_days},
            "contacts": [{"role": "billing", "name": who.contact_name, "email": who.email}],
            "address": {"lines": [who.street], "postal_code": who.postal_code, "city": who.city},
        }
        customer = await self._post("credit", "/v1/customers", body, f"onboard-{row.customer_ref}")
        self._customers[row.customer_ref] = customer["id"]
        self.summary.customers += 1

    async def _issue_one(self, row: Row) -> None:
        body = {
            "customer_id": self._customers[row.customer_ref],
            "number": row.invoice_number,
            "issue_date": row.invoice_date.isoformat(),
            "due_date": row.due_date.isoformat(),
            "delivery_channel": row.channel,
            "lines": [{"description": "Goods and services", "quantity": "1", "unit_price": _wire(row)}],
        }
        invoice = await self._post("invoice", "/v1/invoices", body, f"issue-{row.invoice_number}")
        self._invoices[row.invoice_number] = invoice["id"]
        self.summary.invoices += 1
        if row.disputed:
            path = f"/v1/invoices/{invoice['id']}/disputes"
            body = {"reason": "The customer contests this invoice"}
            dispute = await self._post("invoice", path, body, f"dispute-{row.invoice_number}")
            self._disputes[row.invoice_number] = dispute["id"]
            self.summary.disputes += 1

    async def _pay(self, work: Day) -> None:
        await asyncio.gather(*(self._pay_one(row) for row in work.settled))

    async def _pay_one(self, row: Row) -> None:
        if row.disputed:
            dispute = self._disputes[row.invoice_number]
            path = f"/v1/invoices/{self._invoices[row.invoice_number]}/disputes/{dispute}/resolution"
            await self._post("invoice", path, {"outcome": "rejected"}, f"resolve-{row.invoice_number}")
        body = {
            "customer_id": self._customers[row.customer_ref],
            "amount": _wire(row),
            "received_on": row.settled_date.isoformat() if row.settled_date else None,
            "method": "bank_transfer",
            "reference": row.invoice_number,
        }
        await self._post("invoice", "/v1/payments", body, f"pay-{row.invoice_number}")
        self.summary.payments += 1

    async def _post(self, service: str, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        async with self._at_once:
            return await self._client.send(service, "POST", path, body, key=f"replay-{key}")

    async def _move_clock(self, now: datetime) -> None:
        if now == self._now:
            return
        body = {"now": now.isoformat()}
        *others, last = SERVICES
        await asyncio.gather(*(self._client.send(name, "PUT", "/simulation/clock", body) for name in others))
        await self._client.send(last, "PUT", "/simulation/clock", body)
        self._now = now

    async def _settle(self, patience_s: float = 300.0) -> None:
        """Wait until a round of questions shows that everything is `at_rest`. Raises ReplayFailed."""
        deadline = time.monotonic() + patience_s
        before, seen = None, await self._look_in_turn()
        while not at_rest(before, seen):
            if time.monotonic() > deadline:
                raise ReplayFailed(f"not at rest after {patience_s:.0f} s at {self._now}: {seen}")
            before, seen = seen, await self._look(_published(seen))
        moments = [each["next_due_at"] for each in seen.values() if each["next_due_at"]]
        self._next_due = min(map(datetime.fromisoformat, moments), default=None)

    async def _look_in_turn(self) -> dict[str, dict[str, Any]]:
        """The first round: invoice, whose events most steps are about, then the others until they have applied them."""
        first = await self._ask(MOVER, {})
        others = [name for name in SERVICES if name != MOVER]
        answers = await asyncio.gather(*(self._ask(name, first["published"]) for name in others))
        return {MOVER: first, **dict(zip(others, answers, strict=True))}

    async def _look(self, published: Mapping[str, int]) -> dict[str, dict[str, Any]]:
        answers = await asyncio.gather(*(self._ask(name, published) for name in SERVICES))
        return dict(zip(SERVICES, answers, strict=True))

    async def _ask(self, name: str, published: Mapping[str, int]) -> dict[str, Any]:
        """One service's answer, given when it is idle and has applied what is known to be published, or in time."""
        wanted = {topic: n for topic, n in published.items() if topic in self._listens[name]}
        path = f"/simulation/idle?wait_ms={IDLE_WAIT_MS}&applied={quote(orjson.dumps(wanted))}"
        seen = await self._client.send(name, "GET", path)
        self._listens[name] = seen["applied"].keys()
        return seen


Round = Mapping[str, Mapping[str, Any]]
"""An answer of `/simulation/idle` for each service."""


def at_rest(before: Round | None, seen: Round) -> bool:
    """Whether nobody has anything left to do, now that every answer of `seen` was asked for after all of `before`, the
    round that preceded it.

    In `seen` everybody is idle and has applied all that is published; and whoever may have called others was idle in
    `before` already and has applied nothing since, so that no call can have come after the answer of the service it
    went to. `docs/decisions/0008-at-rest.md` has the argument.
    """
    callers = [name for name, answer in seen.items() if answer["calls"]]
    return (
        all(each["idle"] for each in seen.values())
        and not _missing(seen)
        and all(
            before is not None and before[name]["idle"] and before[name]["applied"] == seen[name]["applied"]
            for name in callers
        )
    )


def _published(seen: Round) -> dict[str, int]:
    """Events acknowledged by the broker, by topic; each topic has one publisher."""
    return {topic: n for each in seen.values() for topic, n in each["published"].items()}


def _missing(seen: Round) -> bool:
    """Whether a subscriber has not applied all that is published."""
    published = _published(seen)
    return any(n != published.get(topic, 0) for each in seen.values() for topic, n in each["applied"].items())


def _at(day: date, moment: time_of_day) -> datetime:
    return datetime.combine(day, moment, UTC)


def _wire(row: Row) -> dict[str, str]:
    return {"amount": row.amount.amount, "currency": row.amount.currency}


async def run(target: Target, rows: Sequence[Row], on_progress: Callable[[Progress], None] = lambda _: None) -> Summary:
    """Replay a ledger into a stack that runs on simulated time. Raises ReplayFailed."""
    return await Replay(target, rows, on_progress).run()
