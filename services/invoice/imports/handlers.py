"""Imports: a file is kept in chunks first, then the worker issues a chunk a transaction.

A chunk is deleted in the transaction that issues it: killed anywhere, the import goes on where it was, without a
double. A bad row is noted with its line and reasons, and the good ones stand. An import that is all or nothing has its
chunks judged first, then issued in one transaction; a dry run ends with the judging.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.invoice.cash_application.rules import Wanted
from services.invoice.completeness.rules import allowed, check
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Customer
from services.invoice.drafting.rules import DeliveryChannel, InvoiceIn
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT, Entity
from services.invoice.import_rows.rules import BadRow, FormerInvoice, PaidInvoice, Row, reason_of
from services.invoice.imports import rules, store
from services.invoice.imports.rules import Format, Import, ImportNotFound, ImportRefused, Mode, Run, Upload
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.handlers import IssueInvoice
from services.invoice.invoices.rules import CreditAnswer, Document, Invoice
from services.invoice.journal import handlers as journal
from services.invoice.mapped_rows.rules import Reason, fits
from services.invoice.mappings import handlers as mappings
from services.invoice.mappings.rules import STANDARD, Kind, Saved
from services.invoice.payments import handlers as payments
from services.invoice.payments.handlers import ReceivePayment
from services.invoice.preferences import handlers as preferences
from services.invoice.tables.rules import Table
from shared.db import Tx
from shared.errors import DomainError
from shared.ids import new_id

NEXT_DUE, NEXT_JUDGE, NEXT_TOGETHER = store.NEXT_ISSUE, store.NEXT_JUDGE, store.NEXT_TOGETHER


@dataclass(frozen=True, slots=True)
class ReceiveImport:
    """A file: `body` as JSON lines, or a `table` with the profile that reads it."""

    body: bytes = b""
    table: Table | None = None
    kind: Kind = "invoices"
    mode: Mode = "partial"
    dry_run: bool = False
    format: Format = "ndjson"
    profile: Saved | None = None
    entity_id: str = DEFAULT


async def choose_profile(tx: Tx, named: str | None, kind: Kind | None, upload: Upload) -> tuple[Saved | None, Kind]:
    """The profile to read a file with (`erp`, or `erp@3` for a version), none for JSON lines that need none, and what
    the file is of. Raises ProfileNotFound, ImportRefused."""
    if named is None:
        if upload.format == "ndjson":
            return None, kind or "invoices"
        named = STANDARD
    name, _, version = named.partition("@")
    saved = await mappings.get_profile(tx, name, int(version) if version else None, kind or "invoices")
    if kind is not None and saved.profile.kind != kind:
        raise ImportRefused(f"the profile {name} is for {saved.profile.kind}, not for {kind}", field="query.kind")
    return saved, saved.profile.kind


async def receive_import(tx: Tx, command: ReceiveImport) -> Import:
    """Keep a file to be issued by the worker. Raises ImportRefused, ProfileRefused, EntityNotFound."""
    entity = await entities.get_entity(tx, command.entity_id)
    profile, table = command.profile, command.table
    if table is not None:
        assert profile is not None
        fits(profile.profile, table.headings, built_in=profile.name == STANDARD)
        chunks = rules.split_table(table, command.kind, profile.profile)
    else:
        chunks = rules.split(command.body, command.kind, profile.profile if profile else None)
    run = Run(
        id=new_id(),
        entity_id=entity.id,
        kind=command.kind,
        mode=command.mode,
        dry_run=command.dry_run,
        rows=sum(chunk.rows for chunk in chunks),
        profile=profile.profile if profile else None,
        headings=tuple(table.headings) if table is not None else None,
    )
    ahead = command.dry_run or command.mode == "atomic"
    named = (profile.name, profile.version) if profile else None
    return await store.insert(tx, run, chunks, "judge" if ahead else "issue", command.format, named)


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
class Seller:
    """A selling entity that rows name, and what its own numbers begin with."""

    entity: Entity
    prefix: str


async def _sellers(tx: Tx, rows: Iterable[Row]) -> dict[str, Seller]:
    """By id; a row that names none of them is a bad one."""
    sellers: dict[str, Seller] = {}
    for entity_id in sorted({row.entity_id for row in rows}):
        if entity := await entities.find_entity(tx, entity_id):
            sellers[entity_id] = Seller(entity, await entities.get_series_prefix(tx, entity_id))
    return sellers


@dataclass(frozen=True, slots=True)
class Unknown:
    """A chunk was left alone because its rows name these customers, of whom there is no copy here."""

    refs: tuple[CustomerRef, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """A chunk is done: so many rows are invoices, so many were there already, so many were refused."""

    accepted: int
    present: int
    rejected: int


@dataclass(slots=True)
class Judged:
    """What is to become of a chunk's rows: invoices (some without a number yet), nothing since they are there, or
    refused. `said` has what each number of the chunk stands for. All are counted by the lines of the file."""

    documents: list[Document] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    present: int = 0
    bad: dict[int, BadRow] = field(default_factory=dict)
    said: dict[str, tuple[Invoice, date | None]] = field(default_factory=dict)

    def content(self, key: str) -> str | None:
        return rules.content_of(*self.said[key]) if key in self.said else None

    @property
    def accepted(self) -> int:
        return sum(len(row.lines) for row in self.rows)

    @property
    def bad_rows(self) -> list[BadRow]:
        return [self.bad[line] for line in sorted(self.bad)]


async def issue_chunk(tx: Tx, *, unknown_are_bad: bool = False) -> Issued | Unknown | None:
    """Issue the next chunk that waits: its good rows as invoices, its bad ones noted. None when no chunk waits.

    With `unknown_are_bad` credit has been asked for unknown customers, and rows of those it does not know are refused.
    """
    taken = await store.take_chunk(tx, "issue")
    if taken is None:
        return None
    run, chunk = taken
    rows, bad = rules.read_chunk(run, chunk)
    directory = await _customers_of(tx, rows)
    unknown = _unknown(rows, directory)
    if unknown and not unknown_are_bad:
        return Unknown(unknown)
    await customers.lock_customers(tx, {found.id for row in rows if (found := directory.find(row))})
    sellers = await _sellers(tx, rows)
    judged = await _judge(tx, run, rows, bad, directory, sellers)
    await _write(tx, run, sellers, judged)
    await store.finish_chunk(tx, run.id, chunk, judged.accepted, judged.present, judged.bad_rows)
    return Issued(judged.accepted, judged.present, len(judged.bad))


async def judge_chunk(tx: Tx, *, unknown_are_bad: bool = False) -> Issued | Unknown | None:
    """Look at the next chunk of a dry run, or of an import that is all or nothing, and write down only what is bad.

    After the last chunk a dry run is over; an import with a bad row is refused, and any other is to be issued.
    """
    taken = await store.take_chunk(tx, "judge")
    if taken is None:
        return None
    run, chunk = taken
    rows, bad = rules.read_chunk(run, chunk)
    directory = await _customers_of(tx, rows)
    unknown = _unknown(rows, directory)
    if unknown and not unknown_are_bad:
        return Unknown(unknown)
    judged = await _judge(tx, run, rows, bad, directory, await _sellers(tx, rows), ahead=True)
    found = Issued(judged.accepted, judged.present, len(judged.bad))
    last, rejected = await store.judged(
        tx,
        run.id,
        chunk,
        {key: rules.content_of(*one) for key, one in judged.said.items()},
        found.accepted,
        found.present,
        judged.bad_rows,
    )
    if last and run.dry_run:
        await store.close(tx, run.id, "completed")
    elif last and rejected:
        await store.close(tx, run.id, "refused")
    elif last:
        await store.all_together(tx, run.id)
    return found


class _OneIsBad(Exception):
    """A row that stood when it was judged does not any more."""

    def __init__(self, bad: list[BadRow]) -> None:
        self.bad = bad


async def issue_together(tx: Tx) -> Issued | None:
    """Issue a whole import that was judged good, in this one transaction. None when there is none.

    Should a row not stand any more (its number was used meanwhile), nothing of it is issued.
    """
    taken = await store.take_whole(tx)
    if taken is None:
        return None
    run, first_lines = taken
    await _lock_all(tx, run, first_lines)
    accepted = present = 0
    try:
        async with tx.savepoint():
            for first_line in first_lines:
                chunk = await store.chunk_at(tx, run.id, first_line)
                rows, bad = rules.read_chunk(run, chunk)
                directory = await _customers_of(tx, rows)
                sellers = await _sellers(tx, rows)
                judged = await _judge(tx, run, rows, bad, directory, sellers)
                if judged.bad:
                    raise _OneIsBad(judged.bad_rows)
                await _write(tx, run, sellers, judged)
                accepted, present = accepted + judged.accepted, present + judged.present
    except _OneIsBad as error:
        await store.note_refused(tx, run.id, error.bad)
        await store.close(tx, run.id, "refused")
        return Issued(0, 0, len(error.bad))
    await store.close(tx, run.id, "completed", accepted=accepted, present=present)
    return Issued(accepted, present, 0)


async def _lock_all(tx: Tx, run: Run, first_lines: Sequence[int]) -> None:
    """All customers of a file at once: chunk by chunk, two imports would wait for each other."""
    ids: set[UUID] = set()
    for first_line in first_lines:
        rows, _ = rules.read_chunk(run, await store.chunk_at(tx, run.id, first_line))
        directory = await _customers_of(tx, rows)
        ids |= {found.id for row in rows if (found := directory.find(row))}
    await customers.lock_customers(tx, ids)


async def _customers_of(tx: Tx, rows: Sequence[Row]) -> Directory:
    ids = {row.wanted.customer_id for row in rows if row.wanted.customer_id}
    external_ids = {row.wanted.customer_external_id for row in rows if row.wanted.customer_external_id}
    return Directory.of(await customers.find_customers(tx, list(ids), list(external_ids)))


def _unknown(rows: Iterable[Row], directory: Directory) -> tuple[CustomerRef, ...]:
    return tuple({_ref(row): None for row in rows if directory.find(row) is None})


def _ref(row: Row) -> CustomerRef:
    return CustomerRef(row.wanted.customer_id, row.wanted.customer_external_id)


async def _judge(
    tx: Tx,
    run: Run,
    rows: Sequence[Row],
    bad: dict[int, BadRow],
    directory: Directory,
    sellers: dict[str, Seller],
    *,
    ahead: bool = False,
) -> Judged:
    """What is to become of rows that read well; `ahead`, what earlier chunks say counts as if it were issued."""
    keys = [row.key for row in rows if row.key]
    existing = await _existing(tx, rows, directory) if keys else {}
    said = await store.said_before(tx, run.id, keys) if ahead and keys else {}
    judged = Judged(bad=dict(bad))
    on_paper = await _on_paper(tx, rows, directory)
    for row in rows:
        customer, seller = directory.find(row), sellers.get(row.entity_id)
        if seller is None:
            judged.bad |= row.refused(Reason("#/entity_id", f"there is no selling entity {row.entity_id!r}"))
            continue
        if customer is None:
            judged.bad |= row.refused(Reason(f"#{_ref(row).field}", f"customer {_ref(row)} is not known"))
            continue
        try:
            preferred: DeliveryChannel = "letter" if (row.entity_id, customer.id) in on_paper else "email"
            document = _document(tx, row, customer, seller, preferred)
        except DomainError as error:
            judged.bad |= row.refused(reason_of(error))
            continue
        key = row.key
        if key:
            if key in judged.said or key in said or key in existing:
                if _is_there(row, document.invoice, existing.get(key), said.get(key) or judged.content(key)):
                    judged.present += len(row.lines)
                else:
                    detail = f"invoice number {row.wanted.number} exists already, with other content"
                    judged.bad |= row.refused(Reason("#/number", detail))
                continue
            judged.said[key] = (document.invoice, row.settled_on)
        judged.documents.append(document)
        judged.rows.append(row)
    return judged


def _is_there(row: Row, drafted: Invoice, existing: Invoice | None, said: str | None) -> bool:
    if existing is not None:
        return rules.says_the_same(row, drafted, existing)
    return said == rules.content_of(drafted, row.settled_on)


async def _existing(tx: Tx, rows: Sequence[Row], directory: Directory) -> dict[str, Invoice | None]:
    """Which numbers exist at their entity, and those of the row's own customer as they are."""
    found: dict[str, Invoice | None] = {}
    by_seller: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.key:
            by_seller[row.entity_id].append(row)
    for entity_id, sold in by_seller.items():
        taken = await invoices.numbers_taken(tx, entity_id, [row.wanted.number for row in sold if row.wanted.number])
        found |= {row.key: None for row in sold if row.key and row.wanted.number in taken}
        by_customer: dict[UUID, list[str]] = defaultdict(list)
        for row in sold:
            if row.wanted.number in taken and (customer := directory.find(row)):
                by_customer[customer.id].append(row.wanted.number)
        for customer_id, own in by_customer.items():
            for invoice in await invoices.named(tx, customer_id, entity_id, own, []):
                found[f"{entity_id}:{invoice.number}"] = invoice
    return found


async def _on_paper(tx: Tx, rows: Sequence[Row], directory: Directory) -> set[tuple[str, UUID]]:
    """Of rows that leave the delivery open, the customers who want paper, by entity."""
    asked: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        if row.wanted.delivery_channel is None and (customer := directory.find(row)):
            asked[row.entity_id].append(customer.id)
    return {
        (entity_id, customer_id)
        for entity_id, ids in asked.items()
        for customer_id, wanted in (await preferences.preferences_of(tx, entity_id, ids)).items()
        if wanted.paper
    }


def _document(tx: Tx, row: Row, customer: Customer, seller: Seller, preferred: DeliveryChannel) -> Document:
    wanted, entity = row.wanted, seller.entity
    credit = CreditAnswer(entity.credit_policy, "not_asked")
    if not isinstance(wanted, InvoiceIn):
        return _former_document(tx, row, wanted, customer, seller, credit, preferred)
    command = IssueInvoice.asked(CustomerRef(customer.id), wanted, row.priced, credit).delivered_by(preferred)
    policy = entity.policies.completeness
    findings = check(invoices.subject_of(command, customer, entity)) if policy != "off" else ()
    kept = allowed(findings, policy, command.accept)
    return invoices.compose(command, customer, entity, seller.prefix, now=tx.now, findings=kept)


def _former_document(
    tx: Tx,
    row: Row,
    wanted: FormerInvoice,
    customer: Customer,
    seller: Seller,
    credit: CreditAnswer,
    preferred: DeliveryChannel,
) -> Document:
    """An invoice of a former system: it left long ago, so nobody asks how complete it was."""
    entity = seller.entity
    today = entity.today(tx.now)
    if row.settled_on and row.settled_on > today:
        raise ImportRefused(f"settled on {row.settled_on}, which is after today, {today}", field="/settled_on")
    command = IssueInvoice(
        customer=CustomerRef(customer.id),
        priced=row.priced,
        credit=credit,
        delivery_channel=wanted.delivery_channel or preferred,
        number=wanted.number,
        reference=wanted.reference,
        issue_date=wanted.issue_date,
        due_date=wanted.due_date,
        entity_id=entity.id,
    )
    return invoices.compose(command, customer, entity, seller.prefix, now=tx.now)


async def _write(tx: Tx, run: Run, sellers: dict[str, Seller], judged: Judged) -> None:
    """Issue what was judged good, under the lock of its customers. Series are locked in the order of their entities,
    so that two imports never wait for each other."""
    by_seller: dict[str, list[tuple[Document, Row]]] = defaultdict(list)
    for document, row in zip(judged.documents, judged.rows, strict=True):
        by_seller[row.entity_id].append((document, row))
    for entity_id in sorted(by_seller):
        documents, rows = zip(*by_seller[entity_id], strict=True)
        await _issue(tx, run, sellers[entity_id].entity, documents, rows)


async def _issue(tx: Tx, run: Run, entity: Entity, drafted: Sequence[Document], rows: Sequence[Row]) -> None:
    today = entity.today(tx.now)
    documents = await _numbered(tx, entity.id, drafted)
    if run.kind == "invoices":
        await invoices.file_invoices(tx, entity, documents, run.id, today)
        return
    entries = rules.opening_entries([document.invoice for document in documents], today)
    await invoices.file_invoices(tx, entity, documents, run.id, today, entries)
    for document, row in zip(documents, rows, strict=True):
        if isinstance(row.wanted, PaidInvoice):
            await _pay(tx, entity, document.invoice, row.wanted, today)


async def _pay(tx: Tx, entity: Entity, invoice: Invoice, wanted: PaidInvoice, today: date) -> None:
    """Record that a former system received it: on its day, and not in this one's bank."""
    paid = await payments.receive_payment(
        tx,
        ReceivePayment(
            amount=invoice.money(invoice.total_minor),
            customer=CustomerRef(invoice.customer_id),
            received_on=wanted.settled_on,
            method=wanted.method,
            reference=invoice.number,
            allocations=(Wanted(invoice.id, None, invoice.money(invoice.total_minor)),),
            entity_id=entity.id,
        ),
    )
    counts_on = entity.open_day(wanted.settled_on)
    await journal.post(tx, [rules.paid_before_entry(invoice, paid.payment.id, counts_on, today)])


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
