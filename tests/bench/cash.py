"""How soon a payment silences the reminder: from the payment's answer until the customer's case is closed."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

import httpx

from deploy.local.layout import Layout
from shared.clock import real_now
from tests.bench.issuing import onboard
from tests.bench.load import percentile

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Delays:
    count: int
    median: float
    p99: float


async def from_payment_to_silence(layout: Layout, _: list[str], count: int) -> Delays:
    """Make so many customers overdue, wait for their cases, then pay one after the other and watch each close."""
    token = layout.token.read_text().strip()
    headers = {"authorization": f"Bearer {token}"}
    customers = await onboard(layout, count)
    async with (
        httpx.AsyncClient(base_url=layout.url("invoice"), headers=headers, timeout=30) as invoice,
        httpx.AsyncClient(base_url=layout.url("reminder"), headers=headers, timeout=30) as reminder,
    ):
        for customer in customers:
            await _issue_overdue(invoice, customer)
        for customer in customers:
            await _until_case_is(reminder, customer, "open")
        delays_ms = [await _pay_and_watch(invoice, reminder, customer) for customer in customers]
    return Delays(count, percentile(delays_ms, 0.5), percentile(delays_ms, 0.99))


async def _issue_overdue(invoice: httpx.AsyncClient, customer: str) -> None:
    today = real_now().date()
    body = {
        "customer_id": customer,
        "issue_date": (today - timedelta(days=60)).isoformat(),
        "due_date": (today - timedelta(days=30)).isoformat(),
        "lines": [{"description": "Late goods", "unit_price": {"amount": "100.00", "currency": "EUR"}}],
    }
    answer = await invoice.post("/v1/invoices", json=body, headers={"idempotency-key": str(uuid.uuid4())})
    answer.raise_for_status()


async def _pay_and_watch(invoice: httpx.AsyncClient, reminder: httpx.AsyncClient, customer: str) -> float:
    body = {"customer_id": customer, "amount": {"amount": "100.00", "currency": "EUR"}, "method": "bank_transfer"}
    answer = await invoice.post("/v1/payments", json=body, headers={"idempotency-key": str(uuid.uuid4())})
    answered = time.perf_counter()
    answer.raise_for_status()
    await _until_case_is(reminder, customer, "closed")
    return (time.perf_counter() - answered) * 1000


async def _until_case_is(reminder: httpx.AsyncClient, customer: str, status: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = await reminder.get(f"/v1/cases/{customer}")
        if answer.status_code == 200 and answer.json()["status"] == status:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"the case of {customer} is not {status} after {PATIENCE_S:.0f} s: {answer.text}")
        await asyncio.sleep(0.002)
