"""Imports: a file is kept in chunks first, then the worker issues a chunk a transaction.

A chunk is deleted in the transaction that issues it: killed anywhere, the import goes on where it was, without a
double. A bad row is noted with its line and reasons, and the good ones stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoice.completeness.rules import allowed, check
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Customer
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT, Entity
from services.invoice.imports import rules, store
from services.invoice.imports.rules import BadRow, Import, ImportNotFound, Reason, Row
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.handlers import IssueInvoice
from services.invoice.invoices.rules import CreditAnswer, Document
from shared.db import Tx
from shared.errors import DomainError
from shared.ids import new_id

NEXT_DUE = store.NEXT_DUE


async def receive_import(tx: Tx, body: bytes) -> Import:
    """Keep a file to be issued by the worker. Raises ImportRefused."""
    chunks = rules.split(body)
    import_id = new_id()
    await store.insert(tx, import_id, DEFAULT, chunks)
    return store.received(import_id, DEFAULT, chunks, tx.now)


@dataclass(frozen=True, slots=True)
class Directory:
    """The customers that a chunk's rows name, by either of their names."""

    by_id: dict[UUID, Customer]
    by_external_id: dict[str, Customer]

    @classmethod
    def of(cls, found: Sequence[Customer]) -> Directory:
        return cls({each.id: each for each in found}, {each.external_id: each for each in found})

    def find(self, row: Row) -> Customer | None:
        if row.wanted.customer_id:
            return self.by_id.get(row.wanted.customer_id)
        return self.by_external_id.get(row.wanted.customer_external_id or "")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A chunk was left alone because its rows name these customers, of whom there is no copy here."""

    refs: tuple[CustomerRef, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """A chunk is done: so many rows are invoices, so many were refused."""

    accepted: int
    rejected: int


async def issue_chunk(tx: Tx, *, unknown_are_bad: bool = False) -> Issued | Unknown | None:
    """Issue the next chunk that waits: its good rows as invoices, its bad ones noted. None when no chunk waits.

    With `unknown_are_bad` credit has been asked for unknown customers, and rows of those it does not know are refused.
    """
    taken = await store.take_chunk(tx)
    if taken is None:
        return None
    import_id, entity_id, chunk = taken
    read = [rules.read_row(line, content) for line, content in chunk.lines()]
    rows = [row for row in read if isinstance(row, Row)]
    bad = {row.line: row for row in read if isinstance(row, BadRow)}

    directory = await _customers_of(tx, rows)
    unknown = {_ref(row): None for row in rows if directory.find(row) is None}
    if unknown and not unknown_are_bad:
        return Unknown(tuple(unknown))
    await customers.lock_customers(tx, {found.id for row in rows if (found := directory.find(row))})

    entity = await entities.get_entity(tx, entity_id)
    prefix = await entities.get_series_prefix(tx, entity_id)
    own_numbers = [row.wanted.number for row in rows if row.wanted.number]
    taken_numbers = await invoices.numbers_taken(tx, entity_id, own_numbers) if own_numbers else set()
    for line, reason in rules.repeated_numbers(rows, taken_numbers).items():
        bad[line] = BadRow(line, (reason,))

    documents = _documents(tx, rows, bad, directory, entity, prefix)
    if documents:
        documents = await _numbered(tx, entity_id, documents)
        await invoices.file_invoices(tx, entity, documents, import_id, entity.today(tx.now))
    await store.finish_chunk(tx, import_id, chunk, len(documents), [bad[line] for line in sorted(bad)])
    return Issued(len(documents), len(bad))


async def _customers_of(tx: Tx, rows: Sequence[Row]) -> Directory:
    ids = {row.wanted.customer_id for row in rows if row.wanted.customer_id}
    external_ids = {row.wanted.customer_external_id for row in rows if row.wanted.customer_external_id}
    return Directory.of(await customers.find_customers(tx, list(ids), list(external_ids)))


def _ref(row: Row) -> CustomerRef:
    return CustomerRef(row.wanted.customer_id, row.wanted.customer_external_id)


def _documents(
    tx: Tx, rows: Sequence[Row], bad: dict[int, BadRow], directory: Directory, entity: Entity, prefix: str
) -> list[Document]:
    """The rows that stand as invoices, some still without a number; those that do not are added to `bad`."""
    credit = CreditAnswer(entity.credit_policy, "not_asked")
    documents: list[Document] = []
    for row in rows:
        if row.line in bad:
            continue
        customer = directory.find(row)
        if customer is None:
            reason = Reason(f"#{_ref(row).field}", f"customer {_ref(row)} is not known")
            bad[row.line] = BadRow(row.line, (reason,))
            continue
        try:
            documents.append(_document(tx, row, customer, entity, prefix, credit))
        except DomainError as error:
            bad[row.line] = BadRow(row.line, (rules.reason_of(error),))
    return documents


def _document(tx: Tx, row: Row, customer: Customer, entity: Entity, prefix: str, credit: CreditAnswer) -> Document:
    command = IssueInvoice.asked(CustomerRef(customer.id), row.wanted, row.priced, credit)
    policy = entity.policies.completeness
    findings = check(invoices.subject_of(command, customer, entity)) if policy != "off" else ()
    kept = allowed(findings, policy, command.accept)
    return invoices.compose(command, customer, entity, prefix, now=tx.now, findings=kept)


async def _numbered(tx: Tx, entity_id: str, documents: Sequence[Document]) -> list[Document]:
    """Give numbers of the series to those without, in the order of their lines."""
    wanting = sum(1 for document in documents if not document.invoice.number)
    if wanting == 0:
        return list(documents)
    numbers = iter(await entities.take_numbers(tx, entity_id, wanting))
    return [each if each.invoice.number else each.numbered(next(numbers)) for each in documents]


async def get_import(tx: Tx, import_id: UUID) -> Import:
    """Raises ImportNotFound."""
    found = await store.find(tx, import_id)
    if found is None:
        raise ImportNotFound(f"there is no import {import_id}")
    return found


async def list_imports(tx: Tx, before: UUID | None, limit: int) -> list[Import]:
    return await store.page(tx, before, limit)


async def list_errors(tx: Tx, import_id: UUID, after_line: int, limit: int) -> list[BadRow]:
    """Raises ImportNotFound."""
    await get_import(tx, import_id)
    return await store.errors(tx, import_id, after_line, limit)
