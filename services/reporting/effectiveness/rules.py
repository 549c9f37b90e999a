"""What a reminder does: how much sooner invoices are paid after it than alike ones without it.

Of each invoice a message was about, the days until it was paid are watched until the next message to its customer.
Beside them stand invoices that were just as long overdue, of customers who pay just as slowly, and to whom nothing had
been sent in the days before: they too are watched until something is sent. Shares paid by a day are product-limit
estimates, so that who is watched for a shorter time still counts for that time (Kaplan and Meier, Journal of the
American Statistical Association 53, 1958). The untreated are weighted as the treated are composed (direct
standardisation), and treated ones without any alike are left out on both sides.

It is a comparison, not an experiment: who was left alone was so for a reason. Shares of challengers, which are assigned
at random, are compared in the reminder service.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

DAYS = (3, 7, 14)
"""After a message; its own day counts."""
AGES = (-30, 0, 3, 7, 14, 21, 30, 45, 60, 90)
"""Invoices whose days overdue lie between the same two of these are alike."""
ALIKE_MIN = 5
"""Fewer untreated invoices than these in a stratum compare with nothing."""

By = Literal["step", "channel", "tone", "strategy"]


@dataclass(frozen=True, slots=True)
class Watched:
    """Invoices of a stratum that were watched for as many days, and then were paid, or not yet when the watch ended."""

    group: str
    """The step, channel or tone of the message; empty for those without one."""
    age: int
    pace: int
    days: int
    paid: bool
    count: int

    @property
    def stratum(self) -> tuple[int, int]:
        return self.age, self.pace


@dataclass(frozen=True, slots=True)
class Effect:
    """Shares paid within 3, 7 and 14 days, with the message and without; `compared` invoices had alike ones."""

    group: str
    invoices: int
    compared: int
    treated: tuple[float, ...] | None
    untreated: tuple[float, ...] | None


def effects(treated: Iterable[Watched], untreated: Iterable[Watched]) -> list[Effect]:
    """One for each group, in the order of their names."""
    alike = _strata(untreated)
    groups: dict[str, list[Watched]] = defaultdict(list)
    for each in treated:
        groups[each.group].append(each)
    return [_effect(group, of, alike) for group, of in sorted(groups.items())]


def _effect(group: str, treated: Sequence[Watched], alike: Mapping[tuple[int, int], list[Watched]]) -> Effect:
    compared = {
        stratum: of
        for stratum, of in _strata(treated).items()
        if sum(each.count for each in alike.get(stratum, ())) >= ALIKE_MIN
    }
    weights = {stratum: sum(each.count for each in of) for stratum, of in compared.items()}
    invoices, total = sum(each.count for each in treated), sum(weights.values())
    if not total:
        return Effect(group, invoices, 0, None, None)
    return Effect(group, invoices, total, _standardised(compared, weights), _standardised(alike, weights))


def _standardised(
    strata: Mapping[tuple[int, int], Sequence[Watched]], weights: Mapping[tuple[int, int], int]
) -> tuple[float, ...]:
    total = sum(weights.values())
    shares = {stratum: paid_within(strata[stratum]) for stratum in weights}
    return tuple(
        sum(weights[stratum] * shares[stratum][place] for stratum in weights) / total for place in range(len(DAYS))
    )


def paid_within(watched: Sequence[Watched]) -> tuple[float, ...]:
    """The product-limit estimate of the share paid by the end of each of `DAYS`: of those still watched on a day, so
    many are paid on it. Whose watch ends on a day is still at risk on it."""
    at_risk = sum(each.count for each in watched)
    paid: dict[int, int] = defaultdict(int)
    gone: dict[int, int] = defaultdict(int)
    for each in watched:
        (paid if each.paid else gone)[each.days] += each.count
    open_share, shares = 1.0, list[float]()
    for day in range(DAYS[-1] + 1):
        if at_risk:
            open_share *= 1 - paid[day] / at_risk
        at_risk -= paid[day] + gone[day]
        if day in DAYS:
            shares.append(1 - open_share)
    return tuple(shares)


def _strata(watched: Iterable[Watched]) -> dict[tuple[int, int], list[Watched]]:
    found: dict[tuple[int, int], list[Watched]] = defaultdict(list)
    for each in watched:
        found[each.stratum].append(each)
    return found
