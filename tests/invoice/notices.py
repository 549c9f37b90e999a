"""An entity that tells its customers by itself of disputes, plans and failed collections."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.invoice.autopay import handlers as autopay
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from shared.db import Database, transaction
from shared.errors import Refused
from shared.mail import MailServer, Postman
from shared.money import Money
from tests.invoice.client import Receivables
from tests.invoice.test_documents_api import describe_seller
from tests.mailbox import Mailbox

SENDER = "receivables@dueward.example"


@dataclass(frozen=True)
class Intent:
    id: str
    status: str
    method_id: str | None = "pm_1"
    customer_id: str | None = "cus_1"
    mandate_id: str | None = None
    failure: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True)
class Label:
    kind: str = "card"
    label: str = "Visa •••• 4242"
    last4: str | None = "4242"


@dataclass
class EmptyCard:
    """A provider that knows the card and refuses to charge it."""

    asked: list[str] = field(default_factory=list)

    async def intent(self, intent_id: str) -> Intent:
        return Intent(intent_id, "succeeded")

    async def method(self, method_id: str) -> Label:
        return Label()

    async def mandate(self, mandate_id: str) -> Label:
        return Label()

    async def charge(self, *, key: str, amount: Money, customer_id: str, method_id: str, kind: str) -> Intent:
        self.asked.append(key)
        raise Refused("insufficient funds")


@pytest.fixture
async def house(books: Receivables, smtp: Mailbox) -> AsyncIterator[Receivables]:
    """The books of an entity that sends by itself and acknowledges disputes, with a mail server and a provider whose
    card is empty."""
    postman = Postman(MailServer(smtp.host, smtp.port, SENDER, tls="never", timeout_seconds=20))
    await describe_seller(books, delivery={"automatic": True}, disputes={"acknowledge": True})
    yield replace(books, resources=replace(books.resources, postman=postman, stripe=EmptyCard()))
    await postman.close()


async def owing(house: Receivables, amount: str = "300.00", **about: Any) -> tuple[str, dict[str, Any]]:
    """A customer with an overdue invoice, whose mail has left."""
    customer = await house.customer(**about)
    issued = await house.issue(customer, amount, issue_date="2024-01-10", due_date="2024-02-09")
    await house.tick()
    return customer, issued


async def agree(house: Receivables, customer: str) -> dict[str, Any]:
    parts = {"count": 3, "every": "month", "first_on": "2024-04-01"}
    answer = await house.post(f"/v1/customers/{customer}/plans", parts)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def card_left(house: Receivables, customer: str) -> None:
    """The customer left a card for later invoices."""
    async with transaction(house.database) as tx:
        account = await customers.lock_account(tx, CustomerRef(customer_id=UUID(customer)), "default")
        await autopay.want_method(tx, account, f"pi_{uuid4().hex}")
    await house.tick()


def text_of(mail: Any, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return " ".join(body.get_content().split())


def keep_picture(mail: Any, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        body = mail.get_body(("html",))
        Path(folder, f"{name}.html").write_text(body.get_content())


async def kinds(database: Database) -> list[str]:
    return [
        row[0] for row in await database.pool.fetch("select kind from delivery where kind <> 'invoice' order by id")
    ]
