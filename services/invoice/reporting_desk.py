"""The reporting service as this one needs it: what it says is owed, to be held against the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import httpx

from shared import log
from shared.money import Money

logger = log.get(__name__)

PAGE = 500


class ReportingDesk:
    """Calls over one client, which the service opens and closes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def receivables(self, as_of: date) -> Mapping[str, int] | None:
        """What customers owed at the end of a day by currency, in minor units; None when reporting is away."""
        found = await self._ageing(as_of, None)
        return None if found is None else {currency: minor for (_, currency), minor in found.items()}

    async def receivables_by_customer(self, as_of: date) -> Mapping[tuple[UUID, str], int] | None:
        """The same by customer and currency."""
        found = await self._ageing(as_of, "customer")
        return None if found is None else {(UUID(group), currency): m for (group, currency), m in found.items()}

    async def _ageing(self, as_of: date, group_by: str | None) -> dict[tuple[str, str], int] | None:
        query: dict[str, str | int] = {"as_of": as_of.isoformat(), "limit": PAGE}
        if group_by:
            query["group_by"] = group_by
        owed: dict[tuple[str, str], int] = {}
        try:
            while True:
                response = await self._client.get("/v1/reports/ageing", params=query)
                response.raise_for_status()
                page = response.json()
                for item in page["items"]:
                    owed[item["group"] or "", item["currency"]] = Money.parse(item["total"], item["currency"]).minor
                if page["next_cursor"] is None:
                    return owed
                query["cursor"] = page["next_cursor"]
        except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("reporting_unavailable", asked="ageing", error=repr(error))
            return None
