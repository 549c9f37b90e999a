"""The template pages, gathered from the other features, and saving one wording among the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
from jinja2 import TemplateError

from services.reminder.desk_templates import rules, store
from services.reminder.desk_templates.rules import Checked, Draft, NoSuchAccount, NothingOwn, Preview
from services.reminder.mails import handlers as mails
from services.reminder.mails.rules import Letter, Stationery
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.handlers import NoAnswer
from services.reminder.receivables.rules import ENTITY, Account
from services.reminder.strategies import handlers as strategies
from services.reminder.templates import handlers as templates
from services.reminder.templates.handlers import SaveTemplate
from services.reminder.templates.rules import NothingToShow, Source, Template, TemplateNotFound
from services.reminder.texts.rules import size
from services.reminder.wordings.rules import LANGUAGES, TONES, Language, Occasion, Tone, Unspeakable, Wording
from shared.calendar import local_date
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class List:
    """`used` are the strategies that ask for a template, by its name."""

    rows: Sequence[tuple[Template, Mapping[Language, Sequence[tuple[Tone, Source]]]]]
    used: Mapping[str, Sequence[str]]
    entities: Sequence[str]


@dataclass(frozen=True, slots=True)
class Editor:
    """One wording to be changed. `template` is None for a name that is not there yet; `source` says where the words
    come from, None where there are none in this language and tone yet."""

    template: Template | None
    draft: Draft
    source: Source | None
    seen: int
    is_own: bool
    entities: Sequence[str]

    @property
    def kept(self) -> Mapping[str, Any]:
        """What the form bears besides the parts."""
        draft = self.draft
        return {
            "language": draft.wording.language,
            "tone": draft.wording.tone,
            "entity_id": draft.entity_id,
            "occasion": draft.occasion,
            "version": self.seen,
        }

    @property
    def cells(self) -> Mapping[Language, Sequence[tuple[Tone, Source]]]:
        return rules.cells(self.template) if self.template else {}


@dataclass(frozen=True, slots=True)
class SaveWording:
    """`wording` None takes the own words of this language and tone back."""

    name: str
    entity_id: str
    occasion: Occasion
    language: Language
    tone: Tone
    wording: Wording | None
    expected_version: int
    by: str


async def draw_list(tx: Tx, entity_id: str) -> List:
    found = await templates.list_templates(tx, entity_id)
    used: dict[str, list[str]] = {}
    for published in await strategies.list_strategies(tx):
        for name in {step.template for step in published.strategy.steps if step.template}:
            used.setdefault(name, []).append(published.name)
    return List([(template, rules.cells(template)) for template in found], used, await store.entities(tx))


async def draw_editor(
    tx: Tx, name: str, entity_id: str, language: Language | None, tone: Tone | None, like: str = ""
) -> Editor:
    """Raises TemplateNotFound, but for a name that begins like another template."""
    template = await _find(tx, name, entity_id)
    if template is None and not like:
        raise TemplateNotFound(f"there is no template {name!r}")
    model = template or await templates.find_template(tx, like, entity_id)
    chosen_language = language or LANGUAGES[0]
    there: list[Tone] = [each for each, _ in rules.cells(model)[chosen_language]]
    chosen_tone = tone or (*there, *TONES)[0]
    wording, source = rules.start(model, chosen_language, chosen_tone)
    return Editor(
        template=template,
        draft=Draft(name, model.occasion, entity_id, wording),
        source=source if template else None,
        seen=template.version if template else 0,
        is_own=any(
            (each.language, each.tone) == (wording.language, wording.tone) for each in rules.own_wordings(template)
        ),
        entities=await store.entities(tx),
    )


async def save_wording(tx: Tx, command: SaveWording) -> None:
    """Make the template's next version with this wording in place of the former one, the others as they are. Raises
    what `save_template` raises, and NothingOwn."""
    template = await _find(tx, command.name, command.entity_id)
    own = rules.own_wordings(template)
    if command.wording:
        kept = rules.changed(own, command.wording, rules.inherited(template, command.language, command.tone))
    else:
        kept = tuple(each for each in own if (each.language, each.tone) != (command.language, command.tone))
        if len(kept) == len(own):
            raise NothingOwn("these words were not changed here")
    if template and kept == own:
        return
    await templates.save_template(
        tx,
        SaveTemplate(
            command.name,
            command.entity_id,
            template.occasion if template else command.occasion,
            kept,
            command.expected_version,
            command.by,
        ),
    )


async def find_account(tx: Tx, draft: Draft) -> tuple[Account | None, date]:
    """The account to try the draft on, None for the sample, with the day it is there. Raises NoSuchAccount."""
    if not draft.account:
        return None, tx.now.date()
    customer_id = await store.customer_of(tx, draft.account)
    key = (customer_id, draft.entity_id or ENTITY) if customer_id else None
    account = (await receivables.accounts(tx, [key])).get(key) if key else None
    if account is None:
        raise NoSuchAccount(f"there is no account {draft.account!r}")
    return account, local_date(tx.now, account.time_zone)


async def show(
    draft: Draft, account: Account | None, today: date, invoice_service: httpx.AsyncClient, stationery: Stationery
) -> Checked:
    """Faults of a draft, or the message it makes. Asks the invoice service what the account owes, outside any
    transaction; sends nothing."""
    if faults := rules.faults_of(draft):
        return Checked(faults, unseen="The preview follows when the faults are gone.")
    letter = rules.sample_letter(draft)
    if account:
        key = (account.id, draft.entity_id or ENTITY)
        balance = (await receivables.ask_balances(invoice_service, [key]))[key]
        if isinstance(balance, NoAnswer):
            return Checked((), unseen=balance.reason)
        try:
            letter = rules.account_letter(draft, account, balance, today)
        except NothingToShow as nothing:
            return Checked((), unseen=nothing.detail)
    try:
        return Checked((), _preview(letter, stationery, account))
    except (Unspeakable, LookupError, TemplateError) as fault:
        return Checked((), unseen=f"It cannot be written for this account: {fault}")


def _preview(letter: Letter, stationery: Stationery, account: Account | None) -> Preview:
    mail = mails.compose(letter, stationery)
    measured = size(mail.sms)
    return Preview(
        about=(account.name or account.external_id or str(account.id)) if account else "a made-up account",
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        sms=mail.sms,
        encoding=measured.encoding,
        segments=measured.segments,
    )


async def _find(tx: Tx, name: str, entity_id: str) -> Template | None:
    try:
        return await templates.find_template(tx, name, entity_id)
    except TemplateNotFound:
        return None
