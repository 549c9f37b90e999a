"""What was sent is what is shown: an invoice or credit note as it left, whatever has changed since."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.invoice.papers.rules import Kind, Paper

STATUS = "document-status"
"""The header that says what a document is: `original` as sent, a marked `copy`, or `unsent`."""


@dataclass(frozen=True, slots=True)
class Original:
    """The document as it left: the very bytes, and what they were written from. `document_id` is the invoice's or the
    credit note's; `xml` is UBL, where the document was an electronic one; `sha256` is the PDF's, in hex."""

    document_id: UUID
    kind: Kind
    entity_id: str
    customer_id: UUID
    language: str
    paper: Paper
    pdf: bytes
    xml: bytes | None
    sha256: str
    kept_at: datetime


def copy_of(original: Original, today: Paper, sent_on: date) -> Paper:
    """A copy in the language of `today`, the paper as it would be written now: everybody is called as on the original,
    and the page says that it is a copy."""
    then = original.paper
    if today.language == then.language:
        return replace(then, copy_of=sent_on)
    return replace(
        today,
        seller=then.seller,
        buyer=then.buyer,
        deliver_to=then.deliver_to,
        deliver_to_name=then.deliver_to_name,
        accounts=then.accounts,
        buyer_reference=then.buyer_reference,
        pay_link=then.pay_link,
        copy_of=sent_on,
    )
