"""Typeset pages: PDF/A-3 from the templates, with the electronic invoice inside where there is one.

Typesetting takes some hundredths of a second of processor time, so doors call these by `asyncio.to_thread`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from threading import local
from typing import Any, Literal

import facturx
import orjson
import typst

from services.invoice.cii import rules as cii
from services.invoice.papers.rules import Paper, defects
from services.invoice.printing import rules

Template = Literal["invoice", "statement", "receipt", "notice"]

_TEMPLATES = Path(__file__).parent / "templates"
_own = local()


def print_invoice(paper: Paper) -> bytes:
    """The PDF of an invoice or credit note: Factur-X (PDF/A-3 with the CII document inside) where the paper is a
    complete EN 16931 invoice, else PDF/A-3 alone."""
    view = rules.invoice_view(paper)
    pdf = typeset("invoice", view, paper.issued_on)
    if defects(paper):
        return pdf
    return facturx.generate_from_binary(
        pdf,
        cii.write(paper),
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        pdf_metadata={
            "author": paper.seller.name,
            "title": f"{view['title']} {paper.number}",
            "subject": f"{view['title']} {paper.number}, {paper.issued_on}, {paper.seller.name}",
            "keywords": "Factur-X",
        },
        lang=view["language"],
        afrelationship="alternative",
    )


def typeset_invoice(paper: Paper) -> bytes:
    """The pages alone, for the printer."""
    return typeset("invoice", rules.invoice_view(paper), paper.issued_on)


def typeset(template: Template, view: dict[str, Any], dated: date) -> bytes:
    """One document as PDF/A-3b. Raises typst.TypstError when a template is broken."""
    pdf = _compiler(template).compile(
        format="pdf",
        sys_inputs={"data": orjson.dumps(view).decode()},
        pdf_standards=["a-3b"],
        timestamp=datetime.combine(dated, time(), UTC),
    )
    assert isinstance(pdf, bytes)
    return pdf


def _compiler(template: Template) -> typst.Compiler:
    """One for each thread and template, since a compiler does one thing at a time; it remembers what did not change."""
    if not hasattr(_own, "compilers"):
        _own.compilers = {}
    if template not in _own.compilers:
        source = _TEMPLATES / f"{template}.typ"
        _own.compilers[template] = typst.Compiler(source, root=_TEMPLATES, font_paths=_fonts())
    return _own.compilers[template]


@cache
def _fonts() -> typst.Fonts:
    """The typefaces that come with typst, so that a page looks the same everywhere; the system's only help out with
    characters those do not have."""
    return typst.Fonts(include_system_fonts=True)
