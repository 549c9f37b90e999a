"""How the services' pages lead to each other: who is signed in to one is signed in to all of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from shared.settings import ServiceSettings

INVOICES_SCOPE = "invoices:read"
_DEFAULT_ENTITY = "default"


@dataclass(frozen=True, slots=True)
class Account:
    """A customer as each service has a page of it; collecting has one for each selling entity."""

    customer_id: UUID
    entity_id: str = _DEFAULT_ENTITY


def same_account(
    account: Account, here: str, scopes: Collection[str], settings: ServiceSettings
) -> list[tuple[str, str]]:
    """Label and address of the account at the other services than `here`, those that the reader may look at."""
    id, entity = account.customer_id, account.entity_id
    apart = "" if entity == _DEFAULT_ENTITY else f"?{urlencode({'entity_id': entity})}"
    places = (
        ("invoice", "Invoices", {INVOICES_SCOPE}, f"{settings.invoice_url}/invoices?customer={id}"),
        ("reminder", "Collecting", {"reminders:read"}, f"{settings.reminder_url}/accounts/{id}{apart}"),
        ("credit", "Credit", {"customers:read", "credit:read"}, f"{settings.credit_url}/customers/{id}"),
        ("reporting", "Figures", {"reports:read"}, f"{settings.reporting_url}/customers/{id}"),
    )
    return [(label, href) for service, label, needs, href in places if service != here and needs <= set(scopes)]
