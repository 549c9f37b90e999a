"""Make links to customers' pages, read them, call them back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.pay_links import rules, store
from services.invoice.pay_links.rules import PayLink
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class PayLinks:
    """Where customers' pages are, and the key that their links are signed with."""

    key: bytes
    base_url: str

    def url(self, link: PayLink) -> str:
        return f"{self.base_url}/pay/{rules.token_of(self.key, link)}"


async def make_link(tx: Tx, links: PayLinks, account: Account) -> str:
    """The address of the customer's page with one entity."""
    generation = await store.generation(tx, account.customer.id)
    assert generation is not None
    entity = account.entity
    return links.url(rules.new_link(account.customer.id, entity.id, generation, entity.today(tx.now)))


async def open_link(tx: Tx, links: PayLinks, token: str) -> Account:
    """Whose page a token opens. Raises PayLinkUnusable."""
    link = rules.read_token(links.key, token)
    account = await customers.find_account(tx, CustomerRef(customer_id=link.customer_id), link.entity_id)
    generation = await store.generation(tx, link.customer_id)
    if account is None:
        generation = None
    rules.usable(link, generation, account.entity.today(tx.now) if account else link.last_day)
    assert account is not None
    return account


async def call_back_links(tx: Tx, customer_id: UUID) -> None:
    """Every link given out for the customer so far stops working. Raises CustomerUnknown."""
    account = await customers.lock_account(tx, CustomerRef(customer_id=customer_id))
    await store.next_generation(tx, account.customer.id)
