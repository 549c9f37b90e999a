"""Limits of groups over HTTP. What a group owes and has left is shown with each member's credit."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.credit.groups import handlers
from services.credit.groups.handlers import SetGroupLimit
from services.credit.groups.rules import GroupLimit
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PrincipalDep
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])


class SetGroupLimitIn(Body):
    limit: Money
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class GroupLimitOut(BaseModel):
    customer_id: UUID
    version: int
    limit: Money
    reason: str
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, group: GroupLimit) -> "GroupLimitOut":
        return cls.model_validate(group, from_attributes=True)


_PATH = "/customers/{customer_id}/group-limit"


@router.get(_PATH, response_model=GroupLimitOut, dependencies=[scope("credit:read")])
async def show_group_limit(customer_id: UUID, database: DatabaseDep) -> Response:
    """The limit that a customer's group shares."""
    async with reading(database) as tx:
        group = await handlers.get_group_limit(tx, customer_id)
    return respond(GroupLimitOut.of(group), etag=group.version)


@router.put(_PATH, response_model=GroupLimitOut, dependencies=[scope("credit:write")])
async def set_group_limit(
    customer_id: UUID, body: SetGroupLimitIn, version: IfMatch, database: DatabaseDep, principal: PrincipalDep
) -> Response:
    """What this company and all that belong to it may owe together, besides what each may; in any currency. The first
    one is sent with `If-None-Match: *`."""
    async with transaction(database) as tx:
        command = SetGroupLimit(customer_id, body.limit, body.reason, principal.subject, version)
        group = await handlers.set_group_limit(tx, command)
    return respond(GroupLimitOut.of(group), etag=group.version)


@router.delete(_PATH, status_code=204, dependencies=[scope("credit:write")])
async def remove_group_limit(customer_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """Each member's own limit is all that counts again."""
    async with transaction(database) as tx:
        await handlers.remove_group_limit(tx, customer_id, version)
    return Response(status_code=204)
