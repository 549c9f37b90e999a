"""Selling entities over HTTP: open, look at, change."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field

from services.invoice.entities import handlers
from services.invoice.entities.handlers import ChangeEntity
from services.invoice.entities.rules import QUIET, UNDESCRIBED, CreditPolicy, Entity, Policies, Seller
from shared.calendar import known_time_zone
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import Forbidden, scope
from shared.money import exponent

router = APIRouter(tags=["entities"])


class EntityOut(BaseModel):
    """In whose name invoices are issued; business dates are in its time zone."""

    id: str
    name: str
    time_zone: str
    currency: str
    credit_policy: CreditPolicy
    seller: Seller
    policies: Policies
    locked_until: date | None
    version: int

    @classmethod
    def of(cls, entity: Entity) -> "EntityOut":
        return cls(
            id=entity.id,
            name=entity.name,
            time_zone=entity.time_zone,
            currency=entity.currency,
            credit_policy=entity.credit_policy,
            seller=entity.seller,
            policies=entity.policies,
            locked_until=entity.locked_until,
            version=entity.version,
        )


def _known_currency(code: str) -> str:
    exponent(code)
    return code


Prefix = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._/#-]{0,15}$", examples=["DE-"])]
Currency = Annotated[str, Field(max_length=64, examples=["EUR"]), AfterValidator(_known_currency)]
TimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(known_time_zone)]


class SeriesIn(Body):
    """What the gapless numbers begin with."""

    invoice: Prefix
    credit_note: Prefix


class OpenEntityIn(Body):
    id: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$", examples=["acme-de"])]
    name: str = Field(min_length=1, max_length=200)
    time_zone: TimeZone = "UTC"
    currency: Currency = "EUR"
    series: SeriesIn
    credit_policy: CreditPolicy = "advise"
    seller: Seller = UNDESCRIBED
    policies: Policies = QUIET


class ChangeEntityIn(Body):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    credit_policy: CreditPolicy | None = Field(
        default=None, description="off: credit is not asked; advise: its answer is recorded; enforce: it is obeyed"
    )
    seller: Seller | None = Field(default=None, description="Replaces the whole")
    policies: Policies | None = Field(default=None, description="Replaces the whole; what is left out is the default")


@router.post("/entities", status_code=201, response_model=EntityOut, dependencies=[scope("invoices:write")])
async def open_entity(body: OpenEntityIn, once: Once) -> Response:
    """A further selling entity, with gapless numbers of its own."""
    async with once as tx:
        entity = Entity(
            id=body.id,
            version=1,
            name=body.name,
            time_zone=body.time_zone,
            currency=body.currency,
            credit_policy=body.credit_policy,
            seller=body.seller,
            policies=body.policies,
        )
        opened = await handlers.open_entity(
            tx, entity, {"invoice": body.series.invoice, "credit_note": body.series.credit_note}
        )
        return once.answer(201, EntityOut.of(opened), etag=opened.version, location=f"/v1/entities/{opened.id}")


@router.get("/entities", response_model=Page[EntityOut], dependencies=[scope("invoices:read")])
async def find(database: DatabaseDep, page: PageParams) -> Response:
    """The selling entities, by id."""
    after = page.after[0] if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_entities(tx, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[EntityOut](items=[EntityOut.of(entity) for entity in shown], next_cursor=more))


@router.get("/entities/{entity_id}", response_model=EntityOut, dependencies=[scope("invoices:read")])
async def look_at(entity_id: str, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        entity = await handlers.get_entity(tx, entity_id)
    return respond(EntityOut.of(entity), etag=entity.version)


@router.patch("/entities/{entity_id}", response_model=EntityOut, dependencies=[scope("invoices:write")])
async def change(
    entity_id: str, body: ChangeEntityIn, version: IfMatch, database: DatabaseDep, principal: PrincipalDep
) -> Response:
    """Change what is given: the name, who the seller is on documents, what is done by itself. From which amount on
    write-offs need a second person is changed by those who may be that person (`invoices:approve`)."""
    async with transaction(database) as tx:
        if body.policies and "invoices:approve" not in principal.scopes:
            standing = (await handlers.get_entity(tx, entity_id)).policies
            if body.policies.write_offs != standing.write_offs:
                raise Forbidden("what needs approval is changed with the scope invoices:approve")
        command = ChangeEntity(entity_id, version, body.name, body.credit_policy, body.seller, body.policies)
        entity = await handlers.change_entity(tx, command)
    return respond(EntityOut.of(entity), etag=entity.version)
