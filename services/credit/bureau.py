"""Credit reports over HTTP, of the shape that docs/credit.md describes:
`GET <BUREAU_URL>/v1/reports/<legal id>?country=DE`, with a bearer token.

What certainly got no answer that could cost anything (no connection, 429, a server's own fault) is tried again a few
times; a question whose answer was lost on the way is not, since a report may have been made and charged. The answer is
kept as it came, whatever it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from services.credit.vetting.rules import Asked, CreditReport, Inquiry, Report
from shared.money import Money
from shared.outside import brief, outside_client

TRIES = 3
PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 5.0
ANSWER_BYTES_MAX = 256 * 1024
LEASE_TIMEOUTS = 5
"""A question counts as under way so many timeouts long: three tries, their pauses, and some more."""


class _Answer(BaseModel):
    """What the bureau says; fields that nobody knows here are passed over."""

    as_of: date
    expires_on: date | None = None
    score: int
    recommended_limit: Money | None = None
    judgments: int = 0
    insolvency: Literal["none", "past", "open"] = "none"
    founded_on: date | None = None


@dataclass(frozen=True)
class HttpBureau:
    """The operator's credit bureau. `name` is the source that its reports bear."""

    client: httpx.AsyncClient
    url: str
    name: str
    timeout_seconds: float
    token: str | None = field(default=None, repr=False)

    @property
    def lease_seconds(self) -> float:
        return self.timeout_seconds * LEASE_TIMEOUTS + TRIES * PAUSE_SECONDS_MAX

    async def ask(self, inquiry: Inquiry, country: str) -> Asked:
        """Raises nothing: what went wrong is in the answer."""
        asked = Asked("unreached", detail="nobody tried")
        for tried in range(TRIES):
            asked, wait_seconds = await self._try(inquiry, country)
            if asked.status != "unreached" or tried == TRIES - 1:
                break
            await asyncio.sleep(min(wait_seconds or PAUSE_SECONDS * 2**tried, PAUSE_SECONDS_MAX))
        return asked

    async def _try(self, inquiry: Inquiry, country: str) -> tuple[Asked, float | None]:
        headers = {"accept": "application/json", "x-request-id": str(inquiry.id)}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        url = f"{self.url.rstrip('/')}/v1/reports/{quote(inquiry.legal_id, safe='')}"
        try:
            # Bounds the whole call: a timeout of httpx's begins anew with every byte.
            async with (
                asyncio.timeout(self.timeout_seconds),
                self.client.stream("GET", url, params={"country": country}, headers=headers) as response,
            ):
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        return Asked("unreadable", response.status_code, detail="the answer is too long"), None
                return self._read(response, body.decode(errors="replace").replace("\0", "\ufffd"))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            return Asked("unreached", detail=f"no connection: {brief(str(fault)) or type(fault).__name__}"), None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as fault:
            return Asked("refused", detail=f"the bureau's address cannot be called: {brief(str(fault))}"), None
        except (TimeoutError, httpx.HTTPError, OSError) as fault:
            said = brief(str(fault)) or type(fault).__name__
            return Asked("unknown", detail=f"the answer was lost: {said}"), None

    def _read(self, response: httpx.Response, text: str) -> tuple[Asked, float | None]:
        status = response.status_code
        if status == 429 or status >= 500:
            return Asked("unreached", status, text, f"the bureau answers {status}"), _seconds(response)
        if status == 404:
            return Asked("not_found", status, text, "the bureau does not know this company"), None
        if status != 200:
            return Asked("refused", status, text, f"the bureau answers {status}"), None
        try:
            answer = _Answer.model_validate_json(text)
            particulars = CreditReport(kind="credit_report", **answer.model_dump(exclude={"as_of", "expires_on"}))
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            return Asked("unreadable", status, text, f"{where}: {first['msg']}" if where else first["msg"]), None
        return Asked(
            "answered", status, text, None, Report(self.name, answer.as_of, answer.expires_on, particulars)
        ), None


def _seconds(response: httpx.Response) -> float | None:
    given = response.headers.get("retry-after", "").strip()
    return float(given) if given.isascii() and given.isdecimal() else None


@asynccontextmanager
async def bureau_at(url: str, name: str, timeout_seconds: float, token: str | None) -> AsyncIterator[HttpBureau]:
    async with outside_client(timeout_seconds) as client:
        yield HttpBureau(client, url, name, timeout_seconds, token)
