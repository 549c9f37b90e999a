"""Tell letters what they speak of besides their invoices, before they get their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.reminder.authority import handlers as authority
from services.reminder.mails.rules import Letter
from services.reminder.occasions import rules
from services.reminder.offers import handlers as offers
from services.reminder.offers.handlers import OfferLinks
from services.reminder.promises import handlers as promises
from services.reminder.templates import handlers as templates
from services.reminder.templates.rules import TemplateNotFound
from services.reminder.wordings import rules as wordings
from services.reminder.wordings.rules import Occasion
from shared.db import Tx

LOOKED_AT = 20


async def fill(tx: Tx, letters: Sequence[Letter], links: OfferLinks | None = None) -> list[Letter]:
    """Letters that speak of a promise, an instalment or an offered plan are told of it; of all others nothing is
    looked up. `links` make the pages of offers reachable. The customers are locked."""
    return [await _filled(tx, letter, links) for letter in letters]


async def _filled(tx: Tx, letter: Letter, links: OfferLinks | None) -> Letter:
    if letter.after_broken_promise and letter.template:
        letter = await _of_broken_promise(tx, letter)
    customer_id, entity_id = letter.customer_id, letter.entity_id
    match await _occasion(tx, letter):
        case "promise":
            made = await promises.list_promises(tx, customer_id, entity_id, None, None, LOOKED_AT)
            return rules.of_promise(letter, made)
        case "instalment":
            accepted = await offers.list_offers(tx, customer_id, entity_id, "accepted", None, LOOKED_AT)
            return rules.of_instalment(letter, accepted)
        case _ if links and letter.template == rules.PLAN_OFFER and letter.plan_instalments_max:
            offer = await offers.offer_plan(tx, customer_id, entity_id, letter.plan_instalments_max)
            return replace(letter, offer_link=links.url(offer.id)) if offer else letter
        case _:
            return letter


async def _of_broken_promise(tx: Tx, letter: Letter) -> Letter:
    """The step that a broken promise has brought forward says so in its words, where the entity wants that."""
    limits = (await authority.get_authority(tx, letter.entity_id)).authority.promises
    return replace(letter, template=rules.PROMISE_BROKEN) if limits.tell_when_broken else letter


async def _occasion(tx: Tx, letter: Letter) -> Occasion | None:
    known = wordings.shipped().get(letter.template)
    if known or not letter.template:
        return known.occasion if known else None
    try:
        return (await templates.find_template(tx, letter.template, letter.entity_id)).occasion
    except TemplateNotFound:
        return None
