"""Cases over HTTP: where each customer stands, and what is next."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.cases import handlers
from services.reminder.cases.handlers import JudgeStep, View
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps import rules as next_steps
from services.reminder.next_steps.rules import Coming
from services.reminder.receivables.rules import ENTITY, totals
from shared.calendar import local_date
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import PrincipalDep, scope
from shared.money import Money

router = APIRouter(tags=["cases"])

Entity = Annotated[str, Query(alias="entity_id", min_length=1, max_length=64)]


class NextStepOut(BaseModel):
    """`opens_on` is the customer's own date; `due_on` is set when it is a message before due."""

    step: str
    opens_on: date
    due_on: date | None


class HoldOut(BaseModel):
    """The case rests through `until`, or until it is released when null."""

    kind: HoldKind
    until: date | None
    source: str
    detail: str

    @classmethod
    def of(cls, hold: Hold) -> "HoldOut":
        return cls(kind=hold.kind, until=hold.until, source=hold.source, detail=hold.detail)


class CaseOut(BaseModel):
    """`level` counts the rungs climbed in the running episode, `step` names the last; `collectable` is what is overdue
    and neither disputed nor on a plan. `promised_on` is the day the customer said it will pay by; while
    one of `holds` lasts, nothing goes out. `check_at` is the
    next decision, null when only an event brings one; `waiting_because` then says why."""

    id: UUID
    customer_id: UUID
    entity_id: str
    customer_name: str | None
    external_id: str | None
    version: int
    status: Literal["open", "closed"]
    episode: int
    strategy: str
    strategy_version: int
    level: int
    step: str | None
    opened_on: date | None
    closed_on: date | None
    closed_because: str | None
    promised_on: date | None
    holds: tuple[HoldOut, ...]
    broken_promises: int
    oldest_due_on: date | None
    overdue_invoices: int
    collectable: tuple[Money, ...]
    challenger: str | None
    arm: str | None
    awaits_approval_of: str | None
    formal_notice_on: date | None
    check_at: datetime | None
    next_step: NextStepOut | None
    waiting_because: str | None

    @classmethod
    def of(cls, view: View, now: datetime) -> "CaseOut":
        case, account = view.case, view.account
        step = next_steps.coming(case, account, view.strategy.strategy, local_date(now, account.time_zone))
        planned = isinstance(step, Coming)
        return cls(
            id=case.id,
            customer_id=case.customer_id,
            entity_id=case.entity_id,
            customer_name=account.name,
            external_id=account.external_id,
            version=case.version,
            status=case.status,
            episode=case.episode,
            strategy=case.strategy,
            strategy_version=case.strategy_version,
            level=case.level,
            step=case.step,
            opened_on=case.opened_on,
            closed_on=case.closed_on,
            closed_because=case.closed_because,
            promised_on=case.promised_on,
            holds=tuple(map(HoldOut.of, case.holds)),
            broken_promises=case.broken_promises,
            oldest_due_on=account.overdue[0].due_on if account.overdue else None,
            overdue_invoices=len(account.overdue),
            collectable=totals(item.collectable for item in account.overdue),
            challenger=case.challenger,
            arm=case.arm,
            awaits_approval_of=case.awaiting,
            formal_notice_on=case.formal_notice_on,
            check_at=case.check_at,
            next_step=NextStepOut(step=step.step.name, opens_on=step.opens_on, due_on=step.due_on) if planned else None,
            waiting_because=None if planned else str(step),
        )


@router.get("/cases", response_model=Page[CaseOut], dependencies=[scope("reminders:read")])
async def list_cases(
    database: DatabaseDep,
    page: PageParams,
    status: Annotated[Literal["open", "closed"] | None, Query()] = None,
    entity_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Customers who have or had something overdue, in the order of their ids; one case for each selling entity."""
    after = (UUID(page.after[0]), page.after[1]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_cases(tx, status, entity_id, after, page.limit + 1)
        now = tx.now
    shown = found[: page.limit]
    more = (
        encode_cursor([str(shown[-1].case.customer_id), shown[-1].case.entity_id]) if len(found) > page.limit else None
    )
    return respond(Page[CaseOut](items=[CaseOut.of(view, now) for view in shown], next_cursor=more))


@router.get("/cases/{customer_id}", response_model=CaseOut, dependencies=[scope("reminders:read")])
async def find_case(customer_id: UUID, database: DatabaseDep, entity: Entity = ENTITY) -> Response:
    """The case of a customer with a selling entity; where nothing was ever overdue, a closed case in episode 0."""
    async with reading(database) as tx:
        view = await handlers.find_case(tx, customer_id, entity)
        now = tx.now
    return respond(CaseOut.of(view, now), etag=view.case.version)


class JudgementIn(Body):
    note: str | None = Field(default=None, max_length=1_000)


@router.post(
    "/tasks/{task_id}/approvals", status_code=201, response_model=CaseOut, dependencies=[scope("reminders:write")]
)
async def approve_step(task_id: UUID, body: JudgementIn, once: Once, principal: PrincipalDep) -> Response:
    """Let the step that the task is about be taken: its messages go out as soon as the contact policy allows."""
    return await _judge(task_id, body, once, principal.subject, approved=True)


@router.post(
    "/tasks/{task_id}/refusals", status_code=201, response_model=CaseOut, dependencies=[scope("reminders:write")]
)
async def refuse_step(task_id: UUID, body: JudgementIn, once: Once, principal: PrincipalDep) -> Response:
    """The step is not taken; the case goes on with the next one on its day."""
    return await _judge(task_id, body, once, principal.subject, approved=False)


async def _judge(task_id: UUID, body: JudgementIn, once: Once, by: str, *, approved: bool) -> Response:
    async with once as tx:
        view = await handlers.judge_step(tx, JudgeStep(task_id, by, approved, body.note))
        location = f"/v1/cases/{view.case.customer_id}?entity_id={view.case.entity_id}"
        return once.answer(201, CaseOut.of(view, tx.now), etag=view.case.version, location=location)
