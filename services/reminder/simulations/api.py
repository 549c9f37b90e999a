"""Strategies tried before they are used, over HTTP: a simulation writes, sends and publishes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Protocol, Self, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, model_validator

from services.reminder.policies.rules import PolicyDocument, Price
from services.reminder.simulations import handlers, rules
from services.reminder.simulations.handlers import Simulate
from services.reminder.simulations.rules import Job, Side, Tally
from services.reminder.strategies.rules import Channel
from shared.db import Database, reading
from shared.http.connected import GONE_AWAY, while_connected
from shared.http.dependencies import DatabaseDep
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money, exponent

router = APIRouter(tags=["strategies"])


class Runs(Protocol):
    async def run(self, database: Database, job: Job) -> list[Tally]: ...


async def _simulator(request: Request) -> Any:
    return request.app.state.simulator


SimulatorDep = Annotated[Any, Depends(_simulator)]

Version = Annotated[int, Field(ge=1, le=2**31)]
Document = Annotated[str, Field(min_length=1, max_length=64_000)]


class PastIn(Body):
    """Both days are included, and over."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _is_a_period(self) -> Self:
        if not 0 <= (self.last - self.first).days < rules.DAYS_MAX:
            raise ValueError(f"a period is from 1 to {rules.DAYS_MAX} days long")
        return self


class SimulateIn(Body):
    """`document`, `version` or neither (the newest version) is what is tried; `compare_with` what it stands beside."""

    days: int = Field(default=30, ge=1, le=rules.DAYS_MAX, description="The rest of today and so many days after it")
    document: Document | None = Field(default=None, description="A strategy that nobody has published, YAML or JSON")
    version: Version | None = Field(default=None, description="A published version")
    compare_with: Version | Document | None = Field(default=None, description="Another version, or a document")
    policy: PolicyDocument | None = Field(default=None, description="In place of the contact policy in force")
    past: PastIn | None = Field(default=None, description="In place of the coming days")
    payments: rules.Payments = Field(
        default="none", description="Nobody pays, or accounts pay as late as they did on average (coming days only)"
    )
    approvals: rules.Approvals = Field(default="none", description="What becomes of steps that wait for a person")
    running: rules.Running = Field(
        default="keep", description="Whether cases that run keep their version, or are moved to the one that is tried"
    )
    prices: dict[Channel, Price] = Field(
        default={}, description="Of one contact; those of the contact policy otherwise"
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="Of the prices; the contact policy's otherwise"
    )

    @model_validator(mode="after")
    def _tries_one_thing(self) -> Self:
        if self.document is not None and self.version is not None:
            raise ValueError("give document or version, not both of them")
        if self.currency:
            exponent(self.currency)
        return self


class SeriesOut(BaseModel):
    """A step's contacts on a channel: `by_day` has one number for each of the answer's `days`, in their order."""

    strategy: str
    step: str
    channel: str
    contacts: int
    cost: Money
    by_day: list[int]


class ReasonOut(BaseModel):
    """Contacts that were due and did not go out, for one reason."""

    reason: str
    contacts: int
    by_day: list[int]
    by_step: dict[str, int] = Field(description="Of the strategy that is tried")


class CountOut(BaseModel):
    """`what` is an action of steps, a kind of task, or `opened` and `closed`."""

    what: str
    count: int
    by_day: list[int]


class SideOut(BaseModel):
    """What comes with one version. Figures are of the strategy that is tried, but for `other_strategies` (series of the
    rest of the book, which may change when accounts change their strategy) and `tasks`. `accounts` are those it did
    anything about, `accounts_contacted` those that something went out to."""

    version: int
    is_published: bool
    contacts: int
    cost: Money
    accounts: int
    accounts_contacted: int
    suppressed: int
    reached_agency: int = Field(description="Cases that took a step with agency_referral or agency_placement")
    reached_legal: int = Field(description="Cases that took a step with formal_notice")
    open_at_end: int
    awaiting_approval_at_end: int
    contacts_by_day: list[int]
    cost_by_day: list[Money]
    series: list[SeriesOut]
    suppressions: list[ReasonOut]
    actions: list[CountOut]
    episodes: list[CountOut]
    tasks: list[CountOut]
    other_strategies: list[SeriesOut]


class SimulationOut(BaseModel):
    """`days` are business days (UTC); every `by_day` has a number for each of them. `simulated` is what is tried,
    `compared` what stands beside it."""

    strategy: str
    begins: datetime
    ends: datetime
    days: list[date]
    book_accounts: int
    book_items: int
    assumptions: list[str]
    simulated: SideOut
    compared: SideOut | None


@router.post("/strategies/{name}/simulations", response_model=SimulationOut, dependencies=[scope("reminders:read")])
async def simulate(
    name: str, body: SimulateIn, request: Request, database: DatabaseDep, simulator: SimulatorDep
) -> Response:
    """What would go out in the coming days, or would have gone out in past ones, under a strategy that is not used yet:
    by day, step and channel, what would be suppressed and why, and what it would cost. Two versions stand side by side.

    Nothing is written, sent or published. One simulation runs at a time (409 otherwise); one whose client goes away is
    stopped."""
    tried = body.document if body.document is not None else body.version
    sides = (tried,) if body.compare_with is None else (tried, body.compare_with)
    async with reading(database) as tx:
        job = await handlers.prepare(
            tx,
            Simulate(
                strategy=name,
                sides=sides,
                days=body.days,
                policy=body.policy.model_dump_json() if body.policy else None,
                past=(body.past.first, body.past.last) if body.past else None,
                payments=body.payments,
                approvals=body.approvals,
                running=body.running,
            ),
        )
    tallies = await while_connected(request, cast(Runs, simulator).run(database, job))
    if tallies is None:
        return Response(status_code=GONE_AWAY)
    shown = [_side(job, body, side, tally) for side, tally in zip(job.sides, tallies, strict=True)]
    return respond(
        SimulationOut(
            strategy=name,
            begins=job.begins,
            ends=job.ends,
            days=list(job.days),
            book_accounts=tallies[0].accounts,
            book_items=tallies[0].items,
            assumptions=rules.assumptions(job),
            simulated=shown[0],
            compared=shown[1] if len(shown) > 1 else None,
        )
    )


def _side(job: Job, body: SimulateIn, side: Side, tally: Tally) -> SideOut:
    prices, currency = rules.prices(job, body.prices, body.currency)
    contacts = {sent: n for sent, n in tally.contacts.items() if sent.strategy == job.strategy}
    by_day: dict[date, dict[str, int]] = {day: defaultdict(int) for day in job.days}
    in_all: dict[str, int] = defaultdict(int)
    for sent, n in contacts.items():
        by_day[sent.day][sent.channel] += n
        in_all[sent.channel] += n
    series = _series(job, tally, prices, currency)
    suppressed = [(kept, n) for kept, n in tally.suppressed.items() if kept.strategy == job.strategy]
    return SideOut(
        version=side.version,
        is_published=side.is_published,
        contacts=sum(contacts.values()),
        cost=rules.cost(in_all, prices, currency),
        accounts=tally.concerned,
        accounts_contacted=tally.contacted,
        suppressed=sum(n for _, n in suppressed),
        reached_agency=tally.reached_agency,
        reached_legal=tally.reached_legal,
        open_at_end=tally.open_at_end,
        awaiting_approval_at_end=tally.awaiting_at_end,
        contacts_by_day=[sum(by_day[day].values()) for day in job.days],
        cost_by_day=[rules.cost(by_day[day], prices, currency) for day in job.days],
        series=[each for each in series if each.strategy == job.strategy],
        suppressions=_suppressions(job, suppressed),
        actions=_counts(job, tally.actions.items()),
        episodes=_counts(job, tally.episodes.items()),
        tasks=_counts(job, tally.tasks.items()),
        other_strategies=[each for each in series if each.strategy != job.strategy],
    )


def _series(job: Job, tally: Tally, prices: Mapping[str, Decimal], currency: str) -> list[SeriesOut]:
    """In the order in which the steps are first taken."""
    found: dict[tuple[str, str, str], dict[date, int]] = {}
    for sent, n in sorted(tally.contacts.items()):
        found.setdefault((sent.strategy, sent.step, sent.channel), {})[sent.day] = n
    return [
        SeriesOut(
            strategy=strategy,
            step=step,
            channel=channel,
            contacts=sum(days.values()),
            cost=rules.cost({channel: sum(days.values())}, prices, currency),
            by_day=[days.get(day, 0) for day in job.days],
        )
        for (strategy, step, channel), days in found.items()
    ]


def _suppressions(job: Job, suppressed: Iterable[tuple[rules.Kept, int]]) -> list[ReasonOut]:
    """The most frequent reason first."""
    days: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    steps: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for kept, n in suppressed:
        days[kept.reason][kept.day] += n
        steps[kept.reason][kept.step] += n
    found = [
        ReasonOut(
            reason=reason,
            contacts=sum(of_reason.values()),
            by_day=[of_reason.get(day, 0) for day in job.days],
            by_step=dict(sorted(steps[reason].items())),
        )
        for reason, of_reason in days.items()
    ]
    return sorted(found, key=lambda each: (-each.contacts, each.reason))


def _counts(job: Job, counted: Iterable[tuple[rules.Did, int]]) -> list[CountOut]:
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for did, n in counted:
        if did.strategy == job.strategy:
            found[did.what][did.day] = n
    return [
        CountOut(what=what, count=sum(days.values()), by_day=[days.get(day, 0) for day in job.days])
        for what, days in sorted(found.items())
    ]
