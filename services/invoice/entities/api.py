"""Selling entities over HTTP: look at, change name and credit policy."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.entities import handlers
from services.invoice.entities.handlers import ChangeEntity
from services.invoice.entities.rules import CreditPolicy, Entity
from shared.db import reading, transaction
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, IfMatch, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["entities"])


class EntityOut(BaseModel):
    """In whose name invoices are issued; business dates are in its time zone."""

    id: str
    name: str
    time_zone: str
    currency: str
    credit_policy: CreditPolicy
    version: int

    @classmethod
    def of(cls, entity: Entity) -> "EntityOut":
        return cls(
            id=entity.id,
            name=entity.name,
            time_zone=entity.time_zone,
            currency=entity.currency,
            credit_policy=entity.credit_policy,
            version=entity.version,
        )


class ChangeEntityIn(Body):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    credit_policy: CreditPolicy | None = Field(
        default=None, description="off: credit is not asked; advise: its answer is recorded; enforce: it is obeyed"
    )


@router.get("/entities", response_model=Page[EntityOut], dependencies=[scope("invoices:read")])
async def find(database: DatabaseDep, page: PageParams) -> Response:
    after = page.after[0] if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_entities(tx, after, page.limit + 1)
    shown = found[: page.limit]
    more = encode_cursor([shown[-1].id]) if len(found) > page.limit else None
    return respond(Page[EntityOut](items=[EntityOut.of(entity) for entity in shown], next_cursor=more))


@router.get("/entities/{entity_id}", response_model=EntityOut, dependencies=[scope("invoices:read")])
async def look_at(entity_id: str, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        entity = await handlers.get_entity(tx, entity_id)
    return respond(EntityOut.of(entity), etag=entity.version)


@router.patch("/entities/{entity_id}", response_model=EntityOut, dependencies=[scope("invoices:write")])
async def change(entity_id: str, body: ChangeEntityIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Change the name on invoices, or what is done about credit before one is issued."""
    async with transaction(database) as tx:
        command = ChangeEntity(entity_id, version, body.name, body.credit_policy)
        entity = await handlers.change_entity(tx, command)
    return respond(EntityOut.of(entity), etag=entity.version)
