"""Whatever happens to a customer's invoices in whatever order: no cent appears or vanishes.

Hypothesis issues, pays with and without discount, applies, reverses, refunds, credits, voids, writes off and recovers,
charges and waives, disputes, agrees plans, closes books and lets days pass, over the real application and a real
database; after each step the books are added up anew from their rows, the journal and the events. A further step is a
further `@rule`; what it adds to the sums belongs into `_add_up` and `_journal_agrees`.
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
from tests.invoice.client import Receivables, line
from tests.invoice.conftest import serving

FIRST_DAY = date(2024, 3, 1)
AMOUNTS = st.integers(1, 30_000).map(lambda minor: f"{minor // 100}.{minor % 100:02d}")
DAYS_AGO = st.integers(0, 45)
RATES = st.sampled_from([(), ("19",), ("19", "7"), ("5.5", "19", "0.01")])
POLICIES = {
    "interest": {"otherwise": {"law": "contract", "rate": "12"}},
    "write_offs": {"approval_from": [{"amount": "200.00", "currency": "EUR"}]},
}


def test_no_cent_appears_or_vanishes_in_any_order(
    database_url: Callable[[str], str], keys_folder: Path, token: Callable[..., str]
) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def open_books() -> Receivables:
            database = await Database.open(database_url("invoice"), clock=Clock(True))
            stack.push_async_callback(database.close)
            await database.pool.execute("insert into clock (now) values ('2024-03-01 08:00Z')")
            await database.pool.execute("update entity set policies = $1", POLICIES)
            return await stack.enter_async_context(serving(database, keys_folder, token()))

        books = runner.run(open_books())

        class Book(AnyOrder):
            run = runner.run
            service = books

        try:
            run_state_machine_as_test(
                Book,
                settings=settings(
                    max_examples=15,
                    stateful_step_count=30,
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
    charges = Bundle("charges")
    plans = Bundle("plans")

    def __init__(self) -> None:
        super().__init__()
        self.run(self.service.database.pool.execute("update entity set locked_until = null"))
        self.customer: str = self.run(self.service.customer())
        self.today = FIRST_DAY
        self.run(self.service.at(FIRST_DAY.isoformat()))

    def _ago(self, days: int) -> str:
        return (self.today - timedelta(days)).isoformat()

    def _try(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """What a rule forbids changes nothing; anything else that is not done is an error of ours."""
        answer = self.run(self.service.post(path, body))
        assert answer.status_code in (201, 202, 409, 422), answer.text
        return answer.json() if answer.status_code in (201, 202) else None

    @rule(
        target=invoices,
        amount=AMOUNTS,
        rates=RATES,
        days_ago=DAYS_AGO,
        net_days=st.integers(0, 60),
        percent=st.sampled_from([None, None, "2", "3.5"]),
    )
    def issue(
        self, amount: str, rates: tuple[str, ...], days_ago: int, net_days: int, percent: str | None
    ) -> dict[str, Any]:
        terms: dict[str, Any] = {"net_days": net_days}
        if percent:
            terms["discounts"] = [{"percent": percent, "days": net_days // 2}]
        lines = [line(amount, quantity="3", tax={"category": "S", "rate": rate}) for rate in rates] or [line(amount)]
        body = {"customer_id": self.customer, "lines": lines, "payment_terms": terms}
        answer = self.run(self.service.post("/v1/invoices", {**body, "issue_date": self._ago(days_ago)}))
        assert answer.status_code == 201, answer.text
        return answer.json()

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

    @rule(payment=payments, invoice=invoices)
    def unapply(self, payment: dict[str, Any], invoice: dict[str, Any]) -> None:
        body = {"invoice_id": invoice["id"], "reason": "meant for another invoice"}
        answer = self.run(self.service.post(f"/v1/payments/{payment['id']}/allocations/reversal", body))
        assert answer.status_code in (201, 404, 409), answer.text

    @rule(payment=consumes(payments))
    def reverse(self, payment: dict[str, Any]) -> None:
        answer = self.run(self.service.reverse(payment["id"]))
        refunded = any(row["id"] == UUID(payment["id"]) and row["refunded_minor"] for row in self._now("payment"))
        assert answer.status_code == (409 if refunded else 201), answer.text

    def _now(self, table: str) -> list[Any]:
        return self.run(self._rows(table))

    @rule(payment=payments, amount=st.none() | AMOUNTS)
    def refund(self, payment: dict[str, Any], amount: str | None) -> None:
        self._try(f"/v1/payments/{payment['id']}/refunds", {"reason": "asked for it", **_amount(amount)})

    @rule(
        invoice=invoices,
        amount=st.none() | AMOUNTS,
        position=st.none() | st.integers(1, 3),
        quantity=st.sampled_from([None, "1", "0.7"]),
    )
    def credit(self, invoice: dict[str, Any], amount: str | None, position: int | None, quantity: str | None) -> None:
        body: dict[str, Any] = {"reason": "less was delivered"}
        if position:
            body["lines"] = [{"position": position, **({"quantity": quantity} if quantity else {})}]
        else:
            body |= _amount(amount)
        self._try(f"/v1/invoices/{invoice['id']}/credit-notes", body)

    @rule(invoice=invoices)
    def void(self, invoice: dict[str, Any]) -> None:
        self._try(f"/v1/invoices/{invoice['id']}/void", {"reason": "issued by mistake"})

    @rule(invoice=invoices, amount=st.none() | AMOUNTS)
    def write_off(self, invoice: dict[str, Any], amount: str | None) -> None:
        self._try(f"/v1/invoices/{invoice['id']}/write-off", {"reason_code": "other", **_amount(amount)})

    @rule(target=charges, invoice=invoices, amount=st.none() | AMOUNTS)
    def charge(self, invoice: dict[str, Any], amount: str | None) -> dict[str, Any] | None:
        """A fee, or the interest to date."""
        body = {"kind": "fee", **_amount(amount)} if amount else {"kind": "interest"}
        return self._try(f"/v1/invoices/{invoice['id']}/charges", body)

    @rule(charge=consumes(charges))
    def waive(self, charge: dict[str, Any] | None) -> None:
        if charge:
            self._try(f"/v1/charges/{charge['id']}/waiver", {"reason": "goodwill"})

    @rule(target=plans, invoice=invoices, count=st.integers(1, 4), in_days=st.integers(1, 40))
    def agree_plan(self, invoice: dict[str, Any], count: int, in_days: int) -> dict[str, Any] | None:
        first_on = (self.today + timedelta(in_days)).isoformat()
        return self._try(f"/v1/invoices/{invoice['id']}/plans", {"count": count, "first_on": first_on})

    @rule(plan=consumes(plans))
    def cancel_plan(self, plan: dict[str, Any] | None) -> None:
        if plan:
            self._try(f"/v1/plans/{plan['id']}/cancellation", {"reason": "no longer agreed"})

    @rule(days_ago=st.integers(1, 60))
    def close_the_books(self, days_ago: int) -> None:
        entity = self.run(self.service.get("/v1/entities/default"))
        answer = self.run(
            self.service.http.put(
                "/v1/entities/default/period-lock",
                json={"locked_until": self._ago(days_ago)},
                headers={"if-match": f'"{entity["version"]}"'},
            )
        )
        assert answer.status_code in (200, 422), answer.text

    @rule(target=disputes, invoice=invoices, amount=st.none() | AMOUNTS)
    def dispute(self, invoice: dict[str, Any], amount: str | None) -> Any:
        answer = self.run(self.service.dispute(invoice["id"], amount))
        assert answer.status_code in (201, 422), answer.text
        return answer.json() if answer.status_code == 201 else None

    @rule(dispute=consumes(disputes), outcome=st.sampled_from(["rejected", "withdrawn", "accepted"]))
    def resolve(self, dispute: dict[str, Any] | None, outcome: str) -> None:
        if dispute:
            path = f"/v1/invoices/{dispute['invoice_id']}/disputes/{dispute['id']}/resolution"
            answer = self.run(self.service.post(path, {"outcome": outcome}))
            assert answer.status_code in (201, 409, 422), answer.text

    @rule(days=st.sampled_from([0, 1, 1, 7, 30, 31, 95]))
    def let_days_pass(self, days: int) -> None:
        self.today += timedelta(days)
        self.run(self.service.wake_on(self.today.isoformat()))
        self.run(self._overdue_is_known())
        self.run(self._statement_agrees())

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

        adjusted: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in await self.service.database.pool.fetch(
            "select a.* from adjustment a join invoice i on i.id = a.invoice_id"
            " where i.customer_id = $1 and a.reversed_on is null",
            UUID(self.customer),
        ):
            adjusted[row["invoice_id"]][row["component"]] += row["amount_minor"]

        for invoice_id, row in invoices.items():
            parts = adjusted[invoice_id]
            off = sum(minor for component, minor in parts.items() if component != "charge")
            owed = row["total_minor"] + parts["charge"] - applied_to[invoice_id] - off
            assert row["balance_minor"] == owed >= 0
            assert parts["credit_note"] <= row["total_minor"]
            assert min(row["disputed_minor"], row["planned_minor"]) >= 0
            assert row["disputed_minor"] + row["planned_minor"] <= row["balance_minor"]
        for payment_id, row in payments.items():
            rest = row["amount_minor"] - applied_of[payment_id] - row["refunded_minor"]
            assert rest >= 0
            assert row["unapplied_minor"] == (0 if row["reversed_on"] else rest)
        by_day = await self._journal_agrees(invoices, payments)
        await self._credit_notes_agree(invoices)
        await self._events_agree(invoices, by_day)

    async def _credit_notes_agree(self, invoices: dict[UUID, Any]) -> None:
        """No tax group is credited beyond what it was issued for, and the series has no gap."""
        pool = self.service.database.pool
        over = await pool.fetch(
            "select 1 from credit_note n join credit_note_tax t on t.credit_note_id = n.id"
            " join invoice_tax i on (i.invoice_id, i.category, i.rate_bp) = (n.invoice_id, t.category, t.rate_bp)"
            " where n.customer_id = $1 group by n.invoice_id, i.category, i.rate_bp, i.taxable_minor, i.tax_minor"
            " having sum(t.taxable_minor) > i.taxable_minor or sum(t.tax_minor) > i.tax_minor"
            " or (sum(t.taxable_minor) = i.taxable_minor and sum(t.taxable_minor + t.tax_minor)"
            " = i.taxable_minor + i.tax_minor and sum(t.tax_minor) <> i.tax_minor)",
            UUID(self.customer),
        )
        assert over == []
        assert await pool.fetchval(
            "select count(*) = max(s.next_number) - 1 from number_series s left join credit_note n"
            " on n.entity_id = s.entity_id where s.kind = 'credit_note' and s.entity_id = 'default'"
            " having count(n.id) > 0 or max(s.next_number) > 1"
        ) in (True, None)

    async def _statement_agrees(self) -> None:
        """The customer's statement closes with what the invoices owe less the cash that is bound to none."""
        path = f"/v1/customers/{self.customer}/statement"
        shown = await self.service.get(path, **{"from": "2023-12-01", "to": self.today.isoformat()})
        owed = sum(row["balance_minor"] for row in await self._rows("invoice"))
        cash = sum(row["unapplied_minor"] for row in await self._rows("payment"))
        for section in shown["sections"]:
            assert int(section["closing"]["amount"].replace(".", "")) == owed - cash
        assert shown["sections"] or owed == cash == 0

    async def _journal_agrees(self, invoices: dict[UUID, Any], payments: dict[UUID, Any]) -> dict[UUID, dict[str, int]]:
        """Returns what each day did to the receivable of each invoice."""
        accounts: dict[str, int] = defaultdict(int)
        by_day: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in await self._rows("journal_entry"):
            accounts[row["debit"]] += row["amount_minor"]
            accounts[row["credit"]] -= row["amount_minor"]
            signed = row["amount_minor"] if row["debit"] == "trade_receivables" else -row["amount_minor"]
            if "trade_receivables" in (row["debit"], row["credit"]):
                by_day[row["invoice_id"]][row["effective_on"].isoformat()] += signed
        assert sum(accounts.values()) == 0
        assert accounts["trade_receivables"] == sum(row["balance_minor"] for row in invoices.values())
        assert -accounts["unapplied_cash"] == sum(row["unapplied_minor"] for row in payments.values())
        standing = sum(row["amount_minor"] for row in payments.values() if row["reversed_on"] is None)
        assert accounts["bank"] == standing - sum(row["refunded_minor"] for row in payments.values())
        notes = await self._rows("credit_note")
        sold = [row for row in invoices.values() if row["voided_on"] is None]
        discounted = sum(row["discounted_minor"] for row in invoices.values())
        tax_of_discounts = discounted - accounts["discounts_allowed"]
        for account, minor, less in (("revenue", "net_minor", 0), ("output_tax", "tax_minor", tax_of_discounts)):
            booked = sum(row[minor] for row in sold) - sum(row[minor] for row in notes) - less
            assert -accounts[account] == booked
        given_up = sum(row["written_off_minor"] for row in invoices.values())
        assert accounts["bad_debt"] + accounts["bad_debt_recovered"] == given_up
        return by_day

    async def _events_agree(self, invoices: dict[UUID, Any], by_day: dict[UUID, dict[str, int]]) -> None:
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
            said = {day: minor for day, minor in changes[invoice_id].items() if minor}
            assert said == {day: minor for day, minor in by_day[invoice_id].items() if minor}, "as the journal has it"
            state = latest[invoice_id]
            assert state["version"] == row["version"]
            assert (state["status"], state["settled_on"]) == (row["status"], _text(row["settled_on"]))
            assert int(state["disputed"]["amount"].replace(".", "")) == row["disputed_minor"]
            assert state["overdue_since"] == _text(row["overdue_since"])

    async def _rows(self, table: str) -> list[Any]:
        return await self.service.database.pool.fetch(
            f"select * from {table} where customer_id = $1", UUID(self.customer)
        )


def _amount(amount: str | None) -> dict[str, Any]:
    return {"amount": {"amount": amount, "currency": "EUR"}} if amount else {}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
