"""The page of rules for segments, gathered from segmentations and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer
from services.credit.desk_segments import rules
from services.credit.desk_segments.rules import Checked
from services.credit.desk_words.rules import NothingChanged
from services.credit.segmentations import handlers as segmentations
from services.credit.segmentations import rules as documents
from services.credit.segmentations.handlers import PublishSegmentation, Version
from services.credit.segmentations.rules import InvalidSegmentation, Published
from services.credit.segments import handlers as segments
from shared.calendar import local_date
from shared.db import Tx

VERSIONS_SHOWN = 20
MOVERS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class SegmentationShown:
    """`newest` is None while there are none; `text` is what stands in the editor; `movers` are the customers who would
    go to another segment."""

    today: date
    newest: Published | None
    text: str
    checked: Checked
    movers: Mapping[UUID, Customer]
    versions: Sequence[Version]

    @property
    def version(self) -> int:
        return self.newest.version if self.newest else 0


async def draw_segmentation(tx: Tx, reader: str, typed: str | None = None) -> SegmentationShown:
    """With what was typed, or as it is published."""
    versions = await segmentations.list_versions(tx, None, VERSIONS_SHOWN)
    newest, today = versions[0].published if versions else None, local_date(tx.now, "UTC")
    text = typed
    if text is None:
        text = newest.document if newest else rules.first_document(reader, today, await _currency(tx))
    checked = await _check(tx, text, newest)
    movers = checked.preview.movers[:MOVERS_SHOWN] if checked.preview else ()
    known = await customers.customers_of(tx, {each.customer_id for each in movers})
    return SegmentationShown(today, newest, text, checked, known, versions)


async def _currency(tx: Tx) -> str:
    """The first customer's, more often than not that of the book."""
    return next((each.particulars.currency for each in await customers.list_customers(tx, None, 1)), "EUR")


async def _check(tx: Tx, text: str, newest: Published | None) -> Checked:
    try:
        said = documents.parse(text)
    except InvalidSegmentation as invalid:
        return Checked(invalid.faults)
    changes = documents.changes(newest.segmentation, said) if newest else ()
    return Checked((), said, changes, await segments.preview(tx, text))


async def publish(tx: Tx, text: str, expected_version: int, by: str) -> Published:
    """Raises what `segmentations.publish_segmentation` raises, and NothingChanged."""
    published = await segmentations.publish_segmentation(tx, PublishSegmentation(text, expected_version, by))
    if published.version == expected_version:
        raise NothingChanged(f"The document is that of version {published.version}, word for word.")
    return published


async def switch(tx: Tx, active: bool, expected_version: int, by: str) -> Published:
    """Publish the newest document once more, gone by or not. Raises what `publish` raises, and NoSegmentation."""
    newest = await segmentations.find_segmentation(tx)
    return await publish(tx, documents.switched(newest.document, active), expected_version, by)
