"""The invoice service as credit needs it: in whose name terms are offered, and where customers pay to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from services.credit.agreements.rules import Seller, SellerUnknown
from shared import log
from shared.errors import Refused

logger = log.get(__name__)


class SellerDesk:
    """Calls over one client, which the service opens and closes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def find_seller(self, entity_id: str) -> Seller:
        """Raises SellerUnknown where nobody answers, Refused where there is no such selling entity."""
        try:
            response = await self._client.get(f"/v1/entities/{entity_id}")
            if response.status_code == httpx.codes.NOT_FOUND:
                raise Refused(f"There is no selling entity {entity_id!r}.", field="/entity_id")
            response.raise_for_status()
            return _seller(entity_id, response.json())
        except (httpx.HTTPError, OSError, ValueError, LookupError, TypeError) as fault:
            logger.warning("seller_unknown", entity_id=entity_id, error=repr(fault))
            raise SellerUnknown("the invoice service cannot be asked who the seller is") from None


def _seller(entity_id: str, entity: Mapping[str, Any]) -> Seller:
    """Of several accounts the first, as on invoices."""
    seller = entity["seller"]
    address = seller.get("address") or {}
    accounts = seller.get("bank_accounts") or []
    account = accounts[0] if accounts else {}
    iban = account.get("iban") or ""
    in_fours = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    place = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    return Seller(
        name=seller.get("legal_name") or entity["name"],
        country=address.get("country") or "",
        address=tuple(filter(None, (*address.get("lines", ()), place))),
        contact=tuple(filter(None, (seller.get("contact_name"), seller.get("phone"), seller.get("email")))),
        account=tuple(filter(None, (in_fours, account.get("bic"), account.get("bank_name")))),
        legal=tuple(filter(None, (seller.get("vat_id"), seller.get("registration")))),
        email=seller.get("email") or None,
        entity_id=entity_id,
    )
