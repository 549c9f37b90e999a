"""`Idempotency-Key`: a POST sent twice takes effect once and gets the same answer.

    async with once as tx:
        customer = await handlers.onboard_customer(tx, command)
        return once.answer(201, CustomerOut.of(customer), etag=customer.version, location=...)

The answer is stored in the transaction of the work, so there is no moment at which one exists without the other. A
key belongs to its caller. Errors are not stored: nothing was changed, so the same key may try again.
"""

import sys
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from hashlib import blake2b
from types import TracebackType
from typing import Annotated, Any, Self

import asyncpg
from fastapi import Depends, Request
from starlette.responses import Response

from shared.db import Database, Tx, transaction
from shared.http.problems import HttpFault, Malformed
from shared.http.responses import respond
from shared.http.security import authenticate
from shared.sealing import Seals

KEY_CHARACTERS_MAX = 255


class IdempotencyKeyMissing(Malformed):
    slug = "idempotency-key-missing"
    title = "An Idempotency-Key is needed"


class IdempotencyKeyReused(HttpFault):
    status = 422
    slug = "idempotency-key-reused"
    title = "The Idempotency-Key was used for another request"


class RequestInFlight(HttpFault):
    status = 409
    slug = "request-in-flight"
    title = "The first request with this key is still at work"


class StoredAnswer(Exception):
    """The request was answered before: this is that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def stored_answer(_: Request, error: Exception) -> Response:
    assert isinstance(error, StoredAnswer)
    return error.response


class OnceOnly:
    """One request's hold on its key. Entering opens the transaction of the work."""

    def __init__(self, database: Database, caller: str, key: str, fingerprint: bytes) -> None:
        self._database = database
        self._caller = caller
        self._key = key
        self._fingerprint = fingerprint
        self._work: AbstractAsyncContextManager[Tx] | None = None
        self._tx: Tx | None = None
        self._answer: Response | None = None
        self._seals: Seals | None = None

    def sealed(self, seals: Seals) -> Self:
        """For an answer with a secret in it: what is stored of it is sealed."""
        self._seals = seals
        return self

    async def check(self) -> None:
        """Before slow work outside the transaction: answer at once if this request was answered before."""
        row = await self._database.pool.fetchrow(_FIND, self._caller, self._key)
        self._replay(row)

    async def __aenter__(self) -> Tx:
        self._work = transaction(self._database)
        self._tx = tx = await self._work.__aenter__()
        try:
            lock = int.from_bytes(blake2b(f"{self._caller}\0{self._key}".encode(), digest_size=8).digest(), signed=True)
            row = await tx.fetchrow(_CLAIM, self._caller, self._key, lock)
            self._replay(row)
            if row is None or not row["free"]:
                raise _in_flight()
        except BaseException:
            await self._work.__aexit__(*sys.exc_info())
            raise
        return tx

    def _replay(self, row: asyncpg.Record | None) -> None:
        if row is None or row["status"] is None:
            return
        if row["body_hash"] != self._fingerprint:
            raise IdempotencyKeyReused(
                "this Idempotency-Key was sent before with another address or body; a new request takes a new key",
                field="header.Idempotency-Key",
            )
        body = self._seals.open(row["body"], self._place) if self._seals else row["body"]
        raise StoredAnswer(Response(body, row["status"], {**row["headers"], "idempotency-replayed": "true"}))

    @property
    def _place(self) -> str:
        return f"idempotency {self._caller} {self._key}"

    def answer(
        self,
        status: int,
        value: Any = None,
        *,
        etag: int | None = None,
        location: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """The answer to this request, to be returned from within the block; it is stored as the block ends."""
        self._answer = respond(value, status=status, etag=etag, location=location, headers=headers)
        return self._answer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        assert self._work is not None
        assert self._tx is not None
        if error is None:
            try:
                await self._store(self._tx)
            except BaseException:
                await self._work.__aexit__(*sys.exc_info())
                raise
        return await self._work.__aexit__(kind, error, traceback)

    async def _store(self, tx: Tx) -> None:
        if self._answer is None:
            raise RuntimeError("a block under `once` ends with `return once.answer(...)`")
        headers = {name: value for name, value in self._answer.headers.items() if name != "content-length"}
        body = bytes(self._answer.body)
        try:
            await tx.execute(
                _STORE,
                self._caller,
                self._key,
                self._fingerprint,
                self._answer.status_code,
                headers,
                self._seals.seal(body, self._place) if self._seals else body,
            )
        except asyncpg.UniqueViolationError as error:
            # The first request committed after our look and before our lock: ours is undone.
            if getattr(error, "constraint_name", None) == "idempotency_pkey":
                raise _in_flight() from None
            raise


def _in_flight() -> RequestInFlight:
    return RequestInFlight(
        "wait for the answer to the first request, or send this one again shortly with the same key",
        headers={"retry-after": "1"},
    )


_FIND = "select status, body_hash, headers, body from idempotency where principal = $1 and key = $2"

_CLAIM = """
select pg_try_advisory_xact_lock($3) as free, i.status, i.body_hash, i.headers, i.body
from (values (1)) one left join idempotency i on i.principal = $1 and i.key = $2
"""

_STORE = """
insert into idempotency (principal, key, body_hash, status, headers, body) values ($1, $2, $3, $4, $5, $6)
"""


async def forget_answers(tx: Tx, before: datetime) -> int:
    """Drop answers given before a moment; their keys may be used anew. Returns how many."""
    return await tx.fetchval(
        "with gone as (delete from idempotency where created_at < $1 returning 1) select count(*) from gone", before
    )


async def once_only(request: Request) -> OnceOnly:
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        raise IdempotencyKeyMissing(
            "send an Idempotency-Key of your choice, such as a UUID, so that a repeated request takes effect once",
            field="header.Idempotency-Key",
        )
    if len(key) > KEY_CHARACTERS_MAX or not key.isascii() or not key.isprintable():
        raise Malformed(
            f"an Idempotency-Key has at most {KEY_CHARACTERS_MAX} printable ASCII characters",
            field="header.Idempotency-Key",
        )
    principal = await authenticate(request)
    scope = request.scope
    fingerprint = blake2b(f"{scope['method']} {scope['path']}?".encode(), digest_size=32)
    fingerprint.update(scope["query_string"] + b"\0")
    fingerprint.update(await request.body())
    return OnceOnly(request.app.state.database, principal.key, key, fingerprint.digest())


Once = Annotated[OnceOnly, Depends(once_only)]
