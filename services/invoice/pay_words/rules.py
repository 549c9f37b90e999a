"""The words of the customer's page in its languages, and how each writes dates and amounts. What it says of disputes,
promises and plans stands in `agree_words`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from services.invoice.agree_words import rules as agree_words
from services.invoice.entities.rules import DisputePolicy
from shared.money import Money

STANDARD_REASONS = frozenset(DisputePolicy().codes)
"""Disputes are counted under these unless the entity has codes of its own; the page has words for them."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language with its words, and how it writes dates and amounts."""

    language: str
    locale: Locale
    words: Mapping[str, str]

    def say(self, key: str, **parts: object) -> str:
        return self.words[key].format(**parts)

    def reason(self, code: str) -> str:
        """What a dispute is about; an entity's own code is read as it is written, `late_delivery` as Late delivery."""
        return self.words[code] if code in STANDARD_REASONS else code.replace("_", " ").capitalize()

    def day(self, day: date) -> str:
        return format_date(day, "long", locale=self.locale)

    def short_day(self, day: date) -> str:
        return format_date(day, "medium", locale=self.locale)

    def money(self, minor: int, currency: str) -> str:
        return format_currency(Money(minor, currency).decimal, currency, locale=self.locale, currency_digits=True)


@cache
def tongue(language: str, country: str) -> Tongue:
    """The customer's language where the page has it, English otherwise; figures as in the customer's country."""
    base = language.partition("-")[0]
    known = base if base in WORDS else "en"
    try:
        locale = Locale.parse(f"{known}_{country}")
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse("en_GB" if known == "en" else known)
    return Tongue(known, locale, MappingProxyType(_words("en") | _words(known)))


def _words(language: str) -> dict[str, str]:
    return WORDS[language] | agree_words.WORDS[language]


WORDS: Mapping[str, dict[str, str]] = MappingProxyType(
    {
        "en": {
            "title": "Your account with {seller}",
            "hello": "Account of {customer}",
            "you_owe": "Open",
            "overdue": "of which overdue",
            "nothing": "Nothing is open. Thank you!",
            "invoice": "Invoice",
            "issued": "Issued",
            "due": "Due",
            "amount": "Open amount",
            "of_total": "of {total}",
            "due_today": "due today",
            "due_in": "due in {days} days",
            "due_in_one": "due tomorrow",
            "overdue_by": "{days} days overdue",
            "overdue_by_one": "1 day overdue",
            "planned": "{amount} on an instalment plan",
            "choose": "Choose what to pay",
            "select": "Pay invoice {number}",
            "pay": "Pay by card or bank debit",
            "pay_amount": "Pay {amount}",
            "save": "Keep my payment method for later invoices",
            "bank": "Or pay by bank transfer",
            "bank_hint": "Please state the reference, so that your payment is found at once.",
            "holder": "Payee",
            "reference": "Reference",
            "scan": "Scan with your banking app",
            "pdf": "PDF",
            "history": "Paid lately",
            "settled": "settled on {day}",
            "voided": "cancelled on {day}",
            "written_off": "closed on {day}",
            "payments": "Your payments",
            "credit": "Credit on your account: {amount}",
            "contact": "Questions?",
            "paid_done": "Thank you! Your payment of {amount} has arrived.",
            "paid_wait": "Thank you. Your payment of {amount} is being confirmed by your bank.",
            "paid_failed": "Your payment of {amount} did not go through. Nothing was charged.",
            "no_cards": "Payments by card cannot be taken just now. Please try again later, or pay by bank transfer.",
            "refused": "That did not work: {why}",
            "method": "Invoices are collected on their due date with {label}.",
            "method_remove": "Stop collecting",
            "bank_only": "Pay by bank transfer",
            "on_plan": "{amount} on an instalment plan",
            "being_collected": "{amount} under way",
            "method_mandate": "Mandate reference: {reference}",
            "method_save": "Save a card or bank account",
            "method_save_lead": (
                "Invoices and instalments are then collected by themselves on their day; you can stop "
                "that here at any time. Debits from a bank account are announced to you {days} days "
                "before."
            ),
            "method_saved": "Thank you. Your payment method is being saved.",
            "debit_on": "{what}: we debit {amount} from {label} on {day}.",
            "debit_under_way": "{what}: {amount} from {label} is under way. Your bank confirms it within some days.",
            "what_invoice": "Invoice {number}",
            "what_instalment": "Instalment of {day}",
            "collect_again": "{what} could not be collected. We try again on {day}, or you pay it here.",
            "collect_given_up": "{what} could not be collected. Please pay it here or by transfer.",
            "gone": "This link does not work any more",
            "gone_lead": "It is not complete, too old, or was replaced. Every message from us carries a new one.",
        },
        "de": {
            "title": "Ihr Konto bei {seller}",
            "hello": "Konto von {customer}",
            "you_owe": "Offen",
            "overdue": "davon überfällig",
            "nothing": "Es ist nichts offen. Vielen Dank!",
            "invoice": "Rechnung",
            "issued": "Vom",
            "due": "Fällig",
            "amount": "Offener Betrag",
            "of_total": "von {total}",
            "due_today": "heute fällig",
            "due_in": "fällig in {days} Tagen",
            "due_in_one": "morgen fällig",
            "overdue_by": "{days} Tage überfällig",
            "overdue_by_one": "1 Tag überfällig",
            "planned": "{amount} in Raten vereinbart",
            "choose": "Wählen Sie, was Sie zahlen möchten",
            "select": "Rechnung {number} bezahlen",
            "pay": "Mit Karte oder Lastschrift zahlen",
            "pay_amount": "{amount} zahlen",
            "save": "Zahlungsart für spätere Rechnungen behalten",
            "bank": "Oder per Überweisung",
            "bank_hint": "Bitte geben Sie den Verwendungszweck an, damit Ihre Zahlung sofort zugeordnet wird.",
            "holder": "Empfänger",
            "reference": "Verwendungszweck",
            "scan": "Mit der Banking-App scannen",
            "history": "Zuletzt beglichen",
            "settled": "beglichen am {day}",
            "voided": "storniert am {day}",
            "written_off": "abgeschlossen am {day}",
            "payments": "Ihre Zahlungen",
            "credit": "Guthaben auf Ihrem Konto: {amount}",
            "contact": "Fragen?",
            "paid_done": "Vielen Dank! Ihre Zahlung über {amount} ist eingegangen.",
            "paid_wait": "Vielen Dank. Ihre Zahlung über {amount} wird von Ihrer Bank bestätigt.",
            "paid_failed": "Ihre Zahlung über {amount} kam nicht zustande. Es wurde nichts abgebucht.",
            "no_cards": "Kartenzahlung ist gerade nicht möglich. Bitte später noch einmal, oder per Überweisung.",
            "refused": "Das hat nicht geklappt: {why}",
            "method": "Rechnungen werden am Fälligkeitstag über {label} eingezogen.",
            "method_remove": "Nicht mehr einziehen",
            "bank_only": "Per Überweisung zahlen",
            "on_plan": "{amount} in Raten vereinbart",
            "being_collected": "{amount} in Einzug",
            "method_mandate": "Mandatsreferenz: {reference}",
            "method_save": "Karte oder Bankkonto hinterlegen",
            "method_save_lead": (
                "Rechnungen und Raten werden dann am Fälligkeitstag von selbst eingezogen; Sie können das "
                "hier jederzeit beenden. Lastschriften kündigen wir Ihnen {days} Tage vorher an."
            ),
            "method_saved": "Vielen Dank. Ihre Zahlungsart wird hinterlegt.",
            "debit_on": "{what}: Wir buchen {amount} am {day} ab ({label}).",
            "debit_under_way": (
                "{what}: {amount} wird gerade eingezogen ({label}). Ihre Bank bestätigt das in einigen Tagen."
            ),
            "what_invoice": "Rechnung {number}",
            "what_instalment": "Rate vom {day}",
            "collect_again": "{what} konnte nicht eingezogen werden. Neuer Versuch am {day}, oder zahlen Sie hier.",
            "collect_given_up": "{what}: Einzug nicht möglich. Bitte zahlen Sie hier oder per Überweisung.",
            "gone": "Dieser Link gilt nicht mehr",
            "gone_lead": "Er ist unvollständig, zu alt oder wurde ersetzt. Jede Nachricht von uns enthält einen neuen.",
        },
        "fr": {
            "title": "Votre compte chez {seller}",
            "hello": "Compte de {customer}",
            "you_owe": "Montant dû",
            "overdue": "dont échu",
            "nothing": "Aucun montant dû. Merci !",
            "invoice": "Facture",
            "issued": "Du",
            "due": "Échéance",
            "amount": "Reste à payer",
            "of_total": "sur {total}",
            "due_today": "à payer aujourd’hui",
            "due_in": "à payer dans {days} jours",
            "due_in_one": "à payer demain",
            "overdue_by": "{days} jours de retard",
            "overdue_by_one": "1 jour de retard",
            "planned": "{amount} en paiement échelonné",
            "choose": "Choisissez ce que vous payez",
            "select": "Payer la facture {number}",
            "pay": "Payer par carte ou prélèvement",
            "pay_amount": "Payer {amount}",
            "save": "Garder ce moyen de paiement pour les prochaines factures",
            "bank": "Ou par virement",
            "bank_hint": "Merci d’indiquer la référence, pour que votre paiement soit trouvé tout de suite.",
            "holder": "Bénéficiaire",
            "reference": "Référence",
            "scan": "À scanner avec l’application de votre banque",
            "history": "Réglé récemment",
            "settled": "réglée le {day}",
            "voided": "annulée le {day}",
            "written_off": "close le {day}",
            "payments": "Vos paiements",
            "credit": "Avoir sur votre compte : {amount}",
            "contact": "Une question ?",
            "paid_done": "Merci ! Votre paiement de {amount} est arrivé.",
            "paid_wait": "Merci. Votre paiement de {amount} est en cours de confirmation par votre banque.",
            "paid_failed": "Votre paiement de {amount} n’a pas abouti. Rien n’a été débité.",
            "no_cards": "Le paiement par carte est indisponible. Réessayez plus tard, ou payez par virement.",
            "refused": "Cela n’a pas fonctionné : {why}",
            "method": "Les factures sont prélevées à l’échéance avec {label}.",
            "method_remove": "Ne plus prélever",
            "bank_only": "Payer par virement",
            "on_plan": "{amount} en paiement échelonné",
            "being_collected": "{amount} en cours de prélèvement",
            "method_mandate": "Référence du mandat : {reference}",
            "method_save": "Enregistrer une carte ou un compte bancaire",
            "method_save_lead": (
                "Factures et mensualités sont alors prélevées d’elles-mêmes le jour dit ; vous pouvez "
                "l’arrêter ici à tout moment. Les prélèvements sur compte vous sont annoncés {days} jours "
                "avant."
            ),
            "method_saved": "Merci. Votre moyen de paiement est en cours d’enregistrement.",
            "debit_on": "{what} : nous prélevons {amount} le {day} ({label}).",
            "debit_under_way": (
                "{what} : {amount} en cours de prélèvement ({label}). Votre banque le confirme sous quelques jours."
            ),
            "what_invoice": "Facture {number}",
            "what_instalment": "Échéance du {day}",
            "collect_again": "{what} : le prélèvement a échoué. Nouvel essai le {day}, ou payez ici.",
            "collect_given_up": "{what} : le prélèvement est impossible. Merci de payer ici ou par virement.",
            "gone": "Ce lien n’est plus valable",
            "gone_lead": "Il est incomplet, trop ancien ou remplacé. Chacun de nos messages en contient un nouveau.",
        },
        "es": {
            "title": "Su cuenta con {seller}",
            "hello": "Cuenta de {customer}",
            "you_owe": "Pendiente",
            "overdue": "de ello vencido",
            "nothing": "No hay nada pendiente. ¡Gracias!",
            "invoice": "Factura",
            "issued": "Del",
            "due": "Vence",
            "amount": "Importe pendiente",
            "of_total": "de {total}",
            "due_today": "vence hoy",
            "due_in": "vence en {days} días",
            "due_in_one": "vence mañana",
            "overdue_by": "vencida hace {days} días",
            "overdue_by_one": "vencida hace 1 día",
            "planned": "{amount} en pago a plazos",
            "choose": "Elija lo que quiere pagar",
            "select": "Pagar la factura {number}",
            "pay": "Pagar con tarjeta o adeudo",
            "pay_amount": "Pagar {amount}",
            "save": "Guardar el medio de pago para próximas facturas",
            "bank": "O por transferencia",
            "bank_hint": "Indique la referencia, para que su pago se identifique enseguida.",
            "holder": "Beneficiario",
            "reference": "Referencia",
            "scan": "Escanee con la app de su banco",
            "history": "Pagado recientemente",
            "settled": "pagada el {day}",
            "voided": "anulada el {day}",
            "written_off": "cerrada el {day}",
            "payments": "Sus pagos",
            "credit": "Saldo a su favor: {amount}",
            "contact": "¿Preguntas?",
            "paid_done": "¡Gracias! Su pago de {amount} ha llegado.",
            "paid_wait": "Gracias. Su banco está confirmando el pago de {amount}.",
            "paid_failed": "Su pago de {amount} no se realizó. No se ha cobrado nada.",
            "no_cards": "Ahora no se puede pagar con tarjeta. Inténtelo más tarde o pague por transferencia.",
            "refused": "No ha funcionado: {why}",
            "method": "Las facturas se cobran al vencer con {label}.",
            "method_remove": "Dejar de cobrar",
            "bank_only": "Pagar por transferencia",
            "on_plan": "{amount} a plazos",
            "being_collected": "{amount} en curso de cobro",
            "method_mandate": "Referencia del mandato: {reference}",
            "method_save": "Guardar una tarjeta o cuenta bancaria",
            "method_save_lead": (
                "Las facturas y los plazos se cobran entonces solos en su día; puede detenerlo aquí en "
                "cualquier momento. Los adeudos en cuenta se le anuncian {days} días antes."
            ),
            "method_saved": "Gracias. Estamos guardando su medio de pago.",
            "debit_on": "{what}: adeudaremos {amount} el {day} ({label}).",
            "debit_under_way": "{what}: {amount} en curso de cobro ({label}). Su banco lo confirma en unos días.",
            "what_invoice": "Factura {number}",
            "what_instalment": "Plazo del {day}",
            "collect_again": "{what}: no se pudo cobrar. Nuevo intento el {day}, o pague aquí.",
            "collect_given_up": "{what}: no se pudo cobrar. Pague aquí o por transferencia.",
            "gone": "Este enlace ya no es válido",
            "gone_lead": "Está incompleto, es antiguo o fue sustituido. Cada mensaje nuestro lleva uno nuevo.",
        },
    }
)
