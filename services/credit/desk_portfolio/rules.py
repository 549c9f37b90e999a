"""The book by risk class and segment: how many customers, what they may owe, owe, and owe too late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.credit.exposure.rules import Facts
from services.credit.limits.rules import Account
from services.credit.policy_rules.rules import CLASSES
from services.credit.rates.rules import Rates, convert
from shared.money import Money

NOT_ASSESSED = "none"


@dataclass(frozen=True, slots=True)
class Member:
    """A customer with what counts against its limit, in the limit's currency; amounts for which no rate is known are
    not in it."""

    customer_id: UUID
    segment: str
    risk_class: str
    limit: Money
    owed: Money
    overdue: Money
    is_held: bool


def member(account: Account, risk_class: str | None, facts: Facts, rates: Rates | None) -> Member:
    currency = account.limit.currency
    parts = [convert(each.overdue, currency, rates) for each in facts.exposure.by_currency]
    return Member(
        account.customer_id,
        account.segment,
        risk_class or NOT_ASSESSED,
        account.limit,
        facts.exposure.against(currency, rates).total,
        sum((each for each in parts if each), Money.zero(currency)),
        bool(account.held),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """Customers of one class or segment and one currency. `headroom` adds up what each has left; who is over the limit
    has nothing left, and `over` is by how much in all."""

    name: str
    currency: str
    customers: int = 0
    held: int = 0
    over_limit: int = 0
    limit_minor: int = 0
    owed_minor: int = 0
    overdue_minor: int = 0
    headroom_minor: int = 0
    over_minor: int = 0

    def with_(self, each: Member) -> Line:
        left = each.limit.minor - each.owed.minor
        return replace(
            self,
            customers=self.customers + 1,
            held=self.held + each.is_held,
            over_limit=self.over_limit + (left < 0),
            limit_minor=self.limit_minor + each.limit.minor,
            owed_minor=self.owed_minor + each.owed.minor,
            overdue_minor=self.overdue_minor + each.overdue.minor,
            headroom_minor=self.headroom_minor + max(left, 0),
            over_minor=self.over_minor + max(-left, 0),
        )


class Portfolio:
    """Added up member by member: a book need not be in memory."""

    def __init__(self) -> None:
        self._by_class: dict[tuple[str, str], Line] = {}
        self._by_segment: dict[tuple[str, str], Line] = {}
        self._in_all: dict[tuple[str, str], Line] = {}

    def take(self, members: Iterable[Member]) -> None:
        for each in members:
            for lines, name in (
                (self._by_class, each.risk_class),
                (self._by_segment, each.segment),
                (self._in_all, "all"),
            ):
                place = (each.limit.currency, name)
                lines[place] = lines.get(place, Line(name, each.limit.currency)).with_(each)

    @property
    def books(self) -> Sequence[Book]:
        """One for each currency that limits are in, the one with most customers first."""
        found: dict[str, tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
        for line in self._by_class.values():
            found[line.currency][0].append(line)
        for line in self._by_segment.values():
            found[line.currency][1].append(line)
        order = (*CLASSES, NOT_ASSESSED)
        books = [
            Book(
                self._in_all[currency, "all"],
                tuple(sorted(classes, key=lambda line: order.index(line.name))),
                tuple(sorted(segments, key=lambda line: (-line.owed_minor, line.name))),
            )
            for currency, (classes, segments) in found.items()
        ]
        return sorted(books, key=lambda book: (-book.total.customers, book.total.currency))


@dataclass(frozen=True, slots=True)
class Book:
    """Limits of one currency. Segments with the largest exposure come first."""

    total: Line
    classes: tuple[Line, ...]
    segments: tuple[Line, ...]

    @property
    def scale_minor(self) -> int:
        """What the longest bar of a chart stands for."""
        return max(1, *(max(line.limit_minor, line.owed_minor) for line in (*self.classes, *self.segments)))
