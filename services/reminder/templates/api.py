"""Templates over HTTP: read, change, and see them with an account before anything is sent."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from services.reminder.mails import handlers as mails
from services.reminder.mails.rules import Letter
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.handlers import NoAnswer
from services.reminder.receivables.rules import ENTITY
from services.reminder.templates import handlers, rules
from services.reminder.templates.handlers import SaveTemplate
from services.reminder.templates.rules import ANY_ENTITY, Source, Template
from services.reminder.texts.rules import Encoding, size
from services.reminder.wordings.rules import (
    COMMON,
    OWN,
    PART_CHARACTERS_MAX,
    PARTS,
    Copy,
    Language,
    Occasion,
    Tone,
    Wording,
    choose,
)
from shared.calendar import local_date
from shared.db import reading, transaction
from shared.errors import NotFound, Unavailable
from shared.http.dependencies import DatabaseDep, IfMatch, PrincipalDep, ResourcesDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["templates"])

Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Entity = Annotated[
    str | None, Query(max_length=64, description="An entity's own; left out: the installation's, for all entities")
]
PartText = Annotated[str, Field(min_length=1, max_length=PART_CHARACTERS_MAX)]


class VariantIn(Body):
    """One language and tone. Each part is text in the small language of templates: `{{ names }}`, `{% if %}`, and
    `{% for row in rows %}`; `sms` comes to two text messages at most."""

    language: Language
    tone: Tone
    subject: PartText
    preview: PartText
    heading: PartText
    opening: PartText
    request: PartText
    closing: PartText
    sms: PartText

    def wording(self) -> Wording:
        return Wording(self.language, self.tone, {part: getattr(self, part) for part in PARTS})


class TemplateIn(Body):
    """Variants replace those of the same language and tone; the others stay as they are shipped. An empty list takes
    every change back. `occasion` is for new templates: what they are about."""

    occasion: Occasion | None = None
    variants: tuple[VariantIn, ...] = Field(max_length=12)


class VariantOut(BaseModel):
    language: Language
    tone: Tone
    source: Source
    subject: str
    preview: str
    heading: str
    opening: str
    request: str
    closing: str
    sms: str


class TemplateOut(BaseModel):
    """`version` counts the changes of the installation, or of the entity asked for; 0 is as shipped. `names` are what
    the parts may speak of."""

    name: str
    occasion: Occasion
    entity_id: str | None
    version: int
    names: dict[str, str]
    variants: tuple[VariantOut, ...]

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        return cls(
            name=template.name,
            occasion=template.occasion,
            entity_id=template.entity_id or None,
            version=template.version,
            names={**COMMON, **OWN[template.occasion]},
            variants=tuple(
                VariantOut(language=wording.language, tone=wording.tone, source=source, **wording.parts)
                for source, wording in template.wordings
            ),
        )


class PreviewIn(Body):
    """With `customer_id` the account as it stands now, else a made-up one. `variant` is one that is not saved yet;
    `language` and `tone` are the account's own and the template's first where they are left out."""

    customer_id: UUID | None = None
    entity_id: str | None = Field(default=None, max_length=64)
    language: Language | None = None
    tone: Tone | None = None
    variant: VariantIn | None = None


class ShortMessageOut(BaseModel):
    text: str
    encoding: Encoding
    segments: int


class PreviewOut(BaseModel):
    """What the customer would get. Nothing was sent."""

    language: Language
    tone: Tone
    subject: str
    text: str
    html: str
    sms: ShortMessageOut


class NoSuchAccount(NotFound):
    slug = "customer-not-found"
    title = "This service knows no such customer"


@router.get("/templates", response_model=Page[TemplateOut], dependencies=[scope("reminders:read")])
async def list_templates(database: DatabaseDep, entity_id: Entity = None) -> Response:
    """All templates: the shipped ones in the order of a case's life, then the installation's own."""
    async with reading(database) as tx:
        found = await handlers.list_templates(tx, entity_id or ANY_ENTITY)
    return respond(Page[TemplateOut](items=[TemplateOut.of(template) for template in found]))


@router.get("/templates/{name}", response_model=TemplateOut, dependencies=[scope("reminders:read")])
async def find_template(
    name: Name,
    database: DatabaseDep,
    entity_id: Entity = None,
    version: Annotated[int | None, Query(ge=1, le=2**31)] = None,
) -> Response:
    """The words that hold now, or held at an earlier version."""
    async with reading(database) as tx:
        template = await handlers.find_template(tx, name, entity_id or ANY_ENTITY, version)
    return respond(TemplateOut.of(template), etag=template.version)


@router.put("/templates/{name}", response_model=TemplateOut, dependencies=[scope("reminders:write")])
async def save_template(
    name: Name,
    body: TemplateIn,
    version: IfMatch,
    database: DatabaseDep,
    principal: PrincipalDep,
    entity_id: Entity = None,
) -> Response:
    """Say it differently, for the installation or for one entity. Each variant is filled in for made-up accounts of
    every shape first: what cannot be written is refused with variant, part and line. `If-None-Match: *`, or the ETag
    `"0"`, where nothing was changed before."""
    wordings = tuple(variant.wording() for variant in body.variants)
    command = SaveTemplate(name, entity_id or ANY_ENTITY, body.occasion, wordings, version, principal.subject)
    async with transaction(database) as tx:
        template = await handlers.save_template(tx, command)
    return respond(TemplateOut.of(template), status=200 if version else 201, etag=template.version)


@router.post("/templates/{name}/preview", response_model=PreviewOut, dependencies=[scope("reminders:read")])
async def preview(name: Name, body: PreviewIn, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """What a customer would read: subject, text, HTML and text message. Asks the invoice service what is owed now;
    sends nothing, records nothing."""
    async with reading(database) as tx:
        template = await handlers.find_template(tx, name, body.entity_id or ANY_ENTITY)
        key = (body.customer_id, body.entity_id or ENTITY) if body.customer_id else None
        account = (await receivables.accounts(tx, [key])).get(key) if key else None
        now = tx.now
    if key and account is None:
        raise NoSuchAccount(f"there is no customer {body.customer_id}", field="/customer_id")
    wording = _wording(body, template, account.language if account else "en")
    if body.variant:
        rules.check(Copy(name, template.occasion, (wording,)), template)
    letter = rules.samples_of(template.occasion, wording.language, wording.tone)[0][1]
    if key and account:
        balance = (await receivables.ask_balances(resources.invoice, [key]))[key]
        if isinstance(balance, NoAnswer):
            raise Unavailable(balance.reason)
        today = local_date(now, account.time_zone)
        letter = rules.letter_about(template.occasion, letter, balance, today)
        person = account.person.name if account.person else None
        letter = replace(letter, person=person, customer=account.name, country=account.country)
    return respond(_shown(replace(letter, template=name, wording=wording), resources))


def _wording(body: PreviewIn, template: Template, account_language: str) -> Wording:
    if body.variant:
        return body.variant.wording()
    tone = body.tone or template.wordings[0][1].tone
    wording = choose(template.copies, body.language or account_language, tone)
    assert wording is not None  # Each template has English words.
    return wording


def _shown(letter: Letter, resources: Any) -> PreviewOut:
    mail = mails.compose(letter, resources.stationery)
    measured = size(mail.sms)
    assert letter.wording is not None
    return PreviewOut(
        language=letter.wording.language,
        tone=letter.wording.tone,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        sms=ShortMessageOut(text=mail.sms, encoding=measured.encoding, segments=measured.segments),
    )
