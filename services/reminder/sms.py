"""Short messages over an HTTP gateway of Twilio's shape: `POST /2010-04-01/Accounts/{sid}/Messages.json`, a form with
basic authentication (https://www.twilio.com/docs/messaging/api/message-resource).

That call knows no idempotency key: a call that may have arrived is never made again. What became of it is told later
by a status callback, whose address names the contact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import orjson

from services.reminder.deliveries.rules import Delivery, Leave
from services.reminder.mails.handlers import short_message
from services.reminder.mails.rules import Letter
from services.reminder.texts import rules
from services.reminder.texts.rules import CHARACTERS_MAX, BadNumber, Failure
from shared import log
from shared.errors import DomainError
from shared.mail import Fate
from shared.outside import Answer, Reply, brief, post

logger = log.get(__name__)

CALLS_AT_ONCE = 4
LEASE_TIMEOUTS = 4

_FATES: dict[Failure, Fate] = {
    "permanent": "refused",
    "number": "refused",
    "opted_out": "refused",
    "temporary": "refused_for_now",
    "gateway": "deferred",
}


@dataclass(frozen=True, slots=True)
class SmsGateway:
    """The operator's gateway. `sender` is a number, a name of letters, or a messaging service (`MG...`);
    `callback_url` is where it tells what became of a message."""

    url: str
    account: str
    sender: str
    token: str = field(repr=False)
    callback_url: str | None = None


@dataclass(frozen=True)
class SmsSender:
    """Text messages as a channel."""

    client: httpx.AsyncClient
    gateway: SmsGateway
    timeout_seconds: float

    @property
    def lease_seconds(self) -> float:
        return self.timeout_seconds * LEASE_TIMEOUTS

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave) -> list[Delivery]:
        """Several at a time; none is begun that could not be over in time."""
        begin_until = monotonic() + seconds - 2 * self.timeout_seconds
        gate = asyncio.Semaphore(CALLS_AT_ONCE)

        async def send(letter: Letter) -> Delivery:
            async with gate:
                answer = Answer("untried") if monotonic() >= begin_until else await self._send(letter, leave)
            return Delivery(letter.contact_id, letter.customer_id, **asdict(answer))

        return list(await asyncio.gather(*map(send, letters)))

    async def _send(self, letter: Letter, leave: Leave) -> Answer:
        try:
            text = short_message(letter)
        except (DomainError, LookupError, TypeError) as fault:
            logger.exception("text_not_composed", contact_id=str(letter.contact_id), template=letter.template)
            return Answer("refused", f"the text could not be written: {fault}")
        if not await leave(letter.contact_id):
            return Answer("untried")
        return await send_text(self.client, self.gateway, letter.contact_id, letter.recipient, text)


async def send_text(
    client: httpx.AsyncClient, gateway: SmsGateway, contact_id: UUID, recipient: str, text: str
) -> Answer:
    """Send one text. Raises nothing: the answer says what is certain."""
    try:
        number = rules.e164(recipient)
    except BadNumber as fault:
        return Answer("refused", str(fault), address_refused=True)
    body = rules.plain(text)
    if len(body) > CHARACTERS_MAX:
        return Answer("refused", f"the text has {len(body)} characters, at most {CHARACTERS_MAX} are taken")
    form = {"To": number, "Body": body}
    form["MessagingServiceSid" if gateway.sender.startswith("MG") else "From"] = gateway.sender
    if gateway.callback_url:
        form["StatusCallback"] = f"{gateway.callback_url}?contact_id={contact_id}"
    url = f"{gateway.url.rstrip('/')}/2010-04-01/Accounts/{quote(gateway.account, safe='')}/Messages.json"
    reply = await post(client, url, private=True, data=form, auth=(gateway.account, gateway.token))
    return reply if isinstance(reply, Answer) else _read(reply)


def _read(reply: Reply) -> Answer:
    try:
        said: Any = orjson.loads(reply.text)
    except orjson.JSONDecodeError:
        said = None
    said = said if isinstance(said, dict) else {}
    if 200 <= reply.status < 300:
        code = _code(said.get("error_code"))
        if said.get("status") in ("failed", "undelivered", "canceled"):
            return failed(code, str(said.get("error_message") or said["status"]))
        if not said.get("sid"):
            return Answer("doubtful", f"the gateway took it without a word that is understood: {brief(reply.text)}")
        return Answer("sent", provider_id=str(said["sid"]))
    message = brief(str(said.get("message") or reply.text or "no reason given"))
    code = _code(said.get("code"))
    if rules.failure_of(code):
        return failed(code, message, reply.retry_after_seconds)
    if reply.status in (401, 403, 404, 429, 503):  # Our account, our address or its load: no message goes for now.
        reason = f"the gateway answers {reply.status}: {message}"
        return Answer("deferred", reason, retry_after_seconds=reply.retry_after_seconds)
    if reply.status >= 500:  # It may have been taken before whatever failed did.
        return Answer("doubtful", f"the gateway answers {reply.status}: {message}")
    return Answer("refused", f"the gateway refuses ({reply.status}): {message}")


def failed(code: int | None, message: str, retry_after_seconds: float | None = None) -> Answer:
    """What an error code makes of a message; a code that is not known is taken as final."""
    kind = rules.failure_of(code) or "permanent"
    return Answer(
        _FATES[kind],
        f"{code}: {message}" if code else message,
        address_refused=kind == "number",
        opted_out=kind == "opted_out",
        retry_after_seconds=retry_after_seconds,
    )


def _code(given: Any) -> int | None:
    return int(given) if str(given).isascii() and str(given).isdecimal() else None
