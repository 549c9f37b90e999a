"""Following accounts over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from services.reminder.followers import handlers
from services.reminder.followers.handlers import FollowAccount
from services.reminder.followers.rules import Follower
from services.reminder.receivables.rules import ENTITY
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["followers"])

EntityId = Annotated[str, Query(min_length=1, max_length=40)]
Subject = Annotated[str, Path(min_length=1, max_length=200)]


class FollowIn(Body):
    subject: str
    entity_id: str = ENTITY


class UnfollowIn(Body):
    entity_id: str = ENTITY


class FollowerOut(BaseModel):
    """Gets a mail each morning when something has happened with the account."""

    subject: str
    since: datetime

    @classmethod
    def of(cls, follower: Follower) -> "FollowerOut":
        return cls(subject=follower.subject, since=follower.since)


@router.get("/cases/{customer_id}/followers", response_model=Page[FollowerOut], dependencies=[scope("reminders:read")])
async def list_followers(customer_id: UUID, database: DatabaseDep, entity_id: EntityId = ENTITY) -> Response:
    """Colleagues who hear of the account, though others look after it."""
    async with reading(database) as tx:
        found = await handlers.list_followers(tx, customer_id, entity_id)
    return respond(Page[FollowerOut](items=[FollowerOut.of(follower) for follower in found]))


@router.post(
    "/cases/{customer_id}/followers",
    status_code=201,
    response_model=Page[FollowerOut],
    dependencies=[scope("reminders:write")],
)
async def follow(customer_id: UUID, body: FollowIn, once: Once) -> Response:
    """A colleague hears of the account from now on; answered are all who do."""
    async with once as tx:
        await handlers.follow_account(tx, FollowAccount(customer_id, body.entity_id, body.subject))
        found = await handlers.list_followers(tx, customer_id, body.entity_id)
        return once.answer(201, Page[FollowerOut](items=[FollowerOut.of(follower) for follower in found]))


@router.post(
    "/cases/{customer_id}/followers/{subject}/end",
    response_model=Page[FollowerOut],
    dependencies=[scope("reminders:write")],
)
async def unfollow(customer_id: UUID, subject: Subject, body: UnfollowIn, once: Once) -> Response:
    """A colleague hears of the account no more; answered are those who still do."""
    async with once as tx:
        await handlers.unfollow_account(tx, FollowAccount(customer_id, body.entity_id, subject))
        found = await handlers.list_followers(tx, customer_id, body.entity_id)
        return once.answer(200, Page[FollowerOut](items=[FollowerOut.of(follower) for follower in found]))
