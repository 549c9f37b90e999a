"""Which invoices add up to an amount: a bounded search (subset sum), the same answer for the same question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.invoice.invoices.rules import Invoice

INVOICES_MAX = 40
PARTS_MAX = 12
STEPS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Open:
    """An invoice and what may be taken off it when it is paid in full with this entry."""

    invoice: Invoice
    discount_minor: int = 0

    @property
    def owed_minor(self) -> int:
        return self.invoice.balance_minor

    @property
    def least_minor(self) -> int:
        return self.invoice.balance_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class Sum:
    """Invoices with what pays each, that add up; `only` when it is certain that no others do (invoices of the same
    amount are alike, and the oldest are taken)."""

    parts: tuple[tuple[Open, int], ...]
    only: bool


def exact_sum(amount_minor: int, owing: Sequence[Open], *, all_of_them: bool = False) -> Sum | None:
    """Invoices that add up to an amount, each paid in full or in full less its discount; None when none are found.

    A search over the largest first, cut where what is left cannot reach the amount, and given up after a bounded
    number of steps: then what was found may not be the only answer.
    """
    if amount_minor <= 0 or not owing:
        return None
    items = sorted(owing, key=lambda each: (-each.owed_minor, each.invoice.due_date, each.invoice.id))
    bounded = all_of_them or len(items) <= INVOICES_MAX
    items = items if all_of_them else _likely(items, amount_minor)
    search = _Search(items, all_of_them)
    search.look(0, amount_minor, ())
    if not search.found:
        return None
    return Sum(search.found[0], only=len(search.found) == 1 and search.steps < STEPS_MAX and bounded)


def _likely(items: Sequence[Open], amount_minor: int) -> list[Open]:
    """Those small enough to be a part, the oldest of them when there are too many."""
    fitting = [each for each in items if each.least_minor <= amount_minor]
    oldest = sorted(fitting, key=lambda each: (each.invoice.due_date, each.invoice.id))[:INVOICES_MAX]
    kept = {each.invoice.id for each in oldest}
    return [each for each in fitting if each.invoice.id in kept]


@dataclass(slots=True)
class _Search:
    items: Sequence[Open]
    all_of_them: bool
    steps: int = 0
    found: list[tuple[tuple[Open, int], ...]] = field(default_factory=list)
    _left: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        total = 0
        for each in reversed(self.items):
            total += each.owed_minor
            self._left.append(total)
        self._left.reverse()

    def look(self, at: int, missing: int, taken: tuple[tuple[Open, int], ...]) -> None:
        if missing == 0 and (not self.all_of_them or at == len(self.items)):
            self.found.append(taken)
            return
        if at == len(self.items) or missing > self._left[at] or missing < 0:
            return
        if not self.all_of_them and len(taken) == PARTS_MAX:
            return
        self.steps += 1
        if self.steps >= STEPS_MAX or len(self.found) > 1:
            return
        item = self.items[at]
        for cash in dict.fromkeys((item.owed_minor, item.least_minor)):
            if cash <= missing:
                self.look(at + 1, missing - cash, (*taken, (item, cash)))
        if not self.all_of_them:
            # Without this one also without the later ones that are just like it, or each pair would count twice.
            following = at + 1
            while following < len(self.items) and self._alike(item, self.items[following]):
                following += 1
            self.look(following, missing, taken)

    @staticmethod
    def _alike(one: Open, other: Open) -> bool:
        return (one.owed_minor, one.discount_minor) == (other.owed_minor, other.discount_minor)
