"""What the tests say to the reporting service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from services.reporting.consumers import subscriptions
from shared.db import Database
from shared.delivery import Received, deliver_batch
from tests import service_client
from tests.reporting.books import Books
from tests.service_client import problem as problem

TODAY = datetime(2021, 12, 31, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Reporting:
    http: httpx.AsyncClient
    database: Database

    async def get(self, path: str, **query: Any) -> Any:
        return await service_client.get(self.http, path, **query)

    async def pages(self, path: str, **query: Any) -> list[Any]:
        """The items of every page of a list."""
        items, cursor = [], None
        while True:
            page = await self.get(path, **query, cursor=cursor)
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    async def hear(self, received: Sequence[Received] | Books, batch: int = 200) -> int:
        """Take events in batches as the consumer would; returns how many were new."""
        if isinstance(received, Books):
            received = received.received
        return sum(
            [
                await deliver_batch(self.database, subscriptions, received[start : start + batch])
                for start in range(0, len(received), batch)
            ]
        )


async def forget(database: Database) -> None:
    await database.pool.execute(
        """
        truncate customer, collector, rates, movement, receivable, invoice, contact, standing_day, account_cell,
            account_standing, account_period, group_cell, group_standing, flow, promise, dispute,
            receipt, payment_course, instalment_plan, payment_reference,
            search_word, product_share, reason_given, rebuild, event, inbox
        """
    )
