"""Documents kept as they are sent, and read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from pydantic import TypeAdapter

from services.invoice.entities.rules import Entity
from services.invoice.originals import rules, store
from services.invoice.originals.rules import Original
from services.invoice.papers.rules import Paper, defects
from services.invoice.printing import handlers as printing
from services.invoice.ubl import rules as ubl
from shared.db import Tx

_PAPER = TypeAdapter(Paper)
_FIELDS = tuple(field.name for field in fields(Original))


def draw(document_id: UUID, entity_id: str, customer_id: UUID, paper: Paper, now: datetime) -> Original:
    """Write the document down for good; takes processor time, so by `asyncio.to_thread`. Raises typst.TypstError."""
    pdf = printing.print_invoice(paper)
    return Original(
        document_id=document_id,
        kind=paper.kind,
        entity_id=entity_id,
        customer_id=customer_id,
        language=paper.language,
        paper=paper,
        pdf=pdf,
        xml=None if defects(paper) else ubl.write(paper),
        sha256=sha256(pdf).hexdigest(),
        kept_at=now,
    )


async def keep(tx: Tx, originals: Sequence[Original]) -> None:
    """Before they leave; one that is kept already stays as it is."""
    await store.add(tx, [(each, _PAPER.dump_json(each.paper).decode()) for each in originals])


async def find_original(tx: Tx, document_id: UUID) -> Original | None:
    """The document as it was sent; None when it was not."""
    found = await store.find(tx, document_id)
    if found is None:
        return None
    values, paper = found
    about = dict(zip(_FIELDS, values, strict=True))
    return Original(**{**about, "paper": _PAPER.validate_json(paper)})


def print_copy(original: Original, today: Paper, entity: Entity) -> bytes:
    """A copy, marked as one, without the electronic invoice inside: nobody books it twice."""
    return printing.typeset_invoice(rules.copy_of(original, today, entity.today(original.kept_at)))
