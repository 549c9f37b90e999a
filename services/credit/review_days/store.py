"""When reviews were signed last. Table: review_sign_off (read)."""

from __future__ import annotations

from datetime import date

from shared.db import Tx


async def last_signed(tx: Tx) -> dict[str, date]:
    """The business day of the newest, by scorecard."""
    return {row["scorecard"]: row["on_day"] for row in await tx.fetch(_LAST_SIGNED)}


_LAST_SIGNED = """
select scorecard, max((signed_at at time zone 'UTC')::date) as on_day from review_sign_off group by scorecard
"""
