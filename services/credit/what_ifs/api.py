"""Policies and scorecards tried on the past, over HTTP; it changes nothing."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, model_validator

from services.credit.decisions.rules import Verdict
from services.credit.policy_rules.rules import PolicyLimit, PolicyRules
from services.credit.what_ifs import handlers, rules
from services.credit.what_ifs.handlers import Side, Wanted, WhatIf
from services.credit.what_ifs.rules import Book, Changed, Figures
from shared.db import snapshot
from shared.http.connected import GONE_AWAY, while_connected
from shared.http.dependencies import DatabaseDep
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])


class ProposedLimitIn(Body):
    segment: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    limit: Money


class ProposedPolicyIn(Body):
    """What is left out is as in the policy in force."""

    limits: Annotated[list[ProposedLimitIn], Field(min_length=1, max_length=2000)] | None = None
    rules: PolicyRules | None = None


class ProposalIn(Body):
    """`policy`, `version`, or neither: the policy in force. `scorecard_document`, `scorecard`, or neither: the classes
    that customers had."""

    title: Annotated[str, Field(min_length=1, max_length=100)] = "proposed"
    policy: ProposedPolicyIn | None = Field(default=None, description="A policy that nobody has published")
    version: Annotated[int, Field(ge=1, le=2**31)] | None = Field(default=None, description="A version there was")
    scorecard: Annotated[str, Field(min_length=1, max_length=60)] | None = Field(
        default=None, description="The name of a scorecard, of which the newest version is tried"
    )
    scorecard_document: Annotated[str, Field(min_length=1, max_length=200_000)] | None = Field(
        default=None, description="A scorecard that nobody has published, YAML or JSON"
    )
    by_class: bool = Field(
        default=False, description="Limits and terms as recommended by class, where a customer was assessed"
    )

    @model_validator(mode="after")
    def _tries_one_of_each(self) -> Self:
        if self.policy is not None and self.version is not None:
            raise ValueError("give policy or version, not both of them")
        if self.scorecard is not None and self.scorecard_document is not None:
            raise ValueError("give scorecard or scorecard_document, not both of them")
        return self

    def wanted(self) -> Wanted:
        policy = self.policy or ProposedPolicyIn()
        limits = tuple(PolicyLimit(each.segment, each.limit) for each in policy.limits) if policy.limits else None
        return Wanted(
            title=self.title,
            limits=limits,
            rules=policy.rules,
            version=self.version,
            scorecard=self.scorecard,
            scorecard_document=self.scorecard_document,
            by_class=self.by_class,
        )


class WhatIfIn(Body):
    """Both days are included, and over."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    proposals: list[ProposalIn] = Field(min_length=1, max_length=2, description="Two stand side by side")


class FiguresOut(BaseModel):
    """Decisions by outcome; then what became of the invoices that would be refused: written off (a loss avoided), paid
    in full (a sale refused), or neither yet."""

    approved: int
    referred: int
    declined: int
    declined_amounts: tuple[Money, ...]
    losses_avoided: tuple[Money, ...]
    losses_avoided_invoices: int
    sales_refused: tuple[Money, ...]
    sales_refused_invoices: int
    undecided: tuple[Money, ...]
    undecided_invoices: int

    @classmethod
    def of(cls, figures: Figures) -> "FiguresOut":
        return cls(
            approved=rules.total(figures, "approved"),
            referred=rules.total(figures, "referred"),
            declined=rules.total(figures, "declined"),
            declined_amounts=rules.amounts(figures, "declined"),
            losses_avoided=rules.amounts(figures, "loss"),
            losses_avoided_invoices=rules.total(figures, "loss"),
            sales_refused=rules.amounts(figures, "sale"),
            sales_refused_invoices=rules.total(figures, "sale"),
            undecided=rules.amounts(figures, "undecided"),
            undecided_invoices=rules.total(figures, "undecided"),
        )


class BookOut(BaseModel):
    """All accounts as they would stand today. `raised` and `lowered` are against the limits they have; `classes` has
    `none` for who was never assessed; `terms` counts, with `by_class`, whose terms would be others: days `longer` or
    `shorter`, `more_prepaid` or `less_prepaid`, `more_deposit` or `less_deposit`."""

    accounts: int
    limits: tuple[Money, ...]
    raised: int
    lowered: int
    over_limit: int
    classes: dict[str, int]
    terms: dict[rules.TermsMove, int]

    @classmethod
    def of(cls, book: Book) -> "BookOut":
        return cls(
            accounts=book.accounts,
            limits=tuple(Money(minor, currency) for currency, minor in book.limits),
            raised=book.raised,
            lowered=book.lowered,
            over_limit=book.over_limit,
            classes=dict(book.classes),
            terms=dict(book.terms),
        )


class MoveOut(BaseModel):
    before: Verdict
    after: Verdict
    decisions: int


class ChangedOut(BaseModel):
    """A customer of whom decisions come out otherwise; the limits are those of the last of them."""

    customer_id: UUID
    moves: list[MoveOut]
    limit_before: Money
    limit_after: Money

    @classmethod
    def of(cls, changed: Changed) -> "ChangedOut":
        moves = [MoveOut(before=before, after=after, decisions=n) for before, after, n in changed.moves]
        return cls(
            customer_id=changed.customer_id,
            moves=moves,
            limit_before=changed.limit_before,
            limit_after=changed.limit_after,
        )


class SideOut(BaseModel):
    """`changed` lists those of whom most decisions change, at most 200 of `changed_customers`."""

    title: str
    figures: FiguresOut
    by_segment: dict[str, FiguresOut]
    by_class: dict[str, FiguresOut]
    book: BookOut
    changed_customers: int
    changed: list[ChangedOut]

    @classmethod
    def of(cls, side: Side) -> "SideOut":
        return cls(
            title=side.title,
            figures=FiguresOut.of(side.figures),
            by_segment={name: FiguresOut.of(part) for name, part in rules.by_segment(side.figures).items()},
            by_class={name: FiguresOut.of(part) for name, part in rules.by_class(side.figures).items()},
            book=BookOut.of(side.book),
            changed_customers=side.changed_customers,
            changed=[ChangedOut.of(each) for each in side.changed],
        )


class WhatIfOut(BaseModel):
    """The first of `sides` is what was decided; the others are in the order of the proposals. `without_inputs` of the
    `decisions` were made before all inputs were kept, and stand in no side."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    decisions: int
    without_inputs: int
    sides: list[SideOut]
    assumptions: tuple[str, ...]


@router.post("/credit-policy/what-ifs", response_model=WhatIfOut, dependencies=[scope("credit:read")])
async def what_if(body: WhatIfIn, request: Request, database: DatabaseDep) -> Response:
    """What one or two policies would have decided in a period, with the losses they would have avoided and the sales
    they would have refused, and what limits the book would have today. It rests on one picture of the database,
    changes nothing, and needs no Idempotency-Key."""
    command = WhatIf(tuple(each.wanted() for each in body.proposals), body.first, body.last)

    async def look() -> handlers.Hindsight:
        async with snapshot(database) as (tx, _):
            return await handlers.what_if(tx, command)

    found = await while_connected(request, look())
    if found is None:
        return Response(status_code=GONE_AWAY)
    return respond(
        WhatIfOut(
            first=found.since,
            last=found.until,
            decisions=found.decisions,
            without_inputs=found.without_inputs,
            sides=[SideOut.of(side) for side in found.sides],
            assumptions=rules.ASSUMPTIONS,
        )
    )
