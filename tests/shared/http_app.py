"""A tiny service for the tests of the HTTP layer: things with a name and a price, kept in one table."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from pydantic import BaseModel, Field

from shared import tokens
from shared.db import Database, Tx, reading
from shared.delivery import Subscriptions
from shared.errors import Conflict, NotFound
from shared.http.app import create_app
from shared.http.cursors import next_cursor
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams
from shared.http.models import Body, Page
from shared.http.preconditions import check_version
from shared.http.responses import respond
from shared.http.security import PUBLIC, Principal, scope
from shared.http.session import SignedIn
from shared.ids import new_id
from shared.money import Money
from shared.service import Service
from shared.settings import ServiceSettings
from shared.ticks import Ticks

READ, WRITE = "invoices:read", "invoices:write"


class LineIn(Body):
    price: Money
    quantity: int = Field(default=1, ge=1)


class ThingIn(Body):
    name: str = Field(min_length=1, max_length=50)
    lines: tuple[LineIn, ...] = ()


class ThingOut(BaseModel):
    id: UUID
    name: str
    version: int


class DuplicateName(Conflict):
    slug = "duplicate-name"
    title = "The name is taken"


class ThingNotFound(NotFound):
    slug = "thing-not-found"


@dataclass
class Gate:
    """Lets a test hold a request in the middle of its work."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)


router = APIRouter()
pages = APIRouter(include_in_schema=False)
gates: dict[str, Gate] = {}


@router.post("/things", status_code=201, response_model=ThingOut, dependencies=[scope(WRITE)])
async def add_thing(body: ThingIn, once: Once) -> Response:
    async with once as tx:
        if gate := gates.get(body.name):
            gate.reached.set()
            await gate.open.wait()
        thing = await add(tx, body.name)
        return once.answer(201, thing, etag=thing.version, location=f"/v1/things/{thing.id}")


@router.get("/things", response_model=Page[ThingOut], dependencies=[scope(READ)])
async def list_things(database: DatabaseDep, page: PageParams, name: Annotated[str | None, Query()] = None) -> Response:
    async with reading(database) as tx:
        rows = await tx.fetch(
            "select * from thing where ($1::uuid is null or id > $1) and ($2::text is null or name = $2)"
            " order by id limit $3",
            UUID(page.after[0]) if page.after else None,
            name,
            page.limit + 1,
        )
    items = [ThingOut.model_validate(dict(row)) for row in rows[: page.limit]]
    return respond(Page[ThingOut](items=items, next_cursor=next_cursor(rows, page, "id")))


@router.get("/other-things", response_model=Page[ThingOut], dependencies=[scope(READ)])
async def list_other_things(page: PageParams) -> Response:
    return respond(Page[ThingOut](items=[]))


@router.get("/things/{thing_id}", response_model=ThingOut, dependencies=[scope(READ)])
async def get_thing(thing_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        row = await tx.fetchrow("select * from thing where id = $1", thing_id)
    if row is None:
        raise ThingNotFound(f"there is no thing {thing_id}")
    return respond(ThingOut.model_validate(dict(row)), etag=row["version"])


@router.put("/things/{thing_id}", response_model=ThingOut, dependencies=[scope(WRITE)])
async def change_thing(thing_id: UUID, body: ThingIn, seen: IfMatch, database: DatabaseDep) -> Response:
    async with database.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow("select * from thing where id = $1 for update", thing_id)
        if row is None:
            raise ThingNotFound(f"there is no thing {thing_id}")
        check_version(seen, row["version"])
        row = await connection.fetchrow(
            "update thing set name = $2, version = version + 1 where id = $1 returning *", thing_id, body.name
        )
    return respond(ThingOut.model_validate(dict(row)), etag=row["version"])


@router.post("/imports", dependencies=[scope(WRITE)], max_body_size=4_000)
async def import_things(body: list[ThingIn], once: Once) -> Response:
    async with once as tx:
        for each in body:
            await add(tx, each.name)
        return once.answer(200, {"imported": len(body)})


@router.post("/broken", dependencies=[PUBLIC])
async def break_down(kind: str) -> Response:
    faults: dict[str, Exception] = {
        "bug": RuntimeError("the secret is 1234"),
        "database": ConnectionRefusedError("no database"),
        "upstream": httpx.ConnectError("no credit service"),
    }
    raise faults[kind]


@router.get("/number", dependencies=[scope(READ)])
async def take_number(number: int, database: DatabaseDep) -> Response:
    return respond({"number": await database.pool.fetchval("select $1::int", number)})


@pages.get("/page")
async def page(principal: Annotated[Principal, Depends(SignedIn(READ))]) -> Response:
    return Response(f"<p>hello {principal.name}</p>", media_type="text/html")


async def add(tx: Tx, name: str) -> ThingOut:
    row = await tx.fetchrow(
        "insert into thing (id, name) values ($1, $2) on conflict (name) do nothing returning *", new_id(), name
    )
    if row is None:
        raise DuplicateName(f"there is a thing named {name}", field="/name", name=name)
    return ThingOut.model_validate(dict(row))


@dataclass
class Caller:
    """Asks the app as somebody with a token."""

    app: FastAPI
    keys: Path
    client: httpx.AsyncClient

    def token(self, scopes: str = "all", subject: str = "tester", seconds: int = 60, **more: Any) -> str:
        return tokens.make_token(self.keys, subject, scopes, life=timedelta(seconds=seconds), **more)

    def headers(self, key: str | None = None, **token: Any) -> dict[str, str]:
        headers = {"authorization": f"Bearer {self.token(**token)}"}
        return {**headers, "idempotency-key": key} if key else headers

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=self.headers())

    async def post(self, path: str, body: dict[str, Any] | None = None, *, key: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.headers(key))

    async def add(self, name: str, key: str | None = None, **token: Any) -> httpx.Response:
        return await self.client.post("/v1/things", json={"name": name}, headers=self.headers(key or name, **token))


@asynccontextmanager
async def things(database: Database, folder: Path, **settings: Any) -> AsyncIterator[Caller]:
    """The app, ready to be asked."""
    await database.pool.execute(
        "create table if not exists thing (id uuid primary key, name text unique, version int default 1)"
    )
    gates.clear()
    given = {
        "database_url": "unused",
        "kafka_bootstrap_servers": "unused",
        "jwks_file": tokens.make_keys(folder),
        "session_secret": tokens.session_secret(folder),
        "http_body_bytes_max": 1_000,
        **settings,
    }
    service = Service("things", "Things.", Subscriptions("things", ()), Ticks(), (router,), (pages,))
    app = create_app(service, ServiceSettings(**given), database=database)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://things.test") as client:
        yield Caller(app, folder, client)
