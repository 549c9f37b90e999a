"""Which documents of the invoice service go with a message, and how much of them at most."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.reminder.mails.rules import Letter
from services.reminder.wordings.rules import language_of

INVOICES_MAX = 15
BYTES_MAX = 7 * 1024 * 1024
"""In base 64 that is about 9.6 MB: mail servers commonly take 10."""
DOCUMENT_BYTES_MAX = 5 * 1024 * 1024

_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Document:
    """Where a document is at the invoice service, and what its file is called."""

    path: str
    name: str
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A document could not be had: the message waits."""

    reason: str


class TooLarge(Exception):
    """The documents together are too large for a mail."""


def wanted(letter: Letter) -> tuple[Document, ...]:
    """The documents a letter asks for. In the place of very many invoices there is the statement, which lists them."""
    ids = [(item.invoice_id, item.number) for item in letter.items if item.invoice_id]
    if "invoices" in letter.attachments and 0 < len(ids) <= INVOICES_MAX:
        language = (("language", language_of(letter.language)),)
        documents = [Document(f"/v1/invoices/{id}/document.pdf", _file_name(number), language) for id, number in ids]
    elif "invoices" in letter.attachments:
        return statement_of(letter)
    else:
        documents = []
    if "statement" in letter.attachments:
        documents += statement_of(letter)
    return tuple(documents)


def statement_of(letter: Letter) -> tuple[Document, ...]:
    query = (("entity_id", letter.entity_id), ("language", language_of(letter.language)))
    name = _file_name(f"statement-{letter.written_on.isoformat()}")
    return (Document(f"/v1/customers/{letter.customer_id}/statement.pdf", name, query),)


def _file_name(number: str) -> str:
    return _NOT_IN_A_FILE_NAME.sub("-", number)[:80] + ".pdf"
