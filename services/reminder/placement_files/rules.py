"""What a collection agency is handed: its claims as CSV and JSON, and the invoices' documents, in one ZIP."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

HEADINGS = (
    *("reference", "customer_number", "customer", "country", "contact", "email"),
    *("invoice", "issued_on", "due_on", "days_overdue", "amount", "currency", "document"),
)


def pack(rows: Sequence[Mapping[str, Any]], documents: Mapping[str, bytes]) -> bytes:
    """`rows` are the claims, a value for each heading; `documents` PDFs by invoice number. Same claims, same
    bytes."""
    table = io.StringIO()
    writer = csv.DictWriter(table, HEADINGS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        _put(folder, "claims.csv", table.getvalue().encode("utf-8-sig"))
        _put(folder, "claims.json", json.dumps(rows, ensure_ascii=False, indent=2).encode())
        for number, content in sorted(documents.items()):
            _put(folder, file_name(number), content)
    return packed.getvalue()


def file_name(number: str) -> str:
    """Of an invoice's document within the ZIP."""
    safe = "".join(each if each.isalnum() or each in "-_." else "-" for each in number)
    return f"documents/{safe}.pdf"


def _harmless(value: Any) -> Any:
    """A cell that a spreadsheet would take for a formula is marked as text (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _put(folder: zipfile.ZipFile, name: str, content: bytes) -> None:
    folder.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
