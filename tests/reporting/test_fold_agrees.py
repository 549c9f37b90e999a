"""Every figure of every day of a made-up ledger, held against the event log added up in another way."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables, ListOpenInvoices
from services.reporting.ageing.rules import AgeFrom, Buckets
from services.reporting.consumers import project
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.handlers import RankDebtors
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import MeasureCollection
from services.reporting.standings import handlers as standings
from shared.db import Database, Tx, reading, transaction
from shared.delivery import Received
from tests.reporting import truth
from tests.reporting.books import DAY, Books
from tests.reporting.fold import Fold, Sums, fold

AGED_FROM: tuple[AgeFrom, ...] = ("due_date", "invoice_date")
FIRST, LAST = date(2021, 1, 4), date(2021, 6, 20)
KINDS = ("customer", "segment", "country", "entity", "collector")


def a_ledger(seed: int) -> Books:
    """Half a year with everything that happens to invoices, some of it booked later than it counts for."""
    chance, books = random.Random(seed), Books()
    customers = [
        books.onboard(f"Customer {n}", chance.choice(["retail", "key"]), country=chance.choice(["DE", "FR", "JP"]))
        for n in range(7)
    ]
    for number in range(90):
        customer = chance.choice(customers)
        on = FIRST + chance.randrange(130) * DAY
        currency = chance.choice(["EUR", "EUR", "JPY", "KWD"])
        entity = chance.choice(["default", "nordic"])
        item = books.issue(
            customer,
            on,
            chance.randrange(100, 90_000),
            currency,
            chance.choice([0, 14, 30]),
            booked_on=on + chance.choice([0, 0, 0, 4, -5]) * DAY,
            entity_id=entity,
        )
        for _ in range(chance.randrange(5)):
            on += chance.randrange(25) * DAY
            booked = on + chance.choice([0, 0, 0, 1, 12, 40, -2]) * DAY
            if item.balance == 0:
                if chance.random() < 0.3 and item.total:
                    books.take_back(item, on, item.total, booked)
                continue
            part = chance.choice([item.balance, 1 + item.balance // 3])
            match chance.randrange(9):
                case 0 | 1 | 2:
                    books.pay(item, on, part, booked)
                case 3:
                    books.credit(item, on, part, booked)
                case 4:
                    books.write_off(item, on, part, booked)
                case 5 if not item.disputed:
                    dispute = books.dispute(item, on, part)
                    if chance.random() < 0.6:
                        books.resolve(item, dispute, on + chance.randrange(20) * DAY)
                case 6 if not item.on_plan and not item.disputed:
                    plan = books.agree_plan(item, on, part)
                    if chance.random() < 0.5:
                        books.end_plan(item, plan, on + chance.randrange(30) * DAY)
                case 7:
                    books.charge(item, on, 500)
                case _:
                    books.pay(item, on - 3 * DAY, part, on)
        if number % 12 == 0:
            books.resegment(customer, chance.choice(["retail", "key", "small"]), on)
            books.look_after(customer, chance.choice(["anna", "bert"]), on)
    return books


async def hear(database: Database, received: list[Received], chance: random.Random) -> None:
    """In batches of any size, months' standings being kept in between whenever it pleases."""
    at = 0
    while at < len(received):
        size = chance.choice([1, 7, 60])
        async with transaction(database) as tx:
            await project(tx, received[at : at + size])
        at += size
        if chance.random() < 0.2:
            async with transaction(database) as tx:
                await standings.keep_standings(tx, LAST)


def sums(buckets: Buckets) -> Sums:
    return [list(row) for row in zip(buckets.split, buckets.disputed, buckets.on_plan, buckets.counts, strict=True)]


async def figures(tx: Tx, query: AgeReceivables) -> dict[tuple[str, str | None], Sums]:
    return {(b.currency, b.group): sums(b) for b in await ageing.age_receivables(tx, query) if b.open_invoices}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
async def test_every_figure_of_every_day_agrees_with_a_second_fold_of_the_events(
    reports_database: Database, seed: int
) -> None:
    """Heard out of order and with repeats, which the fold is not."""
    chance, books = random.Random(seed), a_ledger(seed)
    received = books.received
    want = fold(received)
    repeated = [*received, *chance.sample(books.received, 60)]
    if seed > 1:
        chance.shuffle(repeated)
    await hear(reports_database, repeated, chance)
    async with reading(reports_database) as tx:
        on = FIRST - DAY
        while on <= LAST:
            await _agree(tx, want, on, chance)
            await _ratios_agree(tx, books, on, chance.choice([1, 30, 90]))
            on += DAY


async def _agree(tx: Tx, want: Fold, on: date, chance: random.Random) -> None:
    kind, known = chance.choice(KINDS), on + chance.randrange(-8, 30) * DAY
    days, age_from = (
        chance.choice([(30, 60, 90), (7, 15), (10, 20, 30, 120)]),
        chance.choice(AGED_FROM),
    )
    assert await figures(tx, AgeReceivables(on)) == want.ageing(on), on
    assert await figures(tx, AgeReceivables(on, known_at=known)) == want.ageing(on, known), (on, known)
    for each in KINDS:
        assert await figures(tx, AgeReceivables(on, group_by=each)) == want.ageing(on, kind=each), (on, each)
    assert await figures(tx, AgeReceivables(on, known, group_by=kind)) == want.ageing(on, known, kind), (
        on,
        known,
        kind,
    )
    asked = AgeReceivables(on, group_by=kind, days=days, age_from=age_from)
    assert await figures(tx, asked) == want.ageing(on, date.max, kind, days, age_from), (on, asked)

    first, last = on - timedelta(chance.randrange(60)), on + timedelta(chance.randrange(30))
    listed = await ageing.list_open_invoices(
        tx, ListOpenInvoices(on, 500, late_min=(on - last).days, late_max=(on - first).days)
    )
    rows = [
        (r["due_on"], str(r["invoice_id"]), r["balance_minor"], r["disputed_minor"], r["on_plan_minor"]) for r in listed
    ]
    assert rows == want.open_invoices(on, first, last), on

    for sort_by in ("total", "overdue"):
        for known_at in (date.max, known):
            ranked = await debtors.rank_debtors(tx, RankDebtors(on, known_at, None, sort_by, 2))
            found = [(d.currency, str(d.customer_id), d.total_minor, d.overdue_minor) for d in ranked]
            assert found == _debtors(want, on, known_at, sort_by), (on, known_at, sort_by)


async def _ratios_agree(tx: Tx, books: Books, on: date, window: int) -> None:
    """Held against the books themselves: sales and receivables of a window are not in the fold."""
    found = {each.currency: each.ratios for each in await kpis.measure_collection(tx, MeasureCollection(on, window))}
    for currency, ratios in found.items():
        wanted = truth.kpis(books.items, currency, on, window) or {}
        for name, value in wanted.items():
            exact = None if value is None else Decimal(value.numerator * 100) / value.denominator
            rounded = None if exact is None else exact.quantize(Decimal(1), ROUND_HALF_EVEN).scaleb(-2)
            assert getattr(ratios, name) == rounded, (on, currency, name)


def _debtors(want: Fold, on: date, known_at: date, sort_by: str) -> list[tuple[str, str, int, int]]:
    owed = [
        (currency, customer or "", sum(row[0] for row in rows), sum(row[0] for row in rows[1:]))
        for (currency, customer), rows in want.ageing(on, known_at, "customer").items()
    ]

    def place(row: tuple[str, str, int, int]) -> tuple[object, ...]:
        currency, customer, total, overdue = row
        return (currency, -total, -overdue, customer) if sort_by == "total" else (currency, -overdue, -total, customer)

    owed.sort(key=place)
    return [row for currency in sorted({row[0] for row in owed}) for row in [r for r in owed if r[0] == currency][:2]]
