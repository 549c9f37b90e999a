"""Reminders on paper: what a letter shows, and batches of letters on their way to the post."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any, Literal
from uuid import UUID

import segno

from services.reminder.enclosures.rules import Document, wanted
from services.reminder.mail_words.rules import Tongue, tongue
from services.reminder.mails.rules import Letter, view_of
from services.reminder.wordings.rules import LANGUAGES, Words
from shared.errors import Conflict, NotFound
from shared.events.credit import PostalAddress
from shared.mail_address import one_line

Window = Literal["left", "right"]
"""Where the envelope's window is: on the left as in DIN 5008, or on the right as in France (NF Z 11-001)."""
BatchStatus = Literal["closed", "posted", "withdrawn"]

LETTER_SIZE = frozenset({"US", "CA", "MX", "CL", "CO", "PH"})
"""Where paper is 8.5 by 11 inches; it is A4 everywhere else."""
ADDRESS_LINES_MAX = 6
"""DIN 5008: six lines in the address field."""
BATCH_LETTERS_MAX = 200

_WORDS = {
    # key: English, German, French, Spanish
    "date": ("Date", "Datum", "Date", "Fecha"),
    "contact": ("Your contact", "Ihr Kontakt", "Votre contact", "Su contacto"),
    "phone": ("Phone", "Telefon", "Téléphone", "Teléfono"),
    "page": ("Page", "Seite", "Page", "Página"),
    "enclosed": ("Enclosed: {what}", "Anlagen: {what}", "Pièces jointes : {what}", "Anexos: {what}"),
    "invoices": ("invoices", "Rechnungen", "factures", "facturas"),
    "statement": ("statement of account", "Kontoauszug", "relevé de compte", "extracto de cuenta"),
    "scan": (
        "Scan to pay online, or open:",
        "Zum Online-Bezahlen scannen oder öffnen:",
        "Scannez pour régler en ligne, ou ouvrez :",
        "Escanee para pagar en línea o abra:",
    ),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A letter in a batch, in the order of the pages. `content` is all it shows, as text; `documents` go with
    it: they are printed as `enclosed` once they were fetched."""

    contact_id: UUID
    customer_id: UUID
    position: int
    customer: str | None
    address: tuple[str, ...]
    step: str
    totals: tuple[str, ...]
    invoices: tuple[str, ...]
    content: dict[str, Any]
    documents: tuple[Document, ...] = ()
    enclosed: bytes | None = None

    @property
    def is_whole(self) -> bool:
        return not self.documents or self.enclosed is not None


@dataclass(frozen=True, slots=True)
class Batch:
    """Letters that are printed together. They are sent when the batch is posted."""

    id: UUID
    version: int
    entity_id: str
    status: BatchStatus
    window: Window
    letters: int
    closed_at: datetime
    closed_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None


class BatchNotFound(NotFound):
    slug = "letter-batch-not-found"
    title = "There is no such batch of letters"


class NoLetters(Conflict):
    slug = "no-letters"
    title = "No letter waits to be printed"


class BatchEnded(Conflict):
    slug = "letter-batch-ended"
    title = "The batch has been posted or withdrawn already"


def address_lines(name: str, person: str | None, address: PostalAddress, country: str | None) -> tuple[str, ...]:
    """As on an envelope: six lines at most, the person left out first where there is no room."""
    if country in ("US", "CA", "AU"):
        state = " ".join(part for part in (address.region, address.postal_code) if part)
        place: tuple[str | None, ...] = (", ".join(part for part in (address.city, state) if part),)
    elif country in ("GB", "IE"):
        place = (address.city, address.region, address.postal_code)
    else:
        place = (" ".join(part for part in (address.postal_code, address.city) if part), address.region)
    below = [one_line(part) for part in (*address.lines, *place) if part]
    head = [one_line(part) for part in (name, person) if part]
    if len(head) + len(below) > ADDRESS_LINES_MAX:
        head = head[:1]
    room = ADDRESS_LINES_MAX - len(head)
    # The place is at the end: of a long address the lines before it are put together.
    if len(below) > room:
        extra = len(below) - room
        below = [", ".join(below[: extra + 1]), *below[extra + 1 :]]
    return tuple(head + below)


def letter_view(letter: Letter, words: Words, window: Window = "left") -> dict[str, Any]:
    """All that `letter.typ` shows, as text."""
    t = tongue(letter.language, letter.country)
    view = view_of(letter)
    columns = ["invoice", "issued", "due", *(["days_overdue"] if view.overdue else []), "amount"]
    return {
        "language": t.language,
        "paper": "us-letter" if letter.country in LETTER_SIZE else "a4",
        "window": window,
        "seller": view.seller,
        "seller-address": list(map(one_line, letter.seller_address)),
        "return-line": " · ".join((view.seller, *map(one_line, letter.seller_address))),
        "address": list(_address_of(letter, t)),
        "facts": _facts(letter, t),
        "date": t.day(letter.written_on),
        "page": _say("page", t),
        "subject": words.subject,
        "greeting": view.greeting,
        "opening": words.opening,
        "columns": [view.words[key] for key in columns],
        "sections": [
            {
                "rows": [
                    [row.number, row.issued, row.due, *([row.overdue] if view.overdue else []), row.amount]
                    for row in section.rows
                ],
                "total": section.total,
            }
            for section in view.sections
        ],
        "total-label": view.words["total"],
        "discount": view.discount,
        "request": words.request,
        "pay": {"code": _qr_svg(letter.pay_link), "link": letter.pay_link, "label": _say("scan", t)},
        "banks": [[list(line) for line in bank] for bank in view.banks],
        "closing": words.closing,
        "regards": view.words["regards"],
        "signature": list(view.signature),
        "crossed": view.words["crossed"],
        "enclosed": _enclosed(letter.attachments, t),
    }


def _address_of(letter: Letter, t: Tongue) -> tuple[str, ...]:
    name = letter.customer or letter.person or ""
    if letter.address is None:
        return (one_line(name),)
    lines = address_lines(name, letter.person if letter.customer else None, letter.address, letter.country)
    abroad = letter.country and letter.seller_country and letter.country != letter.seller_country
    return (*lines, t.words.territories.get(letter.country, "").upper()) if abroad and letter.country else lines


def _facts(letter: Letter, t: Tongue) -> list[list[str]]:
    sender = letter.sender
    facts = [
        (_say("date", t), t.day(letter.written_on)),
        (_say("contact", t), one_line(sender.name) if sender else None),
        (_say("phone", t), one_line(sender.phone) if sender and sender.phone else None),
        ("E-Mail" if t.language == "de" else "E-mail", sender.reply_to if sender else None),
    ]
    return [[name, value] for name, value in facts if value]


def _enclosed(kinds: Sequence[str], t: Tongue) -> str:
    named = [_say(kind, t) for kind in ("invoices", "statement") if kind in kinds]
    return _say("enclosed", t, what=t.listed(named)) if named else ""


def _say(key: str, t: Tongue, **parts: str) -> str:
    return _WORDS[key][LANGUAGES.index(t.language)].format(**parts)


def _qr_svg(text: str) -> str:
    out = BytesIO()
    code = segno.make_qr(text, error="m", boost_error=False)
    code.save(out, kind="svg", border=0, xmldecl=False, svgns=True, omitsize=True, dark="#14213d")
    return out.getvalue().decode()


def sheet_of(letter: Letter, words: Words, position: int, window: Window) -> Sheet:
    """The letter as it stays, whatever is owed or renamed later."""
    content = letter_view(letter, words, window)
    return Sheet(
        contact_id=letter.contact_id,
        customer_id=letter.customer_id,
        position=position,
        customer=letter.customer,
        address=tuple(content["address"]),
        step=letter.step or letter.template,
        totals=tuple(section["total"] for section in content["sections"]),
        invoices=tuple(item.number for item in letter.items),
        content=content,
        documents=wanted(letter),
    )


def cover_view(batch: Batch, sheets: Sequence[Sheet], pages: Sequence[int]) -> dict[str, Any]:
    """All that `cover.typ` shows: `pages` are how many each letter has, its enclosures included."""
    return {
        "title": "Letters to print",
        "paper": sheets[0].content["paper"] if sheets else "a4",
        "facts": [
            ["Batch", str(batch.id)],
            ["Entity", batch.entity_id],
            ["Closed", f"{batch.closed_at:%Y-%m-%d %H:%M} UTC by {batch.closed_by}"],
            ["Letters", str(len(sheets))],
            ["Pages", f"{sum(pages)} after this list"],
        ],
        "columns": ["No.", "To", "Step", "Amount", "Pages"],
        "rows": [
            [str(sheet.position), ", ".join(sheet.address), sheet.step, ", ".join(sheet.totals), str(count)]
            for sheet, count in zip(sheets, pages, strict=True)
        ],
    }


def csv_of(sheets: Sequence[Sheet]) -> str:
    """The same list for a printing house. A cell that a spreadsheet would take for a formula is marked as text."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["position", "contact_id", "customer_id", "customer", "address", "step", "amount", "invoices"])
    for sheet in sheets:
        cells = (
            sheet.customer or "",
            " | ".join(sheet.address),
            sheet.step,
            " | ".join(sheet.totals),
            " ".join(sheet.invoices),
        )
        writer.writerow([sheet.position, sheet.contact_id, sheet.customer_id, *map(_inert, cells)])
    return out.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
