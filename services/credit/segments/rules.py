"""What is known of a customer that its segment goes by, and what other rules would make of the book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from services.credit.behaviour.rules import History
from services.credit.rates.rules import Rates, convert
from services.credit.segmentations.rules import Found, Segmentation, Value, segment_of
from shared.calendar import add_months
from shared.errors import Conflict
from shared.money import Money


class SegmentNotPinned(Conflict):
    slug = "segment-not-pinned"
    title = "The segment is not pinned"


@dataclass(frozen=True, slots=True)
class Pin:
    """A person said which segment a customer is in; rules leave it there."""

    reason: str
    pinned_by: str
    pinned_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """All that the facts of a customer are made of. `sales` are by currency, of `invoices` that came due in twelve
    months."""

    customer_id: UUID
    segment: str
    country: str
    currency: str
    onboarded_on: date
    history: History
    sales: tuple[Money, ...]
    invoices: int
    risk_class: str | None
    drifting: bool
    pin: Pin | None


@dataclass(frozen=True, slots=True)
class Move:
    """Customers whom rules would move from one segment to another; those that stay have the same twice."""

    before: str
    after: str
    customers: int


@dataclass(frozen=True, slots=True)
class Mover:
    customer_id: UUID
    before: str
    after: str
    rule: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What rules would make of the book; pinned customers stay and are counted apart."""

    customers: int
    pinned: int
    moves: tuple[Move, ...]
    movers: tuple[Mover, ...]


def facts(known: Known, currency: str, rates: Rates | None, today: date) -> dict[str, Value]:
    """Each by the name that rules use; None is what nobody knows. Sales in a currency without a rate make all of them
    unknown."""
    sales = [convert(each, currency, rates) for each in known.sales]
    own = known.history
    months = (today.year - known.onboarded_on.year) * 12 + today.month - known.onboarded_on.month
    return {
        "sales": None if None in sales else sum((Decimal(each.amount) for each in sales if each), Decimal(0)),
        "invoices": Decimal(known.invoices),
        "payments": Decimal(own.paid),
        "average_days_late": own.average_days_late,
        "late_share": own.late_share,
        "oldest_overdue_days": Decimal(max(own.oldest_overdue_days or 0, 0)),
        "disputes": Decimal(own.disputes),
        "broken_promises": Decimal(own.broken_promises),
        "write_offs": Decimal(own.write_offs),
        "months_known": Decimal(months - (today < add_months(known.onboarded_on, months))),
        "risk_class": known.risk_class,
        "drifting": "yes" if known.drifting else "no",
        "country": known.country,
        "currency": known.currency,
    }


def look_again_at(today: date) -> datetime:
    """The start of the next month: what only time changes, such as what still counts of twelve months, is looked at
    then."""
    return datetime.combine(add_months(today.replace(day=1), 1), time(), UTC)


class Trial:
    """Rules tried on a book, some customers at a time: it need not be in memory. Nothing is changed by it."""

    def __init__(self, segmentation: Segmentation, movers_max: int) -> None:
        self._segmentation, self._movers_max = segmentation, movers_max
        self._moves: Counter[tuple[str, str]] = Counter()
        self._movers: list[Mover] = []
        self._pinned = 0

    def take(self, known: Known, values: Mapping[str, Value]) -> None:
        found = Found(known.segment, -1) if known.pin else segment_of(self._segmentation, values)
        self._pinned += known.pin is not None
        self._moves[known.segment, found.segment] += 1
        if found.segment != known.segment and len(self._movers) < self._movers_max:
            self._movers.append(Mover(known.customer_id, known.segment, found.segment, found.rule))

    @property
    def preview(self) -> Preview:
        return Preview(
            customers=self._moves.total(),
            pinned=self._pinned,
            moves=tuple(Move(*pair, count) for pair, count in sorted(self._moves.items())),
            movers=tuple(self._movers),
        )
