"""Shares of invoices, as they were issued."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.product_lines.rules import Share
from shared.db import Tx


async def keep(tx: Tx, shares: Sequence[Share]) -> None:
    """An invoice is issued once: what is known of it stays."""
    await tx.execute(
        """
        insert into product_share (invoice_id, product_line, amount_minor)
        select * from unnest($1::uuid[], $2::text[], $3::bigint[])
        on conflict (invoice_id, product_line) do nothing
        """,
        *map(list, zip(*shares, strict=True)),
    )
