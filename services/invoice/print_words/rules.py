"""The words of printed pages in the languages they come in, and numbers and dates as their readers are used to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from shared.money import Money, exponent

Language = Literal["en", "de", "fr", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "fr", "es")
"""The languages there are words in; whoever reads another is written to in English."""

PRICE_PLACES_MAX = 10

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
