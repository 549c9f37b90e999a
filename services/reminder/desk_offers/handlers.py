"""The page of an account's offers, gathered from the other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reminder.authority import handlers as authority
from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import View
from services.reminder.desk_offers import rules
from services.reminder.desk_offers.rules import Suggestion, Written
from services.reminder.offers import handlers as offers
from services.reminder.offers import rules as offering
from services.reminder.offers.handlers import MakeOffer
from services.reminder.offers.rules import Offer, OfferNotFound
from services.reminder.receivables.rules import Item
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import DomainError
from shared.money import Money

OFFERS = 50


@dataclass(frozen=True, slots=True)
class OffersPage:
    """`standing` waits for approval or for the customer; while there is one, no other can be made. `owed` is what an
    offer would be about where nobody says otherwise, None with the reason in `refused`."""

    view: View
    today: date
    standing: Offer | None
    earlier: Sequence[Offer]
    items: Sequence[tuple[Item, bool]]
    owed: Money | None
    refused: DomainError | None
    suggestion: Suggestion
    limits: Sequence[str]


async def draw_offers(tx: Tx, customer_id: UUID, entity_id: str) -> OffersPage:
    """Raises CaseNotFound."""
    view = await cases.find_case(tx, customer_id, entity_id)
    today = local_date(tx.now, view.account.time_zone)
    known = await offers.list_offers(tx, customer_id, entity_id, None, None, OFFERS)
    standing = next((offer for offer in known if offer.look_at), None)
    limits = (await authority.get_authority(tx, entity_id)).authority.offers
    subject, refused = (), None
    try:
        subject = offering.subject_of(view.account, (), is_open=view.case.is_open)
    except DomainError as error:
        refused = error
    return OffersPage(
        view=view,
        today=today,
        standing=standing,
        earlier=[offer for offer in known if offer is not standing],
        items=rules.chosen_first(view.account.items, subject),
        owed=_owed(subject) if subject else None,
        refused=refused,
        suggestion=rules.suggest(limits, today),
        limits=rules.limits_in_words(limits, today),
    )


async def make_offer(tx: Tx, customer_id: UUID, entity_id: str, written: Written, by: str) -> Offer:
    """Raises what `offers` does, and FieldUnreadable."""
    view = await cases.find_case(tx, customer_id, entity_id)
    subject = offering.subject_of(view.account, written.items, is_open=view.case.is_open)
    terms = rules.read_terms(written, _owed(subject))
    return await offers.make_offer(tx, MakeOffer(customer_id, entity_id, terms, by))


async def find_offer(tx: Tx, offer_id: UUID, customer_id: UUID) -> Offer:
    """An offer of this customer. Raises OfferNotFound."""
    offer = await offers.get_offer(tx, offer_id)
    if offer.customer_id != customer_id:
        raise OfferNotFound(f"there is no offer {offer_id} of this customer")
    return offer


def _owed(items: Sequence[Item]) -> Money:
    return Money(sum(item.collectable.minor for item in items), items[0].collectable.currency)
