"""Search over customers, invoices, payments, disputes and contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.reporting.search import rules, store
from services.reporting.search.rules import KINDS, Finding, Kind, Question
from shared.db import Tx
from shared.delivery import Received
from shared.words import words


@dataclass(frozen=True, slots=True)
class Found:
    """At most `limit` of each kind, kind by kind; `more` are the kinds of which there are more."""

    findings: tuple[Finding, ...]
    more: tuple[Kind, ...]


async def keep_words(tx: Tx, received: Sequence[Received]) -> None:
    """What customers and payments are called, as the events say."""
    words, references = rules.words_said(r.event for r in received)
    if words or references:
        await store.keep(tx, words, references)


async def search(tx: Tx, text: str, limit: int, kinds: Sequence[Kind] = KINDS) -> Found:
    """Customers by words of their names and by their external ids, payments by words of their references; invoices by
    the beginning or the end of their numbers; invoices and payments by their amounts; everything by its id. With an
    invoice or a customer come its disputes and messages. Raises NothingAsked."""
    question = rules.read_question(text)
    amounts = rules.minor_amounts(question, await store.currencies(tx)) if question.amounts else []
    ids = [question.id] if question.id else []
    customers = await store.customers(tx, ids or await store.called(tx, "customer", question.words), limit + 1)
    invoices = await store.invoices(tx, ids or await _invoices(tx, question, amounts, limit + 1))
    paid = ids or [
        *await store.called(tx, "payment", question.words),
        *await store.payments_over(tx, amounts, limit + 1),
    ]
    whose, about = [row["id"] for row in customers[:limit]], invoices[:limit]
    found: dict[Kind, list[Finding]] = {
        "customer": [_customer(row) for row in customers],
        "invoice": [_invoice(row) for row in invoices],
        "payment": [_payment(row) for row in await store.payments(tx, paid, limit + 1)],
        "dispute": [
            _dispute(row) for row in await store.disputes(tx, ids, [row["id"] for row in about], whose, limit + 1)
        ],
        "contact": [
            _contact(row)
            for row in await store.contacts(
                tx, ids, [(row["customer_id"], row["number"]) for row in about], whose, limit + 1
            )
        ],
    }
    wanted: list[Kind] = [kind for kind in KINDS if kind in kinds]
    return Found(
        tuple(finding for kind in wanted for finding in found[kind][:limit]),
        tuple(kind for kind in wanted if len(found[kind]) > limit),
    )


async def _invoices(tx: Tx, question: Question, amounts: Sequence[tuple[int, str]], limit: int) -> list[UUID]:
    found = [*await store.numbered(tx, question.text, limit), *await store.invoices_over(tx, amounts, limit)]
    return list(dict.fromkeys(found))[:limit]


def _customer(row: asyncpg.Record) -> Finding:
    return Finding("customer", row["id"], row["name"], row["id"], row["name"], status=row["status"])


def _invoice(row: asyncpg.Record) -> Finding:
    return Finding(
        "invoice",
        row["id"],
        row["number"],
        row["customer_id"],
        row["name"],
        row["issue_date"],
        row["currency"],
        row["total_minor"],
        row["status"],
    )


def _payment(row: asyncpg.Record) -> Finding:
    title = row["reference"] or "Payment without reference"
    return Finding(
        "payment",
        row["id"],
        title,
        row["customer_id"],
        row["name"],
        row["received_on"],
        row["currency"],
        row["amount_minor"],
    )


def _dispute(row: asyncpg.Record) -> Finding:
    title = f"{row['number'] or 'Invoice'}: {row['reason'] or 'disputed'}"
    return Finding(
        "dispute",
        row["id"],
        title,
        row["customer_id"],
        row["name"],
        row["opened_on"],
        row["currency"],
        row["amount_minor"],
        row["status"],
    )


def _contact(row: asyncpg.Record) -> Finding:
    title = f"{words(row['step'])} by {row['channel']}"
    return Finding(
        "contact", row["id"], title, row["customer_id"], row["name"], row["effective_on"], status=row["status"]
    )
