"""An invoice payable in instalments: each has its due date, money fills the earliest first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from services.invoice.invoices.rules import Invoice
from services.invoice.movements import rules as movements
from services.invoice.overdue.rules import announce
from shared.clock import Clock
from shared.db import Database
from tests.invoice.client import Receivables, eur, invoice
from tests.invoice.conftest import serving
from tests.invoice.test_any_order import AMOUNTS, DAYS_AGO, AnyOrder
from tests.invoice.test_rules import an_invoice

THIRDS: dict[str, Any] = {
    "instalments": [
        {"percent": "30", "net_days": 10},
        {"percent": "30", "net_days": 40},
        {"percent": "40", "net_days": 70},
    ]
}
"""Of 100.00 issued on 1 March 2024: 30.00 on 11 March, 30.00 on 10 April, 40.00 on 10 May."""
DATES = [date(2024, 3, 11), date(2024, 4, 10), date(2024, 5, 10)]


async def state(books: Receivables, invoice_id: str) -> tuple[Any, ...]:
    shown = await books.invoice(invoice_id)
    opened = [each["open"]["amount"] for each in shown["instalments"]]
    return shown["due_date"], shown["overdue"]["amount"], shown["overdue_since"], opened


async def test_the_earliest_unpaid_instalment_gives_the_due_date_and_only_what_is_due_is_overdue(
    books: Receivables,
) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, payment_terms=THIRDS)
    assert [(each["due_date"], each["amount"]) for each in issued["instalments"]] == [
        ("2024-03-11", eur("30.00")),
        ("2024-04-10", eur("30.00")),
        ("2024-05-10", eur("40.00")),
    ]
    assert await state(books, issued["id"]) == ("2024-03-11", "0.00", None, ["30.00", "30.00", "40.00"])

    await books.wake_on("2024-03-12")
    assert await state(books, issued["id"]) == ("2024-03-11", "30.00", "2024-03-12", ["30.00", "30.00", "40.00"])
    await books.pay("20.00", reference=issued["number"])
    assert await state(books, issued["id"]) == ("2024-03-11", "10.00", "2024-03-12", ["10.00", "30.00", "40.00"])
    payment = await books.pay("15.00", reference=issued["number"])
    assert await state(books, issued["id"]) == ("2024-04-10", "0.00", None, ["0.00", "25.00", "40.00"])

    await books.wake_on("2024-04-11")
    assert await state(books, issued["id"]) == ("2024-04-10", "25.00", "2024-04-11", ["0.00", "25.00", "40.00"])
    await books.reverse(payment["id"])
    assert await state(books, issued["id"]) == ("2024-03-11", "40.00", "2024-04-11", ["10.00", "30.00", "40.00"])
    await books.pay("80.00", reference=issued["number"])
    assert await state(books, issued["id"]) == ("2024-05-10", "0.00", None, ["0.00", "0.00", "0.00"])

    # Nobody woke in the week before a due date, so nothing was due soon.
    told = [
        (event["type"], event["data"].get("episode"))
        for event in await books.published(issued["id"])
        if event["topic"] == "ar.overdue"
    ]
    assert told == [
        ("invoice.overdue", 1),
        ("invoice.overdue_cleared", 1),
        ("invoice.overdue", 2),
        ("invoice.overdue_cleared", 2),
    ]
    versions = [event["version"] for event in await books.published(issued["id"])]
    assert versions == list(range(1, len(versions) + 1))
    episodes = await books.database.pool.fetch(
        "select started_on, cleared_on from overdue_episode where invoice_id = $1 order by episode", UUID(issued["id"])
    )
    assert [tuple(each) for each in episodes] == [
        (date(2024, 3, 12), date(2024, 3, 12)),
        (date(2024, 4, 11), date(2024, 4, 11)),
    ]


async def test_paid_instalment_by_instalment_on_its_day_it_is_never_overdue(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), payment_terms=THIRDS)

    for day, amount in (("2024-03-11", "30.00"), ("2024-04-10", "30.00"), ("2024-05-10", "40.00")):
        await books.wake_on(day)
        await books.pay(amount, reference=issued["number"])
    await books.wake_on("2024-09-01")

    kinds = [event["type"] for event in await books.published(issued["id"])]
    assert kinds.count("invoice.due_soon") == 3
    assert "invoice.overdue" not in kinds
    settled = (await books.published(issued["id"]))[-1]
    assert (settled["type"], settled["data"]["days_late"]) == ("invoice.settled", 0)


@given(
    st.lists(st.integers(1, 5_000), min_size=2, max_size=5),
    st.lists(st.tuples(st.sampled_from(["pay", "take back", "days"]), st.integers(1, 4_000)), max_size=12),
)
def test_whatever_is_paid_the_instalments_open_are_the_balance(parts: list[int], moves: list[tuple[str, int]]) -> None:
    dates = (
        [date(2024, 3, 11 + 5 * n) for n in range(len(parts))]
        if len(parts) < 4
        else [date(2024, 3 + n, 11) for n in range(len(parts))]
    )
    invoice: Invoice = an_invoice(net_minor=sum(parts), due_date=dates[0], instalment_due=dates, instalment_minor=parts)
    today = date(2024, 3, 1)
    for kind, n in moves:
        if kind == "pay" and invoice.balance_minor:
            amount = min(n, invoice.balance_minor)
            invoice = movements.allocate(invoice, amount, received_on=today, booked_on=today).invoice
        elif kind == "take back" and invoice.allocated_minor:
            invoice = movements.unallocate(invoice, min(n, invoice.allocated_minor), on=today).invoice
        else:
            today = date.fromordinal(today.toordinal() + n % 40)
        invoice = announce(invoice, today).invoice

        opened = invoice.instalments_open()
        assert sum(opened) == invoice.balance_minor
        assert all(left == whole for left, whole in list(zip(opened, parts, strict=True))[_first_open(opened) + 1 :])
        if invoice.balance_minor:
            assert invoice.due_date == dates[_first_open(opened)]
        due = sum(left for left, day in zip(opened, dates, strict=True) if day < today)
        assert invoice.overdue_minor(today) == due
        assert (invoice.overdue_since is not None) == (due > 0)


def _first_open(opened: list[int]) -> int:
    return next((n for n, left in enumerate(opened) if left), len(opened))


def test_in_any_order_with_instalments_the_books_add_up(
    database_url: Callable[[str], str], keys_folder: Path, token: Callable[..., str]
) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def open_books() -> Receivables:
            database = await Database.open(database_url("invoice"), clock=Clock(True))
            stack.push_async_callback(database.close)
            await database.pool.execute("insert into clock (now) values ('2024-03-01 08:00Z')")
            return await stack.enter_async_context(serving(database, keys_folder, token()))

        class Book(InParts):
            run = runner.run
            service = runner.run(open_books())

        try:
            run_state_machine_as_test(
                Book,
                settings=settings(
                    max_examples=8,
                    stateful_step_count=15,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow],
                ),
            )
        finally:
            runner.run(stack.aclose())


class InParts(AnyOrder):
    """Everything that may happen to invoices, and some of them are payable in instalments with a discount."""

    @rule(target=AnyOrder.invoices, amount=AMOUNTS, days_ago=DAYS_AGO, gap=st.integers(1, 40))
    def issue_in_parts(self, amount: str, days_ago: int, gap: int) -> dict[str, Any]:
        thirds = ("33.33", "33.33", "33.34")
        terms = {
            "instalments": [{"percent": each, "net_days": gap * n} for n, each in enumerate(thirds, start=1)],
            "discounts": [{"percent": "2", "days": gap}],
        }
        body = invoice(self.customer, amount, issue_date=self._ago(days_ago), payment_terms=terms)
        answer = self.run(self.service.post("/v1/invoices", body))
        if answer.status_code == 422:  # A cent has no three parts.
            return self.run(self.service.issue(self.customer, amount))
        assert answer.status_code == 201, answer.text
        return answer.json()
