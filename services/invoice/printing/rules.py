"""What a printed page says: the facts of a paper as words, numbers and dates in the reader's language.

Everything the templates show is text made here, so that they hold layout and no language.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

import segno
from segno.helpers import make_epc_qr
from stdnum import iso11649

from services.invoice.papers.rules import UNEXEMPTED, Adjustment, BankAccount, Paper, PaperLine, PaperTax, Party
from services.invoice.pricing.rules import BP, TAXED
from services.invoice.print_words.rules import Tongue, tongue
from shared.money import Money, exponent

LETTER_SIZE = frozenset({"US", "CA", "MX", "CL", "CO", "PH"})
"""Where paper is 8.5 by 11 inches; it is A4 everywhere else."""

EPC_AMOUNT_MAX = 99_999_999_999
"""European Payments Council, EPC069-12: at most 999,999,999.99 euro in a code."""


def letterhead(seller: Party, accounts: Sequence[BankAccount], tongue: Tongue) -> dict[str, Any]:
    """The seller at the head and foot of each page."""
    contact = seller.contact
    reach = (contact.phone, contact.email, seller.website) if contact else (seller.website,)
    legal = (
        (tongue.say("registration"), seller.registration),
        (tongue.say("vat_id"), seller.vat_id),
        (tongue.say("tax_number"), seller.tax_number),
    )
    country = country_name(seller.address.country, tongue)
    return {
        "name": seller.name,
        "sender": " · ".join((seller.name, *seller.address.lines())),
        "address": [*seller.address.lines(), *([country] if country else [])],
        "contact": [part for part in (contact.name if contact else None, *reach) if part],
        "legal": [f"{label} {value}" for label, value in legal if value],
        "bank": [line for account in accounts[:1] for line in _account_lines(account)],
        "paper": "us-letter" if seller.address.country in LETTER_SIZE else "a4",
    }


def _account_lines(account: BankAccount) -> list[str]:
    number = f"IBAN {in_fours(account.iban)}" if account.iban else account.account_number
    return [part for part in (account.bank, number, f"BIC {account.bic}" if account.bic else None) if part]


def envelope(buyer: Party, seller: Party, tongue: Tongue) -> list[str]:
    """The buyer's address as it stands on a letter: the country, in capitals, only when it goes abroad."""
    country = buyer.address.country
    abroad = country_name(country, tongue).upper() if country and country != seller.address.country else ""
    contact = [buyer.contact.name] if buyer.contact and buyer.contact.name else []
    return [buyer.name, *contact, *buyer.address.lines(), *([abroad] if abroad else [])]


def country_name(country: str | None, tongue: Tongue) -> str:
    return tongue.words.territories.get(country, country) if country else ""


def in_fours(text: str) -> str:
    """An IBAN or RF reference in blocks of four, for people to copy."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def qr_svg(text: str) -> str:
    return _svg(segno.make_qr(text, error="m", boost_error=False))


def epc_svg(account: BankAccount, amount_minor: int, reference: str | None, number: str) -> str | None:
    """The QR code that banking apps turn into a SEPA transfer (EPC069-12); None where the account has no IBAN."""
    if not account.iban or not account.holder or not 0 < amount_minor <= EPC_AMOUNT_MAX:
        return None
    structured = reference if reference and iso11649.is_valid(reference) else None
    text = None if structured else (reference or number)[:140]
    amount = Money(amount_minor, "EUR").decimal
    code = make_epc_qr(account.holder[:70], account.iban, amount, text=text, reference=structured, bic=account.bic)
    return _svg(code)


def _svg(code: segno.QRCode) -> str:
    out = BytesIO()
    code.save(out, kind="svg", border=0, xmldecl=False, svgns=True, omitsize=True, dark="#14213d")
    return out.getvalue().decode()


def invoice_view(paper: Paper) -> dict[str, Any]:
    """All that `invoice.typ` shows."""
    t = tongue(paper.language, paper.buyer.address.country)
    is_invoice = paper.kind == "invoice"
    title = t.say(paper.kind)
    return {
        "title": title,
        "number": paper.number,
        "language": t.language,
        "seller": letterhead(paper.seller, paper.accounts, t),
        "buyer": envelope(paper.buyer, paper.seller, t),
        "facts": _facts(paper, t),
        "columns": [
            t.say("description"),
            t.say("quantity"),
            t.say("unit_price"),
            t.say("vat"),
            f"{t.say('amount')} ({paper.currency})",
        ],
        "lines": [_line(line, paper, t) for line in paper.lines],
        "sums": _sums(paper, t),
        "total": {
            "label": t.say("total" if is_invoice else "total_credit"),
            "amount": t.money(paper.total_minor, paper.currency),
        },
        "after_total": _after_total(paper, t),
        "tax_notes": list(dict.fromkeys(_tax_note(tax, t) for tax in paper.taxes if tax.category not in UNEXEMPTED)),
        "payment": _payment(paper, t),
        "credited": "" if is_invoice else t.say("credited"),
        "terms": {"label": t.say("terms"), "items": list(paper.terms)},
        "notes": list(paper.notes),
        "copy": t.say("copy_of", day=t.day(paper.copy_of)) if paper.copy_of else "",
        "words": {"page": t.say("page", page="{page}", pages="{pages}")},
    }


def _facts(paper: Paper, t: Tongue) -> list[list[str]]:
    deliver_to = paper.deliver_to
    rows = (
        ("number", paper.number),
        ("issued_on" if paper.kind == "invoice" else "date", t.day(paper.issued_on)),
        ("supplied_on", t.day(paper.supplied_on) if paper.supplied_on else None),
        ("period", f"{t.short_day(paper.period[0])} – {t.short_day(paper.period[1])}" if paper.period else None),
        ("due_on", t.day(paper.due_on) if paper.due_on and paper.kind == "invoice" else None),
        ("preceding", f"{paper.preceding.number}, {t.day(paper.preceding.issued_on)}" if paper.preceding else None),
        ("customer_number", paper.buyer.reference),
        ("buyer_reference", paper.buyer_reference),
        ("order_reference", paper.order_reference),
        ("contract_reference", paper.contract_reference),
        ("project_reference", paper.project_reference),
        ("delivery_reference", paper.delivery_reference),
        ("deliver_to", ", ".join(deliver_to.lines()) if deliver_to and deliver_to != paper.buyer.address else None),
        ("buyer_vat_id", paper.buyer.vat_id),
    )
    return [[t.say(key), value] for key, value in rows if value]


def _line(line: PaperLine, paper: Paper, t: Tongue) -> dict[str, Any]:
    remarks = (
        f"{t.say('item')} {line.item_number}" if line.item_number else None,
        f"{t.say('your_order_line')} {line.order_line}" if line.order_line else None,
        f"{t.short_day(line.period[0])} – {t.short_day(line.period[1])}" if line.period else None,
    )
    unit = t.unit(line.unit)
    gross = line.net_minor - sum(each.signed_minor for each in line.adjustments)
    return {
        "description": line.description,
        "remarks": [" · ".join(part for part in remarks if part), *([line.note] if line.note else [])],
        "quantity": t.number(line.quantity) + (f"\u00a0{unit}" if unit else ""),
        "unit_price": _unit_price(line, paper.currency, t),
        "vat": "–" if line.tax_category == "O" else t.percent(Decimal(line.tax_rate_bp) / 100),
        "amount": t.amount(gross, paper.currency),
        "adjustments": [_adjustment(each, paper.currency, t) for each in line.adjustments],
    }


def _unit_price(line: PaperLine, currency: str, t: Tongue) -> str:
    price = t.number(line.unit_price, exponent(currency))
    return price if line.base_quantity == 1 else f"{price} {t.say('per', count=t.number(line.base_quantity))}"


def _adjustment(each: Adjustment, currency: str, t: Tongue) -> list[str]:
    percent = f" ({t.percent(each.percent)})" if each.percent is not None else ""
    return [
        (each.reason or t.say("charge" if each.is_charge else "allowance")) + percent,
        t.amount(each.signed_minor, currency),
    ]


def _sums(paper: Paper, t: Tongue) -> list[list[str]]:
    """From the lines to the total: what is off and on, the net, and each rate of tax on its own base."""
    rows: list[list[str]] = []
    if paper.adjustments:
        rows.append([t.say("subtotal"), t.amount(paper.lines_minor, paper.currency)])
        rows += [_adjustment(each, paper.currency, t) for each in paper.adjustments]
    rows.append([t.say("net"), t.amount(paper.net_minor, paper.currency)])
    for tax in paper.taxes:
        if tax.category in TAXED:
            rate, taxable = t.percent(Decimal(tax.rate_bp) * 100 / BP), t.amount(tax.taxable_minor, paper.currency)
            label = t.say("vat_on", rate=rate, taxable=taxable)
            if tax.category != "S":
                label = label.replace(t.say("vat"), t.say(f"category_{tax.category}"))
        else:
            label = _category(tax, t) if len(paper.taxes) > 1 else t.say(f"category_{tax.category}")
            label = label.partition(":")[0]
        rows.append([label, t.amount(tax.tax_minor, paper.currency)])
    return rows


def _category(tax: PaperTax, t: Tongue) -> str:
    return t.say(f"category_{tax.category}")


def _tax_note(tax: PaperTax, t: Tongue) -> str:
    """Why there is no tax (Directive 2006/112/EC, Article 226 (11) and (11a))."""
    return f"{_category(tax, t)}: {tax.reason}" if tax.reason else _category(tax, t)


def _after_total(paper: Paper, t: Tongue) -> list[list[str]]:
    if not paper.prepaid_minor:
        return []
    return [
        [t.say("prepaid"), t.money(-paper.prepaid_minor, paper.currency)],
        [t.say("payable"), t.money(paper.payable_minor, paper.currency)],
    ]


def _payment(paper: Paper, t: Tongue) -> dict[str, Any] | None:
    """The box that says how much to pay, by when and where to; a credit note has none."""
    if paper.kind == "credit_note":
        return None
    due = paper.payable_minor > 0
    account = paper.accounts[0] if paper.accounts else None
    heading = t.say("pay_by", day=t.day(paper.due_on)) if due and paper.due_on else t.say("nothing_due")
    codes = []
    if due and account and paper.currency == "EUR":
        epc = epc_svg(account, paper.payable_minor, paper.payment_reference, paper.number)
        codes += [{"label": t.say("scan_to_pay"), "svg": epc}] if epc else []
    if due and paper.pay_link:
        codes.append({"label": t.say("pay_online"), "svg": qr_svg(paper.pay_link), "link": paper.pay_link})
    return {
        "heading": heading if due else t.say("nothing_due"),
        "amount": t.money(paper.payable_minor, paper.currency),
        "details": _bank_details(account, paper, t) if due and account else [],
        "codes": codes,
    }


def _bank_details(account: BankAccount, paper: Paper, t: Tongue) -> list[list[str]]:
    reference = paper.payment_reference or paper.number
    structured = iso11649.is_valid(reference)
    rows = (
        (t.say("beneficiary"), account.holder or paper.seller.name),
        ("IBAN", in_fours(account.iban) if account.iban else None),
        (t.say("account"), None if account.iban else account.account_number),
        ("BIC", account.bic),
        (t.say("bank"), account.bank),
        (t.say("reference"), in_fours(reference) if structured else reference),
    )
    return [[label, value] for label, value in rows if value]
