"""The words of the customer's page in its languages, and how each writes dates and amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

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
    return Tongue(known, locale, MappingProxyType(WORDS["en"] | WORDS[known]))


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
            "disputed": "{amount} under review",
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
            "dispute": "Something is wrong",
            "dispute_part": "Dispute a part",
            "dispute_which": "What is wrong with invoice {number}?",
            "dispute_lines": "Which lines is it about? Leave all empty where it is the whole invoice.",
            "dispute_amount": "How much of it? ({currency})",
            "dispute_amount_hint": "Left empty: the lines chosen, or all that is open ({amount}).",
            "back": "Back",
            "refused_amount": "The amount cannot be read, or it is more than is open on this invoice.",
            "dispute_lead": "Tell us what is wrong. What you dispute is not chased while we look into it.",
            "reason": "What is wrong?",
            "message": "In your own words",
            "send": "Send",
            "not_received": "Goods or service not received",
            "damaged": "Damaged or faulty",
            "wrong_price": "Wrong price",
            "wrong_quantity": "Wrong quantity",
            "duplicate": "Invoiced twice",
            "already_paid": "Already paid",
            "other": "Something else",
            "promise": "Tell us when you will pay",
            "promise_lead": "Name a day within the next {days} days. We will not remind you before it.",
            "promise_day": "I will pay on",
            "plan": "Pay in instalments",
            "plan_lead": (
                "You can pay the overdue {amount} in parts. Choose what suits you: while you keep to it, "
                "we do not chase the whole."
            ),
            "plan_parts": "{count} monthly payments of {amount}",
            "plan_parts_one": "One payment of {amount}",
            "plan_down": "{down} today, then: {rest}",
            "plan_agree": "Agree to this plan",
            "plan_agreed": "Thank you. Your instalment plan is agreed.",
            "plan_yours": "Your instalment plan",
            "plan_for": "For: {numbers}",
            "plan_paid": "paid",
            "plan_open": "{amount} open",
            "plan_late": "{amount} overdue",
            "history": "Paid lately",
            "settled": "settled on {day}",
            "voided": "cancelled on {day}",
            "written_off": "closed on {day}",
            "payments": "Your payments",
            "credit": "Credit on your account: {amount}",
            "contact": "Questions?",
            "disputed_done": "Thank you. We have your message about invoice {number} and will be in touch.",
            "promised_done": "Thank you. We expect your payment on {day}.",
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
            "plan_next": "Next instalment",
            "plan_pay": "Pay {amount} now",
            "plan_transfer": "By bank transfer: {amount}, reference {reference}, to the account below.",
            "refused_nothing_to_pay": "What you chose is paid, being debited or under review. Nothing was charged.",
            "refused_promise_date": "Please choose a day from {first} to {last}.",
            "refused_promise_none": "Nothing is open that a payment could be promised for.",
            "refused_dispute": "What is open on this invoice is under review already, or nothing is open.",
            "refused_on_plan": "This invoice is on an instalment plan already.",
            "refused_plan": (
                "This plan cannot be agreed any more: something has changed. Please look at the page once more."
            ),
            "refused_invoice": "This invoice is not on your account.",
            "refused_other": "Please look at the page once more, or ask us.",
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
            "disputed": "{amount} in Klärung",
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
            "dispute": "Etwas stimmt nicht",
            "dispute_part": "Einen Teil beanstanden",
            "dispute_which": "Was stimmt an Rechnung {number} nicht?",
            "dispute_lines": "Um welche Positionen geht es? Lassen Sie alle leer, wenn es die ganze Rechnung ist.",
            "dispute_amount": "Um wie viel geht es? ({currency})",
            "dispute_amount_hint": "Leer gelassen: die gewählten Positionen oder alles, was offen ist ({amount}).",
            "back": "Zurück",
            "refused_amount": "Der Betrag ist nicht lesbar oder höher als das, was an dieser Rechnung offen ist.",
            "dispute_lead": "Sagen Sie uns, was nicht stimmt. Bis das geklärt ist, mahnen wir den Betrag nicht an.",
            "reason": "Was stimmt nicht?",
            "message": "In Ihren Worten",
            "send": "Absenden",
            "not_received": "Ware oder Leistung nicht erhalten",
            "damaged": "Beschädigt oder mangelhaft",
            "wrong_price": "Falscher Preis",
            "wrong_quantity": "Falsche Menge",
            "duplicate": "Doppelt berechnet",
            "already_paid": "Bereits bezahlt",
            "other": "Etwas anderes",
            "promise": "Sagen Sie uns, wann Sie zahlen",
            "promise_lead": "Nennen Sie einen Tag in den nächsten {days} Tagen. Vorher erinnern wir Sie nicht.",
            "promise_day": "Ich zahle am",
            "plan": "In Raten zahlen",
            "plan_lead": (
                "Sie können die überfälligen {amount} in Raten zahlen. Wählen Sie, was Ihnen passt: "
                "Solange Sie die Raten einhalten, mahnen wir den Betrag nicht an."
            ),
            "plan_parts": "{count} Monatsraten zu {amount}",
            "plan_parts_one": "Eine Rate zu {amount}",
            "plan_down": "{down} heute, dann: {rest}",
            "plan_agree": "Ratenzahlung vereinbaren",
            "plan_agreed": "Vielen Dank. Ihre Ratenzahlung ist vereinbart.",
            "plan_yours": "Ihr Ratenplan",
            "plan_for": "Für: {numbers}",
            "plan_paid": "bezahlt",
            "plan_open": "{amount} offen",
            "plan_late": "{amount} überfällig",
            "history": "Zuletzt beglichen",
            "settled": "beglichen am {day}",
            "voided": "storniert am {day}",
            "written_off": "abgeschlossen am {day}",
            "payments": "Ihre Zahlungen",
            "credit": "Guthaben auf Ihrem Konto: {amount}",
            "contact": "Fragen?",
            "disputed_done": "Vielen Dank. Ihre Nachricht zu Rechnung {number} ist da, wir melden uns.",
            "promised_done": "Vielen Dank. Wir erwarten Ihre Zahlung am {day}.",
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
            "plan_next": "Nächste Rate",
            "plan_pay": "{amount} jetzt zahlen",
            "plan_transfer": "Per Überweisung: {amount}, Verwendungszweck {reference}, auf das Konto unten.",
            "refused_nothing_to_pay": (
                "Das Gewählte ist schon bezahlt, in Einzug oder in Klärung. Es wurde nichts belastet."
            ),
            "refused_promise_date": "Bitte wählen Sie einen Tag vom {first} bis zum {last}.",
            "refused_promise_none": "Es ist nichts offen, wofür Sie eine Zahlung zusagen könnten.",
            "refused_dispute": "Was an dieser Rechnung offen ist, wird schon geklärt, oder es ist nichts mehr offen.",
            "refused_on_plan": "Für diese Rechnung sind schon Raten vereinbart.",
            "refused_plan": (
                "Diese Raten lassen sich nicht mehr vereinbaren: Etwas hat sich geändert. Bitte sehen Sie "
                "sich die Seite noch einmal an."
            ),
            "refused_invoice": "Diese Rechnung gehört nicht zu Ihrem Konto.",
            "refused_other": "Bitte sehen Sie sich die Seite noch einmal an, oder fragen Sie uns.",
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
            "disputed": "{amount} en cours d’examen",
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
            "dispute": "Quelque chose ne va pas",
            "dispute_part": "Contester une partie",
            "dispute_which": "Qu’est-ce qui ne va pas sur la facture {number} ?",
            "dispute_lines": "Quelles lignes sont concernées ? N’en cochez aucune s’il s’agit de toute la facture.",
            "dispute_amount": "Quel montant ? ({currency})",
            "dispute_amount_hint": "Laissé vide : les lignes choisies, ou tout ce qui est dû ({amount}).",
            "back": "Retour",
            "refused_amount": "Le montant est illisible ou dépasse ce qui est dû sur cette facture.",
            "dispute_lead": "Dites-nous ce qui ne va pas. Pendant l’examen, nous ne relançons pas.",
            "reason": "De quoi s’agit-il ?",
            "message": "Avec vos mots",
            "send": "Envoyer",
            "not_received": "Marchandise ou service non reçu",
            "damaged": "Endommagé ou défectueux",
            "wrong_price": "Prix erroné",
            "wrong_quantity": "Quantité erronée",
            "duplicate": "Facturé deux fois",
            "already_paid": "Déjà payé",
            "other": "Autre chose",
            "promise": "Dites-nous quand vous paierez",
            "promise_lead": "Indiquez un jour dans les {days} prochains jours. Pas de relance avant ce jour.",
            "promise_day": "Je paierai le",
            "plan": "Payer en plusieurs fois",
            "plan_lead": (
                "Vous pouvez régler les {amount} échus en plusieurs fois. Choisissez ce qui vous convient "
                ": tant que vous respectez les échéances, nous ne vous relançons pas."
            ),
            "plan_parts": "{count} mensualités de {amount}",
            "plan_parts_one": "Un versement de {amount}",
            "plan_down": "{down} aujourd’hui, puis : {rest}",
            "plan_agree": "Accepter cet échéancier",
            "plan_agreed": "Merci. Votre échéancier est convenu.",
            "plan_yours": "Votre échéancier",
            "plan_for": "Pour : {numbers}",
            "plan_paid": "payé",
            "plan_open": "{amount} à payer",
            "plan_late": "{amount} en retard",
            "history": "Réglé récemment",
            "settled": "réglée le {day}",
            "voided": "annulée le {day}",
            "written_off": "close le {day}",
            "payments": "Vos paiements",
            "credit": "Avoir sur votre compte : {amount}",
            "contact": "Une question ?",
            "disputed_done": "Merci. Votre message sur la facture {number} est bien arrivé, nous revenons vers vous.",
            "promised_done": "Merci. Nous attendons votre paiement le {day}.",
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
            "plan_next": "Prochaine échéance",
            "plan_pay": "Payer {amount} maintenant",
            "plan_transfer": "Par virement : {amount}, référence {reference}, sur le compte ci-dessous.",
            "refused_nothing_to_pay": (
                "Ce que vous avez choisi est déjà payé, en cours de prélèvement ou d’examen. Rien n’a été débité."
            ),
            "refused_promise_date": "Merci de choisir un jour du {first} au {last}.",
            "refused_promise_none": "Rien n’est dû pour quoi un paiement pourrait être promis.",
            "refused_dispute": "Ce qui est dû sur cette facture est déjà en cours d’examen, ou rien n’est dû.",
            "refused_on_plan": "Cette facture fait déjà l’objet d’un paiement échelonné.",
            "refused_plan": "Ce plan n’est plus possible : quelque chose a changé. Merci de revoir la page.",
            "refused_invoice": "Cette facture n’est pas sur votre compte.",
            "refused_other": "Merci de revoir la page, ou de nous demander.",
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
            "disputed": "{amount} en revisión",
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
            "dispute": "Algo no está bien",
            "dispute_part": "Reclamar una parte",
            "dispute_which": "¿Qué no está bien en la factura {number}?",
            "dispute_lines": "¿De qué líneas se trata? Déjelas vacías si es toda la factura.",
            "dispute_amount": "¿Qué importe? ({currency})",
            "dispute_amount_hint": "Si se deja vacío: las líneas elegidas o todo lo pendiente ({amount}).",
            "back": "Volver",
            "refused_amount": "El importe no se entiende o supera lo pendiente de esta factura.",
            "dispute_lead": "Díganos qué no está bien. Mientras lo revisamos, no reclamamos ese importe.",
            "reason": "¿Qué ocurre?",
            "message": "Con sus palabras",
            "send": "Enviar",
            "not_received": "Mercancía o servicio no recibido",
            "damaged": "Dañado o defectuoso",
            "wrong_price": "Precio incorrecto",
            "wrong_quantity": "Cantidad incorrecta",
            "duplicate": "Facturado dos veces",
            "already_paid": "Ya pagada",
            "other": "Otra cosa",
            "promise": "Díganos cuándo pagará",
            "promise_lead": "Indique un día dentro de los próximos {days} días. Antes no le recordaremos nada.",
            "promise_day": "Pagaré el",
            "plan": "Pagar a plazos",
            "plan_lead": (
                "Puede pagar a plazos los {amount} vencidos. Elija lo que le convenga: mientras cumpla los "
                "plazos, no reclamaremos el total."
            ),
            "plan_parts": "{count} mensualidades de {amount}",
            "plan_parts_one": "Un pago de {amount}",
            "plan_down": "{down} hoy y después: {rest}",
            "plan_agree": "Acordar este plan",
            "plan_agreed": "Gracias. Su plan de pago a plazos está acordado.",
            "plan_yours": "Su plan de pago",
            "plan_for": "Para: {numbers}",
            "plan_paid": "pagado",
            "plan_open": "{amount} pendiente",
            "plan_late": "{amount} vencido",
            "history": "Pagado recientemente",
            "settled": "pagada el {day}",
            "voided": "anulada el {day}",
            "written_off": "cerrada el {day}",
            "payments": "Sus pagos",
            "credit": "Saldo a su favor: {amount}",
            "contact": "¿Preguntas?",
            "disputed_done": "Gracias. Hemos recibido su mensaje sobre la factura {number} y le responderemos.",
            "promised_done": "Gracias. Esperamos su pago el {day}.",
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
            "plan_next": "Próximo plazo",
            "plan_pay": "Pagar {amount} ahora",
            "plan_transfer": "Por transferencia: {amount}, referencia {reference}, a la cuenta de abajo.",
            "refused_nothing_to_pay": "Lo que eligió ya está pagado, en cobro o en revisión. No se ha cobrado nada.",
            "refused_promise_date": "Elija un día del {first} al {last}.",
            "refused_promise_none": "No hay nada pendiente por lo que prometer un pago.",
            "refused_dispute": "Lo pendiente de esta factura ya está en revisión, o no hay nada pendiente.",
            "refused_on_plan": "Esta factura ya está en un plan a plazos.",
            "refused_plan": "Este plan ya no se puede acordar: algo ha cambiado. Vuelva a mirar la página.",
            "refused_invoice": "Esta factura no está en su cuenta.",
            "refused_other": "Vuelva a mirar la página o pregúntenos.",
            "gone": "Este enlace ya no es válido",
            "gone_lead": "Está incompleto, es antiguo o fue sustituido. Cada mensaje nuestro lleva uno nuevo.",
        },
    }
)
