"""What a replay came to, asked of the services themselves and drawn for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import httpx
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from deploy.local.replay import Summary, Target

BUCKETS = {"current": "current", "d1_30": "1-30", "d31_60": "31-60", "d61_90": "61-90", "d91_plus": "91+"}
SENT = ("sent", "delivered")


@dataclass(frozen=True)
class Figures:
    """`contacts` counts messages by step; `books` is what came of holding invoices and payments against the journal,
    and the journal against reporting; the rest is as the reports give it."""

    contacts: Counter[str]
    not_sent: Counter[str]
    overdue_episodes: int
    ageing: list[dict[str, Any]]
    kpis: list[dict[str, Any]]
    books: dict[str, Any]


async def ask(target: Target, as_of: date) -> Figures:
    """The figures of the last day. Raises httpx.HTTPError when a service does not answer."""
    headers = {"authorization": f"Bearer {target.token}"}
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
        contacts, not_sent = Counter[str](), Counter[str]()
        async for contact in _pages(client, f"{target.base_urls['reminder']}/v1/contacts"):
            if contact["status"] in SENT:
                contacts[contact["step"]] += 1
            else:
                not_sent[contact["status"]] += 1
        feed = f"{target.base_urls['reporting']}/v1/events"
        overdue = _pages(client, feed, type="dueward.invoice.overdue.v1")
        episodes = {(event["subject"], event["data"]["episode"]) async for event in overdue}
        reports = f"{target.base_urls['reporting']}/v1/reports"
        ageing = [row async for row in _pages(client, f"{reports}/ageing", as_of=as_of.isoformat())]
        kpis = await client.get(f"{reports}/kpis", params={"as_of": as_of.isoformat(), "window_days": 90})
        kpis.raise_for_status()
        reconciliations = f"{target.base_urls['invoice']}/v1/reconciliations"
        books = await client.post(reconciliations, headers={"Idempotency-Key": f"books-{as_of}"})
        books.raise_for_status()
    return Figures(contacts, not_sent, len(episodes), ageing, kpis.json()["items"], books.json())


async def _pages(client: httpx.AsyncClient, url: str, **query: str) -> AsyncIterator[dict[str, Any]]:
    cursor = None
    while True:
        answer = await client.get(url, params={**query, "limit": 500, **({"cursor": cursor} if cursor else {})})
        answer.raise_for_status()
        page = answer.json()
        for item in page["items"]:
            yield item
        cursor = page["next_cursor"]
        if not cursor:
            return


def show(console: Console, replayed: Summary, figures: Figures) -> None:
    """Print the summary."""
    console.print(Group(Text(), _story(replayed, figures), Text(), _ageing(replayed.last, figures), Text()))


def _story(replayed: Summary, figures: Figures) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    days = (replayed.last - replayed.first).days + 1
    table.add_row("days", f"{days:,}", f"{replayed.first} to {replayed.last}, in {replayed.seconds:.0f} seconds")
    table.add_row("customers", f"{replayed.customers:,}", "onboarded")
    table.add_row("invoices", f"{replayed.invoices:,}", f"issued, {replayed.disputes:,} of them disputed")
    table.add_row("payments", f"{replayed.payments:,}", "applied")
    table.add_row("overdue", f"{figures.overdue_episodes:,}", "invoices went overdue")
    table.add_row("reminders", f"{figures.contacts.total():,}", "mailed")
    for step, count in figures.contacts.most_common():
        table.add_row("", f"{count:,}", f"[dim]{step}")
    for status, count in figures.not_sent.items():
        table.add_row("", f"{count:,}", f"[dim]{status}")
    books = figures.books
    compared = books["invoices_compared"] + books["payments_compared"]
    held = f"differences; {compared:,} balances held against the journal"
    table.add_row("books", f"{books['differences_count']:,}", held)
    return table


def _ageing(as_of: date, figures: Figures) -> Table:
    """Whole units, so that it fits a terminal of 80 columns; the reports have the cents."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.title = f"Receivables on {as_of}, days overdue, in whole units"
    table.title_justify, table.title_style = "left", "bold"
    table.add_column("", style="dim", no_wrap=True, min_width=3)
    for heading in (*BUCKETS.values(), "total", "DSO"):
        table.add_column(heading, justify="right", no_wrap=True)
    dso = {row["currency"]: row["dso"] for row in figures.kpis}
    for row in sorted(figures.ageing, key=lambda row: row["currency"]):
        amounts = [_whole(row[name]) for name in (*BUCKETS, "total")]
        table.add_row(row["currency"], *amounts, dso.get(row["currency"]) or "–")
    return table


def _whole(amount: str) -> str:
    """`1234567.50` as `1,234,568`."""
    return f"{Decimal(amount).quantize(Decimal(1), ROUND_HALF_EVEN):,}"
