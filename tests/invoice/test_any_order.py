"""Whatever happens to a customer's invoices in whatever order: no cent appears or vanishes.

Hypothesis issues, pays, applies, reverses, disputes, resolves and lets days pass, over the real application and a
real database; after each step the books are added up anew from their rows and from the events.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from shared.clock import Clock
from shared.db import Database
from tests.invoice.client import Receivables
from tests.invoice.conftest import serving

FIRST_DAY = date(2024, 3, 1)
AMOUNTS = st.integers(1, 30_000).map(lambda minor: f"{minor // 100}.{minor % 100:02d}")
DAYS_AGO = st.integers(0, 45)


def test_no_cent_appears_or_vanishes_in_any_order(
    database_url: Callable[[str], str], keys_folder: Path, token: Callable[..., str]
) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def open_books() -> Receivables:
            database = await Database.open(database_url("invoice"), clock=Clock(True))
            stack.push_async_callback(database.close)
            await database.pool.execute("insert into clock (now) values ('2024-03-01 08:00Z')")
            return await stack.enter_async_context(serving(database, keys_folder, token()))

        books = runner.run(open_books())

        class Book(AnyOrder):
            run = runner.run
            service = books

        try:
            run_state_machine_as_test(
                Book,
                settings=settings(
                    max_examples=25,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow],
                ),
            )
        finally:
            runner.run(stack.aclose())


class AnyOrder(RuleBasedStateMachine):
    """One customer's account; every example has a customer of its own, and its time begins anew."""

    run: Callable[[Any], Any]
    service: Receivables

    invoices = Bundle("invoices")
    payments = Bundle("payments")
    disputes = Bundle("disputes")

    def __init__(self) -> None:
        super().__init__()
        self.customer: str = self.run(self.service.customer())
        self.today = FIRST_DAY
        self.run(self.service.at(FIRST_DAY.isoformat()))

    def _ago(self, days: int) -> str:
        return (self.today - timedelta(days)).isoformat()

    @rule(target=invoices, amount=AMOUNTS, days_ago=DAYS_AGO, net_days=st.integers(0, 60))
    def issue(self, amount: str, days_ago: int, net_days: int) -> dict[str, Any]:
        terms = {"net_days": net_days}
        issued_on = self._ago(days_ago)
        return self.run(self.service.issue(self.customer, amount, issue_date=issued_on, payment_terms=terms))

    @rule(target=payments, amount=AMOUNTS, days_ago=DAYS_AGO, apply=st.sampled_from(["auto", "auto", "none"]))
    def pay_without_a_word(self, amount: str, days_ago: int, apply: str) -> dict[str, Any]:
        more = {"customer_id": self.customer, "received_on": self._ago(days_ago), "apply": apply}
        return self.run(self.service.pay(amount, **more))

    @rule(target=payments, invoice=invoices, amount=AMOUNTS, days_ago=DAYS_AGO)
    def pay_by_reference(self, invoice: dict[str, Any], amount: str, days_ago: int) -> dict[str, Any]:
        return self.run(self.service.pay(amount, reference=invoice["number"], received_on=self._ago(days_ago)))

    @rule(payment=payments, invoice=invoices, amount=st.none() | AMOUNTS)
    def apply(self, payment: dict[str, Any], invoice: dict[str, Any], amount: str | None) -> None:
        wanted: dict[str, Any] = {"invoice_id": invoice["id"]}
        if amount:
            wanted["amount"] = {"amount": amount, "currency": "EUR"}
        path = f"/v1/payments/{payment['id']}/allocations"
        answer = self.run(self.service.post(path, {"allocations": [wanted]}))
        assert answer.status_code in (201, 409, 422), answer.text

    @rule(payment=consumes(payments))
    def reverse(self, payment: dict[str, Any]) -> None:
        answer = self.run(self.service.reverse(payment["id"]))
        assert answer.status_code == 201, answer.text

    @rule(target=disputes, invoice=invoices, amount=st.none() | AMOUNTS)
    def dispute(self, invoice: dict[str, Any], amount: str | None) -> Any:
        answer = self.run(self.service.dispute(invoice["id"], amount))
        assert answer.status_code in (201, 422), answer.text
        return answer.json() if answer.status_code == 201 else None

    @rule(dispute=consumes(disputes), outcome=st.sampled_from(["rejected", "withdrawn"]))
    def resolve(self, dispute: dict[str, Any] | None, outcome: str) -> None:
        if dispute:
            path = f"/v1/invoices/{dispute['invoice_id']}/disputes/{dispute['id']}/resolution"
            answer = self.run(self.service.post(path, {"outcome": outcome}))
            assert answer.status_code in (201, 409), answer.text

    @rule(days=st.sampled_from([0, 1, 1, 7, 30, 31, 95]))
    def let_days_pass(self, days: int) -> None:
        self.today += timedelta(days)
        self.run(self.service.wake_on(self.today.isoformat()))
        self.run(self._overdue_is_known())

    async def _overdue_is_known(self) -> None:
        """Right after a tick every invoice past due has a running episode, and every other one has none."""
        for row in await self._rows("invoice"):
            should = row["balance_minor"] > 0 and row["due_date"] < self.today
            assert (row["overdue_since"] is not None) == should, dict(row)

    @invariant()
    def the_books_add_up(self) -> None:
        self.run(self._add_up())

    async def _add_up(self) -> None:
        invoices = {row["id"]: row for row in await self._rows("invoice")}
        payments = {row["id"]: row for row in await self._rows("payment")}
        applied_to: dict[UUID, int] = defaultdict(int)
        applied_of: dict[UUID, int] = defaultdict(int)
        for row in await self.service.database.pool.fetch(
            "select a.* from allocation a join payment p on p.id = a.payment_id"
            " where p.customer_id = $1 and a.reversed_on is null",
            UUID(self.customer),
        ):
            applied_to[row["invoice_id"]] += row["amount_minor"]
            applied_of[row["payment_id"]] += row["amount_minor"]

        for invoice_id, row in invoices.items():
            assert row["balance_minor"] == row["total_minor"] - applied_to[invoice_id] >= 0
            assert 0 <= row["disputed_minor"] <= row["balance_minor"]
        for payment_id, row in payments.items():
            assert applied_of[payment_id] <= row["amount_minor"]
            rest = 0 if row["reversed_on"] else row["amount_minor"] - applied_of[payment_id]
            assert row["unapplied_minor"] == rest
        await self._journal_agrees(invoices, payments)
        await self._events_agree(invoices)

    async def _journal_agrees(self, invoices: dict[UUID, Any], payments: dict[UUID, Any]) -> None:
        accounts: dict[str, int] = defaultdict(int)
        for row in await self._rows("journal_entry"):
            accounts[row["debit"]] += row["amount_minor"]
            accounts[row["credit"]] -= row["amount_minor"]
        assert sum(accounts.values()) == 0
        assert accounts["trade_receivables"] == sum(row["balance_minor"] for row in invoices.values())
        assert -accounts["unapplied_cash"] == sum(row["unapplied_minor"] for row in payments.values())
        standing = sum(row["amount_minor"] for row in payments.values() if row["reversed_on"] is None)
        assert accounts["bank"] == standing

    async def _events_agree(self, invoices: dict[UUID, Any]) -> None:
        rows = await self.service.database.pool.fetch(
            "select topic, type, subject, version, data from event_log where key = $1 order by seq", UUID(self.customer)
        )
        versions: dict[UUID, list[int]] = defaultdict(list)
        changes: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        latest: dict[UUID, dict[str, Any]] = {}
        episodes: set[tuple[UUID, int]] = set()
        for row in rows:
            subject, data = row["subject"], row["data"]
            versions[subject].append(row["version"])
            if subject in invoices:
                latest[subject] = data["invoice"]
            if "change" in data:
                minor = int(data["change"]["amount"].replace(".", ""))
                changes[subject][data["effective_on"]] += minor
            if row["type"] == "dueward.invoice.overdue.v1":
                assert (subject, data["episode"]) not in episodes, "an episode is announced once"
                episodes.add((subject, data["episode"]))
                assert data["effective_on"] > data["invoice"]["due_date"]

        assert all(said == list(range(1, len(said) + 1)) for said in versions.values()), "every version once, in order"
        for invoice_id, row in invoices.items():
            owed = 0
            for day in sorted(changes[invoice_id]):
                owed += changes[invoice_id][day]
                assert owed >= 0, f"invoice {row['number']} owes less than nothing on {day}"
            assert owed == row["balance_minor"], "the changes add up to the balance"
            state = latest[invoice_id]
            assert state["version"] == row["version"]
            assert (state["status"], state["settled_on"]) == (row["status"], _text(row["settled_on"]))
            assert int(state["disputed"]["amount"].replace(".", "")) == row["disputed_minor"]
            assert state["overdue_since"] == _text(row["overdue_since"])

    async def _rows(self, table: str) -> list[Any]:
        return await self.service.database.pool.fetch(
            f"select * from {table} where customer_id = $1", UUID(self.customer)
        )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
