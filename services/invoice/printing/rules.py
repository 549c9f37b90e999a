"""What a printed page says: the facts of a paper as words, numbers and dates in the reader's language.

Everything the templates show is text made here, so that they hold layout and no language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import Any, Literal

import segno
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from segno.helpers import make_epc_qr
from stdnum import iso11649

from services.invoice.documents.rules import UNEXEMPTED, Adjustment, BankAccount, Paper, PaperLine, PaperTax, Party
from services.invoice.pricing.rules import BP, TAXED
from shared.money import Money, exponent

Language = Literal["en", "de", "fr", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "fr", "es")
"""The languages there are words in; whoever reads another is written to in English."""

LETTER_SIZE = frozenset({"US", "CA", "MX", "CL", "CO", "PH"})
"""Where paper is 8.5 by 11 inches; it is A4 everywhere else."""

PRICE_PLACES_MAX = 10

EPC_AMOUNT_MAX = 99_999_999_999
"""European Payments Council, EPC069-12: at most 999,999,999.99 euro in a code."""

WORDS: Mapping[str, tuple[str, str, str, str]] = {
    # key: English, German, French, Spanish
    "invoice": ("Invoice", "Rechnung", "Facture", "Factura"),
    "credit_note": ("Credit note", "Rechnungskorrektur", "Avoir", "Factura rectificativa"),
    "on_plan": (
        *("of which on an instalment plan", "davon in Raten vereinbart", "dont en paiement échelonné"),
        "de los cuales a plazos",
    ),
    "copy_of": (
        *("Copy of the document sent on {day}", "Kopie des am {day} versandten Dokuments"),
        *("Copie du document envoyé le {day}", "Copia del documento enviado el {day}"),
    ),
    "statement": ("Statement of account", "Kontoauszug", "Relevé de compte", "Extracto de cuenta"),
    "receipt": ("Payment receipt", "Zahlungsbestätigung", "Reçu de paiement", "Recibo de pago"),
    "bill_to": ("Billed to", "Rechnungsempfänger", "Facturé à", "Facturado a"),
    "number": ("Number", "Nummer", "Numéro", "Número"),
    "date": ("Date", "Datum", "Date", "Fecha"),
    "issued_on": ("Date of issue", "Rechnungsdatum", "Date d’émission", "Fecha de emisión"),
    "supplied_on": ("Date of supply", "Leistungsdatum", "Date de livraison", "Fecha de entrega"),
    "debited_account": ("Account debited", "Belastetes Konto", "Compte débité", "Cuenta adeudada"),
    "mandate_reference": (
        *("Mandate reference", "Mandatsreferenz", "Référence unique du mandat", "Referencia del mandato"),
    ),
    "creditor_id": (
        *("Creditor identifier", "Gläubiger-ID", "Identifiant créancier SEPA", "Identificador del acreedor"),
    ),
    "due_on": ("Due date", "Fällig am", "Échéance", "Vencimiento"),
    "customer_number": ("Customer no.", "Kundennummer", "N° client", "N.º de cliente"),
    "buyer_reference": ("Your reference", "Ihre Referenz", "Votre référence", "Su referencia"),
    "order_reference": ("Order", "Bestellung", "Commande", "Pedido"),
    "contract_reference": ("Contract", "Vertrag", "Contrat", "Contrato"),
    "delivery_reference": ("Delivery note", "Lieferschein", "Bon de livraison", "Albarán"),
    "preceding": ("For invoice", "Zur Rechnung", "Sur facture", "De la factura"),
    "buyer_vat_id": ("Your VAT ID", "Ihre USt-IdNr.", "Votre n° TVA", "Su NIF-IVA"),
    "deliver_to": ("Delivered to", "Lieferadresse", "Livré à", "Entregado en"),
    "description": ("Description", "Bezeichnung", "Désignation", "Descripción"),
    "quantity": ("Quantity", "Menge", "Quantité", "Cantidad"),
    "unit_price": ("Unit price", "Einzelpreis", "Prix unitaire", "Precio unitario"),
    "vat": ("VAT", "USt.", "TVA", "IVA"),
    "amount": ("Amount", "Betrag", "Montant", "Importe"),
    "item": ("Item", "Artikel", "Article", "Artículo"),
    "your_order_line": ("Order line", "Bestellposition", "Ligne de commande", "Línea de pedido"),
    "allowance": ("Discount", "Nachlass", "Remise", "Descuento"),
    "charge": ("Surcharge", "Zuschlag", "Supplément", "Recargo"),
    "per": ("per {count}", "je {count}", "par {count}", "por {count}"),
    "project_reference": ("Project", "Projekt", "Projet", "Proyecto"),
    "subtotal": ("Subtotal", "Zwischensumme", "Sous-total", "Subtotal"),
    "net": ("Total excl. VAT", "Summe netto", "Total HT", "Base imponible"),
    "vat_on": (
        "VAT {rate} on {taxable}",
        "USt. {rate} auf {taxable}",
        "TVA {rate} sur {taxable}",
        "IVA {rate} de {taxable}",
    ),
    "total": ("Total", "Gesamtbetrag", "Total TTC", "Total"),
    "total_credit": ("Total credit", "Gutschriftsbetrag", "Total de l’avoir", "Total a su favor"),
    "prepaid": ("Already paid", "Bereits bezahlt", "Déjà réglé", "Ya pagado"),
    "payable": ("Amount due", "Zu zahlen", "Net à payer", "Total a pagar"),
    "category_Z": ("Zero rated", "Steuersatz 0 %", "Taux zéro", "Tipo cero"),
    "category_E": ("Exempt from VAT", "Von der Umsatzsteuer befreit", "Exonéré de TVA", "Exento de IVA"),
    "category_AE": (
        "Reverse charge: VAT is owed by the recipient",
        "Steuerschuldnerschaft des Leistungsempfängers",
        "Autoliquidation : TVA due par le preneur",
        "Inversión del sujeto pasivo",
    ),
    "category_K": (
        "Intra-Community supply, exempt from VAT",
        "Steuerfreie innergemeinschaftliche Lieferung",
        "Livraison intracommunautaire exonérée de TVA",
        "Entrega intracomunitaria exenta de IVA",
    ),
    "category_G": (
        "Export, exempt from VAT",
        "Steuerfreie Ausfuhrlieferung",
        "Exportation exonérée de TVA",
        "Exportación exenta de IVA",
    ),
    "category_L": ("IGIC", "IGIC", "IGIC", "IGIC"),
    "category_M": ("IPSI", "IPSI", "IPSI", "IPSI"),
    "category_O": ("Not subject to VAT", "Nicht umsatzsteuerbar", "Hors champ de la TVA", "No sujeto a IVA"),
    "pay_by": ("Please pay by {day}", "Zahlbar bis {day}", "À régler au plus tard le {day}", "A pagar hasta el {day}"),
    "nothing_due": ("Nothing left to pay", "Nichts mehr zu zahlen", "Plus rien à régler", "Nada pendiente de pago"),
    "credited": (
        "This amount is credited to your account.",
        "Der Betrag wird Ihrem Konto gutgeschrieben.",
        "Ce montant est porté au crédit de votre compte.",
        "Este importe se abona en su cuenta.",
    ),
    "beneficiary": ("Beneficiary", "Empfänger", "Bénéficiaire", "Beneficiario"),
    "account": ("Account", "Konto", "Compte", "Cuenta"),
    "bank": ("Bank", "Bank", "Banque", "Banco"),
    "reference": ("Reference", "Verwendungszweck", "Référence", "Referencia"),
    "scan_to_pay": (
        "Scan with your banking app",
        "Mit der Banking-App scannen",
        "À scanner avec l’appli bancaire",
        "Escanear con la app del banco",
    ),
    "pay_online": ("Pay online", "Online bezahlen", "Payer en ligne", "Pagar en línea"),
    "terms": ("Terms", "Zahlungsbedingungen", "Conditions", "Condiciones"),
    "page": (
        "Page {page} of {pages}",
        "Seite {page} von {pages}",
        "Page {page} sur {pages}",
        "Página {page} de {pages}",
    ),
    "vat_id": ("VAT ID", "USt-IdNr.", "N° TVA", "NIF-IVA"),
    "tax_number": ("Tax no.", "Steuernummer", "N° fiscal", "NIF"),
    "registration": ("Registration", "Register", "Immatriculation", "Registro"),
    # Statement of account
    "period": ("Period", "Zeitraum", "Période", "Periodo"),
    "from_to": ("{first} to {last}", "{first} bis {last}", "du {first} au {last}", "del {first} al {last}"),
    "entry": ("Transaction", "Vorgang", "Opération", "Movimiento"),
    "debit": ("Charged", "Belastung", "Débit", "Cargo"),
    "credit": ("Credited", "Gutschrift", "Crédit", "Abono"),
    "balance": ("Balance", "Saldo", "Solde", "Saldo"),
    "opening": ("Opening balance", "Anfangssaldo", "Solde initial", "Saldo inicial"),
    "closing": ("Closing balance", "Endsaldo", "Solde final", "Saldo final"),
    "unapplied": (
        "Payments not yet assigned to an invoice, deducted above",
        "Noch nicht zugeordnete Zahlungen, oben abgezogen",
        "Paiements non encore affectés, déduits ci-dessus",
        "Pagos aún sin asignar, ya deducidos arriba",
    ),
    "no_entries": (
        "No transactions in this period",
        "Keine Vorgänge in diesem Zeitraum",
        "Aucune opération sur la période",
        "Sin movimientos en este periodo",
    ),
    "in_your_favour": ("in your favour", "zu Ihren Gunsten", "en votre faveur", "a su favor"),
    "open_invoices": ("Open invoices", "Offene Rechnungen", "Factures ouvertes", "Facturas pendientes"),
    "entry_invoice": ("Invoice {number}", "Rechnung {number}", "Facture {number}", "Factura {number}"),
    "entry_credit_note": (
        "Credit note for invoice {number}",
        "Gutschrift zur Rechnung {number}",
        "Avoir sur facture {number}",
        "Abono de la factura {number}",
    ),
    "entry_payment": ("Payment received", "Zahlung erhalten", "Paiement reçu", "Pago recibido"),
    "entry_payment_reversal": ("Payment returned", "Rückgabe einer Zahlung", "Paiement rejeté", "Pago devuelto"),
    "entry_refund": ("Refund", "Erstattung", "Remboursement", "Reembolso"),
    "entry_discount": (
        "Early-payment discount on invoice {number}",
        "Skonto auf Rechnung {number}",
        "Escompte sur facture {number}",
        "Descuento por pronto pago de la factura {number}",
    ),
    "entry_small_difference": (
        "Small difference on invoice {number}",
        "Kleindifferenz zur Rechnung {number}",
        "Écart minime sur facture {number}",
        "Pequeña diferencia de la factura {number}",
    ),
    "entry_write_off": (
        "Write-off of invoice {number}",
        "Ausbuchung der Rechnung {number}",
        "Abandon de la facture {number}",
        "Cancelación de la factura {number}",
    ),
    "entry_charge": (
        "Charge on invoice {number}",
        "Gebühren und Zinsen zur Rechnung {number}",
        "Frais et intérêts sur facture {number}",
        "Cargos e intereses de la factura {number}",
    ),
    "entry_void": (
        "Cancellation of invoice {number}",
        "Stornierung der Rechnung {number}",
        "Annulation de la facture {number}",
        "Anulación de la factura {number}",
    ),
    "entry_allocation": ("Payment assigned", "Zahlung zugeordnet", "Paiement affecté", "Pago asignado"),
    "entry_correction": ("Correction", "Korrektur", "Correction", "Corrección"),
    "applied_to": ("applied to {numbers}", "verrechnet mit {numbers}", "affecté à {numbers}", "aplicado a {numbers}"),
    # Receipt
    "received": (
        "We received {amount} on {day}. Thank you.",
        "Wir haben {amount} am {day} erhalten. Vielen Dank.",
        "Nous avons reçu {amount} le {day}. Merci.",
        "Hemos recibido {amount} el {day}. Gracias.",
    ),
    "payment_method": ("Method", "Zahlungsart", "Moyen de paiement", "Forma de pago"),
    "payment_text": ("Remittance text", "Verwendungszweck", "Libellé", "Concepto"),
    "settled_by_it": (
        "Settled by this payment",
        "Damit ausgeglichen",
        "Réglé par ce paiement",
        "Liquidado con este pago",
    ),
    "paid_part": ("Paid", "Bezahlt", "Payé", "Pagado"),
    "remains": ("Remains", "Noch offen", "Reste dû", "Pendiente"),
    "settled": ("settled", "ausgeglichen", "soldée", "liquidada"),
    "kept_unapplied": (
        "Not yet assigned to an invoice",
        "Noch keiner Rechnung zugeordnet",
        "Non encore affecté à une facture",
        "Aún sin asignar a una factura",
    ),
    "still_owed": (
        "Still open on your account",
        "Noch offen auf Ihrem Konto",
        "Reste dû sur votre compte",
        "Pendiente en su cuenta",
    ),
    "was_reversed": (
        "This payment was returned on {day}.",
        "Diese Zahlung wurde am {day} zurückgegeben.",
        "Ce paiement a été rejeté le {day}.",
        "Este pago fue devuelto el {day}.",
    ),
    "method_bank_transfer": ("Bank transfer", "Überweisung", "Virement", "Transferencia"),
    "method_card": ("Card", "Karte", "Carte", "Tarjeta"),
    "method_direct_debit": ("Direct debit", "Lastschrift", "Prélèvement", "Adeudo directo"),
    "method_cash": ("Cash", "Bar", "Espèces", "Efectivo"),
    "method_cheque": ("Cheque", "Scheck", "Chèque", "Cheque"),
}

UNITS: Mapping[str, tuple[str, str, str, str]] = {
    "C62": ("", "", "", ""),
    "H87": ("pcs", "Stk.", "pce", "ud."),
    "EA": ("pcs", "Stk.", "pce", "ud."),
    "HUR": ("h", "Std.", "h", "h"),
    "DAY": ("days", "Tage", "jours", "días"),
    "MON": ("months", "Monate", "mois", "meses"),
    "KGM": ("kg", "kg", "kg", "kg"),
    "TNE": ("t", "t", "t", "t"),
    "LTR": ("l", "l", "l", "l"),
    "MTR": ("m", "m", "m", "m"),
    "MTK": ("m²", "m²", "m²", "m²"),
    "MTQ": ("m³", "m³", "m³", "m³"),
    "KMT": ("km", "km", "km", "km"),
    "KWH": ("kWh", "kWh", "kWh", "kWh"),
}
"""UN/ECE Recommendation 20 codes as people write them; another code is shown as it is."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """A reader's language: `words` for text and dates, `figures` for numbers as in the country they live in."""

    language: Language
    words: Locale
    figures: Locale

    def say(self, key: str, **parts: str) -> str:
        return WORDS[key][LANGUAGES.index(self.language)].format(**parts)

    def day(self, day: date) -> str:
        """`1 March 2024`: nobody takes the month for the day."""
        return format_date(day, "long" if self.language != "en" else "d MMMM y", locale=self.words)

    def short_day(self, day: date) -> str:
        return format_date(day, "d. MMM y" if self.language == "de" else "d MMM y", locale=self.words)

    def money(self, minor: int, currency: str) -> str:
        """With the currency, `1.499,40 €`; decimals are ISO 4217's, which CLDR would cut for some currencies."""
        places = exponent(currency)
        pattern = self.figures.currency_formats["standard"].pattern.replace(
            "0.00", "0." + "0" * places if places else "0"
        )
        amount = Money(minor, currency).decimal
        return _signed(format_currency(amount, currency, pattern, locale=self.figures, currency_digits=False))

    def amount(self, minor: int, currency: str) -> str:
        """Without it, for columns whose head names it."""
        places = exponent(currency)
        pattern = _decimal_pattern(self.figures, places, places)
        return _signed(format_decimal(Money(minor, currency).decimal, pattern, locale=self.figures))

    def number(self, value: Decimal, places_min: int = 0) -> str:
        return _signed(
            format_decimal(value, _decimal_pattern(self.figures, places_min, PRICE_PLACES_MAX), locale=self.figures)
        )

    def percent(self, value: Decimal) -> str:
        return format_percent(value / 100, "#,##0.## %" if self.language != "en" else "#,##0.##%", locale=self.figures)

    def unit(self, code: str) -> str:
        return UNITS[code][LANGUAGES.index(self.language)] if code in UNITS else code


def _signed(figures: str) -> str:
    """With a minus as wide as a plus, and one that does not break from its digits at the end of a line."""
    return figures.replace("-", "−")


def _decimal_pattern(figures: Locale, places_min: int, places_max: int) -> str:
    """The country's own grouping with so many decimals."""
    whole = figures.decimal_formats[None].pattern.partition(".")[0]
    return f"{whole}.{'0' * places_min}{'#' * (places_max - places_min)}" if places_max else whole


_SPOKEN: Mapping[str, Language] = {language: language for language in LANGUAGES}


@cache
def tongue(language: str, country: str | None) -> Tongue:
    """The tongue of a customer: English words where theirs are not here, their country's numbers all the same."""
    base = language.replace("_", "-").partition("-")[0].lower()
    spoken = _SPOKEN.get(base, LANGUAGES[0])
    return Tongue(spoken, Locale(spoken), _figures(spoken, country))


def _figures(language: str, country: str | None) -> Locale:
    for tag in (f"{language}_{country}" if country else language, language):
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def words_of(tongue: Tongue, *keys: str) -> dict[str, str]:
    return {key: tongue.say(key) for key in keys}


# --- what all pages share ---


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


# --- invoices and credit notes ---


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
