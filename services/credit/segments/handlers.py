"""Put customers in the segment that the rules say, unless a person pinned them to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.credit.behaviour.rules import windows
from services.credit.customers import handlers as customers
from services.credit.customers.handlers import ChangeCustomer
from services.credit.customers.rules import Customer
from services.credit.follow_ups import handlers as follow_ups
from services.credit.limits.rules import CustomerNotFound
from services.credit.rates import handlers as rates
from services.credit.rates.rules import NoRates, Rates
from services.credit.segmentations import handlers as segmentations
from services.credit.segmentations import rules as documents
from services.credit.segmentations.rules import Found, Published, Value
from services.credit.segments import rules, store
from services.credit.segments.rules import Known, Pin, Preview, SegmentNotPinned, Trial
from shared.calendar import local_date
from shared.db import Tx

MOVERS_MAX = 200
BOOK_CHUNK = 500


@dataclass(frozen=True, slots=True)
class PinSegment:
    """`expected_version` is the customer's."""

    customer_id: UUID
    segment: str
    reason: str
    by: str
    expected_version: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer is and why: `found` is what the rules in force say, None while there are none."""

    known: Known
    facts: Mapping[str, Value]
    published: Published | None
    found: Found | None


async def follow(tx: Tx, customer_id: UUID) -> tuple[bool, datetime | None]:
    """Put a customer, whom the caller has locked, where the rules in force say. Returns whether it moved, and when to
    look again without any news."""
    published = await segmentations.in_force(tx)
    if published is None:
        return False, None
    standing = await _standing(tx, customer_id, published)
    today = local_date(tx.now, "UTC")
    moves = standing.found is not None and not standing.known.pin and standing.found.segment != standing.known.segment
    if moves and standing.found:
        customer = await customers.get_customer(tx, customer_id)
        command = ChangeCustomer(customer_id, {"segment": standing.found.segment}, customer.version, today)
        await customers.change_customer(tx, command)
    return moves, rules.look_again_at(today)


async def show_segment(tx: Tx, customer_id: UUID) -> Standing:
    """Raises CustomerNotFound."""
    return await _standing(tx, customer_id, await segmentations.in_force(tx))


async def _standing(tx: Tx, customer_id: UUID, published: Published | None) -> Standing:
    today = local_date(tx.now, "UTC")
    found = await store.known(tx, [customer_id], today, *windows(today))
    if not found:
        raise CustomerNotFound(customer_id)
    [known] = found
    currency = published.segmentation.currency if published else known.currency
    facts = rules.facts(known, currency, await _rates(tx, today), today)
    return Standing(known, facts, published, documents.segment_of(published.segmentation, facts) if published else None)


async def _rates(tx: Tx, today: date) -> Rates | None:
    try:
        return (await rates.rates_on(tx, today))[0]
    except NoRates:
        return None


async def preview(tx: Tx, document: str | None) -> Preview:
    """What rules, published or not, would make of the book; changes nothing. Raises InvalidSegmentation,
    NoSegmentation."""
    if document is None:
        segmentation = (await segmentations.find_segmentation(tx)).segmentation
    else:
        segmentation = documents.parse(document)
    today = local_date(tx.now, "UTC")
    known_rates = await _rates(tx, today)
    trial = Trial(segmentation, MOVERS_MAX)
    after: UUID | None = None
    while ids := await store.page(tx, after, BOOK_CHUNK):
        for known in await store.known(tx, ids, today, *windows(today)):
            trial.take(known, rules.facts(known, segmentation.currency, known_rates, today))
        after = ids[-1]
    return trial.preview


async def pin_segment(tx: Tx, command: PinSegment) -> Customer:
    """Put a customer in a segment and have it stay there. Raises CustomerNotFound, PreconditionFailed."""
    today = local_date(tx.now, "UTC")
    change = ChangeCustomer(command.customer_id, {"segment": command.segment}, command.expected_version, today)
    customer = await customers.change_customer(tx, change)
    await store.pin(tx, command.customer_id, Pin(command.reason, command.by, tx.now))
    return customer


async def move(tx: Tx, from_id: UUID, to_id: UUID, because: str) -> int:
    """The segment that a merged customer was pinned to is the surviving one's, unless that has a pin of its own. Both
    are locked. Returns how many pins that were."""
    pins = await store.pins(tx, [from_id, to_id])
    pin = pins.get(from_id)
    if pin is None:
        return 0
    await store.unpin(tx, from_id)
    if to_id in pins:
        return 0
    one, other = await customers.get_customer(tx, from_id), await customers.get_customer(tx, to_id)
    segment, today = one.particulars.segment, local_date(tx.now, "UTC")
    await customers.change_customer(tx, ChangeCustomer(to_id, {"segment": segment}, other.version, today))
    await store.pin(tx, to_id, replace(pin, reason=f"{pin.reason} ({because})"))
    return 1


async def unpin_segment(tx: Tx, customer_id: UUID, expected_version: int) -> Customer:
    """Leave it to the rules again. Raises CustomerNotFound, PreconditionFailed, SegmentNotPinned."""
    today = local_date(tx.now, "UTC")
    customer = await customers.change_customer(tx, ChangeCustomer(customer_id, {}, expected_version, today))
    if not await store.unpin(tx, customer_id):
        raise SegmentNotPinned("Nobody pinned this customer's segment.")
    await follow_ups.note(tx, {customer_id: {"segmentation"}})
    return customer
