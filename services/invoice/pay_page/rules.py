"""The customer's page: what it shows, in the customer's language, and what the customer may say on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from services.invoice.autopay.rules import Collection
from services.invoice.entities.rules import DisputePolicy, Entity
from services.invoice.invoices.rules import Invoice, Outcome
from services.invoice.payment_references.rules import payment_reference, printed
from services.invoice.plans.rules import Filled, Offer, Plan, Schedule
from shared.errors import Refused
from shared.events.invoice import InvoicePromiseOffered
from shared.money import Money

PROMISE_DAYS_MAX = 30
"""The latest day that a customer may name by itself; later ones are for a conversation."""
HISTORY = 12
PARTS_SHOWN = 12
"""A plan of more instalments is told by its first ones and its last."""
STANDARD_REASONS = frozenset(DisputePolicy().codes)
"""Disputes are counted under these unless the entity has codes of its own; the page has words for them."""


class PromiseRefused(Refused):
    slug = "promise-date"
    title = "This day cannot be promised"


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    id: UUID
    number: str
    issue_date: date
    settled_on: date
    status: str
    total_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ReceivedPayment:
    id: UUID
    received_on: date
    amount_minor: int
    unapplied_minor: int
    currency: str
    method: str
    status: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What is overdue in one currency, and the plans for it that the customer may choose from."""

    invoice_ids: tuple[UUID, ...]
    total: Money
    offers: tuple[Offer, ...]


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


def promised_day(text: str, today: date) -> date:
    """A day from today to a month from now. Raises PromiseRefused."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise PromiseRefused(f"{text!r} is not a day such as {today.isoformat()}", field="/promised_on") from None
    if not today <= day <= last_promise(today):
        raise PromiseRefused(f"a day from {today} to {last_promise(today)} can be promised here", field="/promised_on")
    return day


def last_promise(today: date) -> date:
    return today + timedelta(days=PROMISE_DAYS_MAX)


def promisable(invoices: Sequence[Invoice]) -> list[Invoice]:
    """What a promise speaks of: everything that may be chased now."""
    return [invoice for invoice in invoices if invoice.collectable_minor > 0]


def offer_promise(invoices: Sequence[Invoice], promised_on: date, booked_on: date) -> list[Outcome]:
    """Announce that the customer will pay these invoices by a day: a new version of each, its amounts unchanged."""
    outcomes = []
    for invoice in invoices:
        told = replace(invoice, version=invoice.version + 1)
        event = InvoicePromiseOffered(
            customer_id=told.customer_id,
            effective_on=booked_on,
            booked_on=booked_on,
            entity_id=told.entity_id,
            invoice=told.state(),
            promised_on=promised_on,
            amount=told.money(told.collectable_minor),
        )
        outcomes.append(Outcome(told, (event,)))
    return outcomes


def plannable(invoices: Sequence[Invoice], today: date) -> list[tuple[UUID, ...]]:
    """Overdue invoices that a plan may be made of, by currency: those that may be collected and are on none."""
    by_currency: dict[str, list[UUID]] = {}
    for invoice in invoices:
        if invoice.overdue_minor(today) and invoice.collectable_minor > 0 and not invoice.planned_minor:
            by_currency.setdefault(invoice.currency, []).append(invoice.id)
    return [tuple(ids) for _, ids in sorted(by_currency.items())]


def is_choice(plan: Plan, total: Money, count: int, today: date) -> bool:
    """Whether a plan is what the customer asks for, agreed by itself a moment ago."""
    parts = [each for each in plan.schedule if each.due_date > plan.agreed_on]
    return (
        plan.agreed_by == "customer"
        and plan.agreed_on == today
        and plan.money(plan.amount_minor) == total
        and len(parts) == count
    )


def offer_view(offered: Offered, t: Tongue, today: date) -> dict[str, Any]:
    """What is overdue in a currency with the plans for it."""
    currency = offered.total.currency
    return {
        "total": t.money(offered.total.minor, currency),
        "minor": offered.total.minor,
        "currency": currency,
        "choices": [
            {
                "count": offer.count,
                "said": _in_parts(offer, t, currency, today),
                "parts": _parts(offer.schedule, t, currency),
            }
            for offer in offered.offers
        ],
    }


def _in_parts(offer: Offer, t: Tongue, currency: str, today: date) -> str:
    """A down payment is due today, and comes before the instalments."""
    down = [each for each in offer.schedule if each.due_date <= today]
    parts = [each for each in offer.schedule if each.due_date > today]
    amount = t.money(parts[0].minor, currency)
    said = t.say("plan_parts_one" if offer.count == 1 else "plan_parts", count=offer.count, amount=amount)
    return t.say("plan_down", down=t.money(down[0].minor, currency), rest=said) if down else said


def _parts(schedule: Schedule, t: Tongue, currency: str) -> list[str]:
    """Each date with its amount; of a long plan the first and the last ones."""
    said = [f"{t.short_day(each.due_date)}: {t.money(each.minor, currency)}" for each in schedule]
    return said if len(said) <= PARTS_SHOWN else [*said[:3], "…", said[-1]]


def plan_view(plan: Plan, filled: Sequence[Filled], t: Tongue, today: date) -> dict[str, Any]:
    """A running plan: its invoices, and each instalment with what is open of it."""
    return {
        "invoices": ", ".join(share.number for share in plan.shares),
        "parts": [
            {
                "day": t.day(each.due_date),
                "amount": t.money(each.minor, plan.currency),
                "late": bool(each.open_minor) and each.due_date < today,
                "said": _standing(each, plan, t, today),
            }
            for each in filled
        ],
    }


def _standing(part: Filled, plan: Plan, t: Tongue, today: date) -> str:
    if not part.open_minor:
        return t.say("plan_paid")
    key = "plan_late" if part.due_date < today else "plan_open"
    return t.say(key, amount=t.money(part.open_minor, plan.currency))


def written(text: str) -> str:
    """What the customer wrote, without what cannot be kept."""
    return text.replace("\0", "").replace("\r\n", "\n").strip()


def item_view(invoice: Invoice, t: Tongue, today: date) -> dict[str, Any]:
    """One open invoice as the page shows it."""
    late = (today - invoice.due_date).days
    resting = invoice.planned_minor == invoice.balance_minor
    planned = t.say("planned", amount=t.money(invoice.planned_minor, invoice.currency))
    if resting:  # The plan's dates are those that count.
        when = planned
    elif late > 0:
        when = t.say("overdue_by_one" if late == 1 else "overdue_by", days=late)
    elif late == 0:
        when = t.say("due_today")
    else:
        when = t.say("due_in_one" if late == -1 else "due_in", days=-late)
    return {
        "id": invoice.id,
        "number": invoice.number,
        "issued": t.day(invoice.issue_date),
        "due": t.day(invoice.due_date),
        "when": when,
        "late": late > 0 and not resting,
        "balance": t.money(invoice.balance_minor, invoice.currency),
        "total": t.money(invoice.total_minor, invoice.currency) if invoice.reduced_minor else None,
        "disputed": t.money(invoice.disputed_minor, invoice.currency) if invoice.disputed_minor else None,
        "planned": planned if invoice.planned_minor and not resting else None,
        "chosen": not resting,
        "payable": invoice.undisputed_minor > 0,
        "disputable": invoice.collectable_minor > 0,
        "reference": printed(payment_reference(invoice.number)),
    }


def totals_view(invoices: Sequence[Invoice], t: Tongue, today: date) -> list[dict[str, str | None]]:
    """What is owed by currency, and what of it is past due."""
    view = []
    for currency in sorted({invoice.currency for invoice in invoices}):
        own = [invoice for invoice in invoices if invoice.currency == currency]
        overdue = sum(invoice.overdue_minor(today) for invoice in own)
        view.append(
            {
                "owed": t.money(sum(invoice.balance_minor for invoice in own), currency),
                "overdue": t.money(overdue, currency) if overdue else None,
            }
        )
    return view


def failed_view(items: Sequence[Invoice], collections: Sequence[Collection], t: Tongue, entity: Entity) -> list[str]:
    """What could not be collected, and when it is tried again."""
    open_items = {item.id: item for item in items}
    told = []
    for each in collections:
        item = open_items.get(each.invoice_id)
        if item is None or each.failure is None:
            continue
        if each.look_at:
            told.append(t.say("collect_again", number=item.number, day=t.day(entity.today(each.look_at))))
        else:
            told.append(t.say("collect_given_up", number=item.number))
    return told


def seller_lines(entity: Entity) -> list[str]:
    """Who the page belongs to, with where to ask."""
    seller = entity.seller
    address = seller.address
    place = [*address.lines, " ".join(part for part in (address.postal_code, address.city) if part)] if address else []
    return [seller.legal_name or entity.name, *place]


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
            "collect_again": "Invoice {number} could not be collected. We try again on {day}, or you pay it here.",
            "collect_given_up": "Invoice {number} could not be collected. Please pay it here or by transfer.",
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
            "collect_again": "Einzug von {number} nicht möglich. Neuer Versuch am {day}, oder Sie zahlen hier.",
            "collect_given_up": "Einzug von {number} nicht möglich. Bitte zahlen Sie hier oder per Überweisung.",
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
            "collect_again": "La facture {number} n’a pas pu être prélevée. Nouvel essai le {day}, ou payez-la ici.",
            "collect_given_up": "La facture {number} n’a pas pu être prélevée. Merci de la payer ici ou par virement.",
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
            "collect_again": "La factura {number} no se pudo cobrar. Nuevo intento el {day}, o páguela aquí.",
            "collect_given_up": "La factura {number} no se pudo cobrar. Páguela aquí o por transferencia.",
            "gone": "Este enlace ya no es válido",
            "gone_lead": "Está incompleto, es antiguo o fue sustituido. Cada mensaje nuestro lleva uno nuevo.",
        },
    }
)
