"""The page of a review pack, gathered from review packs, scorecards and sign-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.review_packs import handlers as review_packs
from services.credit.review_packs.handlers import ReviewPack
from services.credit.scorecards import handlers as scorecards
from services.credit.scorecards.rules import Published
from services.credit.sign_offs import handlers as sign_offs
from services.credit.sign_offs.rules import SignOff
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import DomainError

PERIOD = timedelta(days=730)
"""Two years: of a customer assessed in the first of them the year is over in which its default counts."""
SIGN_OFFS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class PackShown:
    """`pack` is None for a period that cannot be looked at, and `refused` says why."""

    today: date
    scorecard: str
    first: date
    last: date
    scorecards: Sequence[Published]
    signed: Sequence[SignOff]
    pack: ReviewPack | None
    customers: Mapping[UUID, Customer]
    refused: DomainError | None = None


async def draw_pack(tx: Tx, scorecard: str, first: date | None, last: date | None) -> PackShown:
    """The last two years where no days are named."""
    today = local_date(tx.now, "UTC")
    until = last or today
    since = first or until - PERIOD
    pack = refused = None
    try:
        pack = await review_packs.gather(tx, scorecard, since, until)
    except DomainError as fault:
        refused = fault
    overridden = pack.outcome.overridden if pack else ()
    return PackShown(
        today,
        scorecard,
        since,
        until,
        await scorecards.list_scorecards(tx),
        await sign_offs.list_sign_offs(tx, scorecard, None, SIGN_OFFS_SHOWN),
        pack,
        await customers.customers_of(tx, {each.customer_id for each in overridden}),
        refused,
    )
