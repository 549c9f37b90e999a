"""The words of mails in the languages they are written in, and dates and amounts as their readers are used to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from services.reminder.wordings.rules import LANGUAGES, Language, language_of
from shared.money import Money

WORDS: Mapping[str, tuple[str, str, str, str]] = {
    # key: English, German, French, Spanish
    "friendly": ("Reminder", "Zahlungserinnerung", "Rappel", "Recordatorio"),
    "firm": ("Overdue", "Überfällig", "En retard", "Vencido"),
    "formal": ("Notice", "Mitteilung", "Avis", "Aviso"),
    "soon": ("Due soon", "Bald fällig", "Échéance proche", "Próximo vencimiento"),
    "total_overdue": ("Total overdue", "Überfällig insgesamt", "Total échu", "Total vencido"),
    "total_due": ("Due on {day}", "Fällig am {day}", "Échéance le {day}", "Vencimiento: {day}"),
    "formal_notice": (
        "Formal notice of default",
        "Förmliche Mahnung",
        "Mise en demeure",
        "Requerimiento formal de pago",
    ),
    "see_offer": (
        "See our proposal of instalments",
        "Unseren Vorschlag für Raten ansehen",
        "Voir notre proposition d’échéancier",
        "Ver nuestra propuesta de plazos",
    ),
    "invoice": ("Invoice", "Rechnung", "Facture", "Factura"),
    "one_invoice": ("1 invoice", "1 Rechnung", "1 facture", "1 factura"),
    "invoices": ("{count} invoices", "{count} Rechnungen", "{count} factures", "{count} facturas"),
    "since_day": ("1 day past due", "seit 1 Tag überfällig", "1 jour de retard", "1 día de retraso"),
    "since": (
        "{days} days past due",
        "seit {days} Tagen überfällig",
        "{days} jours de retard",
        "{days} días de retraso",
    ),
    "oldest_day": (
        "the oldest 1 day past due",
        "die älteste seit 1 Tag überfällig",
        "la plus ancienne avec 1 jour de retard",
        "la más antigua con 1 día de retraso",
    ),
    "oldest": (
        "the oldest {days} days past due",
        "die älteste seit {days} Tagen überfällig",
        "la plus ancienne avec {days} jours de retard",
        "la más antigua con {days} días de retraso",
    ),
    "pay_amount": ("Pay {amount}", "{amount} bezahlen", "Régler {amount}", "Pagar {amount}"),
    "pay_now": ("View and pay", "Ansehen und bezahlen", "Consulter et régler", "Ver y pagar"),
    "pay_online": ("Pay online", "Online bezahlen", "Régler en ligne", "Pagar en línea"),
    "issued": ("Issued", "Ausgestellt", "Émise le", "Emitida"),
    "due": ("Due", "Fällig", "Échéance", "Vencimiento"),
    "days_overdue": ("Days overdue", "Tage überfällig", "Jours de retard", "Días de retraso"),
    "amount": ("Amount", "Betrag", "Montant", "Importe"),
    "total": ("Total", "Summe", "Total", "Total"),
    "discount": (
        "{amount} off if paid by {day}",
        "{amount} Skonto bis {day}",
        "escompte de {amount} jusqu’au {day}",
        "descuento de {amount} hasta el {day}",
    ),
    "discount_line": (
        "Early-payment discount: {amount} off if you pay by {day}.",
        "Skonto: {amount} Abzug bei Zahlung bis zum {day}.",
        "Escompte : {amount} à déduire pour un règlement au plus tard le {day}.",
        "Descuento por pronto pago: {amount} si paga hasta el {day}.",
    ),
    "bank_transfer": ("By bank transfer", "Per Überweisung", "Par virement", "Por transferencia"),
    "beneficiary": ("Beneficiary", "Empfänger", "Bénéficiaire", "Beneficiario"),
    "bank": ("Bank", "Bank", "Banque", "Banco"),
    "reference": ("Reference", "Verwendungszweck", "Référence", "Referencia"),
    "regards": ("Kind regards,", "Mit freundlichen Grüßen", "Cordialement,", "Atentamente,"),
    "receivables": (
        "Accounts receivable",
        "Debitorenbuchhaltung",
        "Comptabilité clients",
        "Departamento de cobros",
    ),
    "phone": ("Phone {number}", "Telefon {number}", "Tél. {number}", "Tel. {number}"),
    "statement": ("Statement of {day}.", "Stand vom {day}.", "Situation au {day}.", "Situación a {day}."),
    "statement_for": (
        "Statement of {day} for {customer}.",
        "Stand vom {day} für {customer}.",
        "Situation au {day} pour {customer}.",
        "Situación a {day} de {customer}.",
    ),
    "crossed": (
        "If you have paid in the last few days, thank you: please disregard this message.",
        "Falls Sie in den letzten Tagen bereits gezahlt haben: vielen Dank, diese Nachricht ist dann gegenstandslos.",
        "Si vous avez réglé ces derniers jours, nous vous en remercions : ne tenez pas compte de ce message.",
        "Si ha pagado en los últimos días, se lo agradecemos: no tenga en cuenta este mensaje.",
    ),
    "button_fails": (
        "Does the button not work? Open",
        "Der Knopf funktioniert nicht? Öffnen Sie",
        "Le bouton ne fonctionne pas ? Ouvrez",
        "¿No funciona el botón? Abra",
    ),
    "wrong_person": (
        "Not the right person for this?",
        "Nicht die richtige Person dafür?",
        "Vous n’êtes pas la bonne personne ?",
        "¿No es usted la persona indicada?",
    ),
    "tell_us": ("Tell us", "Teilen Sie es uns mit", "Dites-le-nous", "Indíquenoslo"),
    "and": ("and", "und", "et", "y"),
    "dear": ("Dear {name},", "Guten Tag {name},", "Bonjour {name},", "Buenos días, {name}:"),
    "hello": ("Hello,", "Sehr geehrte Damen und Herren,", "Madame, Monsieur,", "Estimados señores:"),
}


@dataclass(frozen=True, slots=True)
class Tongue:
    """A reader's language: `words` for text and dates, `figures` for amounts as in the country they live in."""

    language: Language
    words: Locale
    figures: Locale

    def say(self, key: str, **parts: object) -> str:
        return WORDS[key][LANGUAGES.index(self.language)].format(**parts)

    def day(self, day: date) -> str:
        """`1 March 2024`: nobody takes the month for the day."""
        return format_date(day, "d MMMM y" if self.language == "en" else "long", locale=self.words)

    def short_day(self, day: date) -> str:
        """The same for columns: `1 Mar 2024`."""
        return format_date(day, "d. MMM y" if self.language == "de" else "d MMM y", locale=self.words)

    def amount(self, money: Money) -> str:
        return format_currency(money.decimal, money.currency, locale=self.figures, currency_digits=True)

    def listed(self, parts: Sequence[str]) -> str:
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self.say('and')} {parts[-1]}"

    def counted(self, count: int) -> str:
        return self.say("one_invoice") if count == 1 else self.say("invoices", count=count)


@cache
def tongue(language: str, country: str | None) -> Tongue:
    """The tongue of a customer: English words where there are none in theirs, their country's figures all the same."""
    spoken = language_of(language)
    base = language.replace("_", "-").partition("-")[0].lower()
    return Tongue(spoken, Locale(spoken), _figures(base, country))


def _figures(base: str, country: str | None) -> Locale:
    for tag in (f"{base}_{country}" if country else base, base):
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
