"""A draft as a form: what stands in its fields, what was written into them, and what is said of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from services.invoice.drafting.rules import Finding, InvoiceIn
from services.invoice.drafts.rules import merged
from services.invoice.mappings.rules import Kind
from shared.errors import DomainError, Refused


class DraftUnreadable(Refused):
    slug = "draft-unreadable"
    title = "The draft cannot be kept like this"


class Field(NamedTuple):
    """A field of the request; `kind` is how a browser asks for it."""

    name: str
    label: str
    kind: str = "text"


FIELDS = (
    Field("reference", "Reference"),
    Field("buyer_reference", "Buyer reference (BT-10)"),
    Field("order_reference", "Purchase order (BT-13)"),
    Field("contract_reference", "Contract (BT-12)"),
    Field("issue_date", "Issue date", "date"),
    Field("supplied_on", "Supplied on", "date"),
    Field("due_date", "Due date", "date"),
    Field("number", "Own number"),
)
LINE_FIELDS = (
    Field("description", "Description"),
    Field("quantity", "Quantity", "decimal"),
    Field("unit_price", "Price", "decimal"),
    Field("tax_category", "Tax"),
    Field("tax_rate", "Rate %", "decimal"),
)
EMPTY_LINES = 2
"""So many lines may be added at a time."""


KINDS: tuple[tuple[Kind, str], ...] = (
    ("invoices", "Invoices"),
    ("opening_balances", "Open items of a former system"),
    ("payment_history", "Paid invoices of a former system"),
)


def profile_chosen(text: str) -> tuple[str | None, Kind | None]:
    """What was chosen on the page of imports: a saved profile by its name, or `=` and the kind for columns named as the
    fields are."""
    if text.startswith("="):
        known: dict[str, Kind] = {kind: kind for kind, _ in KINDS}
        return None, known.get(text[1:], "invoices")
    return text, None


@dataclass(frozen=True, slots=True)
class Form:
    """What the fields show, by their names, and what is said of them, by their pointers into the request."""

    values: Mapping[str, str]
    lines: int
    said: Mapping[str, Sequence[Finding]]

    def of(self, name: str) -> Sequence[Finding]:
        return self.said.get(name, ())

    @property
    def elsewhere(self) -> list[Finding]:
        """What concerns no field of the form."""
        shown = {field.name for field in FIELDS} | {
            f"lines-{n}-{field.name}" for n in range(self.lines) for field in LINE_FIELDS
        }
        return [finding for name, findings in self.said.items() if name not in shown for finding in findings]


def shown(body: Mapping[str, Any], findings: Sequence[Finding], typed: Mapping[str, str] | None = None) -> Form:
    """The form of a draft as it stands, or as somebody typed it; `findings` at the fields that they are about."""
    lines = body.get("lines", [])
    values = {field.name: str(body.get(field.name) or "") for field in FIELDS}
    for n, line in enumerate(lines):
        tax = line.get("tax") or {}
        values |= {
            f"lines-{n}-description": line["description"],
            f"lines-{n}-quantity": line.get("quantity", "1"),
            f"lines-{n}-unit_price": line["unit_price"]["amount"],
            f"lines-{n}-tax_category": tax.get("category", ""),
            f"lines-{n}-tax_rate": tax.get("rate", ""),
        }
    said: dict[str, list[Finding]] = {}
    for finding in findings:
        said.setdefault(field_at(finding.field), []).append(finding)
    return Form({**values, **(typed or {})}, len(lines) + EMPTY_LINES, said)


_PLACES = (
    (re.compile(r"/lines/(\d+)/unit_price"), "lines-{}-unit_price"),
    (re.compile(r"/lines/(\d+)/quantity"), "lines-{}-quantity"),
    (re.compile(r"/lines/(\d+)/tax/category|/lines/(\d+)/tax$|/lines/(\d+)/tax/exemption"), "lines-{}-tax_category"),
    (re.compile(r"/lines/(\d+)/tax/rate"), "lines-{}-tax_rate"),
    (re.compile(r"/lines/(\d+)"), "lines-{}-description"),
    (re.compile(r"/payment_terms"), "due_date"),
)


def field_at(pointer: str) -> str:
    """The form's field for a JSON pointer into the request; the pointer itself where there is none."""
    for pattern, name in _PLACES:
        if found := pattern.match(pointer):
            return name.format(next((each for each in found.groups() if each is not None), ""))
    return pointer.removeprefix("/")


def read(body: Mapping[str, Any], form: Mapping[str, str]) -> InvoiceIn:
    """The request with what was written into the form; all that the form does not show stays as it is.

    Raises DraftUnreadable with the finding of every field, and what pricing raises.
    """
    head = {field.name: form.get(field.name, "").strip() or None for field in FIELDS}
    wanted = merged(body, {**head, "lines": _lines(body, form)})
    try:
        read = InvoiceIn.model_validate(wanted)
    except ValidationError as error:
        raise DraftUnreadable("see what is said at the fields", findings=_findings(error)) from None
    try:
        read.priced()
    except DomainError as error:
        found = Finding(code=error.slug, severity="error", field=error.field or "", detail=error.detail)
        raise DraftUnreadable(error.detail, findings=[found]) from None
    return read


_WANTED = {
    "unit_price": "a price like 120.00 is wanted",
    "quantity": "a quantity like 2.5 is wanted",
    "tax_rate": "a percentage like 19 is wanted",
    "tax_category": "a category is wanted: S, Z, E, AE, K, G, O, L or M",
    "description": "a few words are wanted, at most 500 characters",
}


def _findings(error: ValidationError) -> list[Finding]:
    """One for each field, in a person's words where a rule of ours does not say it better."""
    found: dict[str, Finding] = {}
    for each in error.errors(include_url=False):
        pointer = "".join(f"/{part}" for part in each["loc"])
        name = field_at(pointer)
        detail = each["msg"].removeprefix("Value error, ")
        if each["type"] != "value_error":
            detail = _WANTED.get(name.rpartition("-")[2], detail)
        elif name in found:
            continue
        found[name] = Finding(code="unreadable", severity="error", field=pointer, detail=detail)
    return list(found.values())


def _lines(body: Mapping[str, Any], form: Mapping[str, str]) -> list[dict[str, Any]]:
    """The lines written; one without description and price is left out."""
    before = body["lines"]
    currency = before[0]["unit_price"]["currency"]
    lines = []
    for n in range(len(before) + EMPTY_LINES):
        typed = {field.name: form.get(f"lines-{n}-{field.name}", "").strip() for field in LINE_FIELDS}
        if not typed["description"] and not typed["unit_price"]:
            continue
        kept = dict(before[n]) if n < len(before) else {}
        tax = {"category": typed["tax_category"], "rate": typed["tax_rate"] or "0"} if typed["tax_category"] else None
        if tax and (kept.get("tax") or {}).get("category") == tax["category"]:
            tax = {**kept["tax"], **tax}
        priced_in = kept["unit_price"]["currency"] if kept else currency
        kept |= {
            "description": typed["description"],
            "quantity": typed["quantity"] or "1",
            "unit_price": {"amount": typed["unit_price"], "currency": priced_in},
            "tax": tax,
        }
        lines.append({name: value for name, value in kept.items() if value is not None})
    return lines
