"""Where providers call: what became of messages, and the text messages that come back. Each call is proven first; a
forged one changes nothing, and one that is repeated changes nothing more."""

from typing import Annotated, Literal
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from services.reminder.callbacks import handlers, rules
from services.reminder.callbacks.handlers import TakeSms
from services.reminder.callbacks.rules import Word
from shared import webhooks
from shared.clock import real_now
from shared.db import transaction
from shared.http.dependencies import DatabaseDep
from shared.http.models import Body
from shared.http.problems import HttpFault, Malformed
from shared.http.responses import respond

callbacks = APIRouter(tags=["callbacks"])

EVENTS_MAX = 1_000
FORM_FIELDS_MAX = 100
NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""TwiML that sends nothing back."""


class CallRefused(HttpFault):
    status = 401
    slug = "webhook-signature"
    title = "The call is not signed as agreed"


class TellingRefused(HttpFault):
    status = 422
    slug = "webhook-body"
    title = "The call says nothing that is understood"


class MailEventIn(Body):
    """One word of the mail provider; `contact_id` is the header X-Dueward-Contact of the mail it is about."""

    contact_id: UUID
    event: Literal["delivered", "opened", "bounced", "complained"]
    at: AwareDatetime | None = None
    reason: Annotated[str, Field(max_length=500)] | None = None
    permanent: bool = Field(default=True, description="Of a bounce: nothing will ever reach this address")


class MailEventsIn(Body):
    events: Annotated[list[MailEventIn], Field(min_length=1, max_length=EVENTS_MAX)]


class ToldOut(BaseModel):
    """`unknown` are messages that are not here."""

    taken: int
    unknown: list[UUID]


@callbacks.post("/callbacks/mail", response_model=ToldOut)
async def hear_mail_provider(request: Request, database: DatabaseDep) -> Response:
    """What became of mails: delivered, opened, bounced, complained; signed after Standard Webhooks."""
    body = await request.body()
    if not webhooks.is_signed(request.headers, body, request.app.state.inbound.keys, real_now()):
        raise CallRefused("the signature is missing, wrong or too old")
    try:
        said = MailEventsIn.model_validate_json(body)
    except ValidationError as error:
        raise TellingRefused(str(error.errors(include_url=False, include_input=False)[0]["msg"])) from None
    unknown = []
    for each in said.events:
        word = Word(each.contact_id, each.event, each.reason or "", each.permanent)
        async with transaction(database) as tx:
            if not await handlers.take_word(tx, word):
                unknown.append(each.contact_id)
    return respond(ToldOut(taken=len(said.events) - len(unknown), unknown=unknown))


@callbacks.post("/callbacks/twilio", response_class=Response, responses={200: {"content": {"text/xml": {}}}})
async def hear_gateway(
    request: Request,
    database: DatabaseDep,
    contact_id: Annotated[UUID | None, Query(description="Named in the status callback's address")] = None,
    signature: Annotated[str, Header(alias="X-Twilio-Signature")] = "",
) -> Response:
    """What became of a text message, or one that came in, as Twilio tells it."""
    inbound: rules.Inbound = request.app.state.inbound
    form = await _form_of(request)
    if not rules.is_signed(signature, inbound, request.url.query, form):
        raise CallRefused("the signature is missing or wrong", field="header.X-Twilio-Signature")
    said = {name: values[0] for name, values in form.items()}
    if inbound.sms_account and said.get("AccountSid") != inbound.sms_account:
        raise CallRefused("the call is about another account")
    async with transaction(database) as tx:
        if status := said.get("MessageStatus"):
            code = said.get("ErrorCode", "")
            known = int(code) if code.isascii() and code.isdecimal() else None
            word = rules.word_of(contact_id, status, known) if contact_id else None
            if word:
                await handlers.take_word(tx, word)
        elif "Body" in said and said.get("From") and said.get("MessageSid"):
            sms = TakeSms(said["MessageSid"], said["From"], said["Body"], said.get("OptOutType", ""))
            await handlers.take_sms(tx, sms)
        else:
            raise TellingRefused("it is neither a status nor a message")
    return Response(NO_ANSWER, media_type="text/xml")


async def _form_of(request: Request) -> dict[str, list[str]]:
    try:
        text = (await request.body()).decode()
        return parse_qs(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=FORM_FIELDS_MAX)
    except ValueError:
        raise Malformed("send a form, application/x-www-form-urlencoded") from None
