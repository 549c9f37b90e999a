"""Alerts over HTTP: rules as resources, what was measured for them, episodes, acknowledgements."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ReportCurrency
from services.reporting.alerts import handlers, rules
from services.reporting.alerts.handlers import SetRule
from services.reporting.alerts.rules import Alert, Anomaly, Condition, Direction, Metric, Rule
from services.reporting.notices.rules import Channel, Target
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["alerts"])

Name = Annotated[str, Field(min_length=1, max_length=120)]
Figure = Annotated[Decimal, Field(ge=-(10**15), le=10**15, max_digits=20)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="Its public holidays are no business days")]


class ThresholdIn(Body):
    kind: Literal["threshold"]
    direction: Literal["above", "below"] = "above"
    bound: Figure = Field(description="Days, percent, or whole units of the currency", examples=["60"])
    clear_at: Figure | None = Field(default=None, description="Over when back here; 5% inside the bound when left out")


class AnomalyIn(Body):
    kind: Literal["anomaly"]
    direction: Direction = "either"
    score: Annotated[Decimal, Field(ge=1, le=50, max_digits=6)] = Field(
        default=Decimal("3.5"), description="Robust deviations from the median of the past"
    )
    days: Annotated[int, Field(ge=20, le=250)] = Field(default=60, description="Business days of past")


ConditionIn = Annotated[ThresholdIn | AnomalyIn, Field(discriminator="kind")]


class TargetIn(Body):
    channel: Channel
    to: Annotated[str, Field(min_length=3, max_length=2_000)] = Field(
        description="A mail address, the address of a chat's incoming webhook, or the id of a webhook"
    )


Targets = Annotated[list[TargetIn], Field(max_length=20)]


class RuleIn(Body):
    name: Name
    metric: Metric
    currency: ReportCurrency
    customer_id: UUID | None = Field(default=None, description="One customer; each, when left out")
    window_days: Annotated[int, Field(ge=1, le=3_650)] = Field(default=90, description="Of the DSO")
    largest: Annotated[int, Field(ge=1, le=100)] = Field(default=5, description="How many debtors concentration counts")
    condition: ConditionIn
    targets: Targets = Field(default_factory=list)
    country: Country | None = None


class RulePatch(Body):
    name: Name | None = None
    condition: ConditionIn | None = None
    targets: Targets | None = None
    active: bool | None = None


class ConditionOut(BaseModel):
    kind: Literal["threshold", "anomaly"]
    direction: Direction
    bound: str | None = None
    clear_at: str | None = None
    score: str | None = None
    days: int | None = None


class TargetOut(BaseModel):
    channel: Channel
    to: str = Field(description="Of a chat's hook only the host: who knows the whole address can post there")


class RuleOut(BaseModel):
    id: UUID
    version: int
    name: str
    metric: Metric
    currency: str
    customer_id: UUID | None
    window_days: int
    largest: int
    condition: ConditionOut
    targets: list[TargetOut]
    country: str | None
    active: bool
    created_by: str
    created_at: datetime
    next_due_at: datetime
    evaluated_on: date | None = Field(description="The day whose end was looked at last")
    fault: str | None = Field(description="Why that failed")

    @classmethod
    def of(cls, rule: Rule) -> "RuleOut":
        names = [name for name in cls.model_fields if name not in ("condition", "targets")]
        return cls(
            **{name: getattr(rule, name) for name in names},
            condition=ConditionOut(**rules.condition_kept(rule.condition)),
            targets=[TargetOut(channel=target.channel, to=target.shown) for target in rule.targets],
        )


class ReadingOut(BaseModel):
    on: date
    customer_id: UUID | None
    value: str | None
    score: str | None


class AlertOut(BaseModel):
    id: UUID
    version: int
    rule_id: UUID
    customer_id: UUID | None
    customer_name: str | None
    opened_on: date
    value: str
    score: str | None
    cleared_on: date | None
    cleared_value: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    note: str | None

    @classmethod
    def of(cls, alert: Alert) -> "AlertOut":
        return cls(
            id=alert.id,
            version=alert.version,
            rule_id=alert.rule_id,
            customer_id=UUID(alert.subject) if alert.subject else None,
            customer_name=alert.subject_name,
            opened_on=alert.opened_on,
            value=str(alert.value),
            score=_text(alert.score),
            cleared_on=alert.cleared_on,
            cleared_value=_text(alert.cleared_value),
            acknowledged_by=alert.acknowledged_by,
            acknowledged_at=alert.acknowledged_at,
            note=alert.note,
        )


class AcknowledgeIn(Body):
    note: Annotated[str, Field(max_length=400)] | None = None


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _condition(given: ThresholdIn | AnomalyIn) -> Condition:
    if isinstance(given, AnomalyIn):
        return Anomaly(given.direction, given.score, given.days)
    return rules.threshold(given.direction, given.bound, given.clear_at)


def _targets(given: list[TargetIn]) -> tuple[Target, ...]:
    return tuple(Target(each.channel, each.to) for each in given)


@router.post("/alert-rules", status_code=201, response_model=RuleOut, dependencies=[scope("reports:write")])
async def add_rule(body: RuleIn, once: Once, principal: PrincipalDep, resources: ResourcesDep) -> Response:
    """Be told when a figure passes a bound, or is unlike its own past: once when it begins, once when it is over.
    Looked at on business mornings, 06:00 UTC, for the end of the day before."""
    async with once as tx:
        command = SetRule(
            name=body.name,
            metric=body.metric,
            currency=body.currency,
            customer_id=body.customer_id,
            window_days=body.window_days,
            largest=body.largest,
            condition=_condition(body.condition),
            targets=_targets(body.targets),
            country=body.country,
            by=principal.subject,
            private=resources.outlet.private,
        )
        rule = await handlers.add_rule(tx, command, resources.outlet.seals)
        location = f"/v1/alert-rules/{rule.id}"
        return once.answer(201, RuleOut.of(rule), etag=rule.version, location=location)


@router.get("/alert-rules", response_model=Page[RuleOut], dependencies=[scope("reports:read")])
async def list_rules(database: DatabaseDep, page: PageParams) -> Page[RuleOut]:
    """In the order in which they were made."""
    async with reading(database) as tx:
        found = await handlers.list_rules(tx, page.after_id, page.limit + 1)
    shown, more = page.cut(found, lambda rule: [str(rule.id)])
    return Page[RuleOut](items=[RuleOut.of(rule) for rule in shown], next_cursor=more)


@router.get("/alert-rules/{rule_id}", response_model=RuleOut, dependencies=[scope("reports:read")])
async def show_rule(rule_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        rule = await handlers.find_rule(tx, rule_id)
    return respond(RuleOut.of(rule), etag=rule.version)


@router.patch("/alert-rules/{rule_id}", response_model=RuleOut, dependencies=[scope("reports:write")])
async def change_rule(
    rule_id: UUID, body: RulePatch, version: IfMatch, database: DatabaseDep, resources: ResourcesDep
) -> Response:
    """Rename it, move its bound, tell others, or switch it off and on."""
    changes = body.given()
    if body.condition is not None:
        changes["condition"] = _condition(body.condition)
    if body.targets is not None:
        changes["targets"] = _targets(body.targets)
    async with transaction(database) as tx:
        outlet = resources.outlet
        rule = await handlers.change_rule(tx, rule_id, version, changes, outlet.seals, private=outlet.private)
    return respond(RuleOut.of(rule), etag=rule.version)


@router.delete("/alert-rules/{rule_id}", status_code=204, dependencies=[scope("reports:write")])
async def remove_rule(rule_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """With what was measured for it, and its alerts."""
    async with transaction(database) as tx:
        await handlers.remove_rule(tx, rule_id, version)
    return Response(status_code=204)


@router.get("/alert-rules/{rule_id}/readings", response_model=Page[ReadingOut], dependencies=[scope("reports:read")])
async def list_readings(rule_id: UUID, database: DatabaseDep, page: PageParams) -> Page[ReadingOut]:
    """What was measured, the newest first; of a rule for each customer, those beyond the bound."""
    before = (date.fromisoformat(page.after[0]), page.after[1]) if page.after else None
    async with reading(database) as tx:
        rows = await handlers.list_readings(tx, rule_id, before, page.limit + 1)
    shown, more = page.cut(rows, lambda row: [row["on_day"].isoformat(), row["subject"]])
    items = [
        ReadingOut(
            on=row["on_day"],
            customer_id=UUID(row["subject"]) if row["subject"] else None,
            value=_text(row["value"]),
            score=_text(row["score"]),
        )
        for row in shown
    ]
    return Page[ReadingOut](items=items, next_cursor=more)


@router.get("/alerts", response_model=Page[AlertOut], dependencies=[scope("reports:read")])
async def list_alerts(
    database: DatabaseDep,
    page: PageParams,
    rule_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[Literal["open", "over"] | None, Query()] = None,
) -> Page[AlertOut]:
    """Episodes, the newest first."""
    is_open = None if status is None else status == "open"
    async with reading(database) as tx:
        found = await handlers.list_alerts(tx, rule_id, is_open, page.after_id, page.limit + 1)
    shown, more = page.cut(found, lambda alert: [str(alert.id)])
    return Page[AlertOut](items=[AlertOut.of(alert) for alert in shown], next_cursor=more)


@router.post("/alerts/{alert_id}/acknowledgement", response_model=AlertOut, dependencies=[scope("reports:write")])
async def acknowledge_alert(alert_id: UUID, body: AcknowledgeIn, once: Once, principal: PrincipalDep) -> Response:
    """Say that somebody sees to it."""
    async with once as tx:
        alert = await handlers.acknowledge_alert(tx, alert_id, principal.subject, body.note)
        return once.answer(200, AlertOut.of(alert), etag=alert.version)
