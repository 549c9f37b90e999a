"""The journal: written by whoever moves money, read by finance."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from uuid import UUID

from services.invoice.entities import handlers as entities
from services.invoice.journal import rules, store
from services.invoice.journal.rules import AccountTotal, Booked, Chart, Entry, EntryFilter, Ledger
from shared.db import Tx
from shared.errors import PreconditionFailed

BEFORE_ALL = (date.min, 0)
EXPORTED_AT_ONCE = 5_000
FEW = 200
"""Up to here one insert is quicker than the set-up of a COPY."""


async def post(tx: Tx, entries: Sequence[Entry]) -> None:
    if len(entries) > FEW:
        await store.copy(tx, entries)
    elif entries:
        await store.post(tx, entries)


async def reverse_payment(tx: Tx, payment_id: UUID, *, effective_on: date, booked_on: date) -> None:
    """Book every entry of the payment that still stands the other way round."""
    await store.reverse_payment(tx, payment_id, effective_on, booked_on)


async def receivable_changes(tx: Tx, customer_id: UUID, invoice_id: UUID) -> list[tuple[date, int]]:
    """What each day did to the balance of an invoice, in minor units by effective date."""
    return await store.receivable_changes(tx, customer_id, invoice_id)


async def debited(tx: Tx, source_id: UUID, account: Ledger) -> int:
    """What was booked for an adjustment or other source on the debit side of an account, in minor units."""
    return await store.debited(tx, source_id, account)


async def reverse_source(tx: Tx, source_ids: Sequence[UUID], *, effective_on: date, booked_on: date) -> None:
    """The same for the entries booked for adjustments or other sources."""
    await store.reverse_source(tx, source_ids, effective_on, booked_on)


async def list_entries(tx: Tx, which: EntryFilter, after: tuple[date, int] | None, limit: int) -> list[Booked]:
    """By effective date, from behind the one given."""
    return await store.page(tx, which, after or BEFORE_ALL, limit)


async def export_entries(tx: Tx, which: EntryFilter) -> AsyncIterator[tuple[str, ...]]:
    """Rows for the general ledger in the order of `EXPORT_COLUMNS`, read in pieces: a year may be millions."""
    charts: dict[str, Chart] = {}
    after = BEFORE_ALL
    while postings := await store.postings(tx, which, after, EXPORTED_AT_ONCE):
        for posting in postings:
            entity_id = posting.entry.entity_id
            if entity_id not in charts:
                charts[entity_id] = await get_chart(tx, entity_id)
            yield rules.export_row(posting, charts[entity_id])
        after = (postings[-1].entry.effective_on, postings[-1].entry.id)


async def account_totals(tx: Tx, as_of: date | None, entity_id: str | None) -> list[AccountTotal]:
    return await store.account_totals(tx, as_of or date.max, entity_id)


async def get_chart(tx: Tx, entity_id: str) -> Chart:
    """The entity's own chart of accounts, or the default. Raises EntityNotFound."""
    await entities.get_entity(tx, entity_id)
    return await store.chart(tx, entity_id) or Chart(entity_id, 0, {})


async def change_chart(tx: Tx, chart: Chart) -> Chart:
    """Give accounts other codes and names; those left out keep the default's. Raises EntityNotFound,
    PreconditionFailed when `chart.version` is not the one after the version in force."""
    before = await get_chart(tx, chart.entity_id)
    if before.version != chart.version - 1 or not await store.keep_chart(tx, chart):
        raise PreconditionFailed(
            f"the chart of accounts is at version {before.version}, not {chart.version - 1}: look again, then decide",
            current_version=before.version,
        )
    return chart
